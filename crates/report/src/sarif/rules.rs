//! Rule metadata and the CWE taxonomy of a SARIF log: only what its results use.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_review::{Severity, Threat};
use serde_json::json;

use super::log::{ComponentReference, Configuration, Descriptor, Help, Message, Relationship, Taxon, TaxonReference, Taxonomy};
use super::{HOME, MOST_TAGS, level};

/// The rules of a log, sorted by id, and the taxa they refer to.
pub(super) struct Rules {
    pub(super) descriptors: Vec<Descriptor>,
    pub(super) taxonomies: Vec<Taxonomy>,
    index: BTreeMap<String, usize>,
}

impl Rules {
    pub(super) fn of(threats: &[&Threat]) -> Self {
        let mut by_rule: BTreeMap<&str, Vec<&Threat>> = BTreeMap::new();
        for threat in threats.iter().copied() {
            by_rule.entry(&threat.rule).or_default().push(threat);
        }
        let numbers: BTreeSet<&str> = threats.iter().flat_map(|threat| &threat.cwe).filter_map(|cwe| cwe.strip_prefix("CWE-")).collect();
        let taxa: BTreeMap<&str, usize> = numbers.into_iter().zip(0..).collect();
        let index = by_rule.keys().map(|rule| (*rule).to_owned()).zip(0..).collect();
        let descriptors = by_rule.values().filter_map(|threats| descriptor(threats, &taxa)).collect();
        let taxonomies = if taxa.is_empty() { Vec::new() } else { vec![cwe(&taxa)] };
        Self { descriptors, taxonomies, index }
    }

    pub(super) fn index(&self, rule: &str) -> Option<usize> {
        self.index.get(rule).copied()
    }

    pub(super) fn supported_taxonomies(&self) -> Vec<ComponentReference> {
        if self.taxonomies.is_empty() { Vec::new() } else { vec![CWE] }
    }
}

const CWE: ComponentReference = ComponentReference { name: "CWE", index: 0 };

fn cwe(taxa: &BTreeMap<&str, usize>) -> Taxonomy {
    Taxonomy {
        name: "CWE",
        organization: "MITRE",
        short_description: Message::text("Common Weakness Enumeration"),
        information_uri: "https://cwe.mitre.org/",
        taxa: taxa
            .keys()
            .map(|number| Taxon {
                id: (*number).to_owned(),
                help_uri: format!("https://cwe.mitre.org/data/definitions/{}.html", super::uri(number)),
            })
            .collect(),
    }
}

fn descriptor(threats: &[&Threat], taxa: &BTreeMap<&str, usize>) -> Option<Descriptor> {
    let first = threats.first()?;
    let worst = threats.iter().map(|threat| threat.severity).max().unwrap_or(Severity::Info);
    let mut tags = vec!["security".to_owned(), first.category.id().to_owned()];
    // Only the first ones are shown: those that others search for.
    tags.extend(first.cwe.iter().map(|cwe| format!("external/cwe/{}", cwe.to_lowercase())));
    tags.extend(first.stride.iter().map(|word| format!("stride/{word}")));
    tags.extend(first.attack.iter().map(|technique| format!("attack/{technique}")));
    tags.truncate(MOST_TAGS);
    let relationships = first
        .cwe
        .iter()
        .filter_map(|cwe| {
            let number = cwe.strip_prefix("CWE-")?;
            let index = *taxa.get(number)?;
            Some(Relationship { target: TaxonReference { id: number.to_owned(), index, tool_component: CWE }, kinds: ["superset"] })
        })
        .collect();
    let mut markdown = first.explanation.clone();
    let references: Vec<&String> = first.references.iter().filter(|url| url.starts_with("https://")).collect();
    for url in &references {
        markdown.push_str(&format!("\n\n- <{url}>"));
    }
    Some(Descriptor {
        id: first.rule.clone(),
        name: pascal_case(&first.rule),
        short_description: Message::text(first.title.clone()),
        full_description: Message::text(if first.explanation.is_empty() { first.title.clone() } else { first.explanation.clone() }),
        help: Help { text: first.explanation.clone(), markdown },
        help_uri: references.first().map_or_else(|| HOME.to_owned(), |url| (*url).clone()),
        default_configuration: Configuration { level: level(worst) },
        relationships,
        properties: json!({"security-severity": security_severity(worst), "tags": tags}),
    })
}

/// The middle of the range that code scanning shows as the same word.
/// Source: GitHub, "SARIF support for code scanning": over 9.0 critical, 7.0 to 8.9 high, 4.0 to 6.9 medium, 0.1 to 3.9 low.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.1",
    }
}

/// `s3-public-read` → `S3PublicRead`; SARIF wants a readable name that is not the id.
fn pascal_case(id: &str) -> String {
    id.split('-')
        .flat_map(|word| {
            let mut characters = word.chars();
            characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters)
        })
        .collect()
}
