//! Sweeps on a cluster: how far each is, read from the disk every second or two on a thread of its own, with what Slurm
//! says beside it, asked seldom.

use super::ShownRun;
use crate::lab::slurm::{self, JobArray, Queues, Slurm, Status};
use crate::lab::{LabError, Problem, RunState};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
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

/// What a look brings.
struct Looked {
    entries: Vec<SweepEntry>,
    /// Runs of followed sweeps that are new on screen, or of which there is news that the screen would miss.
    runs: Vec<(String, ShownRun)>,
}

/// The sweeps among the runs.
pub struct Sweeps {
    /// Every sweep, the newest first.
    pub entries: Vec<SweepEntry>,
    /// Index of the chosen one.
    pub chosen: usize,
    /// Points of the chosen one that are scrolled away.
    pub skip: usize,
    /// The sweep whose cancellation was asked for once.
    pub doomed: Option<PathBuf>,
    /// Whether the directory has been looked through once.
    pub known: bool,
    logs: PathBuf,
    problems: Vec<&'static dyn Problem>,
    followed: HashSet<PathBuf>,
    queues: HashMap<PathBuf, Queues>,
    looked: Option<Instant>,
    looking: Option<JoinHandle<Looked>>,
    pause: Duration,
    asked: HashMap<PathBuf, Instant>,
    asking: Option<(PathBuf, JoinHandle<Queues>)>,
    doing: Option<JoinHandle<Result<String, LabError>>>,
}

/// What following brings.
#[derive(Default)]
pub struct News {
    /// Whether anything has changed.
    pub changed: bool,
    /// Runs for the tab of a problem.
    pub runs: Vec<(String, ShownRun)>,
    /// What came of an action.
    pub said: Option<Result<String, String>>,
}

impl Sweeps {
    /// The sweeps in `logs`, not looked at yet.
    #[must_use]
    pub fn new(logs: &Path, problems: &[&'static dyn Problem]) -> Self {
        Self {
            entries: Vec::new(),
            chosen: 0,
            skip: 0,
            doomed: None,
            known: false,
            logs: logs.to_owned(),
            problems: problems.to_vec(),
            followed: HashSet::new(),
            queues: HashMap::new(),
            looked: None,
            looking: None,
            pause: GLANCE,
            asked: HashMap::new(),
            asking: None,
            doing: None,
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
        (self.skip, self.doomed, self.looked) = (0, None, None);
    }

    /// Whether a question to Slurm or an action is under way.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.asking.is_some() || self.doing.is_some()
    }

    /// Whether there is something to follow although the list is not on screen.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        let open = |entry: &SweepEntry| self.followed.contains(&entry.folder) && !entry.is_complete();
        self.doing.is_some()
            || self.looking.is_some()
            || (!self.followed.is_empty() && !self.known)
            || self.entries.iter().any(open)
    }

    /// Brings the runs of a sweep on screen from now on, as they come.
    pub fn follow_runs(&mut self, folder: &Path) {
        self.followed.insert(folder.to_owned());
        self.looked = None;
    }

    /// Does something with the chosen sweep, on a thread of its own.
    pub fn act(&mut self, act: impl FnOnce(JobArray) -> Result<String, LabError> + Send + 'static) {
        let Some(folder) = self.chosen().map(|entry| entry.folder.clone()) else { return };
        if self.doing.is_none() {
            self.asked.remove(&folder);
            self.doing = Some(std::thread::spawn(move || act(JobArray::open(&folder)?)));
        }
    }

    /// Takes in what threads have brought, and sends them again when it is time; `shown` are the runs on any tab, with
    /// their states where they are followed no more.
    pub fn follow(&mut self, on_screen: bool, shown: impl FnOnce() -> HashMap<String, Option<RunState>>) -> News {
        let mut news = News::default();
        if self.doing.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(Ok(outcome)) = self.doing.take().map(JoinHandle::join)
        {
            news.said = Some(outcome.map_err(|error| error.to_string()));
            (news.changed, self.looked) = (true, None);
        }
        if self.asking.as_ref().is_some_and(|(_, thread)| thread.is_finished())
            && let Some((folder, thread)) = self.asking.take()
        {
            let before = self.queues.remove(&folder);
            self.queues.insert(folder, thread.join().unwrap_or_default().after(before));
            (news.changed, self.looked) = (true, None);
        }
        if self.looking.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(Ok(looked)) = self.looking.take().map(JoinHandle::join)
        {
            self.take(looked, &mut news);
        }
        if self.looking.is_none() && self.looked.is_none_or(|looked| looked.elapsed() > self.pause) {
            self.look(shown());
        }
        self.ask(on_screen);
        news
    }

    fn take(&mut self, looked: Looked, news: &mut News) {
        let took = self.looked.map_or(GLANCE, |began| began.elapsed());
        // Thousands of points take their time: most of it is left to others.
        self.pause = GLANCE.max(took * 4);
        let chosen = self.chosen().map(|entry| entry.folder.clone());
        news.changed |= !self.known
            || self.entries.len() != looked.entries.len()
            || self
                .entries
                .iter()
                .zip(&looked.entries)
                .any(|(old, new)| old.folder != new.folder || old.status != new.status);
        self.entries = looked.entries;
        self.known = true;
        let at = chosen.and_then(|folder| self.entries.iter().position(|entry| entry.folder == folder));
        self.chosen = at.unwrap_or(self.chosen).min(self.entries.len().saturating_sub(1));
        news.changed |= !looked.runs.is_empty();
        news.runs = looked.runs;
    }

    /// Begins to look at the disk.
    fn look(&mut self, shown: HashMap<String, Option<RunState>>) {
        self.looked = Some(Instant::now());
        let (logs, known, queues) = (self.logs.clone(), self.entries.clone(), self.queues.clone());
        let (followed, chosen) = (self.followed.clone(), self.chosen().map(|entry| entry.folder.clone()));
        let problems = self.problems.clone();
        self.looking = Some(std::thread::spawn(move || {
            let mut folders = slurm::folders(&logs);
            folders.reverse();
            let (mut entries, mut runs) = (Vec::with_capacity(folders.len()), Vec::new());
            for folder in folders {
                let before = known.iter().find(|entry| entry.folder == folder);
                let wanted = followed.contains(&folder);
                let fresh = |entry: &&SweepEntry| {
                    let near = wanted || chosen.as_ref() == Some(&folder);
                    entry.is_complete() || (!near && entry.looked.elapsed() < ASIDE)
                };
                let entry = match before.filter(fresh) {
                    Some(entry) => entry.clone(),
                    None => {
                        SweepEntry::read(&folder, queues.get(&folder).unwrap_or(&Queues::default()), before, &problems)
                    }
                };
                if let (true, Ok(status)) = (wanted, &entry.status) {
                    for run in status.points.iter().filter_map(|point| point.run.as_ref()) {
                        let news = match shown.get(&run.id) {
                            // Followed on the tab itself.
                            Some(None) => false,
                            Some(Some(state)) => *state != run.state,
                            None => true,
                        };
                        if news && run.damage.is_none() {
                            runs.push((run.problem.clone(), ShownRun::called(&logs, run, run.label.clone())));
                        }
                    }
                }
                entries.push(entry);
            }
            Looked { entries, runs }
        }));
    }

    /// Asks Slurm about the chosen or a followed sweep when it is time.
    fn ask(&mut self, on_screen: bool) {
        if self.asking.is_some() {
            return;
        }
        let due = |entry: &SweepEntry, every: Duration| {
            let asked = self.asked.get(&entry.folder);
            entry.job.is_some() && !entry.is_complete() && asked.is_none_or(|asked| asked.elapsed() > every)
        };
        let chosen = self.chosen().filter(|entry| on_screen && due(entry, QUESTION.0));
        let followed =
            || self.entries.iter().find(|entry| self.followed.contains(&entry.folder) && due(entry, QUESTION.1));
        let Some(folder) = chosen.or_else(followed).map(|entry| entry.folder.clone()) else { return };
        self.asked.insert(folder.clone(), Instant::now());
        let sweep = folder.clone();
        let ask = move || JobArray::open(&sweep).map(|sweep| Queues::ask(&sweep, Slurm)).unwrap_or_default();
        self.asking = Some((folder, std::thread::spawn(ask)));
    }
}
