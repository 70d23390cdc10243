//! The console and a real Slurm of this machine, on the loopback. Where there is none (`scripts/local_slurm install`), the
//! test says that it skips.

use super::home::{Home, runs_key, wait_until};
use super::sweeps::{fill, go_to, write_preset};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A running Slurm, ended when dropped.
struct Slurm(PathBuf);

fn local_slurm(action: &str, place: &Path) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/local_slurm");
    Command::new(script).arg(action).arg(place).output().unwrap()
}

impl Slurm {
    fn start(place: PathBuf) -> Option<Self> {
        let slurm = Self(place);
        let started = local_slurm("start", &slurm.0);
        let said = String::from_utf8_lossy(&started.stderr).into_owned();
        if started.status.code() == Some(3) {
            // Past the test harness, which keeps what a test that passes prints.
            std::io::stderr().write_all(format!("terminal: {}\n", said.trim()).as_bytes()).unwrap();
            return None;
        }
        assert!(started.status.success(), "{said}");
        Some(slurm)
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        local_slurm("stop", &self.0);
    }
}

#[test]
fn a_sweep_goes_to_a_cluster_and_comes_back_to_the_screen() {
    let home = Home::new();
    let Some(slurm) = Slurm::start(home.path().join("slurm")) else { return };
    write_preset(&home, "hybrid", "trials = 60\nangles = 3");
    let mut session = home.console_with((160, 50), &[("SLURM_CONF", &slurm.0.join("slurm.conf"))]);
    fill(&mut session);
    go_to(&mut session, "dimension d");
    session.press("s\x15");
    session.press("4..16 x2\rr");
    session.wait_for("3 new");
    // A partition that there is not: what sbatch says stands in the dialog.
    session.press("t");
    session.wait_for("on a Slurm cluster");
    session.press("jje");
    session.press("nowhere\r\r");
    session.wait_for("nvalid partition");
    session.press("e\x15\r\r");
    session.wait_for("3 points in");
    wait_until("every point", || home.states() == ["finished"; 3]);
    session.wait_for("by dimension d");
    session.wait_until("the runs", |screen| screen.contains("dim=4") && screen.contains("✔"));
    session.press(&format!("{}s", runs_key()));
    session.wait_for("every point is finished");
    session.wait_for("dim=16");
    session.press("\x1b");
    session.wait_until("the runs", |screen| !screen.contains("Sweeps on a cluster"));
    session.press("q");
    assert!(session.wait_for_end().success());
}
