//! Which parameters are read: one may have a meaning only where another has certain values.

use crate::lab::param::declaration::{Param, ParamError};
use crate::lab::param::list;
use crate::lab::param::schema::{Draft, Schema};
use crate::lab::param::stored::StoredParams;

impl Param {
    /// The values of another parameter with which this one is read, in words: `inputs=gauss or inputs=outlier`. None where it
    /// always is.
    #[must_use]
    pub fn read_with_words(&self) -> Option<String> {
        let words = self.conditions().map(|(key, values)| match values {
            [] | [""] => format!("no {key}"),
            [one] => format!("{key}={one}"),
            [one, other] => format!("{key}={one} or {key}={other}"),
            [several @ .., last] => format!("{key}={} or {last}", several.join(", ")),
        });
        Some(words.collect::<Vec<_>>().join(" or ")).filter(|words| !words.is_empty())
    }
}

impl Draft {
    /// Whether a run of this draft reads `param`: a parameter that decides it is read itself, and stands for one of the values
    /// in question or for several values with one of them among these.
    #[must_use]
    pub fn reads(&self, schema: &Schema, param: &Param) -> bool {
        // What cannot be read as a value is an error of its own.
        let chosen = |decides: &Param| {
            let values = list::values(decides, self.text(decides.key)).ok()?;
            Some(values.iter().map(ToString::to_string).collect())
        };
        is_read(schema, param, &chosen)
    }

    /// The parameters that differ from their defaults although nothing reads them, in form order, each as an error that says
    /// with which values of which other parameter it would be read.
    #[must_use]
    pub fn unread(&self, schema: &Schema) -> Vec<ParamError> {
        let changes = self.changes(schema);
        let unread = changes.iter().filter(|(param, _)| !self.reads(schema, param));
        unread
            .filter_map(|(param, text)| {
                let ((key, values), words) = (param.read_with?, param.read_with_words()?);
                let hint = match values {
                    [one] if param.or_with.is_none() && changes.iter().all(|(other, _)| other.key != key) => {
                        format!(": set {key}={one} as well")
                    }
                    _ => String::new(),
                };
                let here = self.text(key);
                Some(ParamError::new(param.key, *text, format!("only with {words}, here {key}={here}{hint}")))
            })
            .collect()
    }
}

impl StoredParams {
    /// Whether the run that these parameters were stored by reads `param`. One that another version of the program decided by is
    /// taken as read.
    #[must_use]
    pub fn reads(&self, schema: &Schema, param: &Param) -> bool {
        let chosen = |decides: &Param| Some(self.get(decides.key)?.values().iter().map(ToString::to_string).collect());
        is_read(schema, param, &chosen)
    }
}

/// Whether `param` is read where the parameters that decide it have the values that `chosen` tells; as read counts what is not told.
fn is_read(schema: &Schema, param: &Param, chosen: &impl Fn(&Param) -> Option<Vec<String>>) -> bool {
    param.read_with.is_none()
        || param.conditions().any(|(key, values)| {
            let Some(decides) = schema.get(key) else { return true };
            let Some(found) = chosen(decides) else { return true };
            found.iter().any(|value| values.contains(&value.as_str())) && is_read(schema, decides, chosen)
        })
}
