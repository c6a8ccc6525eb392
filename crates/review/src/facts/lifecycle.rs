//! Ends of support: which engine, runtime or version a component uses and until when it is maintained.
//!
//! The dates are data, `catalogue/lifecycle.yaml`, each with its source; the day to compare with is passed in.

use bartizan_model::{Component, Node, Value};
use serde::Deserialize;

use super::sink::{Sink, map, text};
use crate::flows::Context;

/// The dated table.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Lifecycle {
    /// Day on which the table was last looked through, ISO 8601; stands in for today where none is given.
    #[serde(default)]
    pub as_of: String,
    /// Products and their versions.
    #[serde(default)]
    pub entries: Vec<LifecycleEntry>,
}

/// One product on one component type.
#[derive(Clone, Debug, Deserialize)]
pub struct LifecycleEntry {
    /// Component types: `lambda.function`.
    pub types: Vec<String>,
    /// Setting that holds the version.
    pub setting: String,
    /// Setting that names the product, with the value that selects this entry, where one type has several.
    #[serde(default)]
    pub engine: Option<String>,
    /// What a reader calls it: `Node.js on Lambda`.
    pub product: String,
    /// Versions, the longest matching prefix wins, with the last day of standard support.
    pub ends: indexmap::IndexMap<String, String>,
    /// Page that says so.
    pub source: String,
}

impl Lifecycle {
    /// Reads the table.
    ///
    /// # Errors
    /// What is wrong with the file, and where.
    pub fn load(file: &str) -> Result<Self, String> {
        crate::catalogue::typed(file).map_err(|error| error.to_string())
    }
}

/// Sets `end_of_life`.
pub(super) fn add(context: &Context<'_>, lifecycle: &Lifecycle, today: Option<&str>, sink: &mut Sink) {
    let today = today.unwrap_or(&lifecycle.as_of);
    for (address, component) in &context.index.architecture.components {
        for entry in &lifecycle.entries {
            let Some((version, node)) = version(entry, component) else {
                not_known(entry, component, sink);
                continue;
            };
            let Some((_, ends)) = longest(entry, &version).or_else(|| older(entry, &version)) else { continue };
            let value = map(
                vec![
                    ("product", text(&entry.product)),
                    ("version", text(&version)),
                    ("ends", text(ends)),
                    // ISO days compare as texts.
                    ("ended", Value::Bool(ends.as_str() < today)),
                    ("source", text(&entry.source)),
                ],
                node.span,
            );
            sink.set(address, "end_of_life", value, Some(node.span));
            break;
        }
    }
}

/// A version that the plan leaves open may be any.
fn not_known(entry: &LifecycleEntry, component: &Component, sink: &mut Sink) {
    if !entry.types.contains(&component.component_type) || sink.get(&component.address, "end_of_life").is_some() {
        return;
    }
    if let Some(node) = component.setting(&entry.setting).filter(|node| node.value.is_unknown()) {
        sink.unknown(&component.address, "end_of_life", "its version is not known", Some(node.span));
    }
}

fn version<'a>(entry: &LifecycleEntry, component: &'a Component) -> Option<(String, &'a Node)> {
    if !entry.types.contains(&component.component_type) {
        return None;
    }
    if let Some(engine) = &entry.engine
        && component.text("engine").as_deref() != Some(engine)
    {
        return None;
    }
    let node = component.setting(&entry.setting)?;
    let version = match &node.value {
        Value::Number(number) => format!("{number}"),
        value => value.as_str()?.into_owned(),
    };
    Some((version, node))
}

/// `8.0` matches `8.0.35` and `8.0`, not `8.01`.
fn longest<'a>(entry: &'a LifecycleEntry, version: &str) -> Option<(&'a String, &'a String)> {
    entry
        .ends
        .iter()
        .filter(|(known, _)| {
            version.strip_prefix(known.as_str()).is_some_and(|rest| rest.is_empty() || !rest.starts_with(|c: char| c.is_ascii_digit()))
        })
        .max_by_key(|(known, _)| known.len())
}

/// The first version of the table, for one that is older than all of it.
fn older<'a>(entry: &'a LifecycleEntry, version: &str) -> Option<(&'a String, &'a String)> {
    let own = numbers(version)?;
    let known = entry.ends.iter().filter_map(|(known, ends)| Some((numbers(known)?, (known, ends))));
    known.min_by(|a, b| a.0.cmp(&b.0)).filter(|(first, _)| own < *first).map(|(_, found)| found)
}

/// `1.21` as its numbers; nothing for a version with words in it, which has no order.
fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Lifecycle, longest, older};

    #[test]
    fn the_longest_version_wins_and_digits_do_not_run_on() {
        let table = "as_of: 2026-11-24\nentries:\n  - {types: [rds.instance], setting: engine_version, engine: mysql, product: MySQL, ends: {'5': '2020-01-01', '5.7': '2024-02-29', '8.0': '2026-07-31'}, source: x}\n";
        let table = Lifecycle::load(table);
        let Ok(table) = table else { unreachable!("the table parses") };
        let [entry] = table.entries.as_slice() else { unreachable!("one entry") };
        assert_eq!(longest(entry, "5.7.44").map(|(version, _)| version.as_str()), Some("5.7"));
        assert_eq!(longest(entry, "8.01"), None);
        assert_eq!(longest(entry, "8.0").map(|(version, _)| version.as_str()), Some("8.0"));
        // What is older than the whole table has ended before all of it.
        assert_eq!(older(entry, "4.9").map(|(version, _)| version.as_str()), Some("5"));
        assert_eq!(older(entry, "9.1"), None);
        assert_eq!(older(entry, "mysql4"), None);
    }
}
