//! Risks, vulnerabilities, changes and packages as rows of their tables.

use std::collections::BTreeMap;

use crate::change::{About, Change};
use crate::course::{ChangeKind, Course, Decision, State};
use crate::error::RegisterError;
use crate::risk::Risk;
use crate::run::{Flaw, Package, Severity, Status, Threat};
use crate::store::{Row, Store, Value, list};
use crate::time::Time;
use crate::vulnerability::{Arrival, Vulnerability};

const COURSE: [&str; 10] =
    ["state", "first_run", "first_seen", "last_run", "last_seen", "decision", "decided_by", "decided_why", "decided_at", "decided_until"];
const RISK: [&str; 11] =
    ["system", "threat", "rule", "title", "message", "severity", "status", "inherent", "residual", "targets", "places"];
const VULNERABILITY: [&str; 15] = [
    "system",
    "id",
    "name",
    "ecosystem",
    "package",
    "versions",
    "places",
    "names",
    "severity",
    "score",
    "epss",
    "fixed",
    "known_exploited",
    "informational",
    "summary",
];
const ARRIVAL: [&str; 6] = ["system", "vulnerability", "advisory", "published", "arrived_run", "arrived"];
const CHANGE: [&str; 9] = ["system", "number", "run", "at", "about", "subject", "kind", "who", "text"];
const PACKAGE: [&str; 10] = ["system", "number", "ecosystem", "name", "version", "place", "origin", "relation", "development", "workload"];
/// Scores are kept in tenths, probabilities in millionths.
const TENTHS: f64 = 10.0;
const MILLIONTHS: f64 = 1_000_000.0;

fn columns<'a>(first: &[&'a str], second: &[&'a str]) -> Vec<&'a str> {
    first.iter().chain(second).copied().collect()
}

fn damaged(what: &str, word: &str) -> RegisterError {
    RegisterError::Damaged(format!("`{word}` is no {what}"))
}

pub(crate) fn time(text: &str) -> Result<Time, RegisterError> {
    Time::parse(text).map_err(|_| damaged("time", text))
}

fn severity(row: &mut Row) -> Result<Severity, RegisterError> {
    let word = row.text()?;
    Severity::of(&word).ok_or_else(|| damaged("severity", &word))
}

fn course_values(course: &Course) -> Vec<Value> {
    let decision = course.decision.as_ref();
    let text = |of: &dyn Fn(&Decision) -> String| Value::from(decision.map(of).unwrap_or_default());
    vec![
        course.state.id().into(),
        course.first_run.into(),
        course.first_seen.to_string().into(),
        course.last_run.into(),
        course.last_seen.to_string().into(),
        text(&|decision| decision.kind.clone()),
        text(&|decision| decision.by.clone()),
        text(&|decision| decision.why.clone()),
        text(&|decision| decision.at.to_string()),
        text(&|decision| decision.until.clone().unwrap_or_default()),
    ]
}

fn course(row: &mut Row) -> Result<Course, RegisterError> {
    let word = row.text()?;
    let state = State::of(&word).ok_or_else(|| damaged("state", &word))?;
    let (first_run, first_seen) = (row.integer()?, time(&row.text()?)?);
    let (last_run, last_seen) = (row.integer()?, time(&row.text()?)?);
    let (kind, by, why, at, until) = (row.text()?, row.text()?, row.text()?, row.text()?, row.text()?);
    let decision = match kind.is_empty() {
        true => None,
        false => Some(Decision { kind, by, why, at: time(&at)?, until: Some(until).filter(|until| !until.is_empty()) }),
    };
    Ok(Course { state, first_run, first_seen, last_run, last_seen, decision })
}

/// All risks of a system, by id.
pub(crate) fn risks(store: &mut Store, system: i64) -> Result<BTreeMap<String, Risk>, RegisterError> {
    let sql = format!("SELECT {} FROM risks WHERE system = $1", columns(&RISK[1..], &COURSE).join(","));
    let rows = store.query(&sql, &[system.into()])?;
    rows.into_iter()
        .map(|mut row| {
            let (id, rule, title, message) = (row.text()?, row.text()?, row.text()?, row.text()?);
            let severity = severity(&mut row)?;
            let word = row.text()?;
            let status = Status::of(&word).ok_or_else(|| damaged("status", &word))?;
            let (inherent, residual, targets, places) = (row.integer()?, row.integer()?, row.list()?, row.list()?);
            let threat =
                Threat { id, rule, title, message, severity, status, decision: String::new(), inherent, residual, targets, places };
            Ok((threat.id.clone(), Risk { threat, course: course(&mut row)? }))
        })
        .collect()
}

/// Writes risks over what is there of the same ids.
pub(crate) fn put_risks<'r>(store: &mut Store, system: i64, risks: impl Iterator<Item = &'r Risk>) -> Result<(), RegisterError> {
    let row = |Risk { threat, course }: &Risk| {
        let mut row: Vec<Value> = vec![
            system.into(),
            (&threat.id).into(),
            (&threat.rule).into(),
            (&threat.title).into(),
            (&threat.message).into(),
            threat.severity.id().into(),
            threat.status.id().into(),
            threat.inherent.into(),
            threat.residual.into(),
            list(&threat.targets),
            list(&threat.places),
        ];
        row.extend(course_values(course));
        row
    };
    let rows: Vec<Vec<Value>> = risks.map(row).collect();
    store.put("risks", &columns(&RISK, &COURSE), &["system", "threat"], &rows)
}

/// All vulnerabilities of a system, by id.
pub(crate) fn vulnerabilities(store: &mut Store, system: i64) -> Result<BTreeMap<String, Vulnerability>, RegisterError> {
    let sql = format!("SELECT {} FROM vulnerabilities WHERE system = $1", columns(&VULNERABILITY[1..], &COURSE).join(","));
    let rows = store.query(&sql, &[system.into()])?;
    let mut known = BTreeMap::new();
    for mut row in rows {
        let (id, name, ecosystem, package) = (row.text()?, row.text()?, row.text()?, row.text()?);
        let (versions, places, names) = (row.list()?, row.list()?, row.list()?);
        let severity = severity(&mut row)?;
        let ratio = |stored: i64, parts: f64| (stored >= 0).then(|| stored as f64 / parts);
        let (score, epss) = (ratio(row.integer()?, TENTHS), ratio(row.integer()?, MILLIONTHS));
        let (fixed, known_exploited, informational, summary) = (row.text()?, row.text()?, row.text()?, row.text()?);
        let flaw = Flaw {
            names,
            severity,
            score,
            epss,
            fixed,
            known_exploited,
            informational,
            summary,
            ..Flaw::named(&ecosystem, &package, &name)
        };
        let (workloads, arrivals) = (Vec::new(), Vec::new());
        let vulnerability = Vulnerability { id: id.clone(), flaw, versions, places, workloads, arrivals, course: course(&mut row)? };
        known.insert(id, vulnerability);
    }
    let sql = format!("SELECT {} FROM advisories WHERE system = $1 ORDER BY arrived_run, advisory", ARRIVAL[1..].join(","));
    for mut row in store.query(&sql, &[system.into()])? {
        let (id, advisory, published) = (row.text()?, row.text()?, row.text()?);
        let (run, at) = (row.integer()?, time(&row.text()?)?);
        if let Some(vulnerability) = known.get_mut(&id) {
            vulnerability.flaw.advisories.push((advisory.clone(), published.clone()));
            vulnerability.arrivals.push(Arrival { advisory, published, run, at });
        }
    }
    Ok(known)
}

/// Writes vulnerabilities over what is there of the same ids.
pub(crate) fn put_vulnerabilities<'v>(
    store: &mut Store,
    system: i64,
    vulnerabilities: impl Iterator<Item = &'v Vulnerability>,
) -> Result<(), RegisterError> {
    let mut rows = Vec::new();
    let mut arrivals = Vec::new();
    for Vulnerability { id, flaw, versions, places, workloads: _, arrivals: of, course } in vulnerabilities {
        let parts = |value: Option<f64>, parts: f64| value.map_or(-1, |value| (value * parts).round() as i64);
        let mut row: Vec<Value> = vec![
            system.into(),
            id.into(),
            (&flaw.name).into(),
            (&flaw.ecosystem).into(),
            (&flaw.package).into(),
            list(versions),
            list(places),
            list(&flaw.names),
            flaw.severity.id().into(),
            parts(flaw.score, TENTHS).into(),
            parts(flaw.epss, MILLIONTHS).into(),
            (&flaw.fixed).into(),
            (&flaw.known_exploited).into(),
            (&flaw.informational).into(),
            (&flaw.summary).into(),
        ];
        row.extend(course_values(course));
        rows.push(row);
        for Arrival { advisory, published, run, at } in of {
            arrivals.push(vec![system.into(), id.into(), advisory.into(), published.into(), (*run).into(), at.to_string().into()]);
        }
    }
    store.put("vulnerabilities", &columns(&VULNERABILITY, &COURSE), &["system", "id"], &rows)?;
    store.put("advisories", &ARRIVAL, &["system", "vulnerability", "advisory"], &arrivals)
}

/// Changes of a system, in the order of their numbers; of one risk or vulnerability where `subject` is given.
pub(crate) fn changes(store: &mut Store, system: i64, subject: Option<&str>) -> Result<Vec<Change>, RegisterError> {
    let sql = format!("SELECT {} FROM changes WHERE system = $1 ORDER BY number", CHANGE[1..].join(","));
    let mut changes = Vec::new();
    let (risks, vulnerabilities) = (risks(store, system)?, vulnerabilities(store, system)?);
    for mut row in store.query(&sql, &[system.into()])? {
        let (number, run, at) = (row.integer()?, row.integer()?, time(&row.text()?)?);
        let (about, subject_of, kind, who, text) = (row.text()?, row.text()?, row.text()?, row.text()?, row.text()?);
        if subject.is_some_and(|subject| subject != subject_of) {
            continue;
        }
        let about = About::of(&about).ok_or_else(|| damaged("subject of a change", &about))?;
        let kind = ChangeKind::of(&kind).ok_or_else(|| damaged("change", &kind))?;
        let (severity, title) = match about {
            About::Risk => risks.get(&subject_of).map(|risk| (risk.threat.severity, risk.threat.title.clone())),
            About::Vulnerability => vulnerabilities.get(&subject_of).map(|of| (of.flaw.severity, of.title())),
        }
        .ok_or_else(|| damaged("risk or vulnerability", &subject_of))?;
        changes.push(Change { number, run, at, about, subject: subject_of, kind, who, text, severity, title });
    }
    Ok(changes)
}

/// Adds changes; their numbers are set.
pub(crate) fn add_changes(store: &mut Store, system: i64, changes: &[Change]) -> Result<(), RegisterError> {
    let rows: Vec<Vec<Value>> = changes
        .iter()
        .map(|change| {
            vec![
                system.into(),
                change.number.into(),
                change.run.into(),
                change.at.to_string().into(),
                change.about.id().into(),
                (&change.subject).into(),
                change.kind.id().into(),
                (&change.who).into(),
                (&change.text).into(),
            ]
        })
        .collect();
    store.put("changes", &CHANGE, &[], &rows)
}

/// Packages of a system, as they were recorded last.
pub(crate) fn packages(store: &mut Store, system: i64) -> Result<Vec<Package>, RegisterError> {
    let sql = format!("SELECT {} FROM packages WHERE system = $1 ORDER BY number", PACKAGE[2..].join(","));
    let rows = store.query(&sql, &[system.into()])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Package {
                ecosystem: row.text()?,
                name: row.text()?,
                version: row.text()?,
                place: row.text()?,
                origin: row.text()?,
                relation: row.text()?,
                is_development: row.integer()? != 0,
                workload: row.text()?,
            })
        })
        .collect()
}

/// Puts packages in place of those that are there.
pub(crate) fn replace_packages(store: &mut Store, system: i64, packages: &[Package]) -> Result<(), RegisterError> {
    store.execute("DELETE FROM packages WHERE system = $1", &[system.into()])?;
    let rows: Vec<Vec<Value>> = packages
        .iter()
        .zip(1i64..)
        .map(|(package, number)| {
            vec![
                system.into(),
                number.into(),
                (&package.ecosystem).into(),
                (&package.name).into(),
                (&package.version).into(),
                (&package.place).into(),
                (&package.origin).into(),
                (&package.relation).into(),
                i64::from(package.is_development).into(),
                (&package.workload).into(),
            ]
        })
        .collect();
    store.put("packages", &PACKAGE, &[], &rows)
}
