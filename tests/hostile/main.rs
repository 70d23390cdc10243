//! Files as a stranger might hand them over, one fault each: the program refuses them in one line or lists them as
//! damaged. It does not panic, hang or take memory out of proportion, writes nowhere else, and prints nothing that a
//! terminal obeys.
//!
//! Small inputs lie in `runs`, `presets`, `sweeps`, `matrices` and `models`; what Git does not keep (pipes, links,
//! files with holes) is made here.

mod files;
#[path = "../support/folders.rs"]
mod folders;
mod links;
mod runs;
mod sweeps;

use folders::copy;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than any of the commands needs on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// KiB of addresses a command may have: some hundred times what it needs, a fraction of what the files ask for.
const MEMORY: u32 = 8 << 20;

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile")
}

/// The inputs of one kind, by name.
fn inputs(kind: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(here().join(kind)).unwrap_or_else(|error| panic!("{kind}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no input of the kind {kind}");
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// How a command ended.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

/// A directory to call the program from, and one beside it that nothing may touch.
struct Desk {
    root: TempDir,
    before: BTreeMap<PathBuf, Vec<u8>>,
}

impl Desk {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["desk/logs", "outside/folder"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join("outside/precious"), "precious\n").unwrap();
        let mut desk = Self { root, before: BTreeMap::new() };
        desk.before = desk.untouchable();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("desk").join(name)
    }

    fn outside(&self, name: &str) -> PathBuf {
        self.root.path().join("outside").join(name)
    }

    /// Everything that is not the desk's own.
    fn untouchable(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn collect(folder: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                if entry.file_name() == "desk" {
                    continue;
                }
                if entry.file_type().unwrap().is_dir() {
                    all.insert(entry.path(), Vec::new());
                    collect(&entry.path(), all);
                } else {
                    all.insert(entry.path(), fs::read(entry.path()).unwrap());
                }
            }
        }
        let mut all = BTreeMap::new();
        collect(self.root.path(), &mut all);
        all
    }

    /// Calls the program and looks at how it takes it: `fault` names the input in messages.
    fn call(&self, fault: &str, arguments: &[&str]) -> Ended {
        let place = format!("{fault}: attnlab {}", arguments.join(" "));
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"")]).arg(env!("CARGO_BIN_EXE_attnlab"));
        command.args(arguments).current_dir(self.path("")).stdin(Stdio::null());
        for name in ["ATTNLAB_LOGS", "ATTNLAB_DATA", "ATTNLAB_PRESETS", "ATTNLAB_LOG"] {
            command.env_remove(name);
        }
        // No batch system, whatever this machine has.
        command.env("PATH", self.path("")).env("RUST_BACKTRACE", "0");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let read = |pipe: &mut dyn Read| {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).ok();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (out, err) = (thread::spawn(move || read(&mut out)), thread::spawn(move || read(&mut err)));
        let since = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if since.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("{place}: hangs");
            }
            thread::sleep(Duration::from_millis(2));
        };
        let ended = Ended { code: status.code(), out: out.join().unwrap(), err: err.join().unwrap() };
        self.judge(&place, &ended);
        ended
    }

    fn judge(&self, place: &str, ended: &Ended) {
        let Ended { code, out, err } = ended;
        assert!(matches!(code, Some(0..=2)), "{place}: status {code:?}: {err}");
        assert!(!err.contains("panicked"), "{place}: {err}");
        if *code != Some(0) {
            let last = err.lines().last().unwrap_or_default();
            assert!(last.starts_with("attnlab: "), "{place}: no reason: {err}");
            assert!(err.lines().count() <= 3, "{place}: more than a line: {err}");
        }
        for text in [out, err] {
            let obeyed = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
            assert!(!text.contains(obeyed), "{place}: prints what a terminal obeys: {text:?}");
        }
        assert_eq!(self.untouchable(), self.before, "{place}: touches what is not its own");
    }

    /// Calls the program, which must say `words` in its one line.
    fn refused(&self, fault: &str, arguments: &[&str], words: &str) {
        let ended = self.call(fault, arguments);
        assert_ne!(ended.code, Some(0), "{fault}: {arguments:?} does it");
        assert!(ended.err.contains(words), "{fault}: {arguments:?} should say `{words}`: {}", ended.err);
    }
}
