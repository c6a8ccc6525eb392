//! What an expression may name: closed sets of paths with their types.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalogue::suggest;

/// The type of a value, as far as it is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueKind {
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A list; where it is not set, the empty list.
    List,
    /// A map; where it is not set, the empty map.
    Map,
    /// Anything.
    Any,
}

impl ValueKind {
    /// The word that messages use.
    pub fn word(self) -> &'static str {
        match self {
            ValueKind::Bool => "a truth value",
            ValueKind::Number => "a number",
            ValueKind::Text => "a text",
            ValueKind::List => "a list",
            ValueKind::Map => "a map",
            ValueKind::Any => "a value of any type",
        }
    }
}

/// What is known of the value at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its type.
    pub kind: ValueKind,
    /// Whether it may be `null`.
    pub nullable: bool,
}

impl Shape {
    /// A list or map is never null: where it is not set, it is empty.
    pub(crate) fn new(kind: ValueKind, nullable: bool) -> Self {
        Self { kind, nullable: nullable && !matches!(kind, ValueKind::List | ValueKind::Map) }
    }
}

/// The paths that one expression may read.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// Shared, because most roots are the same for every rule.
    roots: BTreeMap<String, Arc<BTreeMap<String, Shape>>>,
    aliases: BTreeMap<String, (String, String)>,
}

impl Vocabulary {
    /// Adds the path `root.name`.
    pub fn add(&mut self, root: &str, name: &str, kind: ValueKind, nullable: bool) {
        Arc::make_mut(self.roots.entry(root.to_owned()).or_default()).insert(name.to_owned(), Shape::new(kind, nullable));
    }

    /// Adds a root with all its names.
    pub(crate) fn add_names(&mut self, root: &str, names: &Arc<BTreeMap<String, Shape>>) {
        self.roots.insert(root.to_owned(), Arc::clone(names));
    }

    /// Adds a root that so far has no names, so that a message can say that it exists.
    pub fn add_root(&mut self, root: &str) {
        self.roots.entry(root.to_owned()).or_default();
    }

    /// Lets the bare word `alias` stand for `root.name`.
    pub fn add_alias(&mut self, alias: &str, root: &str, name: &str) {
        self.aliases.insert(alias.to_owned(), (root.to_owned(), name.to_owned()));
    }

    /// Resolves the longest root that `segments` start with.
    ///
    /// Gives root, name, shape and how many segments were used, or why not.
    pub(super) fn resolve<'a>(&'a self, segments: &[&'a str]) -> Result<(&'a str, &'a str, Shape, usize), String> {
        if let [alias] = segments
            && let Some((root, name)) = self.aliases.get(*alias)
            && let Some(shape) = self.roots.get(root).and_then(|names| names.get(name))
        {
            return Ok((root, name, *shape, 1));
        }
        for length in [2, 1] {
            let Some(prefix) = segments.get(..length) else { continue };
            let Some((root, names)) = self.roots.get_key_value(&prefix.join(".")) else { continue };
            let Some(name) = segments.get(length) else {
                return Err(format!("`{root}` alone is no value{}", self.listed(names)));
            };
            return match names.get_key_value(*name) {
                Some((name, shape)) => Ok((root, name, *shape, length + 1)),
                None => Err(format!(
                    "`{root}` has no `{name}`{}",
                    suggest::did_you_mean(name, names.keys()).unwrap_or_else(|| self.listed(names))
                )),
            };
        }
        let first = segments.first().copied().unwrap_or_default();
        let known = self.roots.keys().chain(self.aliases.keys());
        let hint = suggest::did_you_mean(first, known).unwrap_or_else(|| format!("; there are {}", suggest::list(self.roots.keys())));
        Err(format!("`{}` is not known here{hint}", segments.join(".")))
    }

    fn listed(&self, names: &BTreeMap<String, Shape>) -> String {
        if names.is_empty() {
            "; the rule names no types that have any".to_owned()
        } else {
            format!("; it has {}", suggest::list(names.keys()))
        }
    }
}
