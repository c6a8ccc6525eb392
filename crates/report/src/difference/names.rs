//! What a component of the one review is called in the other.
//!
//! Addresses are structural, but they are not the architecture: a resource that moves into a module, a stack that moves into another folder, or a
//! label that is spelled better is the same component. Everything else is compared through the names that are found here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::snapshot::{Component, Moved, Snapshot};

/// What the components of the older review are called in the newer one.
pub(super) struct Names<'a> {
    base: BTreeMap<&'a str, &'a Component>,
    head: BTreeMap<&'a str, &'a Component>,
    /// By address in the older review; what is gone is not in it.
    to_head: BTreeMap<&'a str, &'a str>,
    /// Folders of stacks that moved as a whole, by the older one.
    stacks: BTreeMap<&'a str, &'a str>,
}

/// Which of the two reviews a text is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Base,
    Head,
}

impl<'a> Names<'a> {
    /// Finds what is the same in both reviews, the surest first. What fits more than one is not taken for either.
    pub(super) fn find(base: &'a Snapshot, head: &'a Snapshot) -> Self {
        let mut names = Names { base: base.components(), head: head.components(), to_head: BTreeMap::new(), stacks: BTreeMap::new() };
        names.to_head = names.moved(&head.architecture.moved);
        let same = names.base.iter().filter(|(address, component)| {
            let is_there = names.head.get(*address).is_some_and(|other| other.source_type == component.source_type);
            is_there && !names.to_head.contains_key(*address)
        });
        let same: Vec<_> = same.map(|(address, _)| (*address, *address)).collect();
        names.to_head.extend(same);
        // `count` came or went, in each stack for itself: the only instance of a block.
        names.pair(|_, component| Some(vec![component.source_type.clone(), component.stack.clone(), without_keys(in_stack(component))]));
        // A stack in another folder: everything but the folder is equal.
        names.pair(|_, component| Some(vec![component.source_type.clone(), in_stack(component).to_owned()]));
        // Both at once.
        names.pair(|_, component| Some(vec![component.source_type.clone(), without_keys(in_stack(component))]));
        // Into a module or out of one, or another label: the same settings under the same name, then the same name that somebody chose.
        names.pair(|names, component| Some(vec![component.source_type.clone(), component.name.clone(), names.likeness(component)]));
        names.pair(|names, component| Some(vec![component.source_type.clone(), tail(component).to_owned(), names.likeness(component)]));
        names.pair(|_, component| {
            let chosen = component.name != label(component);
            chosen.then(|| vec![component.source_type.clone(), component.name.clone()])
        });
        names.pair(|names, component| Some(vec![component.source_type.clone(), names.likeness(component)]));
        // What is configured by companions only has nothing but its place below a module.
        names.pair(|_, component| Some(vec![component.source_type.clone(), tail(component).to_owned(), component.name.clone()]));
        // Another resource type for the same thing, or a module from elsewhere that makes it: the name that somebody chose.
        names.pair(|_, component| {
            let chosen = component.name != label(component) && !component.component_type.is_empty();
            chosen.then(|| vec![component.component_type.clone(), component.name.clone()])
        });
        names.stacks = names.moved_stacks();
        names
    }

    /// What the newer configuration says was moved; blocks that have long been applied find nothing at the old address.
    fn moved(&self, moved: &[Moved]) -> BTreeMap<&'a str, &'a str> {
        let mut found = BTreeMap::new();
        for (old, component) in &self.base {
            let mut address = (*old).to_owned();
            // Chains: what was moved may have been moved again. Each block is followed once at most, so that a circle ends.
            let mut left: Vec<&Moved> = moved.iter().collect();
            while let Some((at, next)) = left.iter().enumerate().find_map(|(at, moved)| Some((at, moved.of(&address)?))) {
                left.swap_remove(at);
                address = next;
            }
            let new = self.head.get_key_value(address.as_str()).filter(|(new, other)| {
                // Terraform leaves things where they are when something stands at the new address already.
                **new != *old && other.source_type == component.source_type && !self.base.contains_key(**new)
            });
            if let Some((new, _)) = new {
                found.insert(*old, *new);
            }
        }
        found
    }

    fn moved_stacks(&self) -> BTreeMap<&'a str, &'a str> {
        let kept: BTreeSet<&str> = self.head.values().map(|component| component.stack.as_str()).collect();
        let pairs = self.to_head.iter().filter_map(|(old, new)| Some((*self.base.get(old)?, *self.head.get(new)?)));
        let moved = pairs.filter(|(old, new)| in_stack(old) == in_stack(new) && !kept.contains(old.stack.as_str()));
        moved.map(|(old, new)| (old.stack.as_str(), new.stack.as_str())).collect()
    }

    /// Takes unpaired components for the same where exactly one on each side has a key.
    fn pair(&mut self, key: impl Fn(&Self, &Component) -> Option<Vec<String>>) {
        let taken: BTreeSet<&str> = self.to_head.values().copied().collect();
        let mut by_key: BTreeMap<Vec<String>, (Vec<&'a str>, Vec<&'a str>)> = BTreeMap::new();
        for (address, component) in self.base.iter().filter(|(address, _)| !self.to_head.contains_key(*address)) {
            if let Some(key) = key(self, component) {
                by_key.entry(key).or_default().0.push(address);
            }
        }
        for (address, component) in self.head.iter().filter(|(address, _)| !taken.contains(*address)) {
            if let Some(key) = key(self, component) {
                by_key.entry(key).or_default().1.push(address);
            }
        }
        for (old, new) in by_key.into_values() {
            if let ([old], [new]) = (old.as_slice(), new.as_slice()) {
                self.to_head.insert(old, new);
            }
        }
    }

    /// The settings as a text in which components are only of a type, so that it does not change when they are renamed.
    fn likeness(&self, component: &Component) -> String {
        let settings: BTreeMap<&String, Value> = component
            .settings
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, rewritten(value, &|inner| masked(inner))))
            .collect();
        serde_json::to_string(&settings).unwrap_or_default()
    }

    /// Pairs of components that both reviews have: the older one and the newer one, by the newer address.
    pub(super) fn kept(&self) -> Vec<(&'a Component, &'a Component)> {
        let mut kept: Vec<(&Component, &Component)> =
            self.to_head.iter().filter_map(|(old, new)| Some((*self.base.get(old)?, *self.head.get(new)?))).collect();
        kept.sort_by(|a, b| a.1.address.cmp(&b.1.address));
        kept
    }

    /// Components that only the older review has.
    pub(super) fn gone(&self) -> impl Iterator<Item = &'a Component> {
        self.base.iter().filter(|(address, _)| !self.to_head.contains_key(*address)).map(|(_, component)| *component)
    }

    /// The module that a `moved` block says a component went into, where nobody can see what is in it.
    pub(super) fn unread_module(&self, address: &str, moved: &[Moved]) -> Option<&'a str> {
        let new = moved.iter().find_map(|moved| moved.of(address))?;
        let modules = new.match_indices('.').filter_map(|(end, _)| self.head.get_key_value(new.get(..end)?));
        modules.filter(|(_, component)| component.source_type == "module").map(|(module, _)| *module).next_back()
    }

    /// Components that only the newer review has.
    pub(super) fn added(&self) -> impl Iterator<Item = &'a Component> {
        let kept: BTreeSet<&str> = self.to_head.values().copied().collect();
        self.head.iter().filter(move |(address, _)| !kept.contains(*address)).map(|(_, component)| *component)
    }

    /// The component of an address of one side.
    pub(super) fn component(&self, side: Side, address: &str) -> Option<&'a Component> {
        match side {
            Side::Base => self.base.get(address),
            Side::Head => self.head.get(address),
        }
        .copied()
    }

    /// What an address is called in the newer review; what is gone, or no component, keeps its name.
    pub(super) fn address<'n>(&'n self, side: Side, address: &'n str) -> &'n str {
        match side {
            Side::Base => self.to_head.get(address).copied().unwrap_or(address),
            Side::Head => address,
        }
    }

    /// The id of a boundary with the addresses in it as they are called in the newer review.
    pub(super) fn boundary(&self, side: Side, id: &str) -> String {
        let addresses = id.match_indices(':').map(|(at, _)| id.get(at + 1..).unwrap_or_default());
        for rest in addresses {
            let ends = rest.match_indices(':').map(|(at, _)| at).chain([rest.len()]).collect::<Vec<_>>();
            for end in ends.into_iter().rev() {
                let Some(address) = rest.get(..end) else { continue };
                if self.component(side, address).is_some() {
                    return id.replacen(address, self.address(side, address), 1);
                }
            }
        }
        // `namespace:folder/name`.
        if side == Side::Base
            && let Some((kind, rest)) = id.split_once(':')
            && let Some((folder, name)) = rest.rsplit_once('/')
            && let Some(moved) = self.stacks.get(folder)
        {
            return format!("{kind}:{moved}/{name}");
        }
        id.to_owned()
    }

    /// A text with references, `${address.attribute}`, as the newer review would write it. Folder and module of what is no component are left out.
    pub(super) fn text(&self, side: Side, text: &str) -> String {
        references(text, &|inner| {
            for (end, _) in inner
                .char_indices()
                .filter(|(_, c)| matches!(c, '.' | '['))
                .chain([(inner.len(), '.')])
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
            {
                let (address, attribute) = inner.split_at(end);
                if self.component(side, address).is_some() {
                    return format!("{}{attribute}", self.address(side, address));
                }
            }
            below_modules(below_stack(inner)).to_owned()
        })
    }

    /// A setting in the names of the newer review. Why something is not known does not count.
    pub(super) fn value(&self, side: Side, value: &Value) -> Value {
        rewritten(value, &|inner| self.text(side, inner))
    }
}

fn rewritten(value: &Value, text: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(inner) => Value::String(text(inner)),
        Value::Array(items) => Value::Array(items.iter().map(|item| rewritten(item, text)).collect()),
        Value::Object(map) if map.len() == 1 && map.contains_key("unknown") => {
            Value::Object([("unknown".to_owned(), Value::Null)].into_iter().collect())
        }
        Value::Object(map) => Value::Object(map.iter().map(|(key, item)| (key.clone(), rewritten(item, text))).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// A text whose references are only told by the type of what they name.
fn masked(text: &str) -> String {
    references(text, &|inner| {
        let inside = below_modules(below_stack(inner));
        let attribute = inside.rsplit('.').next().unwrap_or_default();
        format!("{}.{attribute}", inside.split('.').next().unwrap_or_default())
    })
}

/// Replaces what stands in `${…}`.
fn references(text: &str, replaced: &impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        match after.split_once('}') {
            Some((inner, after)) => {
                out.push_str(&format!("${{{}}}", replaced(inner)));
                rest = after;
            }
            None => {
                out.push_str("${");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The address without the folder of its stack.
pub(super) fn in_stack(component: &Component) -> &str {
    let inside = component.address.strip_prefix(component.stack.as_str()).and_then(|rest| rest.strip_prefix(':'));
    inside.unwrap_or(&component.address)
}

/// A reference without the folder of a stack; keys of instances may hold a colon.
fn below_stack(reference: &str) -> &str {
    let head = reference.split(['[', '"']).next().unwrap_or(reference);
    head.rfind(':').and_then(|at| reference.get(at + 1..)).unwrap_or(reference)
}

/// The address of a resource inside of its module, with its instance key.
fn tail(component: &Component) -> &str {
    below_modules(in_stack(component))
}

/// The block of an address: type and label, without stack, modules and keys of instances.
pub(super) fn block(address: &str) -> String {
    let inside = below_modules(below_stack(address));
    inside.split('[').next().unwrap_or(inside).to_owned()
}

fn below_modules(address: &str) -> &str {
    let mut rest = address;
    while let Some(inside) = rest.strip_prefix("module.") {
        // A key of a module may hold a full stop.
        let name_end = inside.find(['.', '[']).unwrap_or(inside.len());
        let after = inside.get(name_end..).unwrap_or_default();
        let after = if after.starts_with('[') { after.find("].").and_then(|at| after.get(at + 1..)).unwrap_or_default() } else { after };
        match after.strip_prefix('.') {
            Some(inner) => rest = inner,
            None => return rest,
        }
    }
    rest
}

fn without_keys(address: &str) -> String {
    bartizan_model::Address::new(address).without_instance_keys().to_string()
}

/// The label of a resource, which is its name where nobody gave it one.
fn label(component: &Component) -> &str {
    let tail = tail(component);
    let tail = tail.split('[').next().unwrap_or(tail);
    tail.rsplit(['.', '/']).next().unwrap_or(tail)
}

#[cfg(test)]
mod tests {
    use super::{below_modules, below_stack, masked, references};

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(below_modules("module.a[\"x.y\"].module.b.aws_sqs_queue.q[0]"), "aws_sqs_queue.q[0]");
        assert_eq!(below_modules("module.a"), "module.a");
        assert_eq!(below_stack("envs/v1.2/app:aws_sqs_queue.q[\"a:b\"].arn"), "aws_sqs_queue.q[\"a:b\"].arn");
        assert_eq!(masked("x-${envs:module.m.aws_sqs_queue.q.arn}/*"), "x-${aws_sqs_queue.arn}/*");
        assert_eq!(references("${a} ${b", &|inner| inner.to_uppercase()), "${A} ${b");
    }
}
