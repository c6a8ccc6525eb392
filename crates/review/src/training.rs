//! Step 7's training outline: topics for developers and operators, made of this system's own threats.

use std::collections::BTreeSet;

use bartizan_model::Architecture;

use crate::{Catalogue, Status, Threat, TrainingTopic};

/// Examples that a topic shows.
const MAX_EXAMPLES: usize = 3;

/// Which threats a topic teaches.
#[derive(Default)]
struct Matches<'t> {
    always: bool,
    cwe: Vec<&'t str>,
    stride: Vec<&'t str>,
    category: Vec<&'t str>,
    rules: Vec<&'t str>,
}

impl Matches<'_> {
    fn takes(&self, threat: &Threat) -> bool {
        self.cwe.iter().any(|id| threat.cwe.iter().any(|of| of == id))
            || self.stride.iter().any(|word| threat.stride.iter().any(|of| of == word))
            || self.category.contains(&threat.category.id())
            || self.rules.contains(&threat.rule.as_str())
    }
}

/// The topics that this system needs, by audience in the order of the catalogue's files.
pub(crate) fn training(architecture: &Architecture, threats: &[Threat], catalogue: &Catalogue) -> Vec<TrainingTopic> {
    let relevant: Vec<&Threat> = threats.iter().filter(|threat| matches!(threat.status, Status::Open | Status::Mitigated)).collect();
    let pages = catalogue.documents.iter().filter_map(|(path, text)| {
        let audience = path.strip_prefix("training/")?.strip_suffix(".md")?;
        Some((audience, text))
    });
    let mut out = Vec::new();
    for (audience, page) in pages {
        for section in page.split("\n## ").skip(1) {
            let (title, rest) = section.split_once('\n').unwrap_or((section, ""));
            let (matches, body) = head(rest);
            // Threats come worst first, and so do the examples.
            let taught: Vec<&Threat> = relevant.iter().copied().filter(|threat| matches.takes(threat)).collect();
            if taught.is_empty() && !matches.always {
                continue;
            }
            out.push(TrainingTopic {
                audience: audience.to_owned(),
                title: title.trim().to_owned(),
                body: body.replace("{examples}", &examples(architecture, &taught)).trim().to_owned() + "\n",
                threats: taught.iter().map(|threat| threat.id.clone()).collect(),
            });
        }
    }
    out
}

/// The comment lines that say which threats a topic teaches, and what follows them.
fn head(section: &str) -> (Matches<'_>, &str) {
    let mut matches = Matches::default();
    let mut rest = section;
    while let Some((comment, after)) = rest.strip_prefix("<!--").and_then(|rest| rest.split_once("-->")) {
        let (key, values) = comment.split_once(':').unwrap_or((comment, ""));
        let values = values.split_whitespace();
        match key.trim() {
            "always" => matches.always = true,
            "cwe" => matches.cwe.extend(values),
            "stride" => matches.stride.extend(values),
            "category" => matches.category.extend(values),
            "rules" => matches.rules.extend(values),
            _ => {}
        }
        rest = after.trim_start_matches('\n');
    }
    (matches, rest)
}

/// The worst threats as examples, one for each rule, with where they are seen.
fn examples(architecture: &Architecture, taught: &[&Threat]) -> String {
    let mut out = String::from("In this system:\n\n");
    let mut rules: BTreeSet<&str> = BTreeSet::new();
    let of_rules: Vec<&&Threat> = taught.iter().filter(|threat| rules.insert(&threat.rule)).collect();
    for threat in of_rules.iter().take(MAX_EXAMPLES) {
        out.push_str(&format!("- {}", threat.message));
        if let Some(evidence) = threat.evidence.first() {
            let line = architecture.sources.start(evidence.span).line;
            out.push_str(&format!(" (`{}:{line}`)", architecture.sources.path(evidence.span)));
        }
        out.push('\n');
    }
    if taught.len() > MAX_EXAMPLES.min(of_rules.len()) {
        out.push_str(&format!("- and {} more in the report\n", taught.len() - MAX_EXAMPLES.min(of_rules.len())));
    }
    out
}

#[cfg(test)]
mod tests {
    use bartizan_model::Architecture;

    use super::{head, training};
    use crate::Catalogue;
    use crate::mitigations::tests::threat;

    fn catalogue() -> Catalogue {
        let page = "# For developers\n\n## Secrets\n<!-- cwe: CWE-798 -->\nAim.\n\n{examples}\nAsk.\n\n## Always there\n<!-- always -->\nText.\n\n## Other\n<!-- cwe: CWE-1 -->\nNo.\n";
        Catalogue::load([("training/developers.md", page)]).0
    }

    #[test]
    fn topics_follow_from_the_systems_own_threats() {
        let mut secret = threat("key-in-code", &["aws_lambda_function.f"], &[], 4, 4);
        secret.cwe = vec!["CWE-798".to_owned()];
        let topics = training(&Architecture::default(), &[secret], &catalogue());
        let titles: Vec<&str> = topics.iter().map(|topic| topic.title.as_str()).collect();
        assert_eq!(titles, ["Secrets", "Always there"]);
        assert_eq!(topics[0].threats, ["key-in-code"]);
        assert_eq!(topics[0].body, "Aim.\n\nIn this system:\n\n- key-in-code\n\nAsk.\n");
    }

    #[test]
    fn several_comments_add_up() {
        let (matches, rest) = head("<!-- cwe: CWE-1 CWE-2 -->\n<!-- category: denial-of-service -->\nBody");
        assert_eq!(
            (matches.cwe.as_slice(), matches.category.as_slice(), rest),
            (&["CWE-1", "CWE-2"][..], &["denial-of-service"][..], "Body")
        );
    }
}
