//! The command line as clap reads it; the help texts live here.

mod recommend;
mod slurm;
mod stored;
mod telling;
mod value;

pub use recommend::Recommend;
pub use slurm::SlurmArguments;
pub use stored::{
    AxisScale, Compare, Delete, Export, FigureArguments, LegendChoice, List, Report, Resume, Show, Tag, Trash,
};
pub use telling::Telling;

use super::examples::{
    COMPARE_EXAMPLES, DATA_EXAMPLES, EXAMPLES, EXPORT_EXAMPLES, LIST_EXAMPLES, RECOMMEND_EXAMPLES, RUN_EXAMPLES,
    SWEEP_EXAMPLES,
};
use crate::lab::Sweep;
use clap::{Args, Parser, Subcommand, ValueHint};
use std::path::PathBuf;
use value::{assignment, positive};

/// A terminal lab console for efficient attention: see, live, what a Performer trades for its speed.
#[derive(Debug, Parser)]
#[command(
    name = "attnlab",
    version,
    disable_version_flag = true,
    about,
    long_about = "A terminal lab console for efficient attention: see, live, what a Performer trades for its speed.\n\n\
                  Without a command the console opens; the commands do the same jobs without a screen.",
    after_help = EXAMPLES,
    max_term_width = 120,
    disable_help_subcommand = true
)]
pub struct Arguments {
    /// Where things lie and how much is told.
    #[command(flatten)]
    pub common: Common,
    /// Print the version.
    #[arg(short = 'V', long)]
    pub version: bool,
    /// Say with the version what the program was built from and what it can use here.
    #[arg(long, requires = "version")]
    pub verbose: bool,
    /// What to do; without a command the console opens.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every command has.
#[derive(Args, Debug)]
pub struct Common {
    /// Directory of run folders.
    #[arg(
        long,
        global = true,
        env = "ATTNLAB_LOGS",
        default_value = "logs",
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        help_heading = "Places"
    )]
    pub logs: PathBuf,
    /// Directory of data sets.
    #[arg(
        long,
        global = true,
        env = "ATTNLAB_DATA",
        default_value = "data",
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        help_heading = "Places"
    )]
    pub data_dir: PathBuf,
    /// Directory of your own presets, beside those that are built in.
    #[arg(
        long,
        global = true,
        env = "ATTNLAB_PRESETS",
        default_value = "presets",
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        help_heading = "Places"
    )]
    pub presets: PathBuf,
    /// How much of the program's log is shown: off, error, warn, info, debug, trace.
    #[arg(
        long,
        global = true,
        env = "ATTNLAB_LOG",
        default_value = "warn",
        value_name = "LEVEL",
        hide_env_values = true,
        help_heading = "Log"
    )]
    pub log_level: log::LevelFilter,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a problem or a preset.
    #[command(after_help = RUN_EXAMPLES, disable_help_flag = true)]
    Run(Run),
    /// Run many points, here or on a cluster: only those that have no finished run yet.
    #[command(after_help = SWEEP_EXAMPLES, args_conflicts_with_subcommands = true, disable_help_flag = true)]
    Sweep(SweepArguments),
    /// List the parameters of a problem, or the problems.
    Params(ParamsArguments),
    /// List the presets: shipped ones and those of the presets directory.
    Presets(Presets),
    /// List the runs in the logs directory, the newest last.
    #[command(after_help = LIST_EXAMPLES)]
    List(List),
    /// Compare variants over seeds: means with intervals, and paired differences.
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare(Compare),
    /// Show one run: parameters, results, remarks.
    Show(Show),
    /// Go on with runs that were stopped, failed or lost, from their last checkpoint.
    Resume(Resume),
    /// Write runs as files: tables, figures, TensorBoard events.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(Export),
    /// Write one HTML page about runs, with everything in it.
    Report(Report),
    /// Give a run a name or tags to find it by.
    Tag(Tag),
    /// Move runs to the trash folder beside them.
    Delete(Delete),
    /// List the runs in the trash folder, or put some of them back.
    Trash(Trash),
    /// Predict with a trained model: accuracy, and the logits as a NumPy file.
    Predict(Predict),
    /// Say which estimator and how many features do for given queries, keys and values.
    #[command(after_help = RECOMMEND_EXAMPLES)]
    Recommend(Recommend),
    /// List, fetch and check data sets.
    #[command(after_help = DATA_EXAMPLES)]
    Data(Data),
    /// Print the keys of the console as a Markdown table.
    Keys,
    /// Write the manual pages: one for the program and one for each command.
    #[command(after_help = "Example:\n  attnlab man ~/.local/share/man/man1\n  man attnlab-run")]
    Man {
        /// The folder to write into.
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
    /// Print a completion script for a shell.
    #[command(
        after_help = "Example, for bash:\n  attnlab completions bash > ~/.local/share/bash-completion/completions/attnlab"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// `attnlab run`.
#[derive(Args, Clone, Debug)]
pub struct Run {
    /// A problem, a preset's name, or a preset file.
    #[arg(value_name = "PROBLEM|PRESET", required_unless_present = "help", value_hint = ValueHint::FilePath)]
    pub target: Option<String>,
    /// Set a parameter: one value, a list `a,b,c` or a range `16..1024 x2`. May be given often.
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Do everything so many times, with seeds counted up.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub repeats: Option<u16>,
    /// Sweep parameters side by side: the first value of one with the first of the others.
    #[arg(long)]
    pub zip: bool,
    /// Let points take turns: every point with one seed, then every point with the next.
    #[arg(long)]
    pub interleave: bool,
    /// Warn of parameters that are set but not read, instead of refusing them.
    #[arg(long)]
    pub allow_unread: bool,
    /// Name the run.
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// How results are told.
    #[command(flatten)]
    pub telling: Telling,
    /// Do only what has no finished run yet, and tell those that have.
    #[arg(long)]
    pub resume: bool,
    /// Say what would be run and what it would cost, and run nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Print help; after a problem's name, its parameters.
    #[arg(short, long)]
    pub help: bool,
}

/// `attnlab sweep`.
#[derive(Args, Debug)]
pub struct SweepArguments {
    /// What is run, as in `attnlab run`.
    #[command(flatten)]
    pub run: Run,
    /// Stop the worse half of the points at a part of their budget, by the number of their validation, and go on with the rest.
    #[arg(long)]
    pub halve: bool,
    /// Let only points with the same values of these parameters compete, so that each value has a best point of its own.
    #[arg(long, value_name = "KEY,…", value_delimiter = ',', requires = "halve")]
    pub within: Vec<String>,
    /// Do every point to its end, also where the preset halves.
    #[arg(long, conflicts_with = "halve")]
    pub no_halve: bool,
    /// Submit a job array to Slurm.
    #[arg(long, help_heading = "Slurm")]
    pub slurm: bool,
    /// What Slurm is asked for.
    #[command(flatten)]
    pub options: SlurmArguments,
    /// Print one self-contained command a point, for any queue, and run nothing.
    #[arg(long, conflicts_with = "slurm")]
    pub commands: bool,
    /// What is done with a sweep that was submitted.
    #[command(subcommand)]
    pub command: Option<SweepCommand>,
}

impl SweepArguments {
    /// What the sweep `planned` is called: by its title, or by what was named to be run.
    pub fn title(&self, planned: &Sweep) -> String {
        planned.title.clone().or_else(|| self.run.target.clone()).unwrap_or_default()
    }
}

/// `--help` of the commands below `sweep`, whose own `--help` knows the problems and takes clap's away from them.
#[derive(Args, Debug)]
pub struct PrintHelp {
    /// Print help.
    #[arg(id = "help", short = 'h', long = "help", action = clap::ArgAction::Help)]
    _asked: Option<bool>,
}

/// What is done with a sweep that was submitted.
#[derive(Debug, Subcommand)]
pub enum SweepCommand {
    /// How far it is.
    Status {
        /// The sweep: its folder, a part of its name, or `last`.
        #[arg(default_value = "last")]
        sweep: String,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
        /// Its help.
        #[command(flatten)]
        help: PrintHelp,
    },
    /// The rows of its finished points; fails while some are missing.
    Results {
        /// The sweep: its folder, a part of its name, or `last`.
        #[arg(default_value = "last")]
        sweep: String,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
        /// Its help.
        #[command(flatten)]
        help: PrintHelp,
    },
    /// Cancel what waits and runs of it.
    Cancel {
        /// The sweep: its folder, a part of its name, or `last`.
        #[arg(default_value = "last")]
        sweep: String,
        /// Its help.
        #[command(flatten)]
        help: PrintHelp,
    },
    /// Submit again what is missing of it.
    Resume {
        /// The sweep: its folder, a part of its name, or `last`.
        #[arg(default_value = "last")]
        sweep: String,
        /// Its help.
        #[command(flatten)]
        help: PrintHelp,
    },
    /// Change how many of its elements may run at a time.
    Throttle {
        /// The sweep: its folder, a part of its name, or `last`.
        sweep: String,
        /// Elements at a time.
        #[arg(value_parser = positive)]
        most: usize,
        /// Its help.
        #[command(flatten)]
        help: PrintHelp,
    },
    /// Work on one element: what the array's script calls.
    #[command(hide = true)]
    Element {
        /// The sweep's folder.
        folder: PathBuf,
        /// The element.
        element: usize,
    },
}

/// `attnlab params`.
#[derive(Args, Debug)]
pub struct ParamsArguments {
    /// A problem; without one all of them are listed.
    pub problem: Option<String>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `attnlab presets`.
#[derive(Args, Debug)]
pub struct Presets {
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `attnlab predict`.
#[derive(Args, Debug)]
pub struct Predict {
    /// The weights: a file, or a run as in `attnlab show`.
    #[arg(long, value_name = "FILE|RUN", value_hint = ValueHint::FilePath)]
    pub checkpoint: PathBuf,
    /// The data set.
    #[arg(long, value_name = "NAME", default_value = "digits")]
    pub dataset: String,
    /// `train` or `test`.
    #[arg(long, default_value = "test")]
    pub split: String,
    /// Only the first so many images.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub limit: Option<usize>,
    /// Write the logits here: images × classes, f32.
    #[arg(long, value_name = "FILE.npy", value_hint = ValueHint::FilePath)]
    pub logits: Option<PathBuf>,
    /// Threads; 0 takes every core, or as many as `OMP_NUM_THREADS` says.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `attnlab data`.
#[derive(Args, Debug)]
pub struct Data {
    /// What to do.
    #[command(subcommand)]
    pub action: DataAction,
}

/// What `attnlab data` does.
#[derive(Debug, Subcommand)]
pub enum DataAction {
    /// Say which data sets are there and what they hold.
    List(WhichData),
    /// Fetch MNIST, Fashion-MNIST, CIFAR-10 or CIFAR-100 from their public homes; what is there is not fetched again.
    Fetch(Fetch),
    /// Read every file and compare it with its published checksum.
    Check(WhichData),
}

/// `attnlab data list` and `attnlab data check`.
#[derive(Args, Debug)]
pub struct WhichData {
    /// The data sets; without a name all of them.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// The folder of the data sets `idx` and `folder`: below the data directory, or from the root.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub folder: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `attnlab data fetch`.
#[derive(Args, Debug)]
pub struct Fetch {
    /// The data sets.
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// An address to try before the public ones; the names of files are put behind it. May be given often.
    #[arg(long = "mirror", value_name = "URL", value_hint = ValueHint::Url)]
    pub mirrors: Vec<String>,
}
