//! `bartizan register`: what the register holds, in words, JSON and the formats of trackers; decisions on it.

use std::collections::BTreeMap;

use bartizan_register::{
    Change, Decision, Document, Entry, ExportFormat, Item, NoticeState, RecordedRun, Register, Risk, Severity, State, SystemDto, Time,
    Vulnerability, export,
};
use bartizan_report::folder;

use super::record;
use crate::args::register::{ExportArg, RegisterAction, SystemArgs, TellArgs, TellFormat};
use crate::exit::Outcome;
use crate::{pipeline, terminal};

pub(super) fn run(arguments: &crate::args::register::Register) -> anyhow::Result<Outcome> {
    let place = record::place(&arguments.place)?;
    record::must_exist(&place)?;
    let mut register = Register::open(&place)?;
    act(&mut register, &arguments.action)?;
    register.close();
    Ok(Outcome::Clean)
}

fn act(register: &mut Register, action: &RegisterAction) -> anyhow::Result<()> {
    match action {
        RegisterAction::Systems { format } => {
            let entries = register.systems()?;
            let mut text = String::new();
            for entry in &entries {
                let runs = register.runs(&entry.system.name)?;
                text.push_str(&system_line(entry, runs.last()));
            }
            tell(format, &text, entries.iter().map(SystemDto::from).collect())
        }
        RegisterAction::Risks { system, all, format } => {
            let mut told = Vec::new();
            let mut text = String::new();
            for entry in chosen(register, system)? {
                let mut risks = register.risks(&entry.system.name)?;
                risks.retain(|risk| *all || risk.course.state.is_open());
                text.extend(risks.iter().map(|risk| risk_line(&entry.system.name, risk)));
                told.push(SystemDto { risks: Some(risks.iter().map(Into::into).collect()), ..SystemDto::from(&entry) });
            }
            tell(format, &text, told)
        }
        RegisterAction::Vulnerabilities { system, all, format } => {
            let mut told = Vec::new();
            let mut text = String::new();
            for entry in chosen(register, system)? {
                let mut known = register.vulnerabilities(&entry.system.name)?;
                known.retain(|of| *all || of.course.state.is_open());
                text.extend(known.iter().map(|of| vulnerability_line(&entry.system.name, of)));
                told.push(SystemDto { vulnerabilities: Some(known.iter().map(Into::into).collect()), ..SystemDto::from(&entry) });
            }
            tell(format, &text, told)
        }
        RegisterAction::Runs { system, format } => {
            let mut told = Vec::new();
            let mut text = String::new();
            for entry in chosen(register, system)? {
                let runs = register.runs(&entry.system.name)?;
                text.extend(runs.iter().map(|run| run_line(&entry.system.name, run)));
                told.push(SystemDto { runs: Some(runs.iter().map(Into::into).collect()), ..SystemDto::from(&entry) });
            }
            tell(format, &text, told)
        }
        RegisterAction::History { id, system, format } => {
            let mut told = Vec::new();
            let mut text = String::new();
            for entry in chosen(register, system)? {
                let changes = register.changes(&entry.system.name, id.as_deref())?;
                text.extend(changes.iter().map(|change| change_line(&entry.system.name, change)));
                told.push(SystemDto { changes: Some(changes.iter().map(Into::into).collect()), ..SystemDto::from(&entry) });
            }
            if let Some(id) = id
                && text.is_empty()
            {
                anyhow::bail!("nothing in the register has the id `{id}`; `bartizan register risks` lists them");
            }
            tell(format, &text, told)
        }
        RegisterAction::Decide { id, decision, why, by, until, system } => {
            decide(register, id, decision, why, by, until.as_deref(), system)
        }
        RegisterAction::Review { system, run, output } => {
            let name = one(register, system)?;
            pipeline::write(&register.review(&name, *run)?, output.as_deref())
        }
        RegisterAction::Export { system, format, all, output } => {
            let wanted = |state: State| *all || state.is_open();
            let mut items = Vec::new();
            for entry in chosen(register, system)? {
                let name = &entry.system.name;
                items.extend(register.risks(name)?.iter().filter(|risk| wanted(risk.course.state)).map(|risk| Item::of_risk(name, risk)));
                let known = register.vulnerabilities(name)?;
                items.extend(known.iter().filter(|of| wanted(of.course.state)).map(|of| Item::of_vulnerability(name, of)));
            }
            let format = match format {
                ExportArg::Csv => ExportFormat::Csv,
                ExportArg::JiraCsv => ExportFormat::JiraCsv,
                ExportArg::JiraJson => ExportFormat::JiraJson,
                ExportArg::GithubJson => ExportFormat::GithubJson,
                ExportArg::GitlabCsv => ExportFormat::GitlabCsv,
            };
            pipeline::write(&export(&items, format)?, output.as_deref())
        }
        RegisterAction::Notices { retry, format } => {
            if *retry {
                register.retry()?;
            }
            let notices = register.notices()?;
            let mut document = Document::new();
            document.notices = Some(notices.iter().map(Into::into).collect());
            let text: String = notices.iter().map(notice_line).collect();
            write(format, &text, &document)
        }
    }
}

fn decide(
    register: &mut Register,
    id: &str,
    kind: &str,
    why: &str,
    by: &str,
    until: Option<&str>,
    system: &SystemArgs,
) -> anyhow::Result<()> {
    let at = record::now()?;
    let name = one(register, system)?;
    let decision = match kind {
        "open" => None,
        _ => {
            anyhow::ensure!(!why.trim().is_empty(), "a decision needs a reason: say it with --why");
            let until = until.map(|text| Time::parse(text).map(Time::day)).transpose()?;
            let today = record::today()?;
            if let Some(until) = until.as_ref().filter(|until| **until < today) {
                anyhow::bail!("{until} is over: a decision holds until a day to come");
            }
            Some(Decision { kind: kind.to_owned(), by: by.to_owned(), why: why.to_owned(), at, until })
        }
    };
    let changes = register.decide(&name, id, decision.as_ref(), by, at)?;
    let text: String = changes.iter().map(|change| change_line(&name, change)).collect();
    terminal::output(text.as_bytes())
}

/// The system that is meant, or all of them.
fn chosen(register: &mut Register, system: &SystemArgs) -> anyhow::Result<Vec<Entry>> {
    Ok(match &system.system {
        Some(name) => vec![register.system(name)?],
        None => register.systems()?,
    })
}

/// The one system that is meant.
fn one(register: &mut Register, system: &SystemArgs) -> anyhow::Result<String> {
    let mut entries = chosen(register, system)?;
    match (entries.pop(), entries.is_empty()) {
        (Some(entry), true) => Ok(entry.system.name),
        (Some(_), false) => anyhow::bail!("the register has several systems: say which one with --system"),
        (None, _) => anyhow::bail!("the register has no system: `bartizan record` adds one"),
    }
}

fn tell(format: &TellArgs, text: &str, systems: Vec<SystemDto>) -> anyhow::Result<()> {
    let mut document = Document::new();
    document.systems = systems;
    write(format, text, &document)
}

fn write(format: &TellArgs, text: &str, document: &Document) -> anyhow::Result<()> {
    let content = match format.format {
        TellFormat::Text => text.as_bytes().to_vec(),
        TellFormat::Json => folder::pretty(document),
    };
    pipeline::write(&content, format.output.as_deref())
}

fn counted(counts: &BTreeMap<Severity, i64>) -> String {
    let parts: Vec<String> = counts.iter().rev().map(|(severity, n)| format!("{n} {}", severity.id())).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

fn system_line(entry: &Entry, last: Option<&RecordedRun>) -> String {
    let Entry { system, n_runs, looked_at, .. } = entry;
    let numbers = last.map(|run| {
        format!("; risks: {} ({} points); vulnerabilities: {}", counted(&run.open), run.residual, counted(&run.vulnerabilities))
    });
    format!("{}  run {n_runs}, looked at {looked_at}{}\n", system.name, numbers.unwrap_or_default())
}

fn run_line(system: &str, run: &RecordedRun) -> String {
    let revision = if run.revision.is_empty() { String::new() } else { format!(" of {}", run.revision) };
    let unread = if run.n_unread == 0 { String::new() } else { format!("; {} files not read", run.n_unread) };
    format!(
        "{system}  run {}  {}  {}{revision}  risks: {} ({} points, {} before controls)  vulnerabilities: {}  changes: {}{unread}\n",
        run.number,
        run.at,
        run.cause,
        counted(&run.open),
        run.residual,
        run.inherent,
        counted(&run.vulnerabilities),
        run.n_changes
    )
}

fn decision_words(decision: Option<&Decision>) -> String {
    let Some(Decision { kind, by, why, until, .. }) = decision else { return String::new() };
    let until = until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
    format!("\n    {kind} by {by}{until}: {why}")
}

fn risk_line(system: &str, risk: &Risk) -> String {
    let Risk { threat, course } = risk;
    let place = threat.places.first().map(|place| format!("  {place}")).unwrap_or_default();
    let title = if threat.message.is_empty() { &threat.title } else { &threat.message };
    format!(
        "{system}  {:<9} {:<8} {title}  ({}){place}\n    since {}, last seen {}{}\n",
        course.state.id(),
        threat.severity.id(),
        threat.id,
        course.first_seen,
        course.last_seen,
        decision_words(course.decision.as_ref())
    )
}

fn vulnerability_line(system: &str, of: &Vulnerability) -> String {
    let course = &of.course;
    let used =
        if of.flaw.known_exploited.is_empty() { String::new() } else { format!(", known to be used since {}", of.flaw.known_exploited) };
    let shipped = if of.workloads.is_empty() { String::new() } else { format!("; shipped by {}", of.workloads.join(", ")) };
    format!(
        "{system}  {:<9} {:<8} {}{used}  ({})\n    since {}, last seen {}; {}{shipped}{}\n",
        course.state.id(),
        of.flaw.severity.id(),
        of.title(),
        of.id,
        course.first_seen,
        course.last_seen,
        of.places.join(", "),
        decision_words(course.decision.as_ref())
    )
}

fn change_line(system: &str, change: &Change) -> String {
    let who = if change.who.is_empty() { String::new() } else { format!(" by {}", change.who) };
    let text = if change.text.is_empty() { String::new() } else { format!("  {}", change.text) };
    format!(
        "{}  {system}  run {}  {:<9} {:<8} {}  ({}){who}{text}\n",
        change.at,
        change.run,
        change.kind.id(),
        change.severity.id(),
        change.title,
        change.subject
    )
}

fn notice_line(of: &NoticeState) -> String {
    let error = if of.error.is_empty() { String::new() } else { format!("  {}", of.error) };
    let sent = if of.sent_at.is_empty() { String::new() } else { format!(" {}", of.sent_at) };
    format!("{}  {}  {}{sent}  {}  tries: {}{error}\n", of.created, of.channel, of.state, of.summary, of.attempts)
}
