//! Folders of sweeps on a cluster.

use super::{Desk, copy, inputs, name};
use std::fs;

const PLAN: &str = r#"schema = 1
problem = "hybrid"
title = "two"
created = "2026-01-01T00:00:00Z"
version = "0.1.0"
logs = "logs"
data = "data"
points = 2
element_points = 1
jobs = ["17"]

[slurm]
"#;

const POINTS: &str = r#"{"index":0,"point":"00","set":{"seed":"0","trials":"1","angles":"2"}}
{"index":1,"point":"01","set":{"seed":"1","trials":"1","angles":"2"}}
"#;

const SWEEP: &str = "sweep-20260101-000000-two";

fn sweep() -> Desk {
    let desk = Desk::new();
    let folder = desk.path("logs").join(SWEEP);
    for part in ["points", "seen", "broken", "slurm"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    let logs = desk.path("logs").display().to_string();
    fs::write(folder.join("sweep.toml"), PLAN.replace("\"logs\"", &format!("{logs:?}"))).unwrap();
    fs::write(folder.join("points.jsonl"), POINTS).unwrap();
    desk
}

fn read_all(desk: &Desk, fault: &str) {
    for command in ["status", "results", "resume", "cancel"] {
        desk.call(fault, &["sweep", command, "two"]);
    }
    desk.call(fault, &["sweep", "status", "two", "--json"]);
    desk.call(fault, &["sweep", "throttle", "two", "2"]);
    let folder = desk.path("logs").join(SWEEP).display().to_string();
    desk.call(fault, &["sweep", "element", &folder, "0"]);
    desk.call(fault, &["sweep", "element", &folder, "18446744073709551615"]);
    assert_eq!(desk.call(fault, &["list"]).code, Some(0), "{fault}");
}

#[test]
fn sweeps_with_one_fault() {
    for input in inputs("sweeps") {
        let desk = sweep();
        copy(&input, &desk.path("logs").join(SWEEP));
        read_all(&desk, &name(&input));
    }
}

#[test]
fn a_point_leads_to_no_run_outside() {
    for target in ["../../outside/folder", "/etc", "a\0b", "..", "\u{1b}[2J"] {
        let desk = sweep();
        fs::write(desk.path("logs").join(SWEEP).join("points/0"), target).unwrap();
        read_all(&desk, &format!("point 0 is {target:?}"));
    }
}
