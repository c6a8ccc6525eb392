//! JUnit XML: one suite for each rule, one test case for each component that the rule judged.
//! Source of the format: the schema of Jenkins' xUnit plugin, `junit-10.xsd`.
//!
//! An open threat is a failure; what is accepted, held by controls or waits for an answer is skipped with its reason; what is in order passes.

use std::collections::BTreeMap;

use bartizan_review::{Review, Status, Threat};

use crate::gitlab::place;
use crate::{Remedies, redact, words};

/// The system as a whole, where a rule judges no component.
const SYSTEM: &str = "the system";

enum Verdict<'a> {
    Passed,
    Threat(&'a Threat),
}

/// The review as JUnit XML.
pub fn junit(review: &Review) -> String {
    // By rule: its title, and by component what was found.
    let mut suites: BTreeMap<&str, (&str, BTreeMap<String, Verdict<'_>>)> = BTreeMap::new();
    for checked in &review.in_order {
        let (_, cases) = suites.entry(&checked.rule).or_insert((&checked.title, BTreeMap::new()));
        if checked.checked.is_empty() {
            cases.insert(SYSTEM.to_owned(), Verdict::Passed);
        }
        cases.extend(checked.checked.iter().map(|address| (address.to_string(), Verdict::Passed)));
    }
    // Threats are sorted worst first, and the worst one tells.
    for threat in review.threats.iter().rev() {
        let (_, cases) = suites.entry(&threat.rule).or_insert((&threat.title, BTreeMap::new()));
        if threat.targets.is_empty() || threat.of_system {
            cases.insert(SYSTEM.to_owned(), Verdict::Threat(threat));
        } else {
            cases.extend(threat.targets.iter().map(|address| (address.to_string(), Verdict::Threat(threat))));
        }
    }
    let remedies = Remedies::of(review);
    let (mut body, mut n_tests, mut n_failures) = (String::new(), 0, 0);
    for (rule, (title, cases)) in &suites {
        let failures = cases.values().filter(|verdict| matches!(verdict, Verdict::Threat(threat) if threat.status == Status::Open)).count();
        let skipped = cases.values().filter(|verdict| matches!(verdict, Verdict::Threat(threat) if threat.status != Status::Open)).count();
        n_tests += cases.len();
        n_failures += failures;
        body.push_str(&format!(
            "  <testsuite name=\"{}\" id=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n",
            escaped(title),
            escaped(rule),
            cases.len()
        ));
        for (address, verdict) in cases {
            case(&mut body, review, rule, address, verdict, &remedies);
        }
        body.push_str("  </testsuite>\n");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"Bartizan\" tests=\"{n_tests}\" failures=\"{n_failures}\" errors=\"0\">\n{body}</testsuites>\n"
    )
}

fn case(out: &mut String, review: &Review, rule: &str, address: &str, verdict: &Verdict<'_>, remedies: &Remedies<'_>) {
    out.push_str(&format!("    <testcase classname=\"{}\" name=\"{}\"", escaped(rule), escaped(address)));
    let threat = match verdict {
        Verdict::Passed => {
            out.push_str("/>\n");
            return;
        }
        Verdict::Threat(threat) => threat,
    };
    if threat.status != Status::Open {
        let why = threat.decision.as_deref().map_or_else(|| words::status_id(threat.status).to_owned(), redact);
        out.push_str(&format!(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", escaped(&why)));
        return;
    }
    let mut text = format!("{} ({}, {})", words::sentence(&words::capitalised(&redact(&threat.message))), threat.severity.id(), threat.id);
    if let Some(place) = place(review, threat) {
        text.push_str(&format!("\n{}", place.short()));
    }
    if let Some(remedy) = remedies.first(threat) {
        text.push_str(&format!("\nRemedy: {}: {}", remedy.title, remedy.effect));
    }
    out.push_str(&format!(
        ">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
        threat.severity.id(),
        escaped(&redact(&threat.message)),
        escaped(&text)
    ));
}

/// Text for XML 1.0; characters that it cannot hold become a replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escaped, junit};
    use crate::fixture;

    #[test]
    fn open_threats_fail_decisions_skip_and_the_numbers_agree() {
        let xml = junit(&fixture::shop());
        assert!(
            xml.contains("<testcase classname=\"s3-public-read\" name=\"aws_s3_bucket.uploads\">\n      <failure type=\"critical\""),
            "{xml}"
        );
        assert!(xml.contains("<skipped message="), "{xml}");
        let count = |what: &str| xml.matches(what).count();
        assert!(
            xml.contains(&format!("<testsuites name=\"Bartizan\" tests=\"{}\" failures=\"{}\"", count("<testcase "), count("<failure "))),
            "{xml}"
        );
        assert!(!xml.contains("hunter2"));
    }

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(escaped("<a b=\"1\">&\u{1}"), "&lt;a b=&quot;1&quot;&gt;&amp;\u{fffd}");
        let xml = junit(&fixture::hostile());
        assert!(!xml.contains("<script"), "{xml}");
    }
}
