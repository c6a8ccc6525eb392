//! `threat-model.md`: the document that a security reviewer reads from top to bottom and signs.
//!
//! GitHub's Markdown: prose, tables and fenced code. Names from the source are escaped, secrets are hidden.

mod architecture;
pub(crate) mod escape;
mod paths;
mod response;
mod threats;

use bartizan_review::{Category, Review, Severity, Status};

use crate::{summary, words};
use escape::{code, prose, text};

/// The whole document.
pub fn markdown(review: &Review) -> String {
    let mut out = String::new();
    head(&mut out, review);
    architecture::write(&mut out, review);
    paths::write(&mut out, review);
    threats::write(&mut out, review);
    threats::mitigations(&mut out, review);
    response::write(&mut out, review);
    method(&mut out);
    out
}

fn head(out: &mut String, review: &Review) {
    let architecture = &review.architecture;
    let declared = &architecture.declarations;
    let n_elements = architecture.components.values().filter(|component| component.is_element()).count();
    let counts = summary::counts(review);
    out.push_str(&format!("# Threat model of {}\n\n", declared.system.as_deref().map_or_else(|| "the reviewed system".to_owned(), text)));
    if let Some(description) = &declared.description {
        out.push_str(&format!("{}\n\n", text(description)));
    }
    if !declared.owners.is_empty() {
        out.push_str(&format!("Owners: {}.\n\n", declared.owners.iter().map(|owner| text(owner)).collect::<Vec<_>>().join(", ")));
    }
    out.push_str("## Summary\n\n");
    out.push_str(&format!(
        "The plan was read from {}. It describes {} that exchange data over {}; how these behave is decided by {}.\n",
        words::count(architecture.sources.iter().count(), "file", "files"),
        words::count(n_elements, "component", "components"),
        words::count(architecture.flows.len(), "data flow", "data flows"),
        words::count(architecture.components.len() - n_elements, "supporting resource", "supporting resources"),
    ));
    out.push_str(&format!(
        "The review found {}; {} {} on an answer from the teams, {} {} held by controls that the plan shows, and {} {} accepted by a person.\n\n",
        words::count(counts.open, "open threat", "open threats"),
        counts.question,
        if counts.question == 1 { "depends" } else { "depend" },
        counts.mitigated,
        if counts.mitigated == 1 { "is" } else { "are" },
        counts.accepted,
        if counts.accepted == 1 { "was" } else { "were" },
    ));
    match summary::worst(review) {
        Some(worst) => {
            let threat = worst.threat;
            out.push_str(&format!(
                "**The worst risk** ({}, {} of 25): {}.\n",
                words::severity(threat.severity).to_lowercase(),
                threat.residual_risk(),
                prose(&words::capitalised(&threat.message)),
            ));
            if let Some(evidence) = threat.evidence.first() {
                out.push_str(&format!("It is written in {}: {}.\n", place(review, evidence.span), prose(&evidence.text)));
            }
            match worst.remedy {
                Some(remedy) => {
                    out.push_str(&format!("The remedy is {}: {}\n", threats::link(&remedy.title, &remedy.id), prose(&remedy.effect),))
                }
                None => out.push_str("No control of the catalogue fits it; see its section for what can be done.\n"),
            }
            out.push('\n');
        }
        None => {
            out.push_str("No threat is open. What was checked and found good is listed below, so that this silence can be trusted.\n\n")
        }
    }
    if let Some(path) = crate::weightiest(review) {
        out.push_str(&format!(
            "**The {} attack path**: {} ([steps and cuts](#{})).\n\n",
            if review.attack_paths.len() == 1 { "only" } else { "weightiest" },
            prose(&crate::path_sentence(review, path)),
            plain_id(&path.id),
        ));
    }
    most_urgent(out, review);
    out.push_str("| Category | Critical | High | Medium | Low | Info |\n| --- | ---: | ---: | ---: | ---: | ---: |\n");
    for category in Category::ALL {
        let of = |severity: Severity| {
            review.threats.iter().filter(|t| t.status == Status::Open && t.category == category && t.severity == severity).count()
        };
        let cells: Vec<String> = words::SEVERITIES.iter().map(|severity| of(*severity).to_string()).collect();
        out.push_str(&format!("| {} | {} |\n", words::category(category), cells.join(" | ")));
    }
    out.push('\n');
}

/// The worst open threats with the first thing to do about each.
fn most_urgent(out: &mut String, review: &Review) {
    const SHOWN: usize = 10;
    let open: Vec<_> = review.threats.iter().filter(|threat| threat.status == Status::Open).take(SHOWN).collect();
    if open.len() < 2 {
        return;
    }
    out.push_str("| Severity | Risk | Threat | Evidence | First remedy |\n| --- | ---: | --- | --- | --- |\n");
    let remedies = summary::Remedies::of(review);
    for threat in open {
        let remedy = remedies.first(threat);
        out.push_str(&format!(
            "| {} | {} | [{}](#{}): {} | {} | {} |\n",
            words::severity(threat.severity),
            threat.residual_risk(),
            text(&threat.title),
            plain_id(&threat.id),
            prose(&threat.message),
            threat.evidence.first().map_or_else(String::new, |item| place(review, item.span)),
            remedy.map_or_else(String::new, |remedy| threats::link(&remedy.title, &remedy.id)),
        ));
    }
    out.push('\n');
}

fn method(out: &mut String) {
    out.push_str(
        "## How to read the numbers\n\n\
         Likelihood and impact go from 1 to 5; each is the sum of the terms that are listed with it, rounded and kept within the scale.\n\
         Risk is likelihood times impact, and severity comes from that matrix.\n\
         The inherent risk is the one without controls; the residual risk takes away what the controls do that the plan shows.\n\
         Where the plan does not say something, no threat is raised and none is dismissed: it becomes a question.\n\n\
         ## Sign-off\n\n\
         Whoever signs has read the threats and their evidence, and agrees with what is open, mitigated and accepted.\n\n\
         | Role | Name | Date | Remarks |\n| --- | --- | --- | --- |\n| Reviewer |  |  |  |\n| Owner of the system |  |  |  |\n",
    );
}

/// `file:line` of a span as code.
fn place(review: &Review, span: bartizan_model::Span) -> String {
    crate::Place::of(&review.architecture.sources, span).map_or_else(|| "a file that is not known".to_owned(), |place| code(&place.short()))
}

/// A heading's own anchor, so that links survive another title.
fn anchor(id: &str) -> String {
    format!("<a id=\"{}\"></a>", plain_id(id))
}

/// An id without characters that a link could stumble over.
fn plain_id(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::markdown;
    use crate::fixture;

    #[test]
    fn the_document_names_worst_risk_evidence_and_remedy_in_its_summary() {
        let document = markdown(&fixture::shop());
        let summary = document.split("## System").next().expect("a summary");
        assert!(summary.contains("`shop-uploads` can be read by anyone on the internet"), "{summary}");
        assert!(summary.contains("`main.tf:4`"), "{summary}");
        assert!(summary.contains("[Block public access](#block-public-access-81b2ee)"), "{summary}");
    }

    #[test]
    fn every_part_of_the_review_is_in_it() {
        let document = markdown(&fixture::shop());
        for heading in [
            "## System",
            "### Components",
            "### Trust boundaries",
            "### Assets",
            "### Data flows",
            "## Threats",
            "### Critical",
            "## Mitigations",
            "## Response",
            "### Alarms",
            "### Recovery",
            "### Runbooks",
            "## Questions",
            "## Checked and in order",
            "## Training",
            "## Diagnostics",
        ] {
            assert!(document.contains(&format!("\n{heading}\n")), "{heading} is missing");
        }
        assert!(document.contains("   4 |   acl    = \"public-read\""), "the evidence is quoted:\n{document}");
        assert!(document.contains("resource \"aws_s3_bucket_public_access_block\" \"uploads\""));
        assert!(document.contains("accepted by ops until 2027-03-31"));
    }

    #[test]
    fn a_path_shows_its_chain_its_steps_its_cuts_and_its_threats() {
        let document = markdown(&fixture::attacked());
        let summary = document.split("## System").next().expect("a summary");
        assert!(summary.contains("**The only attack path**: an attacker on the internet reads `orders`"), "{summary}");
        let section = document.split("\n## Attack paths\n").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the section");
        for piece in [
            "`Internet` → `uploads` → `app` → `orders`",
            "1. **application flaw** (assumed: no plan shows this flaw): `internet` → `aws_s3_bucket.uploads`",
            "   - only if the caller has a second factor",
            "   - `main.tf:10`: `app` grants {it}",
            "  10 |   publicly_accessible = true",
            "- ends it at `main.tf:4`: it answers",
            "- leaves 0.88 %: `app` grants {it}",
            "(#s3-public-read-3f9a1c)",
        ] {
            assert!(section.contains(piece), "{piece} is missing:\n{section}");
        }
        assert!(document.contains("| Attack paths | [An attacker on the internet reads orders](#path-5e5e5e) |"));
    }

    #[test]
    fn no_secret_and_no_markup_from_names_gets_through() {
        assert!(!markdown(&fixture::shop()).contains("hunter2"));
        let document = markdown(&fixture::hostile());
        let mut fenced: Option<usize> = None;
        for line in document.lines() {
            let ticks = line.bytes().take_while(|byte| *byte == b'`').count();
            match fenced {
                None if ticks >= 3 => fenced = Some(ticks),
                Some(open) if ticks >= open && line.len() == ticks => fenced = None,
                None => {
                    let live = line.replace("\\]", "");
                    assert!(["<script", "<img", "](javascript:"].iter().all(|markup| !live.contains(markup)), "markup in: {line}");
                }
                Some(_) => {}
            }
        }
        assert_eq!(fenced, None, "a fence is left open");
    }

    #[test]
    fn table_rows_have_as_many_cells_as_their_head() {
        let document = markdown(&fixture::hostile());
        let mut width = None;
        for line in document.lines() {
            if !line.starts_with("| ") {
                width = None;
                continue;
            }
            let cells = line.replace("\\|", "").matches('|').count();
            assert_eq!(cells, *width.get_or_insert(cells), "{line}");
        }
    }
}
