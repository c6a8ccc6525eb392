//! Risks and vulnerabilities for spreadsheets and issue trackers. Pure; the same register gives the same bytes.

use serde_json::{Value, json};

use crate::course::Course;
use crate::error::RegisterError;
use crate::risk::Risk;
use crate::run::Severity;
use crate::vulnerability::Vulnerability;

/// GitHub refuses longer titles, and so do others.
const TITLE_CHARACTERS: usize = 200;

/// A format of export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// All columns, for spreadsheets: RFC 4180, safe against formulas.
    Csv,
    /// For Jira's import of CSV.
    JiraCsv,
    /// For Jira's import of JSON.
    JiraJson,
    /// A list of bodies as GitHub's API for issues takes them.
    GithubJson,
    /// For GitLab's import of issues: title, description.
    GitlabCsv,
}

/// A risk or a vulnerability of a system, as it is exported.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    system: String,
    about: &'static str,
    id: String,
    title: String,
    text: String,
    severity: Severity,
    course: Course,
    rule: String,
    targets: Vec<String>,
    places: Vec<String>,
    /// Name and value of what only one of the two kinds has.
    details: Vec<(&'static str, String)>,
}

impl Item {
    /// A risk of a system.
    pub fn of_risk(system: &str, risk: &Risk) -> Self {
        let threat = &risk.threat;
        Self {
            system: system.to_owned(),
            about: "risk",
            id: threat.id.clone(),
            title: threat.title.clone(),
            text: threat.message.clone(),
            severity: threat.severity,
            course: risk.course.clone(),
            rule: threat.rule.clone(),
            targets: threat.targets.clone(),
            places: threat.places.clone(),
            details: vec![("Residual risk (1 to 25)", threat.residual.to_string())],
        }
    }

    /// A vulnerability of a system.
    pub fn of_vulnerability(system: &str, of: &Vulnerability) -> Self {
        let flaw = &of.flaw;
        let percent = |epss: f64| format!("{:.2} %", epss * 100.0);
        let details = [
            ("Shipped by", of.workloads.join(", ")),
            ("Names", flaw.names.join(", ")),
            ("Mended in", flaw.fixed.clone()),
            ("CVSS", flaw.score.map(|score| format!("{score:.1}")).unwrap_or_default()),
            ("EPSS", flaw.epss.map(percent).unwrap_or_default()),
            ("Known to be used since", flaw.known_exploited.clone()),
        ];
        Self {
            system: system.to_owned(),
            about: "vulnerability",
            id: of.id.clone(),
            title: of.title(),
            text: flaw.summary.clone(),
            severity: flaw.severity,
            course: of.course.clone(),
            rule: flaw.name.clone(),
            targets: of.versions.iter().map(|version| format!("{} {} {version}", flaw.ecosystem, flaw.package)).collect(),
            places: of.places.clone(),
            details: details.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        }
    }

    fn headline(&self) -> String {
        let title = format!("[{}] {}: {}", self.severity.id(), self.system, self.title);
        match title.char_indices().nth(TITLE_CHARACTERS) {
            Some((end, _)) => format!("{}…", title.get(..end).unwrap_or_default()),
            None => title,
        }
    }

    /// Name and value of everything, in the order of reading.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("Id", self.id.clone()),
            ("State", self.course.state.id().to_owned()),
            ("First seen", self.course.first_seen.to_string()),
            ("Last seen", self.course.last_seen.to_string()),
            ("Concerns", self.targets.join(", ")),
            ("Shown by", self.places.join(", ")),
        ];
        facts.extend(self.details.iter().cloned());
        facts.retain(|(_, value)| !value.is_empty());
        facts
    }

    fn markdown(&self) -> String {
        let mut text = format!("{}\n\n", self.text);
        for (name, value) in self.facts() {
            // Names of resources and files are data: in code they cannot become mentions or markup.
            text.push_str(&format!("- {name}: `{}`\n", value.replace('`', "'")));
        }
        text
    }

    fn plain(&self) -> String {
        let facts: Vec<String> = self.facts().into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
        format!("{}\n\n{}", self.text, facts.join("\n"))
    }

    fn priority(&self) -> &'static str {
        match self.severity {
            Severity::Critical => "Highest",
            Severity::High | Severity::Unknown => "High",
            Severity::Medium => "Medium",
            Severity::Low => "Low",
            Severity::Info => "Lowest",
        }
    }

    /// Trackers separate labels by spaces.
    fn labels(&self) -> Vec<String> {
        let system: String = self.system.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
        vec!["bartizan".to_owned(), self.about.to_owned(), format!("severity-{}", self.severity.id()), format!("system-{system}")]
    }
}

/// Writes items in a format.
///
/// # Errors
/// Never for values that the register gives; the writers of formats could refuse, and say so.
pub fn export(items: &[Item], format: ExportFormat) -> Result<Vec<u8>, RegisterError> {
    match format {
        ExportFormat::Csv => csv(
            &[
                "system",
                "kind",
                "id",
                "severity",
                "state",
                "title",
                "text",
                "rule",
                "concerns",
                "shown_by",
                "first_seen",
                "last_seen",
                "first_run",
                "last_run",
                "decision",
                "decided_by",
                "decided_why",
                "decided_until",
                "details",
            ],
            items.iter().map(columns),
        ),
        ExportFormat::JiraCsv => csv(
            &["Summary", "Description", "Issue Type", "Priority", "Labels", "Labels", "Labels", "Labels", "External ID"],
            items.iter().map(|item| {
                let mut row = vec![item.headline(), item.plain(), "Task".to_owned(), item.priority().to_owned()];
                row.extend(item.labels());
                row.push(external_id(item));
                row
            }),
        ),
        ExportFormat::GitlabCsv => csv(&["title", "description"], items.iter().map(|item| vec![item.headline(), item.markdown()])),
        ExportFormat::GithubJson => {
            let issue = |item: &Item| json!({"title": item.headline(), "body": item.markdown(), "labels": item.labels()});
            Ok(pretty(&items.iter().map(issue).collect::<Value>()))
        }
        ExportFormat::JiraJson => {
            let issue = |item: &Item| {
                json!({
                    "externalId": external_id(item),
                    "summary": item.headline(),
                    "description": item.plain(),
                    "issueType": "Task",
                    "priority": item.priority(),
                    "labels": item.labels(),
                    "created": item.course.first_seen.to_string(),
                })
            };
            Ok(pretty(&json!({"projects": [{"name": "Bartizan", "key": "BTZ", "issues": items.iter().map(issue).collect::<Value>()}]})))
        }
    }
}

fn external_id(item: &Item) -> String {
    format!("{}/{}", item.system, item.id)
}

fn columns(item: &Item) -> Vec<String> {
    let decision = item.course.decision.as_ref();
    let decided = |of: &dyn Fn(&crate::course::Decision) -> String| decision.map(of).unwrap_or_default();
    let details: Vec<String> = item.details.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    vec![
        item.system.clone(),
        item.about.to_owned(),
        item.id.clone(),
        item.severity.id().to_owned(),
        item.course.state.id().to_owned(),
        item.title.clone(),
        item.text.clone(),
        item.rule.clone(),
        item.targets.join("; "),
        item.places.join("; "),
        item.course.first_seen.to_string(),
        item.course.last_seen.to_string(),
        item.course.first_run.to_string(),
        item.course.last_run.to_string(),
        decided(&|decision| decision.kind.clone()),
        decided(&|decision| decision.by.clone()),
        decided(&|decision| decision.why.clone()),
        decided(&|decision| decision.until.clone().unwrap_or_default()),
        details.join("; "),
    ]
}

fn csv(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, RegisterError> {
    let failed = |error: csv::Error| RegisterError::Damaged(error.to_string());
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(header).map_err(failed)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| harmless(cell))).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| RegisterError::Damaged(error.to_string()))
}

/// A cell that no spreadsheet takes for a formula. Source: OWASP, CSV Injection.
fn harmless(cell: &str) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => format!("'{cell}"),
        _ => cell.to_owned(),
    }
}

fn pretty(value: &Value) -> Vec<u8> {
    // INVARIANT: keys are strings and there is no float, so this cannot fail.
    let mut out = serde_json::to_vec_pretty(value).unwrap_or_default();
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{ExportFormat, Item, export};
    use crate::course::{Course, Decision, State};
    use crate::risk::Risk;
    use crate::run::{Severity, Threat};
    use crate::time::Time;

    fn items() -> Vec<Item> {
        let decision = Decision { kind: "accept".into(), by: "@ann".into(), why: "=1+1".into(), at: Time(0), until: None };
        let course = Course {
            state: State::Decided,
            first_run: 1,
            first_seen: Time(0),
            last_run: 2,
            last_seen: Time(86_400),
            decision: Some(decision),
        };
        let threat = Threat {
            id: "a-1".to_owned(),
            rule: "a".to_owned(),
            title: "Anyone, \"really\" anyone".to_owned(),
            message: "=cmd|' /C calc'!A0\nsecond line".to_owned(),
            severity: Severity::High,
            residual: 9,
            targets: vec!["aws_s3_bucket.a".to_owned()],
            places: vec!["main.tf:3".to_owned()],
            ..Threat::default()
        };
        vec![Item::of_risk("my shop", &Risk { threat, course })]
    }

    fn text(format: ExportFormat) -> String {
        String::from_utf8(export(&items(), format).unwrap()).unwrap()
    }

    #[test]
    fn a_spreadsheet_gets_all_columns_and_no_formula() {
        let csv = text(ExportFormat::Csv);
        let mut lines = csv.split("\r\n");
        assert!(lines.next().is_some_and(|line| line.starts_with("system,kind,id,severity,state,title,text,rule")));
        let row = lines.next().unwrap();
        assert!(
            row.starts_with("my shop,risk,a-1,high,decided,\"Anyone, \"\"really\"\" anyone\",\"'=cmd|' /C calc'!A0\nsecond line\",a,"),
            "{row}"
        );
        assert!(row.contains(",accept,'@ann,'=1+1,,"), "{row}");
        assert_eq!(lines.collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn trackers_get_what_they_take() {
        let issues: Value = serde_json::from_str(&text(ExportFormat::GithubJson)).unwrap();
        let at = |pointer: &str| issues.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        assert_eq!(at("/0/title"), "[high] my shop: Anyone, \"really\" anyone");
        assert_eq!(at("/0/labels/3"), "system-my-shop");
        assert!(at("/0/body").contains("- Shown by: `main.tf:3`\n"), "{}", at("/0/body"));
        let jira: Value = serde_json::from_str(&text(ExportFormat::JiraJson)).unwrap();
        assert_eq!(jira.pointer("/projects/0/issues/0/externalId").and_then(Value::as_str), Some("my shop/a-1"));
        assert!(
            text(ExportFormat::JiraCsv).starts_with("Summary,Description,Issue Type,Priority,Labels,Labels,Labels,Labels,External ID\r\n")
        );
        assert!(text(ExportFormat::GitlabCsv).starts_with("title,description\r\n\"[high] my shop: Anyone, \"\"really\"\" anyone\","));
    }
}
