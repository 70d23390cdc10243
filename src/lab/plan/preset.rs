//! Presets: a problem with parameters in a TOML file. Shipped ones are inside the binary.

use crate::lab::{Draft, LabError, ParamError, Places, Problem, SCHEMA, Sweep, SweepMode};
use crate::nearest::hint;
use include_dir::{Dir, include_dir};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/presets");

/// The most bytes of a preset that are read.
const LARGEST: u64 = 1 << 20;

/// The most repetitions of a point.
const REPEATS: usize = 1000;

/// A problem with parameters, ready to run.
#[derive(Clone, Debug)]
pub struct Preset {
    /// The file's name without its ending.
    pub name: String,
    /// Its name in lists, which is also the title of its runs.
    pub title: String,
    /// One line saying what it shows.
    pub about: String,
    /// The runs it stands for.
    pub sweep: Sweep,
    /// Where it was read; none for a shipped one.
    pub file: Option<PathBuf>,
}

/// A preset's text with its file, for messages that name file and line.
struct PresetText<'a> {
    text: &'a str,
    file: &'a Path,
}

impl PresetText<'_> {
    fn refuse(&self, span: &Range<usize>, reason: impl Into<String>) -> LabError {
        let before = self.text.get(..span.start).unwrap_or_default();
        LabError::content(self.file, Some(before.matches('\n').count() + 1), reason)
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, allowed: &str) -> LabError {
        let found = self.text.get(value.span()).unwrap_or_default().lines().next().unwrap_or_default();
        self.refuse(&value.span(), ParamError::new(key, found, allowed).to_string())
    }

    fn string(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<String, LabError> {
        let text = value.get_ref().as_str().map(str::to_owned);
        text.ok_or_else(|| self.wrong(key, value, "a text in quotes"))
    }

    fn table<'t, 'i>(&self, key: &str, value: &'t Spanned<DeValue<'i>>) -> Result<&'t DeTable<'i>, LabError> {
        value.get_ref().as_table().ok_or_else(|| self.wrong(key, value, &format!("a table, as [{key}]")))
    }

    fn unknown(&self, span: &Range<usize>, key: &str, known: &[&str]) -> LabError {
        let hint = hint(key, known.iter().copied());
        self.refuse(span, format!("unknown key `{key}`{hint}, allowed: {}", known.join(", ")))
    }

    /// A parameter's value as one would type it, a list with `separator` between its values; none where there are no lists.
    fn typed(&self, key: &str, value: &Spanned<DeValue<'_>>, separator: Option<char>) -> Result<String, LabError> {
        match (value.get_ref(), separator) {
            (DeValue::String(text), _) => Ok(text.clone().into_owned()),
            (DeValue::Integer(_) | DeValue::Float(_), _) => Ok(self.text[value.span()].to_owned()),
            (DeValue::Boolean(flag), _) => Ok(if *flag { "yes" } else { "no" }.to_owned()),
            (DeValue::Array(items), Some(separator)) => {
                let texts: Result<Vec<_>, _> = items.iter().map(|item| self.typed(key, item, None)).collect();
                Ok(texts?.join(&separator.to_string()))
            }
            (_, Some(_)) => Err(self.wrong(key, value, "a value, a list of values or a range in quotes")),
            _ => Err(self.wrong(key, value, "a value")),
        }
    }
}

impl Preset {
    /// Reads a preset or a `run.toml`; `file` is where the text came from, for its name and for messages.
    ///
    /// # Errors
    /// One line with the file, the line, the key, what was found and what is allowed.
    pub fn parse(text: &str, file: &Path, problems: &[&'static dyn Problem]) -> Result<Self, LabError> {
        let source = PresetText { text, file };
        let table = DeTable::parse(text).map_err(|error| {
            let message = error.message().replace('\n', ", ");
            match error.span() {
                Some(span) => source.refuse(&span, message),
                None => LabError::content(file, None, message),
            }
        })?;
        let table = table.get_ref();
        let missing =
            |key: &str, allowed: &str| LabError::content(file, None, format!("`{key}` is missing: {allowed}"));

        // The form first: keys of a newer one mean nothing here.
        let schema = table.get("schema").ok_or_else(|| missing("schema", &format!("write `schema = {SCHEMA}`")))?;
        match source.text[schema.span()].parse::<u32>() {
            Ok(SCHEMA) => {}
            Ok(newer) if newer > SCHEMA => {
                let reason = format!("written in form {newer}; this version of attnlab reads up to form {SCHEMA}");
                return Err(source.refuse(&schema.span(), reason));
            }
            _ => return Err(source.wrong("schema", schema, &SCHEMA.to_string())),
        }
        let names: Vec<_> = problems.iter().map(|problem| problem.name()).collect();
        let value = table.get("problem").ok_or_else(|| missing("problem", &names.join(", ")))?;
        let name = source.string("problem", value)?;
        let problem = problems.iter().copied().find(|problem| problem.name() == name);
        let problem = problem.ok_or_else(|| source.wrong("problem", value, &names.join(", ")))?;

        let mut preset = Self {
            name: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            title: String::new(),
            about: String::new(),
            sweep: Sweep::new(problem, Draft::new(&problem.schema())),
            file: None,
        };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "schema" | "problem" => {}
                // The circumstances of the run, where the file is a run's. A run can always be repeated.
                "run" => {
                    source.table("run", value)?;
                    preset.sweep.allows_unread = true;
                }
                "title" => preset.title = source.string("title", value)?,
                "about" => preset.about = source.string("about", value)?,
                "repeats" => {
                    let count = source.text[value.span()].parse().ok().filter(|count| (1..=REPEATS).contains(count));
                    let allowed = format!("a whole number from 1 to {REPEATS}");
                    preset.sweep.repeats = count.ok_or_else(|| source.wrong("repeats", value, &allowed))?;
                }
                "params" => preset.read_params(&source, source.table("params", value)?)?,
                "sweep" => preset.read_sweep(&source, source.table("sweep", value)?)?,
                other => {
                    let known = ["schema", "problem", "title", "about", "repeats", "params", "sweep"];
                    return Err(source.unknown(&key.span(), other, &known));
                }
            }
        }
        if preset.title.is_empty() {
            preset.title.clone_from(&preset.name);
        }
        preset.sweep.title = Some(preset.title.clone());
        Ok(preset)
    }

    fn read_params(&mut self, source: &PresetText<'_>, table: &DeTable<'_>) -> Result<(), LabError> {
        let schema = self.sweep.problem.schema();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let Some(param) = schema.get(name) else {
                let known: Vec<_> = schema.iter().map(|param| param.key).collect();
                return Err(source.unknown(&key.span(), name, &known));
            };
            let text = source.typed(name, value, param.kind.separator())?;
            self.sweep
                .draft
                .set(&schema, name, &text)
                .map_err(|error| source.refuse(&value.span(), error.to_string()))?;
        }
        Ok(())
    }

    fn read_sweep(&mut self, source: &PresetText<'_>, table: &DeTable<'_>) -> Result<(), LabError> {
        for (key, value) in table {
            let (name, item) = (format!("sweep.{}", key.get_ref()), value.get_ref());
            let wrong = |allowed: &str| source.wrong(&name, value, allowed);
            match key.get_ref().as_ref() {
                "mode" => {
                    self.sweep.mode = match item.as_str() {
                        Some("grid") => SweepMode::Grid,
                        Some("zip") => SweepMode::Zip,
                        _ => return Err(wrong("\"grid\" or \"zip\"")),
                    };
                }
                "interleave" => {
                    self.sweep.interleaved = item.as_bool().ok_or_else(|| wrong("true or false"))?;
                }
                "halve" => {
                    let keys = item.as_array().map(|keys| keys.iter().map(|key| key.get_ref().as_str()));
                    let keys = keys.and_then(|keys| keys.map(|key| key.map(str::to_owned)).collect());
                    let allowed = "an array of swept parameters within which points compete, as [\"attention\"]";
                    self.sweep.halved_within = Some(keys.ok_or_else(|| wrong(allowed))?);
                }
                _ => {
                    return Err(source.unknown(&key.span(), &name, &["sweep.mode", "sweep.interleave", "sweep.halve"]));
                }
            }
        }
        Ok(())
    }

    /// Reads the file `path`.
    ///
    /// # Errors
    /// The file cannot be read, or as [`Preset::parse`].
    pub fn read(path: &Path, problems: &[&'static dyn Problem]) -> Result<Self, LabError> {
        let mut text = String::new();
        let read = fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text));
        if read.map_err(LabError::io("read the preset", path))? as u64 > LARGEST {
            return Err(LabError::content(path, None, format!("a preset has at most {LARGEST} bytes")));
        }
        Ok(Self { file: Some(path.to_owned()), ..Self::parse(&text, path, problems)? })
    }

    /// The preset as a file: only what differs from the defaults and is read.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let Sweep { problem, draft, mode, repeats, interleaved, halved_within, .. } = &self.sweep;
        let mut file =
            format!("schema = {SCHEMA}\nproblem = {}\ntitle = {}\n", text(problem.name()), text(&self.title));
        if !self.about.is_empty() {
            file += &format!("about = {}\n", text(&self.about));
        }
        if *repeats > 1 {
            file += &format!("repeats = {repeats}\n");
        }
        file += "\n[params]\n";
        let schema = problem.schema();
        for (param, typed) in draft.changes(&schema).into_iter().filter(|(param, _)| draft.reads(&schema, param)) {
            file += &format!("{} = {}\n", param.key, text(typed));
        }
        let mut lines = Vec::new();
        lines.extend((*mode == SweepMode::Zip).then(|| "mode = \"zip\"".to_owned()));
        lines.extend(interleaved.then(|| "interleave = true".to_owned()));
        lines.extend(halved_within.as_ref().map(|keys| {
            let keys: Vec<_> = keys.iter().map(|key| text(key)).collect();
            format!("halve = [{}]", keys.join(", "))
        }));
        if !lines.is_empty() {
            file += &format!("\n[sweep]\n{}\n", lines.join("\n"));
        }
        file
    }

    /// Writes the preset as `NAME.toml` into the presets directory and says where.
    ///
    /// # Errors
    /// The name is no file name, or the file cannot be written.
    pub fn save(&self, places: &Places) -> Result<PathBuf, LabError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || self.name.starts_with('.') || !self.name.chars().all(fits) {
            let allowed = "letters, digits, `-`, `_` and `.`";
            return Err(ParamError::new("name of the preset", &self.name, allowed).into());
        }
        fs::create_dir_all(&places.presets).map_err(LabError::io("create", &places.presets))?;
        let path = places.presets.join(format!("{}.toml", self.name));
        crate::lab::record::files::replace(&path, self.to_toml().as_bytes(), true)
            .map_err(LabError::io("write", &path))?;
        Ok(path)
    }
}

/// What saving a preset called `name` would replace, in words; nothing where there is none of that name.
#[must_use]
pub fn replaced_by(name: &str, places: &Places) -> Option<&'static str> {
    if places.presets.join(format!("{name}.toml")).exists() {
        return Some("your preset of that name");
    }
    let shipped = SHIPPED.files().any(|file| is_preset(file.path()) && stem(file.path()) == name);
    shipped.then_some("the shipped preset of that name, in your lists")
}

/// Every preset by name: the shipped ones, and those in the presets directory, which take the place of shipped ones
/// of the same name. A preset that cannot be read is an error beside its name.
#[must_use]
pub fn all(places: &Places, problems: &[&'static dyn Problem]) -> Vec<(String, Result<Preset, LabError>)> {
    let mut found = BTreeMap::new();
    for file in SHIPPED.files().filter(|file| is_preset(file.path())) {
        let text = file.contents_utf8().unwrap_or_default();
        found.insert(stem(file.path()), Preset::parse(text, file.path(), problems));
    }
    for entry in fs::read_dir(&places.presets).into_iter().flatten().flatten() {
        let path = entry.path();
        // A pipe of that name would be waited for without end.
        if is_preset(&path) && !fs::metadata(&path).is_ok_and(|file| !file.is_file()) {
            found.insert(stem(&path), Preset::read(&path, problems));
        }
    }
    found.into_iter().collect()
}

/// The preset called `name`, or the one in the file `name`.
///
/// # Errors
/// There is none of that name, or it cannot be read.
pub fn find(name: &str, places: &Places, problems: &[&'static dyn Problem]) -> Result<Preset, LabError> {
    let path = Path::new(name);
    if path.is_file() {
        return Preset::read(path, problems);
    }
    let presets = all(places, problems);
    let names: Vec<_> = presets.iter().map(|(name, _)| name.clone()).collect();
    let known = presets.into_iter().find(|(known, _)| *known == stem(path));
    known.map(|(_, preset)| preset).unwrap_or_else(|| {
        let hint = hint(name, names.iter().map(String::as_str));
        Err(LabError::Refused(format!("no preset or file `{name}`{hint}; presets: {}", names.join(", "))))
    })
}

fn is_preset(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "toml")
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
