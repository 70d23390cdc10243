//! A place for the program to live in, and waiting for what it does there.

use super::pty::Session;
use portable_pty::CommandBuilder;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_attnlab");

/// A directory for everything that the program reads and writes.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn command(&self, program: &str) -> CommandBuilder {
        let mut command = CommandBuilder::new(program);
        command.cwd(self.path());
        for (name, value) in self.environment() {
            command.env(name, value.as_os_str());
        }
        command.env_remove("NO_COLOR");
        command.env_remove("COLORTERM");
        command
    }

    pub fn environment(&self) -> [(&'static str, PathBuf); 7] {
        let at = |name: &str| self.path().join(name);
        [
            ("HOME", at("")),
            ("XDG_CONFIG_HOME", at("config")),
            ("ATTNLAB_LOGS", at("logs")),
            ("ATTNLAB_DATA", at("data")),
            ("ATTNLAB_PRESETS", at("presets")),
            ("TERM", "xterm-256color".into()),
            ("LANG", "C.UTF-8".into()),
        ]
    }

    /// Settings that make training on the built-in digits a matter of seconds.
    pub fn quick_preset(&self, epochs: u32) {
        let text = format!(
            "schema = 1\nproblem = \"vit\"\ntitle = \"aaa quick\"\n[params]\nepochs = {epochs}\nlr = 0.003\ndepth = 2\nbatch = 32\n"
        );
        std::fs::create_dir_all(self.path().join("presets")).unwrap();
        std::fs::write(self.path().join("presets/aaa-quick.toml"), text).unwrap();
    }

    pub fn console(&self, size: (u16, u16)) -> Session {
        self.console_with(size, &[])
    }

    /// A console with more in its environment.
    pub fn console_with(&self, size: (u16, u16), environment: &[(&str, &Path)]) -> Session {
        let mut command = self.command(PROGRAM);
        environment.iter().for_each(|(name, value)| command.env(name, value));
        let session = Session::start(command, size);
        session.wait_for("Parameters");
        session
    }

    /// A console with the quick settings in the form.
    pub fn ready(&self, epochs: u32) -> Session {
        self.quick_preset(epochs);
        let mut session = self.console((120, 36));
        choose_preset(&mut session, "aaa-quick");
        session
    }

    /// The state that every run's summary tells.
    pub fn states(&self) -> Vec<String> {
        let folders = std::fs::read_dir(self.path().join("logs")).into_iter().flatten().flatten();
        let state = |folder: PathBuf| {
            let text = std::fs::read_to_string(folder.join("summary.json")).ok()?;
            let summary: serde_json::Value = serde_json::from_str(&text).ok()?;
            Some(summary["state"].as_str()?.to_owned())
        };
        folders.filter_map(|entry| state(entry.path())).collect()
    }
}

/// The words at the cursors of a screen.
fn cursors(screen: &str) -> Vec<&str> {
    screen.split('▸').skip(1).map(|behind| behind.split_whitespace().next().unwrap_or_default()).collect()
}

/// Puts the preset called `name` into the form.
pub fn choose_preset(session: &mut Session, name: &str) {
    session.press("p");
    // One of the first in the list; the one that is looked for may stand below the screen.
    session.wait_for("vision-digits");
    session.press(&"k".repeat(200));
    let chosen = format!("▸{name}");
    for _ in 0..200 {
        let before = session.text();
        if before.contains(&chosen) {
            session.press("\r");
            return session.wait_for("press r to run it");
        }
        session.press("j");
        // Times of presets come in while one goes through them: only the cursor says that the key was heard.
        session.wait_until("the next preset", |screen| cursors(screen) != cursors(&before));
    }
    panic!("no preset {name}:\n{}", session.text());
}

/// Waits until a run is under way: its share and remaining time stand on one line.
pub fn wait_for_progress(session: &Session) {
    let under_way = |line: &str| line.contains(" % ") && line.contains(" left");
    session.wait_until("progress", |screen| screen.lines().any(under_way));
}

/// Leaves a console whose work is done: a run counts as under way for a moment after its last file is written.
pub fn leave(session: &mut Session) {
    session.wait_until("the end of the work", |screen| !screen.contains(" running"));
    session.press("q");
    assert!(session.wait_for_end().success());
}

/// Waits until `done` says so.
pub fn wait_until(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(120), "waited too long for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The key of the tab Runs, which stands behind those of the problems.
pub fn runs_key() -> String {
    (attnlab::problems::ALL.len() + 1).to_string()
}

/// The key of the tab Log, the last one.
pub fn log_key() -> String {
    (attnlab::problems::ALL.len() + 2).to_string()
}
