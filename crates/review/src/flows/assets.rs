//! Assets: data classes that people declared, that tags name, and that names suggest; and which flows carry them.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Asset, AssetOrigin, Classification, Component, Kind, Reason, ReasonKind};

use super::set::FlowSet;
use super::{Context, is_active, reason};
use crate::facts::document::glob;

/// Finds the assets and writes them onto the flows of the stores that hold them.
pub(super) fn find(context: &Context<'_>, set: &mut FlowSet) -> Vec<Asset> {
    let mut found: BTreeMap<String, Asset> = BTreeMap::new();
    let mut declared_stores: BTreeSet<Address> = BTreeSet::new();
    let mut tagged_stores: BTreeSet<Address> = BTreeSet::new();
    let stores: Vec<&Component> =
        context.index.architecture.components.values().filter(|component| holds_data(context, component)).collect();
    for class in &context.index.architecture.declarations.data {
        let mut stored_in = Vec::new();
        for (pattern, _) in &class.stored_in {
            // An exact address needs no search; a pattern is matched against everything drawn.
            let exact = Address::new(pattern);
            if context.index.component(&exact).is_some() {
                stored_in.push(exact);
            } else {
                let all = context.index.architecture.components.values().filter(|component| component.kind != Kind::Supporting);
                stored_in
                    .extend(all.filter(|component| glob(pattern, component.address.as_str())).map(|component| component.address.clone()));
            }
        }
        stored_in.sort();
        stored_in.dedup();
        declared_stores.extend(stored_in.iter().cloned());
        found.insert(
            class.name.clone(),
            Asset {
                name: class.name.clone(),
                description: class.description.clone(),
                classification: class.classification,
                origin: AssetOrigin::Declared,
                stored_in,
                why: vec![reason(ReasonKind::Declaration, "declared", Some(class.span))],
            },
        );
    }
    for component in &stores {
        if declared_stores.contains(&component.address) {
            continue;
        }
        if let Some((name, classification, why)) = tagged(component) {
            tagged_stores.insert(component.address.clone());
            add(&mut found, name, "from a tag", classification, AssetOrigin::Tagged, component, why);
        }
    }
    let common = common_words(&stores);
    for component in &stores {
        if declared_stores.contains(&component.address) || tagged_stores.contains(&component.address) {
            continue;
        }
        if let Some((name, description, classification, word)) = guessed(context, component, &common) {
            let why = reason(ReasonKind::Default, format!("guessed from `{word}` in its name"), component.span);
            add(&mut found, name.to_owned(), description, classification, AssetOrigin::Guessed, component, why);
        }
    }
    carry(context, &found, set);
    found.into_values().collect()
}

/// Declared flows may name data that no store holds.
fn declared_data(context: &Context<'_>, set: &mut FlowSet) {
    let mut by_pair: BTreeMap<(&str, &str), &Vec<String>> = BTreeMap::new();
    for flow in &context.index.architecture.declarations.flows {
        by_pair.insert((&flow.from.0, &flow.to.0), &flow.data);
    }
    for flow in set.values_mut() {
        if let Some(data) = by_pair.get(&(flow.from.as_str(), flow.to.as_str())) {
            flow.data.extend(data.iter().cloned());
            flow.data.sort();
            flow.data.dedup();
        }
    }
}

fn holds_data(context: &Context<'_>, component: &Component) -> bool {
    component.kind == Kind::DataStore && !context.index.services.has_any(component, &["registry"])
        || context.index.services.has_any(component, &["topic", "stream", "queue", "user_directory"]) && component.kind != Kind::Supporting
}

fn add(
    found: &mut BTreeMap<String, Asset>,
    name: String,
    description: &str,
    classification: Classification,
    origin: AssetOrigin,
    component: &Component,
    why: Reason,
) {
    let asset = found.entry(name.clone()).or_insert_with(|| Asset {
        name,
        description: description.to_owned(),
        classification,
        origin,
        stored_in: Vec::new(),
        why: Vec::new(),
    });
    asset.stored_in.push(component.address.clone());
    if asset.why.len() < 20 {
        asset.why.push(why);
    }
    let merged = &mut asset.classification;
    merged.confidentiality = merged.confidentiality.max(classification.confidentiality);
    merged.integrity = merged.integrity.max(classification.integrity);
    merged.availability = merged.availability.max(classification.availability);
}

/// Tag keys that teams use for the sensitivity of data, in lower case without separators.
const TAG_KEYS: &[&str] = &[
    "dataclassification",
    "dataclass",
    "classification",
    "sensitivity",
    "datasensitivity",
    "confidentiality",
    "datatype",
    "securityclassification",
    "informationclassification",
    "compliance",
    "pii",
    "containspii",
    "phi",
];

fn tagged(component: &Component) -> Option<(String, Classification, Reason)> {
    for (key, node) in &component.tags {
        let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        if !TAG_KEYS.iter().any(|known| plain.ends_with(known)) {
            continue;
        }
        let Some(value) = node.value.as_str() else { continue };
        let lower = value.to_ascii_lowercase();
        if lower.is_empty() || matches!(lower.as_str(), "no" | "none" | "false" | "n/a" | "na") {
            continue;
        }
        let why = reason(ReasonKind::Declaration, format!("tag `{key}` says `{value}`"), Some(node.span));
        let name = if plain.ends_with("pii") && matches!(lower.as_str(), "true" | "yes") { "pii".to_owned() } else { slug(&lower) };
        return Some((name.clone(), level(&name), why));
    }
    None
}

fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_matches('-').to_owned()
}

/// How much the words of common classification schemes are worth.
fn level(word: &str) -> Classification {
    let has = |words: &[&str]| words.iter().any(|known| word.contains(known));
    let confidentiality = if has(&["public", "open", "unclassified"]) && !has(&["non-public", "nonpublic"]) {
        1
    } else if has(&["secret", "restricted", "pci", "phi", "hipaa", "highly", "critical", "sensitive"]) {
        5
    } else if has(&["confidential", "pii", "gdpr", "personal", "private", "high"]) {
        4
    } else if has(&["internal", "low", "medium"]) {
        2
    } else {
        3
    };
    Classification { confidentiality, integrity: 3, availability: 3 }
}

/// Words in names that suggest what a store holds: name of the asset, one sentence, classification, words.
const GUESSES: &[(&str, &str, Classification, &[&str])] = &[
    (
        "health-records",
        "records about health",
        Classification { confidentiality: 5, integrity: 5, availability: 4 },
        &["patient", "medical", "health-record", "diagnos", "phi"],
    ),
    (
        "payment-data",
        "cards, accounts and payments",
        Classification { confidentiality: 5, integrity: 5, availability: 4 },
        &["payment", "billing", "invoice", "card", "checkout", "financ", "ledger", "transaction"],
    ),
    (
        "credentials",
        "passwords, keys and tokens",
        Classification { confidentiality: 5, integrity: 4, availability: 3 },
        &["password", "credential", "secret", "token", "apikey", "api-key"],
    ),
    (
        "customer-data",
        "records about customers and users",
        Classification { confidentiality: 4, integrity: 4, availability: 3 },
        &["customer", "user", "profile", "account", "member", "employee", "person", "contact", "pii", "identity"],
    ),
    (
        "orders",
        "orders and what belongs to them",
        Classification { confidentiality: 3, integrity: 4, availability: 4 },
        &["order", "cart", "booking", "reservation", "shipment"],
    ),
    (
        "infrastructure-state",
        "state of the infrastructure, with its secrets",
        Classification { confidentiality: 5, integrity: 5, availability: 3 },
        &["tfstate", "terraform-state", "tf-state"],
    ),
    (
        "audit-logs",
        "logs that an investigation needs",
        Classification { confidentiality: 3, integrity: 4, availability: 3 },
        &["cloudtrail", "audit", "flowlog", "access-log", "accesslog"],
    ),
    ("logs", "logs of operation", Classification { confidentiality: 2, integrity: 3, availability: 2 }, &["log"]),
    (
        "backups",
        "copies for recovery",
        Classification { confidentiality: 4, integrity: 4, availability: 4 },
        &["backup", "snapshot", "archive"],
    ),
    (
        "code-artifacts",
        "code and images that are deployed",
        Classification { confidentiality: 2, integrity: 5, availability: 3 },
        &["artifact", "deploy", "release", "lambda-code", "build"],
    ),
];

/// Words that most stores share: the system's own name, which says nothing about one of them.
fn common_words(stores: &[&Component]) -> BTreeSet<String> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for component in stores {
        let words: BTreeSet<String> = words(&component.name).collect();
        for word in words {
            *count.entry(word).or_default() += 1;
        }
    }
    let enough = (stores.len() / 3).max(4);
    count.into_iter().filter(|(_, n)| *n >= enough).map(|(word, _)| word).collect()
}

fn words(name: &str) -> impl Iterator<Item = String> + '_ {
    name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase)
}

fn guessed(
    context: &Context<'_>,
    component: &Component,
    common: &BTreeSet<String>,
) -> Option<(&'static str, &'static str, Classification, &'static str)> {
    // A parameter in the clear is configuration like any other, unless its name says more.
    let in_the_clear =
        component.component_type == "ssm.parameter" && component.text("parameter_type").is_none_or(|kind| kind != "SecureString");
    if context.index.services.has_any(component, &["secret_store"]) && !in_the_clear {
        return Some((
            "credentials",
            "passwords, keys and tokens",
            Classification { confidentiality: 5, integrity: 4, availability: 3 },
            "secret",
        ));
    }
    let label = component.address.as_str().rsplit('.').next().unwrap_or("");
    let own: Vec<String> = words(&component.name).filter(|word| !common.contains(word)).chain(words(label)).collect();
    let name = format!("-{}-", own.join("-"));
    for (asset, description, classification, words) in GUESSES {
        // A short word counts only as a word of its own: `phi` is no part of `graphics`, `log` none of `catalog`.
        let hit = words.iter().find(|word| {
            let start = format!("-{word}");
            if word.len() <= 4 {
                name.contains(&format!("{start}-")) || name.contains(&format!("{start}s-"))
            } else {
                name.contains(&start) || word.len() > 6 && name.contains(*word)
            }
        });
        if let Some(word) = hit {
            return Some((asset, description, *classification, word));
        }
    }
    None
}

/// A flow to or from a store carries what the store holds.
fn carry(context: &Context<'_>, found: &BTreeMap<String, Asset>, set: &mut FlowSet) {
    let mut by_store: BTreeMap<&Address, Vec<&str>> = BTreeMap::new();
    for asset in found.values() {
        for address in &asset.stored_in {
            by_store.entry(address).or_default().push(&asset.name);
        }
    }
    for flow in set.values_mut() {
        if !is_active(flow) {
            continue;
        }
        let mut data: Vec<String> = Vec::new();
        let from_log = context.index.component(&flow.to).is_some_and(|to| to.kind == Kind::DataStore && is_log_delivery(flow));
        for end in [&flow.to, &flow.from] {
            // What a bucket's access log carries is the log, not the bucket's data.
            if from_log && end == &flow.from {
                continue;
            }
            data.extend(by_store.get(end).into_iter().flatten().map(|name| (*name).to_owned()));
        }
        data.sort();
        data.dedup();
        flow.data = data;
    }
    declared_data(context, set);
}

fn is_log_delivery(flow: &bartizan_model::Flow) -> bool {
    flow.why.iter().any(|reason| reason.kind == ReasonKind::Integration && reason.text.contains("log"))
}
