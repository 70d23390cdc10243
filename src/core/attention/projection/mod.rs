//! Projections: the matrices W (m×d) whose rows w_i random features project queries and keys on.
//!
//! Some projections draw rows that depend on each other in blocks of [`Projection::block`] rows; blocks are independent, and
//! the last one is cut to what is left. Any prefix of a draw has the law of a smaller draw, so that one draw of M rows
//! serves every m ≤ M.
//!
//! To add a projection, write its record in a file of this folder, and add a variant and its arm in
//! `Projection::record` here. Choices, refusals, remarks, theory notes and the documents' tables follow from them.

mod frames;
mod hadamard;
mod independent;
mod record;
mod sobol;

pub(super) use hadamard::walsh_hadamard;
pub(super) use record::ClosedForm;
pub use record::RowLaw;

use super::AttentionError;
use crate::memory;
use crate::named::{Choice, named};
use crate::random::Generator;
use ndarray::{Array2, Axis};
use record::{Drawn, Record};

named! {
    /// How the rows of W are drawn and coupled.
    pub enum Projection {
        Gaussian = "gaussian", "independent Gaussian rows";
        Orthogonal = "orthogonal", "blocks of orthogonal rows with chi norms";
        OrthogonalFixed = "orthogonal-fixed", "blocks of orthogonal rows of norm √d: biased";
        Simplex = "simplex", "blocks of rows at equal obtuse angles, chi norms";
        Rademacher = "rademacher", "independent ±1 entries: biased";
        Hadamard = "hadamard", "block-orthogonal ±1 rows: randomised Hadamard, biased";
        Hadamard3 = "hadamard3", "three Hadamard blocks: orthogonal rows of norm √d";
        Sobol = "sobol", "scrambled Sobol points through the normal quantile: one even sequence of rows";
    }
}

impl Projection {
    const fn record(self) -> &'static Record {
        match self {
            Self::Gaussian => &independent::GAUSSIAN,
            Self::Orthogonal => &frames::ORTHOGONAL,
            Self::OrthogonalFixed => &frames::ORTHOGONAL_FIXED,
            Self::Simplex => &frames::SIMPLEX,
            Self::Rademacher => &independent::RADEMACHER,
            Self::Hadamard => &hadamard::HADAMARD,
            Self::Hadamard3 => &hadamard::HADAMARD3,
            Self::Sobol => &sobol::SOBOL,
        }
    }

    /// Projections whose rows alone are N(0, I), as choices: the ones that leave every family unbiased.
    pub const NORMAL: &'static [Choice] = &{
        let (mut count, mut i) = (0, 0);
        let mut choices = [Self::Gaussian.choice(); Self::NORMAL_COUNT];
        while i < Self::ALL.len() {
            if Self::ALL[i].is_gaussian() {
                choices[count] = Self::ALL[i].choice();
                count += 1;
            }
            i += 1;
        }
        choices
    };

    const NORMAL_COUNT: usize = {
        let (mut count, mut i) = (0, 0);
        while i < Self::ALL.len() {
            count += Self::ALL[i].is_gaussian() as usize;
            i += 1;
        }
        count
    };

    /// The names of [`Projection::NORMAL`] in a sentence: `gaussian, orthogonal or simplex`.
    #[must_use]
    pub fn normal_names() -> String {
        let names: Vec<_> = Self::NORMAL.iter().map(|choice| choice.name).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }

    /// The law of one row alone.
    #[must_use]
    pub const fn law(self) -> RowLaw {
        self.record().law
    }

    /// Whether every row alone is N(0, I): then positive, hyperbolic, trigonometric and generalised exponential
    /// features are unbiased, however the rows are coupled.
    #[must_use]
    pub const fn is_gaussian(self) -> bool {
        matches!(self.record().law, RowLaw::Normal)
    }

    /// Whether its rows live in the next power of two of d (vectors are zero-padded to it).
    #[must_use]
    pub const fn pads(self) -> bool {
        self.record().pads
    }

    /// What a reader of results should know of it; nothing where it is in order.
    #[must_use]
    pub const fn caveat(self) -> Option<&'static str> {
        self.record().caveat
    }

    /// The closed form its coupling gives moments.
    pub(super) const fn closed_form(self) -> ClosedForm {
        self.record().closed_form
    }

    /// The dimension its rows are drawn in for vectors of length `d`.
    #[must_use]
    pub const fn inner_dim(self, d: usize) -> usize {
        if self.pads() { d.next_power_of_two() } else { d }
    }

    /// Rows of a block for vectors of length `d`: as many projections should be a multiple of it. 1 where there are no
    /// blocks.
    #[must_use]
    pub const fn block(self, d: usize) -> usize {
        match self.record().drawn {
            Drawn::AtOnce => 1,
            Drawn::InBlocks => self.inner_dim(d),
        }
    }

    /// Whether there are rows of length `d`.
    ///
    /// # Errors
    /// [`AttentionError::Dimension`], which says which dimensions there are rows for.
    pub const fn check_dim(self, d: usize) -> Result<(), AttentionError> {
        let (least, most) = self.record().dims;
        if least <= d && d <= most {
            return Ok(());
        }
        Err(AttentionError::Dimension { projection: self.name(), found: d, least, most })
    }

    /// Bytes that [`Projection::draw`] holds at once, W included.
    #[must_use]
    pub fn draw_bytes(self, m: usize, d: usize) -> u64 {
        let workspace = (self.record().workspace)(self.inner_dim(d)) as u64;
        (m as u64).saturating_mul(d as u64).saturating_add(workspace).saturating_mul(8)
    }

    /// Draws W: `m` rows of length `d`.
    ///
    /// Where rows live in a longer space, the columns that would meet padded zeros are left out; products with W are
    /// those of the padded vectors.
    ///
    /// # Errors
    /// There are no rows of this length ([`Projection::check_dim`]), or not enough memory.
    pub fn draw(self, m: usize, d: usize, rng: &mut Generator) -> Result<Array2<f64>, AttentionError> {
        self.check_dim(d)?;
        let mut rows = memory::array((m, d), 0.0, "the projections")?;
        match self.record().drawn {
            Drawn::AtOnce => (self.record().fill)(rows.view_mut(), rng)?,
            Drawn::InBlocks => {
                for block in rows.axis_chunks_iter_mut(Axis(0), self.block(d)) {
                    (self.record().fill)(block, rng)?;
                }
            }
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::named::Named;
    use crate::random::generator;

    #[test]
    fn names_are_read_back() {
        for projection in Projection::ALL {
            assert_eq!(Projection::parse(projection.name()), Ok(*projection));
        }
        assert!(Projection::parse("qr").is_err());
        assert!(Projection::NORMAL.iter().all(|choice| Projection::parse(choice.name).unwrap().is_gaussian()));
    }

    #[test]
    fn dimensions_without_rows_are_refused() {
        let refused = |projection: Projection, d| projection.draw(1, d, &mut generator(0, "rows", 0)).unwrap_err();
        assert_eq!(refused(Projection::Simplex, 1).to_string(), "simplex has no rows of length 1, allowed: at least 2");
        assert_eq!(
            refused(Projection::Gaussian, 0).to_string(),
            "gaussian has no rows of length 0, allowed: at least 1"
        );
    }

    #[test]
    fn blocks_have_the_angles_they_promise() {
        for projection in [
            Projection::Orthogonal,
            Projection::OrthogonalFixed,
            Projection::Simplex,
            Projection::Hadamard,
            Projection::Hadamard3,
        ] {
            let d = 16;
            let w = projection.draw(40, d, &mut generator(3, "projection", 0)).unwrap();
            let cosine = if projection == Projection::Simplex { -1.0 / (d as f64 - 1.0) } else { 0.0 };
            for (i, j) in (0..40).flat_map(|i| (0..i).map(move |j| (i, j))) {
                if i / d == j / d {
                    let (a, b) = (w.row(i), w.row(j));
                    let found = a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt();
                    assert!((found - cosine).abs() < 1e-12, "{} {i} {j}: {found}", projection.name());
                }
            }
            if !projection.is_gaussian() {
                let off = w.rows().into_iter().map(|row| (row.dot(&row) - d as f64).abs()).fold(0.0, f64::max);
                assert!(off < 1e-12, "{}: norm off by {off}", projection.name());
            }
        }
    }
}
