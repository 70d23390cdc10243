//! Finding a field of the form by letters of its label or key.

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
        let typed = self.input.value().trim().to_lowercase();
        let words: Vec<&str> = typed.split_whitespace().collect();
        let rank = |param: &Param| {
            let names = [param.label.to_lowercase(), param.key.to_lowercase()];
            let all = format!("{} {} {}", names[0], names[1], param.group.to_lowercase());
            match () {
                () if names.contains(&typed) => Some(0),
                () if names.iter().any(|name| name.starts_with(&typed)) => Some(1),
                () => words.iter().all(|word| all.contains(word)).then_some(2),
            }
        };
        let mut found: Vec<(u8, usize)> =
            fields.iter().enumerate().filter_map(|(field, param)| Some((rank(param)?, field))).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, field)| field).collect()
    }
}
