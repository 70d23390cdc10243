//! Finding a field of the form by letters of its label or key.

use crate::console::search;
use crate::lab::Param;
use tui_input::{Input, InputRequest};

/// A search for a field under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Find {
    /// What was typed.
    pub input: Input,
    /// Which of the fields that match is chosen.
    pub chosen: usize,
}

impl Find {
    /// Takes a key.
    pub fn type_key(&mut self, request: InputRequest) {
        self.input.handle(request);
        self.chosen = 0;
    }

    /// The fields whose label, key or group has every typed word in it, by their numbers: those that are called so come
    /// first, then those whose label or key begins so.
    pub fn found(&self, fields: &[&'static Param]) -> Vec<usize> {
        let rank = |param: &Param| {
            let (label, key) = (param.label.to_lowercase(), param.key.to_lowercase());
            let whole = format!("{label} {key} {}", param.group.to_lowercase());
            search::rank(self.input.value(), &[&label, &key], &[&whole])
        };
        let mut found: Vec<(usize, usize)> =
            fields.iter().enumerate().filter_map(|(field, param)| Some((rank(param)?, field))).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, field)| field).collect()
    }
}
