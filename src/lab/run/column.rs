//! Columns of result tables.

use crate::lab::event::Row;

/// A column of a problem's result table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The key in rows.
    pub key: &'static str,
    /// The heading.
    pub label: &'static str,
    /// The unit in the heading; empty for none.
    pub unit: &'static str,
    /// Digits after the point; numbers are shown in scientific notation where that says more.
    pub digits: usize,
    /// Whether the compact table on screen shows it (the full one and `--json` have every column).
    pub brief: bool,
    /// Whether its value tells the row from the run's other rows. A run that is continued knows by these values which
    /// rows it has emitted already. Where no column of a table is marked, rows are told apart by everything in them but
    /// what is [measured](Column::is_measured).
    pub identity: bool,
    /// Whether it is an error relative to what is estimated. At 1 or more, an estimate of 0 is as good, which is said
    /// beside the number.
    pub error: bool,
    /// Whether tables leave it out where no row has a value in it.
    pub optional: bool,
    /// Between which numbers its values lie, as shares lie between 0 and 1; none where they are not bounded on both sides.
    pub range: Option<(f64, f64)>,
}

impl Column {
    /// The most memory that the process held while the run worked, up to this row. The engine writes it into every row; it is
    /// empty where the system does not tell, or other runs worked beside this one.
    pub const PEAK_BYTES: Self = Self::new("measured_peak_bytes", "peak memory, measured").unit("B").optional();

    /// The peak memory that the problem expected of the run. The engine writes it into rows that do not have it.
    pub const ESTIMATED_PEAK_BYTES: Self =
        Self::new("estimated_peak_bytes", "peak memory, estimated").unit("B").optional();

    /// The column `key` with this heading: without unit, digits or bounds, in the full table only.
    #[must_use]
    pub const fn new(key: &'static str, label: &'static str) -> Self {
        Self {
            key,
            label,
            unit: "",
            digits: 0,
            brief: false,
            identity: false,
            error: false,
            optional: false,
            range: None,
        }
    }

    /// Sets the unit that stands in the heading.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// Sets the digits after the point.
    #[must_use]
    pub const fn digits(mut self, digits: usize) -> Self {
        self.digits = digits;
        self
    }

    /// Shows it in the compact table too.
    #[must_use]
    pub const fn brief(mut self) -> Self {
        self.brief = true;
        self
    }

    /// Says that it is an error relative to what is estimated: at 1 or more, an estimate of 0 is as good.
    #[must_use]
    pub const fn error(mut self) -> Self {
        self.error = true;
        self
    }

    /// Leaves it out of tables where no row has a value in it.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Says that it is a share, between 0 and 1.
    #[must_use]
    pub const fn share(mut self) -> Self {
        self.range = Some((0.0, 1.0));
        self
    }

    /// The column, marked as one whose value tells the row from the run's other rows.
    #[must_use]
    pub const fn identifying(mut self) -> Self {
        self.identity = true;
        self
    }

    /// Whether a table of these rows has it.
    pub fn is_shown<'a>(&self, rows: impl IntoIterator<Item = &'a Row>) -> bool {
        !self.optional || rows.into_iter().any(|row| row.get(self.key).is_some_and(|value| !value.is_null()))
    }

    /// Whether it holds a time, a speed or a peak of memory, which two runs of the same parameters need not have in common.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        let memory = [Self::PEAK_BYTES.key, Self::ESTIMATED_PEAK_BYTES.key];
        self.unit == "s" || self.unit.ends_with("/s") || memory.contains(&self.key)
    }
}
