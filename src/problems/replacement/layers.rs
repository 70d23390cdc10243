//! Which layers of a model are replaced together.

use crate::vision::BlockSet;

/// What `layers` may be, in words.
pub(super) const ALLOWED: &str = "all, each, layers counted from 0 joined by + (0+2), or several of these: all,each";

/// The layers of one replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LayerSet {
    /// As it stands in rows.
    pub name: String,
    /// The layers, rising.
    pub layers: Vec<usize>,
}

/// Whether a text is `all`, `each`, layers, or several of these with commas between.
pub(super) fn is_layers(text: &str) -> bool {
    parts(text).all(|part| ["all", "each"].contains(&part) || numbers(part).is_some())
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim)
}

fn numbers(text: &str) -> Option<Vec<usize>> {
    let layers: Option<Vec<usize>> = text.split('+').map(|part| part.trim().parse().ok()).collect();
    let mut layers = layers.filter(|layers| layers.iter().all(|layer| *layer < BlockSet::MOST))?;
    layers.sort_unstable();
    layers.dedup();
    Some(layers)
}

/// The sets that `text` stands for in a model of `depth` layers, each once.
///
/// # Errors
/// The first layer that the model does not have.
pub(super) fn sets(text: &str, depth: usize) -> Result<Vec<LayerSet>, usize> {
    let mut sets: Vec<LayerSet> = Vec::new();
    for part in parts(text) {
        let found = match part {
            "all" => vec![LayerSet { name: "all".to_owned(), layers: (0..depth).collect() }],
            "each" => (0..depth).map(|layer| LayerSet { name: layer.to_string(), layers: vec![layer] }).collect(),
            part => {
                let layers = numbers(part).unwrap_or_default();
                let names: Vec<String> = layers.iter().map(usize::to_string).collect();
                vec![LayerSet { name: names.join("+"), layers }]
            }
        };
        for set in found {
            if let Some(beyond) = set.layers.iter().find(|layer| **layer >= depth) {
                return Err(*beyond);
            }
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
    }
    Ok(sets)
}

impl LayerSet {
    /// The blocks that stay exact in a model of `depth` layers.
    pub fn exact_blocks(&self, depth: usize) -> BlockSet {
        (0..depth).filter(|block| !self.layers.contains(block)).fold(BlockSet::NONE, BlockSet::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_read() {
        let names = |text: &str| -> Vec<String> { sets(text, 3).unwrap().into_iter().map(|set| set.name).collect() };
        assert_eq!(names("all,each, 2+0,1"), ["all", "0", "1", "2", "0+2"]);
        assert_eq!(sets("0+3", 3), Err(3));
        assert!(!is_layers("some") && !is_layers("all,") && !is_layers("1+") && !is_layers("200"));
        let set = &sets("1", 3).unwrap()[0];
        let exact: Vec<bool> = (0..3).map(|block| set.exact_blocks(3).contains(block)).collect();
        assert_eq!(exact, [true, false, true]);
    }
}
