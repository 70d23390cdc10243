//! `attnlab sweep --halve`: points that fall behind are stopped at a checkpoint, the rest goes on with twice the budget.

use super::args::SweepArguments;
use super::failure::Failure;
use super::halving_array::HalvingArrays;
use super::progress::watch;
use super::signals::Listener;
use super::{merge, output, run, table};
use crate::lab::slurm::ArrayShare;
use crate::lab::{
    Document, Halving, HalvingRank, HoldPlace, LabError, Places, Queue, Resumption, RunHandle, RunSpec, RunState,
    Sweep, came_to, decimal, duration, end_lost, estimate, files, say_why, store,
};
use crate::problems;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// Trains the points of the sweep `planned` share by share, and stops the worse half of each group, the points with the same values
/// of the parameters `within`, after each but the last.
pub fn halve(
    arguments: &SweepArguments,
    (planned, within): (&Sweep, &[String]),
    places: Places,
) -> Result<(), Failure> {
    if arguments.commands {
        return Err(Failure::bad_input(
            "--halve: found `--commands` with it, allowed: here or with --slurm, where somebody waits for the runs of a share before it ranks them; with --no-halve every point is done to its end",
        ));
    }
    let halving = Halving::new(planned, within)?;
    if arguments.run.dry_run {
        return output::print(&forecast(&halving));
    }
    let (workers, quiet) = (usize::from(arguments.run.telling.workers), arguments.run.telling.quiet);
    let name = folder_name(&halving, within);
    let trainer = if arguments.slurm {
        let (options, halving) = (arguments.options.0.clone(), name.clone());
        HalvingTrainer::Cluster(HalvingArrays { options, title: arguments.title(planned), halving, quiet })
    } else {
        HalvingTrainer::Here(Queue::new(places.clone(), workers)?)
    };
    let mut work = HalvingWork {
        listener: Listener::start()?,
        trainer,
        series: planned.problem.live().unwrap_or_default(),
        quiet,
        folders: HashMap::new(),
        folder: places.logs.join(name),
        places,
        halving,
    };
    let told = work.all(within)?;
    let documents = work.documents()?;
    if arguments.run.telling.json {
        return merge::print(&documents);
    }
    output::print(&format!("{}\n{}", run::tables(&documents, arguments.run.telling.wide), told.table(work.series)))
}

/// One half, a quarter and so on, in words.
fn fraction(share: f64) -> String {
    if share == 1.0 { "all".to_owned() } else { format!("1/{}", (1.0 / share).round()) }
}

/// What would be done and its cost.
fn forecast(halving: &Halving) -> String {
    let specs = halving.all_specs();
    let mut page: String = specs.iter().map(|spec| spec.command() + "\n").collect();
    for (share, runs) in halving.shares.iter().zip(halving.runs()) {
        page += &format!("# {} of the budget: {runs} runs\n", fraction(*share));
    }
    let about = |seconds: Option<f64>| seconds.map_or_else(|| "an unknown time".to_owned(), duration);
    let (halved, whole) = (about(halving.estimate().seconds), about(estimate(&specs, 1).seconds));
    page + &format!("# about {halved}; all {} runs to the end would take about {whole}\n", specs.len())
}

/// What was decided, share by share.
#[derive(Default)]
struct HalvingDecisions(Vec<(f64, Vec<ToldRank>)>);

/// Where one candidate stood at one share.
struct ToldRank {
    group: String,
    name: String,
    standing: HalvingRank,
}

impl HalvingDecisions {
    /// A line for each candidate: its numbers at each share and what became of it.
    fn table(&self, series: &str) -> String {
        let Some((_, first)) = self.0.first() else { return String::new() };
        let numbers: Vec<String> =
            self.0.iter().map(|(share, _)| format!("{series} at {}", fraction(*share))).collect();
        let lines = first.iter().map(|candidate| {
            let of_it = |(share, all): &(f64, Vec<ToldRank>)| {
                let is_it = |told: &&ToldRank| told.standing.candidate == candidate.standing.candidate;
                all.iter().find(is_it).map(|told| (*share, told.standing))
            };
            let standings: Vec<_> = self.0.iter().map(of_it).collect();
            let number = |standing: &Option<(f64, HalvingRank)>| {
                let number = standing.map(|(_, standing)| standing.number);
                number.map_or_else(String::new, |number| number.map_or("–".to_owned(), |number| decimal(number, 4)))
            };
            let fate = standings.iter().flatten().find(|(_, standing)| !standing.kept).map_or_else(
                || "trained to the end".to_owned(),
                |(share, standing)| {
                    let HalvingRank { rank, of, .. } = standing;
                    format!("stopped at {}, rank {rank} of {of}", fraction(*share))
                },
            );
            let words = [candidate.group.clone(), candidate.name.clone()];
            words.into_iter().chain(standings.iter().map(number)).chain([fate]).collect()
        });
        let headings = numbers.iter().map(|heading| (heading.as_str(), true));
        let headings = [("group", false), ("point", false)].into_iter().chain(headings).chain([("", false)]);
        table::render(headings, lines)
    }

    fn to_json(&self) -> Value {
        let told = |told: &ToldRank| {
            let HalvingRank { number, rank, of, kept, .. } = told.standing;
            json!({ "group": told.group, "point": told.name, "number": number, "rank": rank, "of": of, "kept": kept })
        };
        let share = |(share, all): &(f64, Vec<ToldRank>)| json!({ "share": share, "points": all.iter().map(told).collect::<Vec<_>>() });
        self.0.iter().map(share).collect()
    }
}

/// What trains the runs of a share.
enum HalvingTrainer {
    /// This process.
    Here(Queue),
    /// Job arrays.
    Cluster(HalvingArrays),
}

/// The name of a halving's folder: that of its points and of what they compete within.
fn folder_name(halving: &Halving, within: &[String]) -> String {
    let mut points: Vec<String> = halving.all_specs().iter().map(RunSpec::point).collect();
    points.sort();
    let hash = Md5::digest(format!("{}\n{}", within.join(","), points.join("\n")));
    format!("sweep-halving-{}", hex::encode(&hash[..8]))
}

/// A halving at work.
struct HalvingWork {
    halving: Halving,
    places: Places,
    /// Where it is recorded.
    folder: PathBuf,
    trainer: HalvingTrainer,
    listener: Listener,
    /// The series that candidates are ranked by.
    series: &'static str,
    quiet: bool,
    /// The folder of each run, by its point.
    folders: HashMap<String, PathBuf>,
}

impl HalvingWork {
    /// Goes through every share. Runs that came so far before are not trained again: what was decided follows from their
    /// journals alone, whoever asks.
    fn all(&mut self, within: &[String]) -> Result<HalvingDecisions, Failure> {
        let mut decisions = HalvingDecisions::default();
        let mut left: Vec<usize> = (0..self.halving.candidates.len()).collect();
        for share in self.halving.shares.clone() {
            self.train(&self.halving.specs(&left), share)?;
            if share == 1.0 {
                break;
            }
            let numbers = left.iter().map(|candidate| self.number(*candidate, share)).collect::<Result<Vec<_>, _>>()?;
            let standings = self.halving.decide(&left, &numbers);
            let tell = |standing: &HalvingRank| {
                let candidate = &self.halving.candidates[standing.candidate];
                ToldRank { group: candidate.group.clone(), name: candidate.name.clone(), standing: *standing }
            };
            decisions.0.push((share, standings.iter().map(tell).collect()));
            self.record(within, &decisions)?;
            for standing in standings.iter().filter(|standing| !standing.kept) {
                self.stop(standing, share)?;
            }
            left = standings.iter().filter(|standing| standing.kept).map(|standing| standing.candidate).collect();
        }
        Ok(decisions)
    }

    /// Where a run is held at this share; none for the whole of it.
    fn hold(&self, share: f64) -> Option<HoldPlace<'static>> {
        (share < 1.0).then_some(HoldPlace { series: self.series, x: share * self.halving.budget })
    }

    /// Trains every run of `specs` to `share` of its budget.
    fn train(&mut self, specs: &[RunSpec], share: f64) -> Result<(), Failure> {
        let hold = self.hold(share);
        let held_at = hold.map(|hold| hold.x);
        if let HalvingTrainer::Cluster(arrays) = &self.trainer {
            let (series, halving) = (self.series.to_owned(), arrays.halving.clone());
            let of_array = ArrayShare { halving, share, series, hold: held_at };
            arrays.train(&self.places, specs, (&of_array, &fraction(share)), &self.listener)?;
        }
        let plan = store::Plan::new(specs.to_vec(), &store::list(&self.places.logs)?);
        if let Some(run) = plan.underway.first() {
            return Err(Failure::failed(format!(
                "{}: another process works on it; call again when it is over",
                run.id
            )));
        }
        let mut handles: Vec<Arc<RunHandle>> = Vec::new();
        for run in &plan.finished {
            self.folders.insert(run.point.clone(), run.folder(&self.places.logs));
        }
        for (spec, run) in &plan.unfinished {
            let folder = run.folder(&self.places.logs);
            self.folders.insert(run.point.clone(), folder.clone());
            let is_done = came_to(run.state, &folder, hold)?;
            if is_done && run.state == RunState::Lost {
                // It came so far in a process that is gone, and is not over by its own word.
                end_lost(&folder, spec)?;
            } else if !is_done {
                let how = Resumption { hold: held_at, ..Resumption::default() };
                handles.push(self.queue()?.go_on(&folder, problems::ALL, &how)?);
            }
        }
        for spec in plan.fresh {
            let handle = self.queue()?.submit_until(spec, held_at)?;
            self.folders.insert(handle.spec().point(), handle.folder().to_owned());
            handles.push(handle);
        }
        let is_stopped = watch(&handles, &self.listener, self.quiet);
        self.outcome(&handles, hold, is_stopped)
    }

    /// What trains runs here.
    fn queue(&self) -> Result<&Queue, Failure> {
        match &self.trainer {
            HalvingTrainer::Here(queue) => Ok(queue),
            HalvingTrainer::Cluster(_) => Err(Failure::failed("a run was removed while its share was trained")),
        }
    }

    /// Whether every run came as far as it was to come.
    fn outcome(
        &self,
        handles: &[Arc<RunHandle>],
        hold: Option<HoldPlace<'_>>,
        is_stopped: bool,
    ) -> Result<(), Failure> {
        for handle in handles {
            if came_to(handle.state(), handle.folder(), hold)? {
                continue;
            }
            if handle.state() == RunState::Stopped {
                return Err(Failure::stopped("stopped; the same command goes on with what is kept"));
            }
            let message = format!("{}: {}", handle.spec().label(), handle.message());
            return Err(match handle.refused() {
                true => Failure::bad_input(message),
                false => Failure::failed(message),
            });
        }
        if is_stopped { Err(Failure::stopped("stopped; the same command goes on with what is kept")) } else { Ok(()) }
    }

    /// The mean number of a candidate over its runs at `share`; none where one of them has none.
    fn number(&self, candidate: usize, share: f64) -> Result<Option<f64>, LabError> {
        let specs = &self.halving.candidates[candidate].specs;
        let mut sum = 0.0;
        for spec in specs {
            let Some(folder) = self.folders.get(&spec.point()) else { return Ok(None) };
            let Some(number) = self.hold(share).map(|hold| hold.number(folder)).transpose()?.flatten() else {
                return Ok(None);
            };
            sum += number;
        }
        Ok(Some(sum / specs.len() as f64))
    }

    /// Says in its runs that a candidate was stopped here, and why.
    fn stop(&self, standing: &HalvingRank, share: f64) -> Result<(), LabError> {
        let candidate = &self.halving.candidates[standing.candidate];
        let HalvingRank { number, rank, of, .. } = standing;
        let within = if candidate.group.is_empty() { String::new() } else { format!(" within {}", candidate.group) };
        let number = number.map_or_else(|| "none".to_owned(), |number| decimal(number, 4));
        let message = format!(
            "stopped by the halving: rank {rank} of {of}{within} at {} of the budget ({} {number})",
            fraction(share),
            self.series
        );
        for folder in candidate.specs.iter().filter_map(|spec| self.folders.get(&spec.point())) {
            // One that another command has trained to the end keeps its own words.
            if Document::read(folder).is_ok_and(|document| document.state == RunState::Stopped) {
                say_why(folder, &message)?;
            }
        }
        Ok(())
    }

    /// Writes what was decided into the sweep's folder.
    fn record(&self, within: &[String], decisions: &HalvingDecisions) -> Result<(), LabError> {
        let folder = &self.folder;
        fs::create_dir_all(folder).map_err(LabError::io("create", folder))?;
        let path = folder.join("halving.json");
        let told = json!({
            "schema": 1, "series": self.series, "within": within, "budget": self.halving.budget,
            "shares": decisions.to_json(),
        });
        let text = serde_json::to_vec_pretty(&told).unwrap_or_default();
        files::replace(&path, &text, true).map_err(LabError::io("write", path))
    }

    /// What came out of every run, in the order of the sweep.
    fn documents(&self) -> Result<Vec<Document>, LabError> {
        let specs = self.halving.all_specs();
        specs.iter().filter_map(|spec| self.folders.get(&spec.point())).map(|folder| Document::read(folder)).collect()
    }
}
