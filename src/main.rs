//! The `attnlab` program: parse the arguments, choose a face; nothing else.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    attnlab::cli::main()
}
