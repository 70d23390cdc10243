//! What the console knows, and how keys and news change it. Nothing here draws. Everything that reads or writes files
//! or computes for long is done by tasks ([`task`]).
//!
//! ```text
//! state                            everything there is, on top of what follows
//! tab, results, lines, figure,      a problem's tab: its form, its runs, its results, its figures
//! curves, looks, screen_run
//! tab_keys, inspect                what keys change on a problem's tab alone, and in its figures
//! click                            what a click chooses
//! scroll                           how far a text is scrolled
//! home                             the opening page of a problem's tab
//! runs                             the Runs tab
//! overlay, sweep, sweeps           what lies over a tab
//! command_line, toast              what can be typed to be done, and messages
//! submission, task                 what is under way
//! act                              from a key, and from news, to what they change
//! ```

mod act;
mod click;
mod command_line;
mod curves;
mod figure;
mod home;
mod inspect;
mod lines;
mod looks;
mod overlay;
mod results;
mod runs;
mod screen_run;
mod scroll;
mod state;
mod submission;
mod sweep;
mod sweeps;
mod tab;
mod tab_keys;
mod task;
mod toast;

pub use click::ClickTarget;
pub use command_line::{CommandLine, Deed};
pub use curves::CurveOf;
pub use figure::Figure;
pub use home::{Home, HomePart, RunGlance};
pub use looks::{CellCursor, DrawnAxis, Inspection, Looks, SMOOTHINGS};
pub use overlay::{Field, Overlay, Purpose};
pub use results::{ResultColumn, ResultLine, ResultsState};
pub use runs::{ORDERS, RunsTab};
pub use screen_run::{NewsSource, ScreenRun};
pub use scroll::Scroll;
pub use state::{App, Exit, Wanted};
pub use sweep::{PlannedSweep, Planning, PointState, SweepDialog, SweepSize, SweptAxis};
pub use sweeps::{SweepEntry, Sweeps};
pub use tab::{Asked, Pane, ProblemTab};
pub use toast::Tone;
