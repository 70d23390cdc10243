//! What the editor of a function holds, and how keys change it.

use super::list::{self, TypedFunction};
use crate::function::{Function, FunctionError, GALLERY, Ready};
use crate::lab::{Param, ParamError};
use tui_input::{Input, InputRequest};

/// A function, or a list of them, being typed for a parameter.
#[derive(Clone, Debug)]
pub struct FunctionEditor {
    param: &'static Param,
    separator: char,
    input: Input,
    functions: Vec<TypedFunction>,
    /// The chosen ready function, while one is being chosen.
    ready: Option<(usize, Function)>,
    /// The text field before a ready function came into it.
    replaced: Option<Input>,
    /// Why the text as a whole was refused.
    refusal: Option<ParamError>,
    /// Whether the height of the curves is logarithmic.
    logarithmic: bool,
}

impl FunctionEditor {
    /// An editor that holds `text`.
    #[must_use]
    pub fn new(param: &'static Param, text: &str) -> Self {
        let separator = param.kind.separator().unwrap_or('|');
        let mut editor = Self {
            param,
            separator,
            input: Input::default(),
            functions: Vec::new(),
            ready: None,
            replaced: None,
            refusal: None,
            logarithmic: false,
        };
        editor.put(Input::new(text.to_owned()));
        editor
    }

    /// The parameter whose value is typed.
    #[must_use]
    pub const fn param(&self) -> &'static Param {
        self.param
    }

    /// The text field.
    #[must_use]
    pub const fn input(&self) -> &Input {
        &self.input
    }

    /// The functions of the text, at least one.
    #[must_use]
    pub fn functions(&self) -> &[TypedFunction] {
        &self.functions
    }

    /// Index of the function that the cursor stands in.
    #[must_use]
    pub fn current(&self) -> usize {
        let before = self.input.value().chars().take(self.input.cursor());
        before.filter(|character| *character == self.separator).count().min(self.functions.len() - 1)
    }

    /// What is wrong with the text: of the function under the cursor, or else of the first one that is wrong.
    #[must_use]
    pub fn error(&self) -> Option<FunctionError> {
        let here = self.functions[self.current()].error();
        here.or_else(|| self.functions.iter().find_map(TypedFunction::error))
    }

    /// Why the text as a whole was refused.
    #[must_use]
    pub const fn refusal(&self) -> Option<&ParamError> {
        self.refusal.as_ref()
    }

    /// Says why the text as a whole is refused.
    pub fn refuse(&mut self, error: ParamError) {
        self.refusal = Some(error);
    }

    /// The ready function that is being looked at, with its index in the gallery.
    #[must_use]
    pub fn ready(&self) -> Option<(usize, &'static Ready, &Function)> {
        let (index, function) = self.ready.as_ref()?;
        Some((*index, &GALLERY[*index], function))
    }

    /// Whether the height of the curves is logarithmic.
    #[must_use]
    pub const fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// Makes the height of the curves logarithmic, or linear.
    pub const fn turn_scale(&mut self) {
        self.logarithmic = !self.logarithmic;
    }

    /// Takes a key of the text field.
    pub fn type_key(&mut self, request: InputRequest) {
        let mut input = std::mem::take(&mut self.input);
        let changed = input.handle(request).is_some_and(|changed| changed.value);
        if changed {
            self.put(input);
        } else {
            self.input = input;
        }
    }

    /// Takes pasted text. Its lines become one.
    pub fn paste(&mut self, text: &str) {
        let mut input = std::mem::take(&mut self.input);
        for character in text.trim_end().chars() {
            let character = if matches!(character, '\n' | '\r') { ' ' } else { character };
            input.handle(InputRequest::InsertChar(character));
        }
        self.put(input);
    }

    /// Goes to the end of the function `by` further in the list.
    pub fn go(&mut self, by: isize) {
        let index = self.current().saturating_add_signed(by).min(self.functions.len() - 1);
        let end = self.functions[index].place().end;
        self.input.handle(InputRequest::SetCursor(end));
    }

    /// Begins to choose a ready function: the one that the cursor stands on, or else the first one.
    pub fn open_gallery(&mut self) {
        let here = self.functions[self.current()].good().map(Function::text);
        let canonical = |ready: &Ready| Function::parse(ready.text).is_ok_and(|function| Some(function.text()) == here);
        self.choose(GALLERY.iter().position(canonical).unwrap_or(0));
    }

    /// Goes back to the text.
    pub fn close_gallery(&mut self) {
        self.ready = None;
    }

    /// Chooses the ready function `by` further down.
    pub fn choose_by(&mut self, by: isize) {
        if let Some((index, _)) = &self.ready {
            self.choose(index.saturating_add_signed(by).min(GALLERY.len().saturating_sub(1)));
        }
    }

    fn choose(&mut self, index: usize) {
        let function = GALLERY.get(index).and_then(|ready| Function::parse(ready.text).ok());
        self.ready = function.map(|function| (index, function));
    }

    /// Puts the chosen ready function in the place of the function under the cursor, and goes back to the text.
    pub fn insert(&mut self) {
        let Some((_, ready, _)) = self.ready() else { return };
        let place = self.functions[self.current()].place();
        let characters = || self.input.value().chars();
        let before: String = characters().take(place.start).chain(ready.text.chars()).collect();
        let after: String = characters().skip(place.end).collect();
        self.ready = None;
        self.replace(before.clone() + &after, before.chars().count());
    }

    /// Adds the chosen ready function to the list. The gallery stays open.
    pub fn append(&mut self) {
        let Some((_, ready, _)) = self.ready() else { return };
        let text = match self.input.value().trim_end() {
            "" => ready.text.to_owned(),
            text => format!("{text} {} {}", self.separator, ready.text),
        };
        let end = text.chars().count();
        self.replace(text, end);
    }

    /// Brings back the text from before the last ready function came into it, or undoes that.
    pub fn swap_back(&mut self) {
        if let Some(replaced) = self.replaced.take() {
            self.replaced = Some(self.input.clone());
            self.put(replaced);
        }
    }

    fn replace(&mut self, text: String, cursor: usize) {
        self.replaced = Some(self.input.clone());
        self.put(self.input.clone().with_value(text).with_cursor(cursor));
    }

    /// Takes a text field whose text may have changed.
    fn put(&mut self, input: Input) {
        self.functions = list::read(input.value(), self.separator, std::mem::take(&mut self.functions));
        self.input = input;
        self.refusal = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAM: Param = Param::function("f", "f", "relu(u) + 0.001");

    fn editor(text: &str) -> FunctionEditor {
        FunctionEditor::new(&PARAM, text)
    }

    fn type_text(editor: &mut FunctionEditor, text: &str) {
        text.chars().for_each(|character| editor.type_key(InputRequest::InsertChar(character)));
    }

    #[test]
    fn the_error_of_the_function_under_the_cursor_comes_first() {
        let mut editor = editor("exp(u) | reul(u) | u +");
        let at = |editor: &FunctionEditor| (editor.current(), editor.error().map(|error| error.place.start));
        assert_eq!(at(&editor), (2, Some(22)));
        editor.go(-1);
        assert_eq!((at(&editor), editor.input().cursor()), ((1, Some(9)), 16));
        editor.go(-1);
        assert_eq!(at(&editor), (0, Some(9)));
        editor.go(9);
        type_text(&mut editor, " 1");
        editor.go(-1);
        editor.type_key(InputRequest::DeletePrevWord);
        assert!(editor.error().is_some());
    }

    #[test]
    fn a_ready_function_is_inserted_where_the_cursor_stands() {
        let mut editor = editor(" exp(u) | elu(u)+1 |relu(u)");
        editor.go(-1);
        editor.open_gallery();
        assert_eq!(editor.ready().map(|(_, ready, _)| ready.name), Some("elu + 1"));
        editor.choose_by(1);
        editor.insert();
        assert_eq!(editor.input().value(), " exp(u) | relu(u)^2 + 0.001 |relu(u)");
        assert_eq!((editor.input().cursor(), editor.ready().is_none()), (27, true));
        type_text(&mut editor, "1");
        assert_eq!(editor.functions()[1].text(), "relu(u)^2 + 0.0011");
        editor.swap_back();
        assert_eq!((editor.input().value(), editor.current()), (" exp(u) | elu(u)+1 |relu(u)", 1));
        editor.swap_back();
        assert_eq!(editor.functions()[1].text(), "relu(u)^2 + 0.0011");
    }

    #[test]
    fn ready_functions_make_a_list() {
        let mut editor = editor("");
        editor.open_gallery();
        editor.append();
        editor.choose_by(-3);
        editor.choose_by(1);
        editor.append();
        assert_eq!(editor.input().value(), "relu(u) + 0.001 | elu(u) + 1");
        editor.choose_by(isize::MAX);
        assert_eq!(editor.ready().map(|(index, ..)| index), Some(GALLERY.len() - 1));
        editor.close_gallery();
        editor.append();
        editor.insert();
        assert_eq!((editor.functions().len(), editor.error()), (2, None));
    }

    #[test]
    fn pasted_lines_become_one() {
        let mut editor = editor("");
        editor.paste("softplus(a*u)/a;\n  a = 1 > 0\n");
        assert_eq!(editor.input().value(), "softplus(a*u)/a;   a = 1 > 0");
        assert_eq!(editor.error(), None);
    }

    #[test]
    fn every_ready_function_fits_the_gallery() {
        let mut editor = editor("u");
        editor.open_gallery();
        for (index, ready) in GALLERY.iter().enumerate() {
            assert_eq!(editor.ready().map(|(at, shown, _)| (at, shown.name)), Some((index, ready.name)));
            editor.choose_by(1);
        }
    }
}
