//! What random features are held against at an equal number of features: the best matrix of that rank, features of landmarks,
//! and the largest entries of each row. All are about the un-normalised matrix A_ij = exp(x_i·y_j + r_i).

mod landmarks;
mod largest;
mod nystrom;
mod spectrum;

pub use landmarks::{k_means, random_tokens};
pub use largest::largest_entries;
pub use nystrom::NystromFeatures;
pub use spectrum::Spectrum;

use crate::named::named;

named! {
    /// A baseline at m features.
    pub enum Baseline {
        None = "none", "no baseline";
        Svd = "svd", "the best matrix of rank m (truncated SVD): the limit of every estimate with m features";
        Nystrom = "nystrom", "Nyström: features of m landmarks, tokens drawn from queries and keys together";
        KMeans = "nystrom-k-means", "Nyström with the m centres that k-means finds among queries and keys";
        TopEntries = "top-k", "the m largest entries of each row, kept exactly: m numbers and m places a row, not of low rank";
    }
}
