//! `attnlab --version`.

use crate::device;
use crate::lab::Machine;
use crate::problems;

/// The name and version; with what it was built from and what it can use here, if so.
pub fn told(verbose: bool) -> String {
    let name = concat!("attnlab ", env!("CARGO_PKG_VERSION"), "\n");
    if !verbose {
        return name.to_owned();
    }
    // Whoever builds a release tells the compiler; a build out of a checkout does not know its commit.
    let commit = option_env!("ATTNLAB_COMMIT").filter(|commit| !commit.is_empty());
    let build = if cfg!(debug_assertions) { "for development" } else { "release" };
    let target = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let machine = Machine::here();
    let features = match device::features() {
        none if none.is_empty() => "none; cuda and metal are for GPUs (docs/gpu.md)".to_owned(),
        some => some.join(", "),
    };
    let lines = [
        ("commit", commit.unwrap_or("not recorded (ATTNLAB_COMMIT was not set when it was built)").to_owned()),
        ("build", format!("{build}, {target}")),
        ("features", features),
        ("instructions", format!("{} (the first is used)", problems::instructions().join(", "))),
        ("machine", format!("{}, {}", machine.words(), machine.system)),
    ];
    let lines = lines.map(|(what, text)| format!("{what:<14}{text}\n"));
    format!("{name}{}", lines.concat())
}
