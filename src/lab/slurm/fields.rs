//! What the batch system is asked for, field by field: for faces in which it is typed.

use super::SlurmOptions;
use crate::lab::ParamError;

/// One field of [`SlurmOptions`].
#[derive(Clone, Copy, Debug)]
pub struct SlurmField {
    /// Its name.
    pub key: &'static str,
    /// Its name on a screen.
    pub label: &'static str,
    /// What it is and how it is written.
    pub help: &'static str,
}

const fn field(key: &'static str, label: &'static str, help: &'static str) -> SlurmField {
    SlurmField { key, label, help }
}

impl SlurmOptions {
    /// How often an element goes back into the queue where nobody says otherwise.
    pub const REQUEUES: u32 = 20;

    /// Every field, in the order in which they are asked for.
    pub const FIELDS: [SlurmField; 9] = [
        field("max_parallel", "at a time", "the most elements that run at a time; nothing leaves it to Slurm"),
        field(
            "time",
            "time limit",
            "of an element, as 30, 1:00:00 or 2-00:00:00; at the limit it goes on in its next turn",
        ),
        field("partition", "partition", "nothing takes the cluster's default"),
        field("cpus", "CPUs", "of an element; its threads follow"),
        field("mem", "memory", "of an element, as 4G"),
        field("gpus", "GPUs", "of an element, as 1 or a100:1"),
        field("account", "account", "that is charged"),
        field("requeues", "requeues", "how often an element that comes to its time limit goes back into the queue"),
        field("arguments", "more options", "further options of sbatch with spaces between, as --nice=100 --qos=low"),
    ];

    /// What stands in a field; empty where nothing was asked for.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        let number = |number: Option<usize>| number.map_or_else(String::new, |number| number.to_string());
        match key {
            "max_parallel" => number(self.max_parallel),
            "cpus" => number(self.cpus),
            "requeues" => self.requeues.to_string(),
            "arguments" => self.arguments.join(" "),
            _ => self.word(key).and_then(|word| word.clone()).unwrap_or_default(),
        }
    }

    /// Fills a field in; nothing in it leaves that to Slurm.
    ///
    /// # Errors
    /// Says what is allowed; nothing is changed then.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), ParamError> {
        let text = text.trim();
        let number = || match text.parse::<usize>() {
            _ if text.is_empty() => Ok(None),
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => Err(ParamError::new(key, text, "a whole number of at least 1, or nothing")),
        };
        let mut new = self.clone();
        match key {
            "max_parallel" => new.max_parallel = number()?,
            "cpus" => new.cpus = number()?,
            "requeues" => {
                new.requeues = text.parse().map_err(|_| ParamError::new(key, text, "a whole number"))?;
            }
            "arguments" => new.arguments = text.split_whitespace().map(str::to_owned).collect(),
            "time" => new.time = word(text),
            "mem" => new.mem = word(text),
            "gpus" => new.gpus = word(text),
            "partition" => new.partition = word(text),
            "account" => new.account = word(text),
            _ => {
                let keys: Vec<_> = Self::FIELDS.iter().map(|field| field.key).collect();
                return Err(ParamError::new("sbatch option", key, keys.join(", ")));
            }
        }
        new.check().map_err(|error| ParamError::new(key, text, error.to_string()))?;
        *self = new;
        Ok(())
    }

    const fn word(&self, key: &str) -> Option<&Option<String>> {
        Some(match key.as_bytes() {
            b"time" => &self.time,
            b"mem" => &self.mem,
            b"gpus" => &self.gpus,
            b"partition" => &self.partition,
            b"account" => &self.account,
            _ => return None,
        })
    }
}

fn word(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_takes_what_it_shows() {
        let mut options = SlurmOptions { requeues: SlurmOptions::REQUEUES, ..SlurmOptions::default() };
        for (field, text) in SlurmOptions::FIELDS.iter().zip([
            "8",
            "1:00:00",
            "main",
            "4",
            "2G",
            "a100:1",
            "lab",
            "3",
            "--nice=1 --qos=low",
        ]) {
            assert_eq!(options.set(field.key, text), Ok(()), "{}", field.key);
            assert_eq!(options.text(field.key), text);
        }
        assert_eq!(
            options.set("cpus", "0").unwrap_err().to_string(),
            "cpus: found `0`, allowed: a whole number of at least 1, or nothing"
        );
        assert!(options.set("partition", "a\"b").is_err());
        assert_eq!((options.text("cpus"), options.text("partition")), ("4".to_owned(), "main".to_owned()));
        options.set("time", " ").unwrap();
        assert_eq!(options.time, None);
    }
}
