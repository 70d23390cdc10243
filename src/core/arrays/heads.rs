//! Queries, keys, values or masks of a model: arrays understood as layers × heads × tokens × coordinates.

use super::error::ArrayError;
use super::file::ArrayFile;
use super::view::StridedAxis;
use crate::named::named;
use ndarray::Array2;

named! {
    /// Whether the last two axes are tokens × coordinates or the other way round.
    #[derive(Default)]
    pub enum Transpose {
        #[default]
        Ask = "ask", "[tokens, dim]; ask where there are so few tokens that it looks like [dim, tokens]";
        Yes = "yes", "the last two axes are [dim, tokens]";
        No = "no", "the last two axes are [tokens, dim], however few tokens there are";
    }
}

/// How the axes of a file are to be understood, where their number alone does not say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadsLayout {
    /// Heads that lie side by side in the last axis.
    pub heads: Option<usize>,
    /// The entry that is taken of a batch axis, which stands before the heads.
    pub batch: Option<usize>,
    /// The order of the last two axes.
    pub transpose: Transpose,
}

/// A file of matrices by layer and head. A file without one of these axes has one entry of it.
///
/// | axes | with `batch` | with `heads` | with both |
/// |---|---|---|---|
/// | L, d | | L, heads·d | |
/// | heads, L, d | | layers, L, heads·d | batch, L, heads·d |
/// | layers, heads, L, d | batch, heads, L, d | | layers, batch, L, heads·d |
/// | | layers, batch, heads, L, d | | |
#[derive(Debug)]
pub struct HeadsFile {
    file: ArrayFile,
    offset: i64,
    layers: Option<StridedAxis>,
    heads: Option<StridedAxis>,
    tokens: StridedAxis,
    dim: StridedAxis,
}

impl HeadsFile {
    /// Opens what `text` names, as [`ArrayFile::open`] does, and understands its axes by `layout`.
    ///
    /// # Errors
    /// What [`ArrayFile::open`] refuses; a number of axes that fits no form, a batch that is not there or not chosen, columns
    /// that `heads` does not divide, fewer tokens than coordinates / 8 with [`Transpose::Ask`].
    pub fn open(text: &str, layout: HeadsLayout) -> Result<Self, ArrayError> {
        let file = ArrayFile::open(text)?;
        let mut view = file.view().clone();
        let count = view.axes.len();
        if layout.transpose == Transpose::Yes {
            view.axes.swap(count - 2, count - 1);
        }
        if let Some(heads) = layout.heads {
            let columns = view.axes[count - 1].length;
            if heads == 0 || !columns.is_multiple_of(heads) {
                return Err(ArrayError::Refused(format!(
                    "has {columns} columns, which {heads} heads do not divide, allowed: a number of heads that does"
                )));
            }
            view.cut_last(heads);
            // The heads stand behind the tokens now.
            view.axes.swap(count - 2, count - 1);
        }
        let [tokens, dim] = [view.axes[view.axes.len() - 2], view.axes[view.axes.len() - 1]];
        if layout.transpose == Transpose::Ask && tokens.length < dim.length / 8 {
            let (rows, columns) = (tokens.length, dim.length);
            return Err(ArrayError::Refused(format!(
                "has {rows} tokens of {columns} coordinates, which looks like [d, L]: transpose=yes turns it, transpose=no \
                 takes it as it is"
            )));
        }
        let mut leading = view.axes[..view.axes.len() - 2].to_vec();
        let heads = if layout.heads.is_some() || !leading.is_empty() { leading.pop() } else { None };
        let offset = view.offset + batch(&file, layout, &mut leading)?;
        let layers = leading.pop();
        if !leading.is_empty() {
            return Err(forms(&file, "too many axes"));
        }
        Ok(Self { file, offset, layers, heads, tokens, dim })
    }

    /// The text that names it.
    #[must_use]
    pub fn source(&self) -> &str {
        self.file.source()
    }

    /// Layers; 1 where the file has no axis of them.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.layers.map_or(1, |axis| axis.length)
    }

    /// Heads of a layer; 1 where the file has no axis of them.
    #[must_use]
    pub fn heads(&self) -> usize {
        self.heads.map_or(1, |axis| axis.length)
    }

    /// Whether the file has an axis of layers.
    #[must_use]
    pub const fn has_layers(&self) -> bool {
        self.layers.is_some()
    }

    /// Whether the file has an axis of heads.
    #[must_use]
    pub const fn has_heads(&self) -> bool {
        self.heads.is_some()
    }

    /// Tokens, the rows of every matrix.
    #[must_use]
    pub const fn tokens(&self) -> usize {
        self.tokens.length
    }

    /// Coordinates of a token, the columns of every matrix.
    #[must_use]
    pub const fn dim(&self) -> usize {
        self.dim.length
    }

    /// The matrix of `layer` and `head`, both counted from 0, tokens × coordinates; every value is finite.
    ///
    /// # Errors
    /// There is no such layer or head, or its numbers cannot be read, see [`ArrayFile::matrix`].
    pub fn head(&self, layer: usize, head: usize) -> Result<Array2<f64>, ArrayError> {
        for (name, found, count) in [("layer", layer, self.layers()), ("head", head, self.heads())] {
            if found >= count {
                let reason = format!("found {name} {found}, allowed: 0 to {}, as the file has {count}", count - 1);
                return Err(ArrayError::Refused(reason));
            }
        }
        let step = |axis: Option<StridedAxis>, entry: usize| axis.map_or(0, |axis| axis.stride * entry as i64);
        let named = |name: &str, there: bool, entry: usize| there.then(|| format!("{name} {entry}"));
        let place = [named("layer", self.has_layers(), layer), named("head", self.has_heads(), head)];
        let place = place.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let place = if place.is_empty() { place } else { format!(" of {place}") };
        self.file.read(self.offset + step(self.layers, layer) + step(self.heads, head), self.tokens, self.dim, &place)
    }
}

/// Takes the axis of the batch from the `leading` axes without heads: the numbers before the chosen entry.
fn batch(file: &ArrayFile, layout: HeadsLayout, leading: &mut Vec<StridedAxis>) -> Result<i64, ArrayError> {
    let Some(batch) = layout.batch else {
        // Layers and a batch: only a batch of one needs no choice.
        return match leading.as_slice() {
            [_, axis] if axis.length == 1 => {
                leading.pop();
                Ok(0)
            }
            [_, axis] => Err(ArrayError::Refused(format!(
                "has shape {:?} with a batch of {}, allowed: one entry of the batch, 0 to {}",
                file.shape(),
                axis.length,
                axis.length - 1
            ))),
            _ => Ok(0),
        };
    };
    match leading.pop() {
        Some(axis) if batch < axis.length => Ok(axis.stride * batch as i64),
        Some(axis) => {
            let last = axis.length - 1;
            Err(ArrayError::Refused(format!(
                "found batch entry {batch}, allowed: 0 to {last}, as the file has shape {:?}",
                file.shape()
            )))
        }
        // The batch was one of the axes of length 1 at the front.
        None if batch == 0 && file.fell_away() > 0 => Ok(0),
        None => Err(forms(file, &format!("no axis for entry {batch} of a batch"))),
    }
}

fn forms(file: &ArrayFile, what: &str) -> ArrayError {
    ArrayError::Refused(format!(
        "has shape {:?}, {what}, allowed: [L, d], [heads, L, d], [layers, heads, L, d]; with an entry of the batch [batch, \
         heads, L, d], [layers, batch, heads, L, d]; with heads split from the last axis [L, heads·d], [layers, L, heads·d]",
        file.shape()
    ))
}

/// Which head of the keys belongs to a head of the queries, where several queries share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadGroups {
    size: usize,
}

impl HeadGroups {
    /// The head of the keys that belongs to `query_head`.
    #[must_use]
    pub const fn key_head(self, query_head: usize) -> usize {
        query_head / self.size
    }

    /// Heads of the queries that share a head of the keys; 1 where each has its own.
    #[must_use]
    pub const fn size(self) -> usize {
        self.size
    }
}

/// How the heads of `queries` share those of `keys` (grouped-query attention: Ainslie et al. 2023): neighbours share one.
///
/// # Errors
/// The number of heads of the keys does not divide that of the queries.
pub fn grouped(queries: &HeadsFile, keys: &HeadsFile) -> Result<HeadGroups, ArrayError> {
    let (many, few) = (queries.heads(), keys.heads());
    if !many.is_multiple_of(few) {
        return Err(ArrayError::Refused(format!(
            "has {few} heads, allowed: a number that divides the {many} heads of the queries"
        )));
    }
    Ok(HeadGroups { size: many / few })
}
