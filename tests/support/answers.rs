//! What the program answers.

use super::program::program;
use serde_json::Value;
use std::path::Path;

/// The exit status of a call, and what it wrote to standard output and to standard error.
pub fn call(desk: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = program(desk, arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// The document that a call with `--json` prints.
pub fn json(desk: &Path, arguments: &[&str]) -> Value {
    let (status, out, error) = call(desk, arguments);
    assert_eq!(status, 0, "{arguments:?}: {error}");
    serde_json::from_str(&out).unwrap()
}
