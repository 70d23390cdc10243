//! What the batch system is asked for. Each option is declared once: the command line, the dialog, `sweep.toml`, the header
//! of the script and every message follow from [`SlurmOptions::ALL`].

use crate::lab::{ParamError, StoredParams, StoredValue, Value, shell};
use serde::de::Error;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// What may be given for an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OptionKind {
    /// A whole number of at least 1.
    Count,
    /// A whole number.
    Number,
    /// One word.
    Word,
    /// Several words.
    Words,
}

/// The declaration of one option.
#[derive(Clone, Copy, Debug)]
pub struct SlurmOption {
    /// Its name in `sweep.toml`.
    pub key: &'static str,
    /// Its name in the dialog.
    pub label: &'static str,
    /// One line saying what it is and how it is written.
    pub help: &'static str,
    /// Its flag on the command line, without dashes.
    pub flag: &'static str,
    /// The short form of the flag.
    pub short: Option<char>,
    /// What stands for its value in `--help`.
    pub value_name: &'static str,
    /// What counts where nothing is given; empty leaves it to Slurm.
    pub default: &'static str,
    kind: OptionKind,
    /// The option of `sbatch` that it becomes in the header of the script.
    sbatch: Option<&'static str>,
}

impl SlurmOption {
    const fn new(kind: OptionKind, key: &'static str, label: &'static str, help: &'static str) -> Self {
        Self { key, label, help, flag: key, short: None, value_name: "N", default: "", kind, sbatch: None }
    }

    const fn flag(mut self, flag: &'static str, value_name: &'static str) -> Self {
        (self.flag, self.value_name) = (flag, value_name);
        self
    }

    const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    const fn sbatch(mut self, option: &'static str) -> Self {
        self.sbatch = Some(option);
        self
    }

    const fn default(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    /// Whether it is given once for each of several words.
    #[must_use]
    pub const fn is_repeated(&self) -> bool {
        matches!(self.kind, OptionKind::Words)
    }

    /// Checks one word given for it.
    ///
    /// # Errors
    /// Says what is allowed.
    pub fn check(&self, word: &str) -> Result<(), ParamError> {
        let allowed = match self.kind {
            OptionKind::Count if word.parse::<u32>().is_ok_and(|count| count > 0) => return Ok(()),
            OptionKind::Number if word.parse::<u32>().is_ok() => return Ok(()),
            OptionKind::Count => "a whole number of at least 1, or nothing",
            OptionKind::Number => "a whole number",
            OptionKind::Word | OptionKind::Words if fits_header(word) && !word.is_empty() => return Ok(()),
            OptionKind::Word | OptionKind::Words => "one word of `sbatch` without line feeds and control characters",
        };
        Err(ParamError::new(self.key, word, allowed))
    }
}

/// Whether a text can stand in a line of the header: a line ends at the first line feed, and no quoting changes that.
pub(super) fn fits_header(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// A text as one word of the header, as `sbatch` reads it: in double quotes, in which a backslash keeps the next
/// character.
pub(super) fn header_word(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// What the batch system is asked for; what is not given is left to its defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlurmOptions {
    given: BTreeMap<&'static str, Vec<String>>,
}

impl SlurmOptions {
    /// Every option, in the order in which they are asked for.
    pub const ALL: [SlurmOption; 9] = {
        use OptionKind::{Count, Number, Word, Words};
        [
            SlurmOption::new(
                Count,
                "max_parallel",
                "at a time",
                "the most elements that run at a time; nothing leaves it to Slurm",
            )
            .flag("max-parallel", "N"),
            SlurmOption::new(
                Word,
                "time",
                "time limit",
                "of an element, as 30, 1:00:00 or 2-00:00:00; at the limit it goes on in its next turn",
            )
            .flag("time", "TIME")
            .sbatch("time"),
            SlurmOption::new(Word, "partition", "partition", "partition; nothing takes the cluster's default")
                .flag("partition", "NAME")
                .short('p')
                .sbatch("partition"),
            SlurmOption::new(Count, "cpus", "CPUs", "CPUs of an element; its threads follow")
                .flag("cpus-per-task", "N")
                .short('c')
                .sbatch("cpus-per-task"),
            SlurmOption::new(Word, "mem", "memory", "memory of an element, as 4G").flag("mem", "SIZE").sbatch("mem"),
            SlurmOption::new(Word, "gpus", "GPUs", "GPUs of an element, as 1 or a100:1; its runs see those alone")
                .flag("gpus", "GPUS")
                .sbatch("gpus"),
            SlurmOption::new(Word, "account", "account", "account that is charged")
                .flag("account", "NAME")
                .short('A')
                .sbatch("account"),
            SlurmOption::new(
                Number,
                "requeues",
                "requeues",
                "how often an element that comes to its time limit goes back into the queue",
            )
            .flag("requeues", "K")
            .default("20"),
            SlurmOption::new(
                Words,
                "arguments",
                "more options",
                "further options of sbatch, as --nice=100 --qos=low; on the command line one at a time",
            )
            .flag("sbatch-arg", "OPTION"),
        ]
    };

    /// The declaration of `key`.
    ///
    /// # Errors
    /// There is no such option.
    pub fn option(key: &str) -> Result<&'static SlurmOption, ParamError> {
        const ALL: &[SlurmOption] = &SlurmOptions::ALL;
        ALL.iter().find(|option| option.key == key).ok_or_else(|| {
            let keys: Vec<_> = ALL.iter().map(|option| option.key).collect();
            ParamError::new("sbatch option", key, keys.join(", "))
        })
    }

    /// The words given for an option, or its default.
    #[must_use]
    pub fn words(&self, key: &str) -> Vec<String> {
        let default = || {
            let default = Self::option(key).map_or("", |option| option.default);
            if default.is_empty() { Vec::new() } else { vec![default.to_owned()] }
        };
        self.given.get(key).cloned().unwrap_or_else(default)
    }

    /// What stands in the field of an option; empty where it is left to Slurm.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        let words = self.words(key);
        match Self::option(key) {
            Ok(option) if option.is_repeated() => {
                words.iter().map(|word| shell::quote(word)).collect::<Vec<_>>().join(" ")
            }
            _ => words.concat(),
        }
    }

    /// Fills the field of an option in; nothing in it leaves it to Slurm, or to its default.
    ///
    /// # Errors
    /// Says what is allowed; nothing is changed then.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), ParamError> {
        let (option, text) = (Self::option(key)?, text.trim());
        let words = if option.is_repeated() {
            shlex::split(text).ok_or_else(|| ParamError::new(key, text, "words in which every quote is closed"))?
        } else {
            Vec::from_iter((!text.is_empty()).then(|| text.to_owned()))
        };
        self.give(option, words)
    }

    /// Gives an option these words in place of those it has.
    ///
    /// # Errors
    /// As [`SlurmOptions::set`].
    pub fn give(&mut self, option: &SlurmOption, words: Vec<String>) -> Result<(), ParamError> {
        words.iter().try_for_each(|word| option.check(word))?;
        let key = Self::option(option.key)?.key;
        if words.is_empty() {
            self.given.remove(key)
        } else {
            self.given.insert(key, words)
        };
        Ok(())
    }

    /// How many elements may run at a time, where that is limited.
    #[must_use]
    pub fn max_parallel(&self) -> Option<usize> {
        self.text("max_parallel").parse().ok()
    }

    /// How often an element that comes to its time limit goes back into the queue.
    #[must_use]
    pub fn requeues(&self) -> u32 {
        self.text("requeues").parse().unwrap_or(0)
    }

    /// The cluster that a further option names: `--clusters=gpu2` or `-Mgpu2`; the first where it names several.
    pub(super) fn cluster(&self) -> Option<String> {
        let words = self.words("arguments");
        let named = |word: &String| {
            let long = word.strip_prefix("--cluster").and_then(|rest| rest.trim_start_matches('s').strip_prefix('='));
            long.or_else(|| word.strip_prefix("-M")).and_then(first_cluster)
        };
        words.iter().find_map(named)
    }

    /// The lines of the header, without `#SBATCH`.
    pub(super) fn header(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for option in &Self::ALL {
            for word in self.words(option.key) {
                match (option.sbatch, option.kind) {
                    (Some(name), OptionKind::Count | OptionKind::Number) => lines.push(format!("--{name}={word}")),
                    (Some(name), _) => lines.push(format!("--{name}={}", header_word(&word))),
                    (None, OptionKind::Words) => lines.push(header_word(&word)),
                    (None, _) => {}
                }
            }
        }
        lines
    }

    fn stored(&self, option: &SlurmOption) -> Option<StoredValue> {
        let value = |word: String| match option.kind {
            OptionKind::Count | OptionKind::Number => word.parse().map_or(Value::Text(word), Value::Int),
            OptionKind::Word | OptionKind::Words => Value::Text(word),
        };
        let mut values: Vec<Value> = self.words(option.key).into_iter().map(value).collect();
        if option.is_repeated() { Some(StoredValue::List(values)) } else { values.pop().map(StoredValue::One) }
    }
}

/// The first of the clusters that an option or a variable names, separated by commas; none where it names none.
pub(super) fn first_cluster(text: &str) -> Option<String> {
    text.split(',').map(str::trim).find(|name| !name.is_empty()).map(str::to_owned)
}

/// A table with every option: its value, an array for several words, nothing where nothing is given.
impl Serialize for SlurmOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Self::ALL.len()))?;
        for option in &Self::ALL {
            map.serialize_entry(option.key, &self.stored(option))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for SlurmOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = StoredParams::deserialize(deserializer)?;
        let mut options = Self::default();
        for option in &Self::ALL {
            let values = stored.get(option.key).map_or(&[] as &[Value], StoredValue::values);
            options.give(option, values.iter().map(ToString::to_string).collect()).map_err(D::Error::custom)?;
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_takes_what_it_shows_and_comes_back_from_a_file() {
        let mut options = SlurmOptions::default();
        for (option, text) in SlurmOptions::ALL.iter().zip([
            "8",
            "1:00:00",
            "main",
            "4",
            "2G",
            "a100:1",
            "lab",
            "3",
            "--nice=1 '--comment=two words'",
        ]) {
            assert_eq!(options.set(option.key, text), Ok(()), "{}", option.key);
            assert_eq!(options.text(option.key), text);
        }
        let file = toml::to_string(&options).unwrap();
        assert!(file.contains("cpus = 4\n") && file.contains("arguments = [\"--nice=1\""), "{file}");
        assert_eq!(toml::from_str::<SlurmOptions>(&file).unwrap(), options);
        assert_eq!(
            options.set("cpus", "0").unwrap_err().to_string(),
            "cpus: found `0`, allowed: a whole number of at least 1, or nothing"
        );
        assert!(options.set("partition", "a\nb").is_err());
        assert_eq!((options.text("cpus"), options.text("partition")), ("4".to_owned(), "main".to_owned()));
        options.set("time", " ").unwrap();
        assert!(options.words("time").is_empty());
        assert_eq!((SlurmOptions::default().requeues(), options.requeues(), options.max_parallel()), (20, 3, Some(8)));
    }

    #[test]
    fn a_cluster_is_named_in_every_way_that_sbatch_takes() {
        let cluster = |text: &str| {
            let mut options = SlurmOptions::default();
            options.set("arguments", text).unwrap();
            options.cluster()
        };
        for text in ["--clusters=gpu2", "--cluster=gpu2,gpu3", "-Mgpu2", "--hold '-M gpu2'"] {
            assert_eq!(cluster(text).as_deref(), Some("gpu2"), "{text}");
        }
        assert_eq!([cluster("--hold"), cluster("--clusters=")], [None, None]);
    }

    #[test]
    fn a_file_of_an_earlier_version_is_read() {
        let file = "max_parallel = 2\ntime = \"30\"\narguments = [\"--hold\"]\nrequeues = 0\n";
        let options: SlurmOptions = toml::from_str(file).unwrap();
        assert_eq!((options.max_parallel(), options.requeues()), (Some(2), 0));
        assert_eq!(options.header(), ["--time=\"30\"", "\"--hold\""]);
        assert!(toml::from_str::<SlurmOptions>("time = \"1\\n#SBATCH --uid=0\"").is_err());
    }
}
