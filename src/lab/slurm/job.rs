//! A job of the batch system: its number, and the cluster it is on where there are several.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A submitted job, written as `sbatch --parsable` writes it: `424242`, or `424242;gpu2` on another cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub number: String,
    /// The cluster, where it is not the one that Slurm's commands ask of their own.
    pub cluster: Option<String>,
}

impl Job {
    /// Reads `424242` or `424242;gpu2`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (number, cluster) = text.trim().split_once(';').map_or((text.trim(), None), |(a, b)| (a, Some(b)));
        let is_name = |name: &str| {
            !name.is_empty()
                && !name.starts_with('-')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        let fits =
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && cluster.is_none_or(is_name);
        fits.then(|| Self { number: number.to_owned(), cluster: cluster.map(str::to_owned) })
    }

    /// The job in an answer of `sbatch`, on whichever line it stands: plug-ins of a site print lines of their own before
    /// and after it.
    #[must_use]
    pub fn find(answer: &str) -> Option<Self> {
        let spoken = |line: &str| {
            let mut words = line.split("Submitted batch job ").nth(1)?.split_whitespace();
            let number = words.next()?;
            match (words.next(), words.next(), words.next()) {
                (Some("on"), Some("cluster"), Some(cluster)) => Self::parse(&format!("{number};{cluster}")),
                _ => Self::parse(number),
            }
        };
        answer.lines().rev().find_map(Self::parse).or_else(|| answer.lines().rev().find_map(spoken))
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cluster {
            None => f.write_str(&self.number),
            Some(cluster) => write!(f, "{};{cluster}", self.number),
        }
    }
}

impl Serialize for Job {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Job {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("jobs: found `{text}`, allowed: a job number")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_job_is_found_on_any_line_of_the_answer() {
        let job = |text: &str| Job::find(text).map(|job| job.to_string());
        assert_eq!(job("424242").as_deref(), Some("424242"));
        assert_eq!(job("424242;gpu2\n").as_deref(), Some("424242;gpu2"));
        assert_eq!(job("site: checking quota\n7;gpu2\nsite: 3 jobs left").as_deref(), Some("7;gpu2"));
        assert_eq!(job("Submitted batch job 9 on cluster gpu2\n").as_deref(), Some("9;gpu2"));
        assert_eq!(job("note: Submitted batch job 9").as_deref(), Some("9"));
        assert_eq!(job("no job"), None);
        assert_eq!(job("12;--help"), None);
    }
}
