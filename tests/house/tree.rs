//! The modules of the two crates, read from their files: which names each has, and where a path leads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use syn::{Attribute, Item, UseTree, Visibility};

/// The crate that computes: its root is a module of this name in the tree of the other.
pub const CORE: &str = "attnlab_core";

/// What a name in a module stands for.
#[derive(Clone, Debug)]
pub enum Meaning {
    /// An item that is defined in this module.
    Item,
    /// A child module.
    Module,
    /// Another path, by `use`.
    Path(Vec<String>),
}

/// One module.
pub struct Module {
    /// The path of its file below `src/`.
    pub file: String,
    /// Its items, without those that only tests see.
    pub items: Vec<Item>,
    /// Its names.
    pub names: BTreeMap<String, Meaning>,
    /// Paths whose names are all imported (`use path::*`).
    pub globs: Vec<Vec<String>>,
}

/// Every module by its path from the root; the root's is empty.
pub struct Crates {
    pub modules: BTreeMap<Vec<String>, Module>,
}

impl Crates {
    /// Reads both crates from the folder `source`.
    pub fn read(source: &Path) -> Self {
        let mut all = Self { modules: BTreeMap::new() };
        all.read_file(source, &source.join("lib.rs"), source.to_owned(), Vec::new());
        let core = source.join("core");
        all.read_file(source, &core.join("lib.rs"), core, vec![CORE.to_owned()]);
        all
    }

    /// Reads `file` as the module `path`; files of its child modules lie in `folder`.
    fn read_file(&mut self, source: &Path, file: &Path, folder: PathBuf, path: Vec<String>) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = file.strip_prefix(source).unwrap().display().to_string();
        self.add(source, &name, &folder, path, parsed.items);
    }

    fn add(&mut self, source: &Path, file: &str, folder: &Path, path: Vec<String>, items: Vec<Item>) {
        let mut module = Module { file: file.to_owned(), items: Vec::new(), names: BTreeMap::new(), globs: Vec::new() };
        for item in items {
            if only_in_tests(attributes(&item)) {
                continue;
            }
            match &item {
                Item::Mod(child) => {
                    let name = child.ident.to_string();
                    module.names.insert(name.clone(), Meaning::Module);
                    let mut below = path.clone();
                    below.push(name.clone());
                    match &child.content {
                        Some((_, items)) => self.add(source, file, &folder.join(&name), below, items.clone()),
                        None => {
                            let flat = folder.join(format!("{name}.rs"));
                            let own = if flat.is_file() { flat } else { folder.join(&name).join("mod.rs") };
                            self.read_file(source, &own, folder.join(&name), below);
                        }
                    }
                }
                Item::Use(import) => {
                    for (name, target) in leaves(&import.tree, &[]) {
                        match name {
                            Some(name) => drop(module.names.entry(name).or_insert(Meaning::Path(target))),
                            None => module.globs.push(target),
                        }
                    }
                }
                other => {
                    if let Some(name) = defined(other) {
                        module.names.insert(name, Meaning::Item);
                    }
                }
            }
            module.items.push(item);
        }
        self.modules.insert(path, module);
    }

    /// Whether `names`, written in the module `from`, is the lone name of one of its child modules.
    pub fn is_module(&self, from: &[String], names: &[String]) -> bool {
        let meaning = |name| self.modules.get(from).and_then(|module| module.names.get(name));
        matches!(names, [name] if matches!(meaning(name), Some(Meaning::Module)))
    }

    /// The file that defines what `path`, written in the module `from`, leads to; none outside the crate.
    pub fn resolve(&self, from: &[String], path: &[String]) -> Option<String> {
        self.walk(from, path, 0)
    }

    fn walk(&self, from: &[String], path: &[String], depth: usize) -> Option<String> {
        let (first, rest) = path.split_first()?;
        if depth > 32 {
            return None;
        }
        let (mut here, mut rest) = match first.as_str() {
            "crate" => (from.iter().take_while(|name| *name == CORE).cloned().collect(), rest),
            CORE => (vec![CORE.to_owned()], rest),
            "self" => (from.to_vec(), rest),
            "super" => (from[..from.len().checked_sub(1)?].to_vec(), rest),
            _ => (from.to_vec(), path),
        };
        loop {
            let module = self.modules.get(&here)?;
            let Some((name, after)) = rest.split_first() else { return Some(module.file.clone()) };
            if name == "super" {
                here.pop()?;
                rest = after;
                continue;
            }
            match module.names.get(name) {
                Some(Meaning::Item) => return Some(module.file.clone()),
                Some(Meaning::Module) => {
                    here.push(name.clone());
                    rest = after;
                }
                Some(Meaning::Path(target)) => {
                    if target.first() == Some(name) && target.len() == 1 {
                        return None;
                    }
                    let whole: Vec<String> = target.iter().chain(after).cloned().collect();
                    return self.walk(&here, &whole, depth + 1);
                }
                None => {
                    let through = |glob: &Vec<String>| {
                        let whole: Vec<String> = glob.iter().chain(rest).cloned().collect();
                        self.walk(&here, &whole, depth + 1)
                    };
                    return module.globs.iter().find_map(through);
                }
            }
        }
    }

    /// Every struct, enum, trait and alias with its file.
    pub fn types(&self) -> Vec<(String, String)> {
        let named = |module: &Module| {
            let name = |item: &Item| match item {
                Item::Struct(item) => Some(item.ident.to_string()),
                Item::Enum(item) => Some(item.ident.to_string()),
                Item::Trait(item) => Some(item.ident.to_string()),
                Item::Type(item) => Some(item.ident.to_string()),
                _ => None,
            };
            module.items.iter().filter_map(name).map(|name| (name, module.file.clone())).collect::<Vec<_>>()
        };
        self.modules.values().flat_map(named).collect()
    }

    /// Every file.
    pub fn files(&self) -> Vec<String> {
        let mut files: Vec<String> = self.modules.values().map(|module| module.file.clone()).collect();
        files.dedup();
        files
    }
}

/// The names that a `use` brings (none for `*`), each with the path it stands for.
pub fn leaves(tree: &UseTree, before: &[String]) -> Vec<(Option<String>, Vec<String>)> {
    let with = |name: String| before.iter().cloned().chain([name]).collect::<Vec<_>>();
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &with(path.ident.to_string())),
        UseTree::Name(name) if name.ident == "self" => vec![(before.last().cloned(), before.to_vec())],
        UseTree::Name(name) => vec![(Some(name.ident.to_string()), with(name.ident.to_string()))],
        UseTree::Rename(renamed) => vec![(Some(renamed.rename.to_string()), with(renamed.ident.to_string()))],
        UseTree::Glob(_) => vec![(None, before.to_vec())],
        UseTree::Group(group) => group.items.iter().flat_map(|tree| leaves(tree, before)).collect(),
    }
}

/// Whether an import is seen from outside its module, which makes it a re-export.
pub fn is_re_export(visibility: &Visibility) -> bool {
    !matches!(visibility, Visibility::Inherited)
}

fn defined(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Macro(item) => item.ident.as_ref()?.to_string(),
        Item::Static(item) => item.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        Item::Union(item) => item.ident.to_string(),
        _ => return None,
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn only_in_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}
