//! What a parameter form holds, and how keys change it.

use super::steps;
use crate::console::widget::function::FunctionEditor;
use crate::lab::{Draft, Kind, Param, ParamError, Schema, list};
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
        Self { schema, fields, draft, selected: 0, input: None, function: None, error: None }
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

    /// Selects the field `by` further down.
    pub fn go(&mut self, by: isize) {
        let last = self.fields.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
        self.error = None;
    }

    /// Selects field number `field`.
    pub fn select(&mut self, field: usize) {
        self.selected = field.min(self.fields.len().saturating_sub(1));
        self.error = None;
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

    /// Begins typing a list or range, starting from a useful one.
    pub fn edit_sweep(&mut self) {
        let Some(param) = self.selected() else { return };
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
        if let Some(input) = &mut self.input {
            input.handle(request);
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

    /// Takes what was typed, or marks the field with an error if it is not allowed; the editor of a function stays open
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
        let Some(param) = self.selected() else { return true };
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
        (self.input, self.function) = (None, None);
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

    /// The number of values that `param`'s text stands for.
    pub(super) fn count(&self, param: &Param) -> usize {
        list::count(param, self.draft.text(param.key)).unwrap_or(1)
    }
}
