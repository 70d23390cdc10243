//! The keys in force: the key table with the changes of a user's file.

use super::binding::{Action, Binding, Place};
use super::key::Key;
use super::table::TABLE;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// The keys in force: the table with a user's changes.
#[derive(Clone, Debug)]
pub struct Keymap {
    keys: Vec<Vec<Key>>,
}

impl Default for Keymap {
    fn default() -> Self {
        let read = |binding: &Binding| binding.keys.iter().filter_map(|text| Key::parse(text).ok()).collect();
        Self { keys: TABLE.iter().map(read).collect() }
    }
}

impl Keymap {
    /// The table changed by the TOML text of `file`: `action = "key"` or `action = ["key", "key"]`. A key that types a
    /// character stays one where text is typed.
    ///
    /// # Errors
    /// One line that names the file, the action, what was found and what is allowed. Two actions of one place on one
    /// key are refused as well.
    pub fn with_changes(text: &str, file: &Path) -> Result<Self, String> {
        let at = |reason: String| format!("{}: {reason}", file.display());
        let table: BTreeMap<String, toml::Value> =
            toml::from_str(text).map_err(|error| at(error.message().replace('\n', ", ")))?;
        let mut map = Self::default();
        for (name, value) in table {
            let texts: Vec<String> = match value {
                toml::Value::String(text) => vec![text],
                toml::Value::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
                other => {
                    return Err(at(format!("{name}: found `{other}`, allowed: a key or a list of keys in quotes")));
                }
            };
            let keys: Result<Vec<_>, _> = texts.iter().map(|text| Key::parse(text)).collect();
            let keys = keys.map_err(|reason| at(format!("{name}: {reason}")))?;
            let mut known = false;
            for (binding, slot) in TABLE.iter().zip(&mut map.keys) {
                if binding.action.name() == name {
                    known = true;
                    // Where text is typed, characters are typed: the action keeps its keys there if it gets no others.
                    let usable = keys.iter().filter(|key| !(binding.place.takes_text() && key.types()));
                    let usable: Vec<Key> = usable.copied().collect();
                    if keys.is_empty() || !usable.is_empty() {
                        *slot = usable;
                    }
                }
            }
            if !known {
                let mut names: Vec<_> = TABLE.iter().map(|binding| binding.action.name()).collect();
                names.sort();
                names.dedup();
                return Err(at(format!("unknown action `{name}`, allowed: {}", names.join(", "))));
            }
        }
        map.check().map_err(at)?;
        Ok(map)
    }

    /// Refuses a key that has two actions in force at the same time.
    ///
    /// # Errors
    /// Names the key and both actions.
    pub fn check(&self) -> Result<(), String> {
        for stack in Place::STACKS {
            let mut taken: Vec<(Key, Action)> = Vec::new();
            for (binding, keys) in TABLE.iter().zip(&self.keys).filter(|(binding, _)| stack.contains(&binding.place)) {
                for key in keys {
                    if let Some((_, other)) = taken.iter().find(|(known, _)| known == key) {
                        let (one, two) = (other.name(), binding.action.name());
                        return Err(format!("the key {key} has two actions in {}: {one}, {two}", stack[0].title()));
                    }
                    taken.push((*key, binding.action));
                }
            }
        }
        Ok(())
    }

    /// What `key` does in `place`. With Shift it does what it does without, unless it has an action of its own.
    #[must_use]
    pub fn action(&self, place: Place, key: Key) -> Option<Action> {
        let stack = place.stack();
        let mut lines = TABLE.iter().zip(&self.keys).filter(|(binding, _)| stack.contains(&binding.place));
        let found = lines.find(|(_, keys)| keys.contains(&key)).map(|(binding, _)| binding.action);
        found.or_else(|| self.action(place, key.without_shift()?))
    }

    /// Key and word of every line for the footer of `place`.
    pub fn hints(&self, place: Place) -> impl Iterator<Item = (Action, String, &'static str)> + '_ {
        let stack = place.stack();
        TABLE
            .iter()
            .zip(&self.keys)
            .filter(move |(binding, keys)| {
                !binding.hint.is_empty() && !keys.is_empty() && stack.contains(&binding.place)
            })
            .map(|(binding, keys)| (binding.action, keys[0].to_string(), binding.hint))
    }

    /// The first key of `action` in `place`, as shown.
    #[must_use]
    pub fn key(&self, place: Place, action: Action) -> String {
        let stack = place.stack();
        let mut lines = TABLE.iter().zip(&self.keys).filter(|(line, _)| stack.contains(&line.place));
        lines
            .find(|(line, _)| line.action == action)
            .and_then(|(_, keys)| keys.first())
            .map_or_else(|| "?".to_owned(), ToString::to_string)
    }

    /// What can be done in `place`: each action with its first key, none where it has no key, and what it does.
    #[must_use]
    pub fn commands(&self, place: Place) -> Vec<(Action, String, &'static str)> {
        let stack = place.stack();
        let here = TABLE.iter().zip(&self.keys).filter(|(line, _)| stack.contains(&line.place));
        here.map(|(line, keys)| (line.action, keys.first().map(ToString::to_string).unwrap_or_default(), line.help))
            .collect()
    }

    /// Headings with keys and what they do, for the help of `place`.
    #[must_use]
    pub fn help(&self, place: Place) -> Vec<(&'static str, Vec<(String, &'static str)>)> {
        place.stack().iter().map(|place| (place.title(), self.lines(*place))).collect()
    }

    fn lines(&self, place: Place) -> Vec<(String, &'static str)> {
        TABLE
            .iter()
            .zip(&self.keys)
            .filter(|(line, keys)| line.place == place && !line.help.is_empty() && !keys.is_empty())
            .map(|(line, keys)| (keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), line.help))
            .collect()
    }
}

/// The key table as Markdown, as it stands in the README.
#[must_use]
pub fn markdown() -> String {
    let map = Keymap::default();
    let mut text = String::from("| where | key | what it does |\n|---|---|---|\n");
    let mut places: Vec<Place> = Vec::new();
    for stack in Place::STACKS {
        places.extend(stack.iter().filter(|place| !places.contains(place)).copied().collect::<Vec<_>>());
    }
    for place in places {
        for (keys, help) in map.lines(place) {
            let keys = keys.split(' ').map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" ");
            let _ = writeln!(text, "| {} | {keys} | {help} |", place.title());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_readable_and_unique_where_it_holds() {
        for binding in TABLE {
            for key in binding.keys {
                assert!(Key::parse(key).is_ok(), "{key}");
            }
        }
        assert_eq!(Keymap::default().check(), Ok(()));
    }

    #[test]
    fn a_users_file_changes_keys_and_is_checked() {
        let file = Path::new("keys.toml");
        let map = Keymap::with_changes("run = [\"f5\", \"R\"]\n", file).unwrap();
        assert_eq!(map.action(Place::Form, Key::parse("f5").unwrap()), Some(Action::Run));
        assert_eq!(map.action(Place::Form, Key::parse("r").unwrap()), None);
        let refused = |text| Keymap::with_changes(text, file).unwrap_err();
        assert_eq!(refused("run = \"x\"\n"), "keys.toml: the key x has two actions in Parameters: run, stop");
        let names = "unknown action `launch`, allowed: above, again, append, as-text, back, below, cancel, closer, command, command-line";
        assert!(refused("launch = \"x\"\n").contains(names));
        assert!(refused("run = 5\n").contains("run: found `5`, allowed: a key or a list"));
        assert!(refused("run = \"hyper-r\"\n").contains("run: `hyper-r` is no key"));
        assert!(refused("run = \n").starts_with("keys.toml: "));
    }

    #[test]
    fn characters_are_typed_where_text_is_typed() {
        let map = |text| Keymap::with_changes(text, Path::new("keys.toml")).unwrap();
        let action = |map: &Keymap, place, key| map.action(place, Key::parse(key).unwrap());
        let several = map("edit = [\"E\", \"ctrl-o\"]\n");
        assert_eq!(action(&several, Place::Form, "E"), Some(Action::Edit));
        for place in [Place::Typing, Place::Function] {
            assert_eq!(action(&several, place, "E"), None);
            assert_eq!(action(&several, place, "ctrl-o"), Some(Action::Edit));
            assert_eq!(action(&several, place, "enter"), None);
        }
        let characters = map("edit = \"E\"\nback = \"Q\"\ngallery = []\n");
        for place in [Place::Typing, Place::Function] {
            assert_eq!(action(&characters, place, "E"), None);
            assert_eq!(action(&characters, place, "enter"), Some(Action::Edit));
            assert_eq!(action(&characters, place, "esc"), Some(Action::Back));
            assert_eq!(action(&characters, place, "down"), None);
        }
    }

    #[test]
    fn every_place_has_a_way_back_and_help() {
        let map = Keymap::default();
        for stack in Place::STACKS {
            let key = Key::parse("ctrl-c").unwrap();
            assert_eq!(map.action(stack[0], key), Some(Action::Interrupt));
            assert!(!map.help(stack[0]).is_empty());
        }
        assert!(markdown().contains("| A problem’s tab | `r` | start a run"));
    }
}
