//! Which file imports which: every path in the code that leads to an item of another file.

use crate::tree::{Crates, is_re_export, leaves};
use std::collections::BTreeSet;
use syn::visit::{self, Visit};
use syn::{ItemMod, ItemUse, Visibility};

/// Pairs (importing file, imported file). A re-export alone imports nothing: it only gives a name another place.
pub fn imports(all: &Crates) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (path, module) in &all.modules {
        let mut visitor = Paths { all, module: path, file: &module.file, found: &mut found };
        module.items.iter().for_each(|item| visitor.visit_item(item));
    }
    found
}

struct Paths<'a> {
    all: &'a Crates,
    module: &'a [String],
    file: &'a str,
    found: &'a mut BTreeSet<(String, String)>,
}

impl Paths<'_> {
    fn take(&mut self, path: &[String]) {
        if let Some(to) = self.all.resolve(self.module, path).filter(|to| to != self.file) {
            self.found.insert((self.file.to_owned(), to));
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_use(&mut self, import: &'ast ItemUse) {
        if !is_re_export(&import.vis) {
            leaves(&import.tree, &[]).iter().for_each(|(_, path)| self.take(path));
        }
    }

    fn visit_item_mod(&mut self, _: &'ast ItemMod) {
        // Child modules are visited as modules of their own.
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {
        // `pub(in path)` names a place that sees the item; it imports nothing.
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        // A lone name that a module has too is a variable: a module alone is no value.
        if names.len() > 1 || !self.all.is_module(self.module, &names) {
            self.take(&names);
        }
        visit::visit_path(self, path);
    }
}
