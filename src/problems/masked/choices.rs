//! What can be chosen by name.

use crate::named::named;

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
