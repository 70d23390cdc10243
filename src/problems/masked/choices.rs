//! What can be chosen by name.

use crate::attention::inputs::InputKind;
use crate::named::{Choice, Named, named};

named! {
    /// What a run looks at.
    pub(super) enum MaskedTask {
        Estimate = "estimate", "error of the estimated kernel matrix against the number of features";
        Attention = "attention",
            "masked linear attention against the exact quadratic one: time, memory, error of the output";
    }
}

named! {
    /// Where mask vectors come from.
    pub(super) enum MaskKind {
        ReluNormal = "relu-normal", "relu of standard normal numbers: half of the coordinates are 0";
        HalfNormal = "half-normal", "|standard normal| numbers: no zeros";
        OneHot = "one-hot", "one random coordinate is 1: few pairs meet";
        Flat = "flat", "every coordinate is 1: no mask at all";
        File = "file", "vectors from the files of masks, through relu";
    }
}

/// Where queries and keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenSource {
    /// They are drawn.
    Drawn(InputKind),
    /// They are in files.
    File,
}

impl TokenSource {
    const fn choice(self) -> Choice {
        match self {
            Self::Drawn(kind) => kind.choice(),
            Self::File => Choice { name: "file", help: "matrices from the files of queries and keys" },
        }
    }
}

impl Named for TokenSource {
    const ALL: &'static [Self] = &[
        Self::Drawn(InputKind::Gauss),
        Self::Drawn(InputKind::Sphere),
        Self::Drawn(InputKind::Planted),
        Self::Drawn(InputKind::Cluster),
        Self::File,
    ];
    const CHOICES: &'static [Choice] = &{
        let mut choices = [Self::File.choice(); Self::ALL.len()];
        let mut place = 0;
        while place < choices.len() {
            choices[place] = Self::ALL[place].choice();
            place += 1;
        }
        choices
    };
}
