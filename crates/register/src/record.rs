//! Recording a run: one transaction, in the order of arrival within a system.
//!
//! INVARIANT: a run, its review, what it changed, the packages, the notices to send and the end of the job that asked for it are written
//! together or not at all. When the caller gets an answer, all of it is on disk.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use sha2::{Digest as _, Sha256};

use crate::change::Change;
use crate::course::{ChangeKind, Moment};
use crate::error::RegisterError;
use crate::notice::Notice;
use crate::outbox;
use crate::register::{Register, system_id};
use crate::risk::{self, RiskCounts};
use crate::run::{Package, Run, Severity};
use crate::store::{Lock, Store, Value};
use crate::tables;
use crate::time::Time;
use crate::vulnerability::{self, Vulnerability};
use crate::work::{self, Job};

/// By how many seconds clocks of several machines may differ; a run that is older than the last one by more is refused.
const SKEW_SECONDS: i64 = 3600;

/// What recording a run brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Number of the run within its system, from 1; `None` where nothing had changed and that makes no run.
    pub number: Option<i64>,
    /// True for the first run of its system.
    pub is_first: bool,
    /// What changed, risks before vulnerabilities.
    pub changes: Vec<Change>,
    /// Open risks and sums of points after it.
    pub risks: RiskCounts,
    /// Open vulnerabilities by severity after it.
    pub vulnerabilities: BTreeMap<Severity, i64>,
    /// True where the run's advisories are older than those that the system was last judged by: they changed nothing.
    pub is_stale: bool,
    /// Number of notices that wait to be sent.
    pub n_notices: usize,
}

impl Register {
    /// Records a run.
    ///
    /// # Errors
    /// The database says no, or the run is older than the last one of its system.
    pub fn record(&mut self, run: &Run) -> Result<Recorded, RegisterError> {
        self.store.transaction(Lock::Number(system_id(&run.system.name)), |store| record(store, run))
    }

    /// Records what a job found and ends the job, together.
    ///
    /// # Errors
    /// As [`Register::record`], and where another worker has taken over the job.
    pub fn finish(&mut self, job: &Job, run: &Run) -> Result<Recorded, RegisterError> {
        self.store.transaction(Lock::Number(system_id(&run.system.name)), |store| {
            let recorded = record(store, run)?;
            work::end(store, job)?;
            Ok(recorded)
        })
    }
}

/// What is known of a system before a run.
struct Before {
    n_runs: i64,
    n_changes: i64,
    packages: String,
    advisories: String,
    advisories_day: String,
}

fn record(store: &mut Store, run: &Run) -> Result<Recorded, RegisterError> {
    let id = system_id(&run.system.name);
    let before = begin(store, run, id)?;
    let last = last_run(store, id, before.n_runs)?;
    let mut at = run.at;
    if let Some((last, _)) = &last {
        if at.0 + SKEW_SECONDS < last.0 {
            return Err(RegisterError::OutOfOrder { system: run.system.name.clone(), last: last.to_string(), at: at.to_string() });
        }
        at = at.max(*last);
    }
    let moment = Moment { run: before.n_runs + 1, at };

    let mut risks = tables::risks(store, id)?;
    let known = tables::vulnerabilities(store, id)?;
    let mut flaws = known.clone();
    let mut changes = Vec::new();
    if let Some(review) = &run.review {
        changes.extend(risk::proceed(&mut risks, &review.threats, &run.unread, moment));
    }
    // A worker with yesterday's advisories must not undo what today's have shown.
    let of_run = run.flaws.as_ref().filter(|flaws| flaws.database_day >= before.advisories_day);
    if let Some(found) = of_run {
        changes.extend(vulnerability::proceed(&mut flaws, found, &run.unread, moment));
    }
    for (change, number) in changes.iter_mut().zip(before.n_changes + 1..) {
        change.number = number;
    }
    let review = run.review.as_ref().map(|review| digest(&review.json));
    let packages = run.packages.as_ref().map(|packages| digest_of_packages(packages));
    let is_same = changes.is_empty()
        && review.as_ref().is_none_or(|review| last.as_ref().is_some_and(|(_, last)| last == review))
        && packages.as_ref().is_none_or(|packages| *packages == before.packages);

    let counts = RiskCounts::of(risks.values());
    let of_packages = vulnerability::counts(flaws.values());
    let (database, day) = match of_run {
        Some(flaws) => (flaws.database.clone(), flaws.database_day.clone()),
        None => (before.advisories.clone(), before.advisories_day.clone()),
    };
    let mut recorded = Recorded {
        number: None,
        is_first: before.n_runs == 0,
        changes,
        risks: counts,
        vulnerabilities: of_packages,
        is_stale: run.flaws.is_some() && of_run.is_none(),
        n_notices: 0,
    };
    looked(store, id, at, (&database, &day))?;
    if is_same && !run.keep_unchanged && before.n_runs > 0 {
        // Probabilities and words change daily; that is worth keeping, but no run.
        let refreshed = flaws.into_iter().filter_map(|(id, of)| {
            let old = known.get(&id)?;
            let of = Vulnerability { course: old.course.clone(), ..of };
            (of != *old).then_some(of)
        });
        let refreshed: Vec<Vulnerability> = refreshed.collect();
        tables::put_vulnerabilities(store, id, refreshed.iter())?;
        return Ok(recorded);
    }

    recorded.number = Some(moment.run);
    if let (Some(digest), Some(review)) = (&review, &run.review) {
        keep_review(store, digest, &review.json)?;
    }
    if let (Some(digest), Some(packages)) = (&packages, &run.packages)
        && *digest != before.packages
    {
        tables::replace_packages(store, id, packages)?;
        store.execute("UPDATE systems SET packages = $1 WHERE id = $2", &[digest.into(), id.into()])?;
    }
    add_run(store, id, moment, run, &RunParts { review: review.unwrap_or_default(), database, day, recorded: &recorded })?;
    tables::put_risks(store, id, risks.values().filter(|risk| touched(&recorded, moment, &risk.threat.id, risk.course.last_run)))?;
    tables::put_vulnerabilities(store, id, flaws.values().filter(|of| touched(&recorded, moment, &of.id, of.course.last_run)))?;
    tables::add_changes(store, id, &recorded.changes)?;
    let n_changes = before.n_changes + i64::try_from(recorded.changes.len()).unwrap_or(i64::MAX);
    store.execute("UPDATE systems SET n_runs = $1, n_changes = $2 WHERE id = $3", &[moment.run.into(), n_changes.into(), id.into()])?;
    if let Some(notice) = Notice::of(&run.system, &recorded, moment) {
        recorded.n_notices = outbox::add(store, id, &notice, &run.channels)?;
    }
    Ok(recorded)
}

/// Whether a row has to be written: it was seen by this run, or went away with it.
fn touched(recorded: &Recorded, moment: Moment, id: &str, last_run: i64) -> bool {
    last_run == moment.run || recorded.changes.iter().any(|change| change.subject == id && change.kind == ChangeKind::Gone)
}

/// Makes the system where it is new, and keeps what is needed to look at it again.
fn begin(store: &mut Store, run: &Run, id: i64) -> Result<Before, RegisterError> {
    let system = &run.system;
    let sql = "SELECT name, n_runs, n_changes, packages, advisories, advisories_day FROM systems WHERE id = $1";
    if let Some(row) = store.query(sql, &[id.into()])?.first_mut() {
        let name = row.text()?;
        if name != system.name {
            return Err(RegisterError::Damaged(format!("`{name}` and `{}` have the same number; rename one", system.name)));
        }
        let before = Before {
            n_runs: row.integer()?,
            n_changes: row.integer()?,
            packages: row.text()?,
            advisories: row.text()?,
            advisories_day: row.text()?,
        };
        // A review that was handed in says nothing of where the system lies.
        if !system.paths.is_empty() {
            let paths = crate::store::list(&system.paths);
            let sql = "UPDATE systems SET paths = $1, repository = $2, arguments = $3 WHERE id = $4";
            store.execute(sql, &[paths, (&system.repository).into(), (&system.arguments).into(), id.into()])?;
        }
        return Ok(before);
    }
    let columns = [
        "id",
        "name",
        "paths",
        "repository",
        "arguments",
        "n_runs",
        "n_changes",
        "packages",
        "advisories",
        "advisories_day",
        "looked_at",
        "looked_epoch",
    ];
    let row = vec![
        id.into(),
        (&system.name).into(),
        crate::store::list(&system.paths),
        (&system.repository).into(),
        (&system.arguments).into(),
        0.into(),
        0.into(),
        "".into(),
        "".into(),
        "".into(),
        run.at.to_string().into(),
        0.into(),
    ];
    store.put("systems", &columns, &[], &[row])?;
    Ok(Before { n_runs: 0, n_changes: 0, packages: String::new(), advisories: String::new(), advisories_day: String::new() })
}

/// Time and review of the last run.
fn last_run(store: &mut Store, id: i64, number: i64) -> Result<Option<(Time, String)>, RegisterError> {
    // A look at the packages alone has no review: the last one that there was still stands.
    let sql = "SELECT at, coalesce((SELECT review FROM runs AS older WHERE older.system = runs.system AND review <> '' \
               ORDER BY number DESC LIMIT 1), '') FROM runs WHERE system = $1 AND number = $2";
    let mut rows = store.query(sql, &[id.into(), number.into()])?;
    rows.first_mut().map(|row| Ok((tables::time(&row.text()?)?, row.text()?))).transpose()
}

fn looked(store: &mut Store, id: i64, at: Time, (database, day): (&String, &String)) -> Result<(), RegisterError> {
    let sql =
        format!("UPDATE systems SET looked_at = $1, looked_epoch = {}, advisories = $2, advisories_day = $3 WHERE id = $4", store.now());
    store.execute(&sql, &[at.to_string().into(), database.into(), day.into(), id.into()]).map(|_| ())
}

fn keep_review(store: &mut Store, digest: &str, json: &[u8]) -> Result<(), RegisterError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let deflated = encoder.write_all(json).and_then(|()| encoder.finish());
    let deflated = deflated.map_err(|error| RegisterError::Database(format!("the review cannot be deflated: {error}")))?;
    let n_bytes = i64::try_from(json.len()).unwrap_or(i64::MAX);
    let sql = "INSERT INTO reviews (digest, n_bytes, deflated) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING";
    store.execute(sql, &[digest.into(), n_bytes.into(), deflated.into()]).map(|_| ())
}

struct RunParts<'a> {
    review: String,
    database: String,
    day: String,
    recorded: &'a Recorded,
}

fn add_run(store: &mut Store, id: i64, moment: Moment, run: &Run, parts: &RunParts<'_>) -> Result<(), RegisterError> {
    let Recorded { risks, vulnerabilities, changes, .. } = parts.recorded;
    let open = |severity: Severity| risks.open.get(&severity).copied().unwrap_or_default();
    let flaws = |severities: &[Severity]| severities.iter().filter_map(|severity| vulnerabilities.get(severity)).sum::<i64>();
    let length = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let row: Vec<(&str, Value)> = vec![
        ("system", id.into()),
        ("number", moment.run.into()),
        ("at", moment.at.to_string().into()),
        ("cause", (&run.cause).into()),
        ("tool", (&run.tool).into()),
        ("revision", (&run.revision).into()),
        ("review", (&parts.review).into()),
        ("advisories", (&parts.database).into()),
        ("advisories_day", (&parts.day).into()),
        ("n_unread", length(run.unread.len()).into()),
        ("critical", open(Severity::Critical).into()),
        ("high", open(Severity::High).into()),
        ("medium", open(Severity::Medium).into()),
        ("low", open(Severity::Low).into()),
        ("info", (open(Severity::Info) + open(Severity::Unknown)).into()),
        ("questions", risks.questions.into()),
        ("mitigated", risks.mitigated.into()),
        ("decided", risks.decided.into()),
        ("inherent", risks.inherent.into()),
        ("residual", risks.residual.into()),
        ("flaws_critical", flaws(&[Severity::Critical]).into()),
        ("flaws_high", flaws(&[Severity::High]).into()),
        ("flaws_medium", flaws(&[Severity::Medium]).into()),
        ("flaws_low", flaws(&[Severity::Low, Severity::Info]).into()),
        ("flaws_unknown", flaws(&[Severity::Unknown]).into()),
        ("n_changes", length(changes.len()).into()),
    ];
    let (columns, values): (Vec<&str>, Vec<Value>) = row.into_iter().unzip();
    store.put("runs", &columns, &[], &[values])
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest_of_packages(packages: &[Package]) -> String {
    let mut hash = Sha256::new();
    for Package { ecosystem, name, version, place, origin, relation, is_development, workload } in packages {
        let development = if *is_development { "1" } else { "0" };
        for part in [ecosystem, name, version, place, origin, relation, workload].map(String::as_str).into_iter().chain([development]) {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
