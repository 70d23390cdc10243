//! What a run that is continued has behind it.

use crate::lab::LabError;
use crate::lab::event::Row;
use crate::lab::record::checkpoint::{self, Saved};
use crate::lab::record::journal::{JournalLine, Tail};
use crate::lab::run::column::Column;
use crate::lab::run::replay::{Replay, RowIdentity};
use crate::lab::run::view::RunView;
use std::path::Path;

/// What earlier parts of a run have left to go on from.
pub(in crate::lab) struct Resumed {
    /// The checkpoint to work from; without one the run works from its beginning.
    pub checkpoint: Option<Saved>,
    /// Seconds of work.
    pub seconds: f64,
    /// Every row emitted.
    pub rows: Vec<Row>,
    /// What need not be emitted again.
    pub(super) replay: Replay,
    /// Lines of the journal that cannot be read.
    pub damaged: usize,
    /// Whether there was a checkpoint that cannot be used, because events emitted before it are lost from the journal.
    pub lost_events: bool,
}

impl Resumed {
    /// Reads the checkpoint and the journal in `folder`, of a run of a problem with these columns and of this point;
    /// the journal folded as well.
    ///
    /// # Errors
    /// One of them cannot be read, or the checkpoint is another run's.
    pub fn read(folder: &Path, columns: &[Column], point: &str) -> Result<(RunView, Self), LabError> {
        let checkpoint = checkpoint_of(folder, point).map_err(|source| LabError::Checkpoint {
            id: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            source: Box::new(source),
        })?;
        let identity = RowIdentity::of(columns);
        let (mut view, mut replay, mut damaged) = (RunView::default(), Replay::default(), Vec::new());
        let mut tail = Tail::new(folder);
        tail.each(|line| {
            view.fold_line(&line);
            if let JournalLine::Damaged { start, .. } = line {
                damaged.push(start);
            }
            line.into_events().iter().for_each(|stamped| replay.add(&stamped.event, &identity));
        })?;
        let had_one = checkpoint.is_some();
        let checkpoint = checkpoint.filter(|saved| !saved.is_ahead_of(tail.position(), &damaged));
        let resumed = Self {
            lost_events: had_one && checkpoint.is_none(),
            checkpoint,
            seconds: view.seconds,
            rows: view.rows.clone(),
            replay,
            damaged: damaged.len(),
        };
        Ok((view, resumed))
    }
}

/// The checkpoint in `folder`, if it is one of this point.
fn checkpoint_of(folder: &Path, point: &str) -> Result<Option<Saved>, LabError> {
    let saved = checkpoint::load(folder)?;
    if let Some(found) = saved.as_ref().map(Saved::point).filter(|found| !found.is_empty() && *found != point) {
        let reason = format!("belongs to another run: it is of point {found}, and this run of point {point}");
        return Err(LabError::content(&folder.join(checkpoint::STATE), None, reason));
    }
    Ok(saved)
}

/// Reads what a run of a problem with these columns has behind it in `folder`, as resuming it does: for fuzzers.
#[doc(hidden)]
pub fn read_resumed(folder: &Path, columns: &[Column]) -> Result<(), LabError> {
    Resumed::read(folder, columns, "").map(drop)
}
