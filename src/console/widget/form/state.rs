//! What a parameter form holds, and how keys change it.

use super::find::Find;
use super::steps;
use super::ticks::Ticks;
use crate::console::widget::function::FunctionEditor;
use crate::lab::{Draft, Kind, Param, ParamError, Schema, list};
use std::borrow::Cow;
use tui_input::{Input, InputRequest};

/// What a user edits: the draft, the selected field, the text or function being typed, and what is wrong.
#[derive(Clone, Debug)]
pub struct Form {
    pub(super) schema: Schema,
    /// The fields as they stand: groups in the order in which they are first named, each together.
    pub(super) fields: Vec<&'static Param>,
    pub(super) draft: Draft,
    pub(super) selected: usize,
    pub(super) input: Option<Input>,
    function: Option<Box<FunctionEditor>>,
    pub(super) find: Option<Find>,
    pub(super) ticks: Option<Ticks>,
    /// Whether fields that do not apply are shown too.
    pub(super) is_unfolded: bool,
    pub(super) error: Option<ParamError>,
}

impl Form {
    /// A form that holds the default of every parameter.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        let draft = Draft::new(&schema);
        let group = |param: &Param| schema.iter().position(|other| other.group == param.group);
        let mut fields: Vec<_> = schema.iter().collect();
        fields.sort_by_key(|param| group(param));
        Self {
            schema,
            fields,
            draft,
            selected: 0,
            input: None,
            function: None,
            find: None,
            ticks: None,
            is_unfolded: false,
            error: None,
        }
    }

    /// What is filled in.
    #[must_use]
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Replaces everything filled in.
    pub fn fill(&mut self, draft: Draft) {
        self.draft = draft;
        self.cancel();
    }

    /// The selected parameter; none in a form without parameters.
    #[must_use]
    pub fn selected(&self) -> Option<&'static Param> {
        self.fields.get(self.selected).copied()
    }

    /// Whether the text of a field is being typed in its place.
    #[must_use]
    pub const fn is_editing(&self) -> bool {
        self.input.is_some()
    }

    /// Whether a field is being looked for by its letters.
    #[must_use]
    pub const fn is_finding(&self) -> bool {
        self.find.is_some()
    }

    /// Whether choices of a field are being ticked.
    #[must_use]
    pub const fn is_ticking(&self) -> bool {
        self.ticks.is_some()
    }

    /// What is filled in, with the text that is being typed in its place where that is allowed.
    #[must_use]
    pub fn draft_as_typed(&self) -> Cow<'_, Draft> {
        let text = match (&self.input, &self.ticks) {
            (Some(input), _) => input.value().to_owned(),
            (None, Some(ticks)) => ticks.text(),
            (None, None) => return Cow::Borrowed(&self.draft),
        };
        let mut draft = self.draft.clone();
        let set = self.selected().is_some_and(|param| draft.set(&self.schema, param.key, &text).is_ok());
        if set { Cow::Owned(draft) } else { Cow::Borrowed(&self.draft) }
    }

    /// The editor of the function that is being typed, if one is.
    #[must_use]
    pub fn function(&self) -> Option<&FunctionEditor> {
        self.function.as_deref()
    }

    /// The same for changes.
    pub fn function_mut(&mut self) -> Option<&mut FunctionEditor> {
        self.function.as_deref_mut()
    }

    /// What is wrong, if something is.
    #[must_use]
    pub const fn error(&self) -> Option<&ParamError> {
        self.error.as_ref()
    }

    /// Marks the field that an error is about, and goes there.
    pub fn mark(&mut self, error: ParamError) {
        if let Some(at) = self.fields.iter().position(|param| param.key == error.key) {
            self.selected = at;
        }
        self.error = Some(error);
    }

    /// Forgets what was wrong.
    pub fn clear_error(&mut self) {
        self.error = None;
    }

    /// Selects the field on screen `by` further down; while a field is looked for, the one found, and while choices are
    /// ticked, the choice.
    pub fn go(&mut self, by: isize) {
        if let Some(ticks) = &mut self.ticks {
            return ticks.go(by);
        }
        let shown = self.shown();
        let last = shown.len().saturating_sub(1);
        if let Some(find) = &mut self.find {
            find.chosen = find.chosen.saturating_add_signed(by).min(last);
            return;
        }
        let at = shown.iter().position(|field| *field == self.selected).unwrap_or(0);
        self.selected = shown.get(at.saturating_add_signed(by).min(last)).copied().unwrap_or(0);
        self.error = None;
    }

    /// Selects field number `field`.
    pub fn select(&mut self, field: usize) {
        self.selected = field.min(self.fields.len().saturating_sub(1));
        self.error = None;
    }

    /// The parameter that the pointer stands on: the one found, or else the selected one.
    pub(super) fn pointed_at(&self) -> Option<&'static Param> {
        match &self.find {
            Some(find) => find.found(&self.fields).get(find.chosen).map(|field| self.fields[*field]),
            None => self.selected(),
        }
    }

    /// The fields on screen, by their numbers: those that are found, or else those that apply, those that were changed
    /// although they do not, the selected one, and every other one where they are unfolded.
    pub(super) fn shown(&self) -> Vec<usize> {
        if let Some(find) = &self.find {
            return find.found(&self.fields);
        }
        let applies = |param: &Param| self.reads(param) || self.is_changed(param);
        let is_shown = |field: &usize| *field == self.selected || self.is_unfolded || applies(self.fields[*field]);
        (0..self.fields.len()).filter(is_shown).collect()
    }

    /// Shows the fields that do not apply, or folds them away.
    pub fn turn_folds(&mut self) {
        self.is_unfolded = !self.is_unfolded;
    }

    /// Begins to look for a field by its letters.
    pub fn begin_to_find(&mut self) {
        self.error = None;
        self.find = Some(Find::default());
    }

    /// The choices of the selected field, to be ticked or not.
    pub fn turn_tick(&mut self, all: bool) {
        self.error = None;
        match &mut self.ticks {
            Some(ticks) if all => ticks.turn_all(),
            Some(ticks) => ticks.turn(),
            None => {}
        }
    }

    /// Goes on with the ticked choices as a text.
    pub fn type_ticks(&mut self) {
        if let (Some(ticks), Some(param)) = (self.ticks.take(), self.selected()) {
            self.begin(param, ticks.text());
        }
    }

    /// Steps the selected value up or down.
    pub fn step(&mut self, up: bool) {
        let Some(param) = self.selected() else { return };
        if let Some(next) = steps::step(param, self.draft.text(param.key), up) {
            self.set(param, &next);
        }
    }

    /// Puts the selected value back to its default.
    pub fn reset(&mut self) {
        if let Some(param) = self.selected() {
            self.set(param, param.default);
        }
    }

    /// Begins typing the selected value.
    pub fn edit(&mut self) {
        let Some(param) = self.selected() else { return };
        self.begin(param, self.draft.text(param.key).to_owned());
    }

    /// Begins ticking choices, or typing a list or range, starting from a useful one.
    pub fn edit_sweep(&mut self) {
        let Some(param) = self.selected() else { return };
        if let Some(ticks) = Ticks::new(param, self.draft.text(param.key)) {
            (self.ticks, self.error) = (Some(ticks), None);
            return;
        }
        self.begin(param, steps::sweep(param, self.draft.text(param.key)));
    }

    /// Begins typing the value of `param` from `text`: a function in an editor of its own, others in their field.
    fn begin(&mut self, param: &'static Param, text: String) {
        self.error = None;
        match param.kind {
            Kind::Function => self.function = Some(Box::new(FunctionEditor::new(param, &text))),
            _ => self.input = Some(Input::new(text)),
        }
    }

    /// Takes a key while typing.
    pub fn type_key(&mut self, request: InputRequest) {
        self.error = None;
        if let Some(editor) = &mut self.function {
            return editor.type_key(request);
        }
        match (&mut self.find, &mut self.input) {
            (Some(find), _) => find.type_key(request),
            (None, Some(input)) => drop(input.handle(request)),
            (None, None) => {}
        }
    }

    /// Takes pasted text while typing: the first line of it, and every line of a function.
    pub fn paste(&mut self, text: &str) {
        match &mut self.function {
            Some(editor) => editor.paste(text),
            None => {
                let line = text.lines().next().unwrap_or_default();
                line.chars().for_each(|character| self.type_key(InputRequest::InsertChar(character)));
            }
        }
    }

    /// Takes what was typed, ticked or found, or marks the field with an error if it is not allowed; the editor of a function stays open
    /// then. Returns whether the value was taken.
    pub fn commit(&mut self) -> bool {
        if let Some(editor) = &mut self.function {
            if editor.error().is_some() {
                return false;
            }
            match self.draft.set(&self.schema, editor.param().key, editor.input().value()) {
                Ok(()) => self.function = None,
                Err(error) => editor.refuse(error),
            }
            return self.function.is_none();
        }
        if let Some(find) = self.find.take() {
            let found = find.found(&self.fields);
            self.selected = found.get(find.chosen).copied().unwrap_or(self.selected);
            return true;
        }
        let Some(param) = self.selected() else { return true };
        if let Some(ticks) = &self.ticks {
            let text = ticks.text();
            if text.is_empty() {
                self.error = Some(ParamError::new(param.key, "nothing", "at least one choice"));
            } else if self.set(param, &text) {
                self.ticks = None;
            }
            return self.ticks.is_none();
        }
        let Some(input) = &self.input else { return true };
        let text = input.value().to_owned();
        if self.set(param, &text) {
            self.input = None;
            return true;
        }
        false
    }

    /// Forgets what was typed.
    pub fn cancel(&mut self) {
        (self.input, self.function, self.find, self.ticks) = (None, None, None, None);
        self.error = None;
    }

    fn set(&mut self, param: &'static Param, text: &str) -> bool {
        self.error = self.draft.set(&self.schema, param.key, text).err();
        self.error.is_none()
    }

    /// Whether a run with what is filled in reads `param`.
    pub(super) fn reads(&self, param: &Param) -> bool {
        self.draft.reads(&self.schema, param)
    }

    /// Whether `param` stands for other values than its default.
    pub(super) fn is_changed(&self, param: &Param) -> bool {
        !param.is_default(self.draft.text(param.key))
    }

    /// The number of values that `param`'s text stands for.
    pub(super) fn count(&self, param: &Param) -> usize {
        list::count(param, self.draft.text(param.key)).unwrap_or(1)
    }
}
