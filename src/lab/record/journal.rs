//! The journal of a run, `events.jsonl`: one line an event, appended with one write each, the truth of the run.

use crate::lab::LabError;
use crate::lab::event::{Event, Point, Sample, Stamped};
use crate::lab::record::files;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The journal's name in a run's folder.
pub const NAME: &str = "events.jsonl";

/// The most bytes of a line: a longer one is damage and is not taken into memory.
pub(in crate::lab) const LONGEST_LINE: usize = 1 << 26;

/// Appends events. A line is in the kernel's hands when [`Journal::append`] returns: killing the process loses none.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Where the last whole line ends.
    end: u64,
    line: Vec<u8>,
}

impl Journal {
    /// Opens the journal in `folder`, cutting off a last line that a killed process left incomplete.
    ///
    /// # Errors
    /// The file cannot be opened or cut.
    pub fn open(folder: &Path) -> Result<Self, LabError> {
        let path = folder.join(NAME);
        let open = || -> io::Result<(File, u64)> {
            let mut file = files::open(&path, OpenOptions::new().read(true).append(true).create(true))?;
            let length = file.seek(SeekFrom::End(0))?;
            let end = last_line_end(&mut file, length)?;
            if end < length {
                file.set_len(end)?;
            }
            Ok((file, end))
        };
        let (file, end) = open().map_err(LabError::io("write", &path))?;
        Ok(Self { path, file, end, line: Vec::new() })
    }

    /// Puts a copy in the journal's place: a process that still has the old file open writes where nobody reads.
    ///
    /// # Errors
    /// The copy cannot be made; the journal is untouched then.
    pub(in crate::lab) fn part_from_others(folder: &Path) -> Result<(), LabError> {
        let path = folder.join(NAME);
        match files::copy(&path, &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome.map_err(LabError::io("copy", path)),
        }
    }

    /// Where the last whole line ends.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// Appends one event as one line, with one write.
    ///
    /// # Errors
    /// The line is not kept: names the file and the reason. It may be tried again; a part that was written is taken
    /// back.
    pub fn append(&mut self, event: &Stamped) -> Result<(), LabError> {
        self.line.clear();
        write_lines(&mut self.line, event).map_err(LabError::io("write", &self.path))?;
        match self.file.write_all(&self.line) {
            Ok(()) => {
                self.end += self.line.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Shortening needs no room; if even that fails, the reader drops the broken line.
                self.file.set_len(self.end).ok();
                Err(LabError::io("write", &self.path)(error))
            }
        }
    }
}

/// Writes `event` as one line; a burst too long for a line that is read again as several.
fn write_lines(lines: &mut Vec<u8>, event: &Stamped) -> io::Result<()> {
    let start = lines.len();
    serde_json::to_writer(&mut *lines, event)?;
    lines.push(b'\n');
    if let Event::Burst { events } = &event.event
        && lines.len() - start > LONGEST_LINE
        && events.len() > 1
    {
        lines.truncate(start);
        let (first, second) = events.split_at(events.len() / 2);
        for half in [first, second] {
            write_lines(lines, &Stamped { t: event.t, event: Event::Burst { events: half.to_vec() } })?;
        }
    }
    Ok(())
}

/// Where the last line feed before `length` ends.
fn last_line_end(file: &mut File, length: u64) -> io::Result<u64> {
    let mut end = length;
    let mut block = [0_u8; 4096];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let part = &mut block[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(position) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + position as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The events between two bytes of the journal in `folder`, both at ends of lines.
pub(in crate::lab) fn between(folder: &Path, start: u64, end: u64) -> Vec<Stamped> {
    let mut tail = Tail::new(folder).from(start);
    tail.limit = end;
    tail.events().unwrap_or_default()
}

/// One line of a journal.
pub(in crate::lab) enum JournalLine<'a> {
    /// A point, read without the general reader.
    Point {
        /// Seconds of work.
        t: f64,
        /// The series.
        series: &'a str,
        /// The point.
        sample: Sample,
    },
    /// Any other event.
    Event(Box<Stamped>),
    /// No event.
    Damaged {
        /// The line's number, counted from 1.
        number: usize,
        /// The byte it begins at.
        start: u64,
        /// What is wrong with it.
        reason: String,
    },
}

impl<'a> JournalLine<'a> {
    fn read(number: usize, start: u64, text: &'a str) -> Self {
        if let Some((t, series, sample)) = point(text) {
            return JournalLine::Point { t, series, sample };
        }
        match serde_json::from_str(text) {
            Ok(event) => JournalLine::Event(event),
            Err(error) => JournalLine::Damaged { number, start, reason: error.to_string() },
        }
    }

    /// The events of the line, those of a burst one by one.
    pub fn into_events(self) -> Vec<Stamped> {
        match self {
            JournalLine::Point { t, series, sample: Sample { x, y, lo, hi } } => {
                vec![Stamped { t, event: Event::Point(Point { series: series.to_owned(), x, y, lo, hi }) }]
            }
            JournalLine::Event(stamped) => stamped.into_parts(),
            JournalLine::Damaged { .. } => Vec::new(),
        }
    }
}

/// Reads a journal from where it was last read to its last whole line: for finished runs and for those of another
/// process alike.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    position: u64,
    line: usize,
    /// Bytes from here on are not read.
    limit: u64,
    /// Whether the next bytes belong to a line that is too long to be read.
    skipping: bool,
}

impl Tail {
    /// At the beginning of the journal in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { path: folder.join(NAME), position: 0, line: 0, limit: u64::MAX, skipping: false }
    }

    /// Where the next read begins, in bytes.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// What has come since the last call, with the events of bursts one by one; lines that are not events are left out.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn events(&mut self) -> Result<Vec<Stamped>, LabError> {
        let mut events = Vec::new();
        self.each(|line| events.extend(line.into_events()))?;
        Ok(events)
    }

    /// Reads from byte `position`, which must be the beginning of a line.
    const fn from(mut self, position: u64) -> Self {
        self.position = position;
        self
    }

    /// At the first line that begins in the last `count` bytes of the journal in `folder`.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(in crate::lab) fn near_end(folder: &Path, count: u64) -> Result<Self, LabError> {
        let path = folder.join(NAME);
        let find = || -> io::Result<u64> {
            let mut file = files::open_to_read(&path)?;
            let length = file.seek(SeekFrom::End(0))?;
            let Some(from) = length.checked_sub(count + 1) else { return Ok(0) };
            file.seek(SeekFrom::Start(from))?;
            let mut end = Vec::new();
            file.take(count + 1).read_to_end(&mut end)?;
            let line = end.iter().position(|byte| *byte == b'\n').map_or(end.len(), |feed| feed + 1);
            Ok(from + line as u64)
        };
        Ok(Self::new(folder).from(find().map_err(LabError::io("read", &path))?))
    }

    /// Gives `take` every whole line that has come since the last call. Returns whether there was any.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(in crate::lab) fn each(&mut self, take: impl FnMut(JournalLine<'_>)) -> Result<bool, LabError> {
        let path = self.path.clone();
        self.read(take).map_err(LabError::io("read", path))
    }

    fn read(&mut self, mut take: impl FnMut(JournalLine<'_>)) -> io::Result<bool> {
        let mut file = files::open_to_read(&self.path)?;
        file.seek(SeekFrom::Start(self.position))?;
        let (mut buffer, mut kept, mut any) = (vec![0_u8; 1 << 18], 0, false);
        loop {
            if kept == buffer.len() {
                buffer.resize(buffer.len() * 2, 0);
            }
            let room = self.limit.saturating_sub(self.position + kept as u64).min((buffer.len() - kept) as u64);
            let count = match file.read(&mut buffer[kept..kept + room as usize]) {
                Ok(0) => return Ok(any),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let filled = kept + count;
            let whole = buffer[..filled].iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
            for line in buffer[..whole].split_inclusive(|byte| *byte == b'\n') {
                any = true;
                self.line += 1;
                let start = self.position;
                self.position += line.len() as u64;
                if std::mem::take(&mut self.skipping) {
                    // The end of a line that was too long.
                    continue;
                }
                take(JournalLine::read(self.line, start, String::from_utf8_lossy(line).trim_end()));
            }
            buffer.copy_within(whole..filled, 0);
            kept = filled - whole;
            if kept > LONGEST_LINE {
                if !std::mem::replace(&mut self.skipping, true) {
                    any = true;
                    let reason = format!("longer than {LONGEST_LINE} bytes");
                    take(JournalLine::Damaged { number: self.line + 1, start: self.position, reason });
                }
                self.position += kept as u64;
                kept = 0;
            }
        }
    }
}

/// Reads the line of a point as [`Journal`] writes it, several times as fast as the general reader: most lines of a
/// long run are points. None for any other line, which the general reader then judges.
fn point(line: &str) -> Option<(f64, &str, Sample)> {
    let (t, rest) = line.strip_prefix("{\"t\":")?.split_once(",\"e\":\"p\",\"s\":\"")?;
    let (series, rest) = rest.split_once('"')?;
    let (x, rest) = rest.strip_prefix(",\"x\":")?.split_once(",\"y\":")?;
    let rest = rest.strip_suffix('}')?;
    let (rest, hi) = rest.split_once(",\"hi\":").map_or((rest, None), |(rest, hi)| (rest, Some(hi)));
    let (y, lo) = rest.split_once(",\"lo\":").map_or((rest, None), |(y, lo)| (y, Some(lo)));
    let end = |text: Option<&str>| {
        text.map_or(Some(None), |text| number(text).map(|end| Some(end).filter(|end| !end.is_nan())))
    };
    let sample = Sample { x: number(x)?, y: number(y)?, lo: end(lo)?, hi: end(hi)? };
    // An escape in the name is left to the general reader.
    (!series.contains('\\')).then_some((t.parse().ok()?, series, sample))
}

/// A number in the forms of events; only digits count, as `f64` also reads words that JSON has not.
fn number(text: &str) -> Option<f64> {
    match text {
        "null" => Some(f64::NAN),
        _ => text.ends_with(|c: char| c.is_ascii_digit()).then(|| text.parse().ok())?,
    }
}
