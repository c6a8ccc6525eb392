//! A small catalogue for tests of the engine: the real services, and rules of the test's own.

use bartizan_review::Catalogue;

use crate::support::files;

/// A page that has every part.
pub(crate) const PAGE: &str =
    "# T\n\nWhy it matters.\n\n## Remedy\nDo.\n\n## Examples\n### Threatened\n```hcl\n```\n### Safe\n```hcl\n```\n### Unknown\nNothing.\n";

/// A rule on buckets without versions.
pub(crate) const UNVERSIONED: &str = r#"
id: unversioned
title: Old versions are lost
group: data-tampering
stride: [tampering]
attack: [T1485]
cwe: [CWE-693]
on: component
types: [s3.bucket]
when: "settings.versioning != 'Enabled'"
presumes: [exposure]
probability: {base: 3, because: "mistakes happen"}
impact: {base: 4, because: "what is overwritten is gone", of: integrity}
controls: [kept-elsewhere, locked]
evidence: [settings.versioning]
message: "`{name}` keeps no versions"
in_order: "versions are kept"
references: ["https://docs.aws.amazon.com/"]
"#;

const CONTROL: &str = r#"
id: ID
title: TITLE
kind: recover
reduces: {likelihood: 0, impact: 2}
strength: significant
basis: judgement
because: it can be brought back
types: [s3.bucket]
shown_by: "SHOWN"
cost: {text: none, per_month_usd: null}
performance: none
standards: []
"#;

/// A control on buckets that takes two points from the impact.
pub(crate) fn control(id: &str, shown_by: &str) -> (String, String) {
    (format!("controls/{id}.yaml"), CONTROL.replace("ID", id).replace("TITLE", id).replace("SHOWN", shown_by))
}

/// The real services, frameworks and risk tables with other files; what is wrong is an error.
pub(crate) fn load(own: Vec<(String, String)>) -> Result<Catalogue, Vec<String>> {
    let kept = ["services/", "frameworks/", "risk.yaml"];
    let mut all: Vec<(String, String)> = files().into_iter().filter(|(path, _)| kept.iter().any(|start| path.starts_with(start))).collect();
    all.extend(own);
    let (catalogue, errors) = Catalogue::load(all);
    if errors.is_empty() { Ok(catalogue) } else { Err(errors.iter().map(ToString::to_string).collect()) }
}

/// A catalogue of one rule, with two controls that the plan may show.
pub(crate) fn with_rule(rule: &str) -> Result<Catalogue, Vec<String>> {
    let word = |field: &str| {
        let line = rule.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
        line.trim().to_owned()
    };
    let path = format!("threats/{}/{}", word("group:"), word("id:"));
    load(vec![
        control("kept-elsewhere", "size(settings.replication_rules) > 0"),
        control("locked", "settings.object_lock_enabled == true"),
        (format!("{path}.yaml"), rule.to_owned()),
        (format!("{path}.md"), PAGE.to_owned()),
    ])
}
