//! Which packages are compiled with which features.

use std::collections::BTreeSet;
use std::env;
use std::process::Command;

/// Every package that cargo compiles along `edges` of the dependency graph, with its features, a line each.
fn packages(edges: &str) -> BTreeSet<String> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--offline", "--prefix", "none", "--format", "{p} {f}", "--edges", edges])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| line.trim_end_matches(" (*)").trim_end().to_owned()).collect()
}

/// A package whose features the tests' own dependencies add to is compiled again for them, and so is everything that depends on
/// it: this crate too. Such features are named in `[dependencies]` of `Cargo.toml`, see `once-cell-for-features` there.
#[test]
fn tests_compile_no_dependency_of_the_program_again() {
    let (program, tests) = (packages("no-dev"), packages("normal,build,dev"));
    assert!(program.len() > 100, "{program:?}");
    let again: Vec<_> = program.difference(&tests).collect();
    assert!(again.is_empty(), "compiled for the program with these features, and for the tests with others: {again:?}");
}
