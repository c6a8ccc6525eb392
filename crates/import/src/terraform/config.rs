//! Directories of Terraform files: what each declares, by kind and name.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Diagnostic, Severity, Sources, Span, path};
use indexmap::IndexMap;

use super::syntax::{Attribute, Block, Body, TemplatePart};
use super::{json_syntax, parse};
use crate::tree::Tree;

/// Terraform files larger than this are refused: nobody writes them.
const MAX_BYTES: usize = 16 << 20;

/// All directories that hold Terraform files, by path.
#[derive(Default)]
pub(crate) struct Config {
    pub(crate) directories: BTreeMap<String, Directory>,
    /// Terraform files found.
    pub(crate) n_files: usize,
    /// Bytes of them.
    pub(crate) n_bytes: usize,
    /// Templates that evaluation reads on its way.
    pub(crate) templates: typed_arena::Arena<Vec<TemplatePart>>,
}

/// What the Terraform files of one directory declare.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) path: String,
    pub(crate) variables: IndexMap<Box<str>, Block>,
    pub(crate) locals: IndexMap<Box<str>, Attribute>,
    pub(crate) outputs: IndexMap<Box<str>, Block>,
    pub(crate) modules: IndexMap<Box<str>, Block>,
    /// Managed resources by type and name.
    pub(crate) resources: IndexMap<(Box<str>, Box<str>), Block>,
    /// Data sources by type and name.
    pub(crate) data: IndexMap<(Box<str>, Box<str>), Block>,
    pub(crate) providers: Vec<Block>,
    pub(crate) moved: Vec<Block>,
    pub(crate) backend: Option<Block>,
    /// Values of `terraform.tfvars` and `*.auto.tfvars`, later ones win.
    pub(crate) values: IndexMap<Box<str>, Attribute>,
}

impl Config {
    /// Reads every Terraform file of the tree.
    pub(crate) fn read(tree: &Tree, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) -> Config {
        let mut config = Config::default();
        let mut by_directory: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in tree.paths().filter(|path| is_terraform(path)) {
            by_directory.entry(path::folder(path).to_owned()).or_default().push(path.to_owned());
        }
        for (path, mut files) in by_directory {
            // Override files come after all others, as in Terraform.
            files.sort_by_key(|file| (is_override(file), rank_of_values(file), file.clone()));
            let mut directory = Directory { path: path.clone(), ..Directory::default() };
            for file in files {
                config.n_files += 1;
                let text = match tree.text(&file) {
                    Ok(text) => text,
                    Err(why) => {
                        diagnostics.push(Diagnostic::new("input/unreadable", Severity::Error, why, None));
                        continue;
                    }
                };
                let id = sources.add(file.clone(), text.as_str());
                if text.len() > MAX_BYTES {
                    let message = format!("the file has {} MiB, more than the {} MiB that are read", text.len() >> 20, MAX_BYTES >> 20);
                    diagnostics.push(Diagnostic::new("terraform/too-large", Severity::Error, message, Span::new(id, 0..0)));
                    continue;
                }
                config.n_bytes += text.len();
                let (body, problems) = if file.ends_with(".json") { json_syntax::parse(id, &text) } else { parse::parse_hcl(id, &text) };
                diagnostics.extend(problems);
                if is_values(&file) {
                    directory.values.extend(body.attributes.into_iter().map(|attribute| (attribute.name.clone(), attribute)));
                } else {
                    directory.add(body, is_override(&file));
                }
            }
            config.directories.insert(path, directory);
        }
        config
    }

    /// Directories that are root modules: those that no other directory calls as a module, and the tree's own root.
    pub(crate) fn roots(&self, tree: &Tree) -> Vec<&Directory> {
        let mut called: BTreeSet<String> = BTreeSet::new();
        for directory in self.directories.values() {
            for block in directory.modules.values() {
                if let Some(source) = local_source(block)
                    && let Some(target) = path::join(&directory.path, source)
                    && target != directory.path
                {
                    called.insert(target);
                }
            }
        }
        let declares = |d: &Directory| !(d.resources.is_empty() && d.data.is_empty() && d.modules.is_empty());
        self.directories
            .values()
            .filter(|d| declares(d) && tree.is_reviewed(&d.path) && (tree.is_root(&d.path) || !called.contains(&d.path)))
            .filter(|d| !d.path.split('/').any(|part| part == ".terraform"))
            .collect()
    }
}

/// The literal `source` of a module call when it is a path.
pub(crate) fn local_source(block: &Block) -> Option<&str> {
    let source = literal(block, "source")?;
    (source.starts_with("./") || source.starts_with("../") || source == "." || source == "..").then_some(source)
}

/// The value of an attribute that is written as a plain string.
pub(crate) fn literal<'a>(block: &'a Block, name: &str) -> Option<&'a str> {
    match &block.body.attribute(name)?.expr.kind {
        super::syntax::ExprKind::Text(text) if text.is_literal() => Some(text.encoded()),
        _ => None,
    }
}

impl Directory {
    fn add(&mut self, body: Body, overrides: bool) {
        for block in body.blocks {
            match &*block.kind {
                "variable" => insert(&mut self.variables, block, overrides),
                "output" => insert(&mut self.outputs, block, overrides),
                "module" => insert(&mut self.modules, block, overrides),
                "locals" => {
                    self.locals.extend(block.body.attributes.into_iter().map(|attribute| (attribute.name.clone(), attribute)));
                }
                "resource" => insert_typed(&mut self.resources, block, overrides),
                "data" => insert_typed(&mut self.data, block, overrides),
                "provider" => self.providers.push(block),
                "moved" => self.moved.push(block),
                "terraform" => {
                    for inner in block.body.blocks {
                        if &*inner.kind == "backend" {
                            self.backend = Some(inner);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

fn insert(map: &mut IndexMap<Box<str>, Block>, block: Block, overrides: bool) {
    let Some(name) = block.labels.first().cloned() else { return };
    match map.get_mut(&name) {
        Some(existing) if overrides => merge(existing, block),
        Some(_) => {}
        None => {
            map.insert(name, block);
        }
    }
}

fn insert_typed(map: &mut IndexMap<(Box<str>, Box<str>), Block>, block: Block, overrides: bool) {
    let [kind, name] = block.labels.as_slice() else { return };
    let key = (kind.clone(), name.clone());
    match map.get_mut(&key) {
        Some(existing) if overrides => merge(existing, block),
        Some(_) => {}
        None => {
            map.insert(key, block);
        }
    }
}

/// Override files replace attributes, and all blocks of a kind that they hold.
fn merge(existing: &mut Block, block: Block) {
    for attribute in block.body.attributes {
        match existing.body.attributes.iter_mut().find(|a| a.name == attribute.name) {
            Some(old) => *old = attribute,
            None => existing.body.attributes.push(attribute),
        }
    }
    let kinds: BTreeSet<Box<str>> = block.body.blocks.iter().map(|b| b.kind.clone()).collect();
    existing.body.blocks.retain(|b| !kinds.contains(&b.kind));
    existing.body.blocks.extend(block.body.blocks);
}

fn is_terraform(path: &str) -> bool {
    path.ends_with(".tf") || path.ends_with(".tf.json") || path.ends_with(".tofu") || is_values(path)
}

/// Files of values that Terraform reads by itself.
fn is_values(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "terraform.tfvars" || name == "terraform.tfvars.json" || name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json")
}

/// `terraform.tfvars` first, then its JSON twin, then the automatic ones in the order of their names.
fn rank_of_values(path: &str) -> u8 {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name {
        "terraform.tfvars" => 1,
        "terraform.tfvars.json" => 2,
        _ if is_values(path) => 3,
        _ => 0,
    }
}

fn is_override(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".tf.json").or_else(|| name.strip_suffix(".tf")).unwrap_or(name);
    stem == "override" || stem.ends_with("_override")
}
