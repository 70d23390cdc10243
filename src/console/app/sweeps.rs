//! Sweeps on a cluster: how far each is, read from the disk every second or two, with what Slurm says beside it, asked
//! seldom; both by tasks.

use super::screen_run::ScreenRun;
use crate::lab::slurm::{self, JobArray, Queues, Status};
use crate::lab::{Problem, RunState};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The least time between two looks at the disk.
const GLANCE: Duration = Duration::from_millis(1500);
/// How often a sweep is looked at that is not chosen.
const ASIDE: Duration = Duration::from_secs(15);
/// How often Slurm is asked about the sweep that is looked at, and about others.
const QUESTION: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));

/// A sweep in the list.
#[derive(Clone, Debug)]
pub struct SweepEntry {
    /// Its folder.
    pub folder: PathBuf,
    /// Its problem's name.
    pub problem: String,
    /// Its name.
    pub title: String,
    /// When it was planned (UTC, RFC 3339).
    pub created: String,
    /// The newest of its jobs.
    pub job: Option<String>,
    /// Points an element works on.
    pub element_points: usize,
    /// The words for each point.
    pub labels: Arc<[String]>,
    /// How far it is; why that cannot be told.
    pub status: Result<Status, String>,
    looked: Instant,
}

impl SweepEntry {
    fn read(folder: &Path, queues: &Queues, before: Option<&Self>, problems: &[&'static dyn Problem]) -> Self {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let looked = Instant::now();
        match JobArray::open(folder) {
            Ok(sweep) => {
                let mut status = Status::on_disk(&sweep);
                status.put_beside(&sweep, queues);
                let plan = sweep.plan_ref();
                Self {
                    folder: folder.to_owned(),
                    problem: plan.problem.clone(),
                    title: if plan.title.is_empty() { name } else { plan.title.clone() },
                    created: plan.created.clone(),
                    job: plan.jobs.last().map(ToString::to_string),
                    element_points: plan.element_points,
                    // They never change.
                    labels: match before {
                        Some(entry) if !entry.labels.is_empty() => Arc::clone(&entry.labels),
                        _ => sweep.labels(problems).unwrap_or_default().into(),
                    },
                    status: Ok(status),
                    looked,
                }
            }
            Err(error) => Self {
                folder: folder.to_owned(),
                problem: String::new(),
                title: name,
                created: String::new(),
                job: None,
                element_points: 1,
                labels: Arc::default(),
                status: Err(error.to_string()),
                looked,
            },
        }
    }

    /// Whether every point is finished.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.status.as_ref().is_ok_and(Status::is_complete)
    }
}

/// What a look at the disk brings.
pub(super) struct SweepsRead {
    pub entries: Vec<SweepEntry>,
    /// Runs of followed sweeps that are new on screen, or of which there is news that the screen would miss, with their
    /// problems' names.
    pub runs: Vec<(String, ScreenRun)>,
}

/// What a look at the disk needs to know.
pub(super) struct SweepsLook {
    logs: PathBuf,
    problems: Vec<&'static dyn Problem>,
    known: Vec<SweepEntry>,
    queues: HashMap<PathBuf, Queues>,
    followed: HashSet<PathBuf>,
    chosen: Option<PathBuf>,
}

/// The sweeps among the runs.
pub struct Sweeps {
    /// Every sweep, the newest first.
    pub entries: Vec<SweepEntry>,
    /// Index of the chosen one.
    pub chosen: usize,
    /// Points of the chosen one that are scrolled away.
    pub skip: usize,
    /// The sweep that the next press of the key cancels, because the user has asked for it once.
    pub to_cancel: Option<PathBuf>,
    /// Whether the directory has been looked through once.
    pub known: bool,
    logs: PathBuf,
    problems: Vec<&'static dyn Problem>,
    followed: HashSet<PathBuf>,
    queues: HashMap<PathBuf, Queues>,
    /// When the disk was looked at last.
    looked: Option<Instant>,
    /// Whether a task looks at it.
    is_looking: bool,
    /// The least time until the next look.
    pause: Duration,
    /// When Slurm was asked about a sweep last.
    asked: HashMap<PathBuf, Instant>,
    /// Whether a task asks Slurm.
    is_asking: bool,
    /// Whether a task changes a sweep.
    is_changing: bool,
}

impl Sweeps {
    /// The sweeps in `logs`, not looked at yet.
    #[must_use]
    pub fn new(logs: &Path, problems: &[&'static dyn Problem]) -> Self {
        Self {
            entries: Vec::new(),
            chosen: 0,
            skip: 0,
            to_cancel: None,
            known: false,
            logs: logs.to_owned(),
            problems: problems.to_vec(),
            followed: HashSet::new(),
            queues: HashMap::new(),
            looked: None,
            is_looking: false,
            pause: GLANCE,
            asked: HashMap::new(),
            is_asking: false,
            is_changing: false,
        }
    }

    /// The chosen sweep.
    #[must_use]
    pub fn chosen(&self) -> Option<&SweepEntry> {
        self.entries.get(self.chosen)
    }

    /// Chooses the sweep `by` further down.
    pub fn go(&mut self, by: isize) {
        self.chosen = self.chosen.saturating_add_signed(by).min(self.entries.len().saturating_sub(1));
        (self.skip, self.to_cancel, self.looked) = (0, None, None);
    }

    /// Whether a question to Slurm or a change of a sweep is under way.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.is_asking || self.is_changing
    }

    /// Whether there is something to follow although the list is not on screen.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        let open = |entry: &SweepEntry| self.followed.contains(&entry.folder) && !entry.is_complete();
        (!self.followed.is_empty() && !self.known) || self.entries.iter().any(open)
    }

    /// Brings the runs of a sweep on screen from now on, as they come.
    pub fn follow_runs(&mut self, folder: &Path) {
        self.followed.insert(folder.to_owned());
        self.looked = None;
    }

    /// The folder of the chosen sweep, for a task that changes it. Nothing is given while another task changes a sweep.
    pub(super) fn begin_change(&mut self) -> Option<PathBuf> {
        let folder = self.chosen().filter(|_| !self.is_changing)?.folder.clone();
        self.asked.remove(&folder);
        self.is_changing = true;
        Some(folder)
    }

    /// Ends the change: the disk is looked at again at once.
    pub(super) fn end_change(&mut self) {
        (self.is_changing, self.looked) = (false, None);
    }

    /// Gives a task what it needs to look at the disk, if a look is due.
    pub(super) fn begin_look(&mut self) -> Option<SweepsLook> {
        if self.is_looking || self.looked.is_some_and(|looked| looked.elapsed() <= self.pause) {
            return None;
        }
        (self.looked, self.is_looking) = (Some(Instant::now()), true);
        Some(SweepsLook {
            logs: self.logs.clone(),
            problems: self.problems.clone(),
            known: self.entries.clone(),
            queues: self.queues.clone(),
            followed: self.followed.clone(),
            chosen: self.chosen().map(|entry| entry.folder.clone()),
        })
    }

    /// Takes the sweeps that a task has read, or none if it has failed. Returns whether anything on screen has changed.
    pub(super) fn end_look(&mut self, read: Option<Vec<SweepEntry>>) -> bool {
        self.is_looking = false;
        // Reading thousands of points takes long. At most a fifth of the time is spent on it.
        self.pause = GLANCE.max(self.looked.map_or(GLANCE, |began| began.elapsed()) * 4);
        let Some(entries) = read else { return false };
        let chosen = self.chosen().map(|entry| entry.folder.clone());
        let other = |(old, new): (&SweepEntry, &SweepEntry)| old.folder != new.folder || old.status != new.status;
        let changed =
            !self.known || self.entries.len() != entries.len() || self.entries.iter().zip(&entries).any(other);
        self.entries = entries;
        self.known = true;
        let at = chosen.and_then(|folder| self.entries.iter().position(|entry| entry.folder == folder));
        self.chosen = at.unwrap_or(self.chosen).min(self.entries.len().saturating_sub(1));
        changed
    }

    /// The folder of the sweep that Slurm is to be asked about now. That is the chosen one while the list is on screen,
    /// or one that is followed; none while a task asks, or where all were asked about recently.
    pub(super) fn begin_question(&mut self, on_screen: bool) -> Option<PathBuf> {
        if self.is_asking {
            return None;
        }
        let due = |entry: &SweepEntry, every: Duration| {
            let asked = self.asked.get(&entry.folder);
            entry.job.is_some() && !entry.is_complete() && asked.is_none_or(|asked| asked.elapsed() > every)
        };
        let chosen = self.chosen().filter(|entry| on_screen && due(entry, QUESTION.0));
        let followed =
            || self.entries.iter().find(|entry| self.followed.contains(&entry.folder) && due(entry, QUESTION.1));
        let folder = chosen.or_else(followed)?.folder.clone();
        self.asked.insert(folder.clone(), Instant::now());
        self.is_asking = true;
        Some(folder)
    }

    /// Takes what Slurm has answered.
    pub(super) fn end_question(&mut self, folder: PathBuf, answer: Queues) {
        let before = self.queues.remove(&folder);
        self.queues.insert(folder, answer.after(before));
        (self.is_asking, self.looked) = (false, None);
    }
}

impl SweepsLook {
    /// Reads how far the sweeps are. `shown` holds the runs on any tab, each with its state if its journal is not
    /// followed.
    pub(super) fn read(self, shown: &HashMap<String, Option<RunState>>) -> SweepsRead {
        let mut folders = slurm::folders(&self.logs);
        folders.reverse();
        let (mut entries, mut runs) = (Vec::with_capacity(folders.len()), Vec::new());
        for folder in folders {
            let before = self.known.iter().find(|entry| entry.folder == folder);
            let wanted = self.followed.contains(&folder);
            let fresh = |entry: &&SweepEntry| {
                let near = wanted || self.chosen.as_ref() == Some(&folder);
                entry.is_complete() || (!near && entry.looked.elapsed() < ASIDE)
            };
            let queues = || self.queues.get(&folder).cloned().unwrap_or_default();
            let entry = match before.filter(fresh) {
                Some(entry) => entry.clone(),
                None => SweepEntry::read(&folder, &queues(), before, &self.problems),
            };
            if let (true, Ok(status)) = (wanted, &entry.status) {
                for run in status.points.iter().filter_map(|point| point.run.as_ref()) {
                    let news = match shown.get(&run.id) {
                        // Its journal is followed already.
                        Some(None) => false,
                        Some(Some(state)) => *state != run.state,
                        None => true,
                    };
                    // A journal that cannot be read yet is tried again at the next look.
                    if news
                        && run.damage.is_none()
                        && let Ok(shown) = ScreenRun::stored(&self.logs, run, run.label.clone())
                    {
                        runs.push((run.problem.clone(), shown));
                    }
                }
            }
            entries.push(entry);
        }
        SweepsRead { entries, runs }
    }
}
