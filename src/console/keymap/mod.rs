//! Keys: one table drives dispatch, footer hints, the help overlay and the README's table; a user's file may override it.

mod key;
mod table;

pub use key::Key;
pub use table::TABLE;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// What a key does; what `Up`, `Edit` and the like mean depends on the place.
#[allow(missing_docs, reason = "the key table says what each does")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Edit,
    Back,
    Sweep,
    Reset,
    Run,
    Presets,
    Stop,
    StopAll,
    Pause,
    Zoom,
    Compare,
    LogY,
    LogX,
    Smooth,
    Figure,
    Look,
    Group,
    Optimise,
    FollowUp,
    More,
    Fewer,
    Save,
    Load,
    Remove,
    Filter,
    Sort,
    Resume,
    Rename,
    Tags,
    Delete,
    Export,
    Focus,
    Start,
    Grid,
    Target,
    Again,
    Points,
    Sweeps,
    Cancel,
    Throttle,
    LeaveRunning,
    LeaveStopping,
    NextPane,
    PreviousPane,
    Tab(usize),
    NextTab,
    PreviousTab,
    Help,
    Quit,
    Interrupt,
    Suspend,
    Redraw,
}

impl Action {
    /// The name in a user's key file: `log-y`, `tab-1`.
    #[must_use]
    pub fn name(self) -> String {
        if let Self::Tab(index) = self {
            return format!("tab-{}", index + 1);
        }
        let mut name = String::new();
        for character in format!("{self:?}").chars() {
            if character.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(character.to_ascii_lowercase());
        }
        name
    }
}

/// Where keys are pressed; several hold at once, the innermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The parameter form.
    Form,
    /// The plots and matrices.
    Figures,
    /// The table of results.
    Results,
    /// Any pane of a problem's tab.
    Problem,
    /// Where there are panes.
    Panes,
    /// The Runs tab.
    Runs,
    /// The Log tab.
    Log,
    /// The dialog before a sweep.
    Sweep,
    /// The sweeps on a cluster.
    Sweeps,
    /// A list to choose from.
    List,
    /// A text field.
    Typing,
    /// The help overlay.
    Help,
    /// The question whether to leave.
    Leave,
    /// Every tab, when nothing lies over it.
    Tabs,
    /// Everywhere.
    Always,
}

impl Place {
    /// Its heading in the help.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Form => "Parameters",
            Self::Figures => "Figures",
            Self::Results => "Results",
            Self::Problem => "A problem’s tab",
            Self::Panes => "Panes",
            Self::Runs => "Runs",
            Self::Log => "Log",
            Self::Sweep => "Before a sweep",
            Self::Sweeps => "Sweeps on a cluster",
            Self::List => "Lists",
            Self::Typing => "Text fields",
            Self::Help => "Help",
            Self::Leave => "Leaving while work runs",
            Self::Tabs => "Every tab",
            Self::Always => "Everywhere",
        }
    }

    /// The places that hold together, innermost first: keys must be unique within each.
    pub const STACKS: &'static [&'static [Self]] = &[
        &[Self::Form, Self::Problem, Self::Panes, Self::Tabs, Self::Always],
        &[Self::Figures, Self::Problem, Self::Panes, Self::Tabs, Self::Always],
        &[Self::Results, Self::Problem, Self::Panes, Self::Tabs, Self::Always],
        &[Self::Runs, Self::Tabs, Self::Always],
        &[Self::Log, Self::Tabs, Self::Always],
        &[Self::Sweep, Self::Always],
        &[Self::Sweeps, Self::Always],
        &[Self::List, Self::Always],
        &[Self::Typing, Self::Always],
        &[Self::Help, Self::Always],
        &[Self::Leave, Self::Always],
    ];

    /// The stack that begins with this place.
    #[must_use]
    pub fn stack(self) -> &'static [Self] {
        Self::STACKS.iter().copied().find(|stack| stack[0] == self).unwrap_or(&[Self::Always])
    }
}

/// One line of the key table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where it holds.
    pub place: Place,
    /// What it does.
    pub action: Action,
    /// The keys as written.
    pub keys: &'static [&'static str],
    /// A word for the footer; empty: not shown there.
    pub hint: &'static str,
    /// A line for the help; empty: said by another line.
    pub help: &'static str,
}

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
    /// The table changed by the TOML text of `file`: `action = "key"` or `action = ["key", "key"]`.
    ///
    /// # Errors
    /// One line with file, action, what was found and what is allowed; two actions of one place on one key.
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
                    slot.clone_from(&keys);
                    known = true;
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

    /// Refuses two actions on one key where both hold.
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

    /// What `key` does in `place`.
    #[must_use]
    pub fn action(&self, place: Place, key: Key) -> Option<Action> {
        let stack = place.stack();
        let mut lines = TABLE.iter().zip(&self.keys).filter(|(binding, _)| stack.contains(&binding.place));
        lines.find(|(_, keys)| keys.contains(&key)).map(|(binding, _)| binding.action)
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
        assert!(refused("launch = \"x\"\n").contains("unknown action `launch`, allowed: again, back, cancel, compare"));
        assert!(refused("run = 5\n").contains("run: found `5`, allowed: a key or a list"));
        assert!(refused("run = \"hyper-r\"\n").contains("run: `hyper-r` is no key"));
        assert!(refused("run = \n").starts_with("keys.toml: "));
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
