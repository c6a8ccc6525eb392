//! An open register, and what can be asked of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use flate2::read::DeflateDecoder;
use sha2::{Digest as _, Sha256};

use crate::change::Change;
use crate::error::RegisterError;
use crate::place::Place;
use crate::risk::Risk;
use crate::run::{Package, Severity, System};
use crate::store::Store;
use crate::tables;
use crate::time::Time;
use crate::vulnerability::Vulnerability;

/// An open register. One at a time can be used by one thread; any number of processes can have one open.
pub struct Register {
    pub(crate) store: Store,
}

/// A system in the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The system.
    pub system: System,
    /// Number of its last run.
    pub n_runs: i64,
    /// When it was last looked at, whether or not that made a run.
    pub looked_at: Time,
    /// Digest of the advisories that its packages were last matched against; empty where that never happened.
    pub database: String,
    /// Day of the latest change of any of them.
    pub database_day: String,
}

/// A run as it was recorded: who looked when, and the numbers after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRun {
    /// Number within the system, from 1.
    pub number: i64,
    /// When.
    pub at: Time,
    /// What looked: `record` or `watch`.
    pub cause: String,
    /// Version of the tool.
    pub tool: String,
    /// Revision of the source; empty where it is not known.
    pub revision: String,
    /// SHA-256 of its review; empty where only the packages were matched.
    pub review: String,
    /// Day of the latest change of any advisory; empty where there were none.
    pub database_day: String,
    /// Number of files that could not be read.
    pub n_unread: i64,
    /// Open risks by severity.
    pub open: BTreeMap<Severity, i64>,
    /// Risks that depend on an answer.
    pub questions: i64,
    /// Risks that controls hold down.
    pub mitigated: i64,
    /// Risks that a decision lets be.
    pub decided: i64,
    /// Sum over open risks of inherent points.
    pub inherent: i64,
    /// Sum over open risks of residual points.
    pub residual: i64,
    /// Open vulnerabilities by severity.
    pub vulnerabilities: BTreeMap<Severity, i64>,
    /// Number of changes that it brought.
    pub n_changes: i64,
}

/// Number of a system, made from its name, so that it is known before the system is; always positive.
pub(crate) fn system_id(name: &str) -> i64 {
    let digest = Sha256::digest(name.as_bytes());
    let number = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    i64::try_from(number >> 1).unwrap_or(i64::MAX)
}

impl Register {
    /// Opens a register; a file is made where there is none.
    ///
    /// # Errors
    /// The place cannot be reached, or a newer version of the tool has written it.
    pub fn open(place: &Place) -> Result<Self, RegisterError> {
        Ok(Self { store: Store::open(place)? })
    }

    /// Ends the connection in order. Dropping it loses nothing either.
    pub fn close(self) {
        self.store.close();
    }

    /// All systems, by name.
    ///
    /// # Errors
    /// The database says no.
    pub fn systems(&mut self) -> Result<Vec<Entry>, RegisterError> {
        let sql = "SELECT name, paths, repository, arguments, n_runs, looked_at, advisories, advisories_day FROM systems";
        let rows = self.store.query(sql, &[])?;
        let entry = |mut row: crate::store::Row| {
            let system = System { name: row.text()?, paths: row.list()?, repository: row.text()?, arguments: row.text()? };
            Ok(Entry {
                system,
                n_runs: row.integer()?,
                looked_at: tables::time(&row.text()?)?,
                database: row.text()?,
                database_day: row.text()?,
            })
        };
        let mut entries = rows.into_iter().map(entry).collect::<Result<Vec<Entry>, RegisterError>>()?;
        // Databases sort texts by rules of their own.
        entries.sort_by(|a, b| a.system.name.cmp(&b.system.name));
        Ok(entries)
    }

    /// One system.
    ///
    /// # Errors
    /// There is none of that name, or the database says no.
    pub fn system(&mut self, name: &str) -> Result<Entry, RegisterError> {
        let mut entries = self.systems()?;
        if let Some(index) = entries.iter().position(|entry| entry.system.name == name) {
            return Ok(entries.swap_remove(index));
        }
        let lower = name.to_lowercase();
        let close = entries.iter().map(|entry| entry.system.name.as_str()).filter(|known| {
            let known = known.to_lowercase();
            known.contains(&lower) || lower.contains(&known)
        });
        let close: Vec<String> = close.take(3).map(|name| format!("`{name}`")).collect();
        let near = if close.is_empty() { String::new() } else { format!("; did you mean {}?", close.join(", ")) };
        Err(RegisterError::NoSystem { name: name.to_owned(), near })
    }

    /// Risks of a system, worst first.
    ///
    /// # Errors
    /// There is no such system, or the database says no.
    pub fn risks(&mut self, system: &str) -> Result<Vec<Risk>, RegisterError> {
        self.system(system)?;
        let mut risks: Vec<Risk> = tables::risks(&mut self.store, system_id(system))?.into_values().collect();
        risks.sort_by(|a, b| {
            let key = |risk: &Risk| (std::cmp::Reverse(risk.threat.severity), -risk.threat.residual);
            (key(a), &a.threat.id).cmp(&(key(b), &b.threat.id))
        });
        Ok(risks)
    }

    /// Vulnerabilities of a system, worst first: known to be used, then severity, then probability.
    ///
    /// # Errors
    /// There is no such system, or the database says no.
    pub fn vulnerabilities(&mut self, system: &str) -> Result<Vec<Vulnerability>, RegisterError> {
        self.system(system)?;
        let mut all: Vec<Vulnerability> = tables::vulnerabilities(&mut self.store, system_id(system))?.into_values().collect();
        let mut shipped: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        for package in tables::packages(&mut self.store, system_id(system))? {
            if !package.workload.is_empty() {
                shipped.entry((package.place, package.name)).or_default().insert(package.workload);
            }
        }
        for of in &mut all {
            let workloads = of.places.iter().filter_map(|place| shipped.get(&(place.clone(), of.flaw.package.clone()))).flatten();
            of.workloads = workloads.cloned().collect::<BTreeSet<_>>().into_iter().collect();
        }
        all.sort_by(|a, b| {
            let key = |of: &Vulnerability| (of.flaw.known_exploited.is_empty(), std::cmp::Reverse(of.flaw.severity));
            let likely = |of: &Vulnerability| of.flaw.epss.unwrap_or_default();
            key(a).cmp(&key(b)).then(likely(b).total_cmp(&likely(a))).then_with(|| a.id.cmp(&b.id))
        });
        Ok(all)
    }

    /// Runs of a system, in their order.
    ///
    /// # Errors
    /// There is no such system, or the database says no.
    pub fn runs(&mut self, system: &str) -> Result<Vec<RecordedRun>, RegisterError> {
        self.system(system)?;
        let sql = "SELECT number, at, cause, tool, revision, review, advisories_day, n_unread, critical, high, medium, low, info, questions, \
                   mitigated, decided, inherent, residual, flaws_critical, flaws_high, flaws_medium, flaws_low, flaws_unknown, n_changes \
                   FROM runs WHERE system = $1 ORDER BY number";
        let rows = self.store.query(sql, &[system_id(system).into()])?;
        rows.into_iter().map(run).collect()
    }

    /// Changes of a system in their order; of one risk or vulnerability where `subject` is given.
    ///
    /// # Errors
    /// There is no such system, or the database says no.
    pub fn changes(&mut self, system: &str, subject: Option<&str>) -> Result<Vec<Change>, RegisterError> {
        self.system(system)?;
        tables::changes(&mut self.store, system_id(system), subject)
    }

    /// Packages of a system, as they were recorded last.
    ///
    /// # Errors
    /// There is no such system, or the database says no.
    pub fn packages(&mut self, system: &str) -> Result<Vec<Package>, RegisterError> {
        self.system(system)?;
        tables::packages(&mut self.store, system_id(system))
    }

    /// The review of a run, byte by byte as it was recorded; of the last run that has one where no number is given.
    ///
    /// # Errors
    /// There is no such run or it has no review, what is kept is not what was recorded, or the database says no.
    pub fn review(&mut self, system: &str, number: Option<i64>) -> Result<Vec<u8>, RegisterError> {
        let runs = self.runs(system)?;
        let run = match number {
            Some(number) => runs.iter().find(|run| run.number == number && !run.review.is_empty()),
            None => runs.iter().rev().find(|run| !run.review.is_empty()),
        };
        let none = || RegisterError::NotFound(format!("the register has no review of that run of `{system}`"));
        let digest = run.map(|run| run.review.clone()).ok_or_else(none)?;
        let mut rows = self.store.query("SELECT n_bytes, deflated FROM reviews WHERE digest = $1", &[(&digest).into()])?;
        let row = rows.first_mut().ok_or_else(|| RegisterError::Damaged(format!("the review {digest} is not there")))?;
        let (n_bytes, deflated) = (row.integer()?, row.bytes()?);
        let mut json = Vec::new();
        // One byte more than was promised shows that the promise was wrong, without unpacking whatever else may come.
        let most = u64::try_from(n_bytes).unwrap_or(0).saturating_add(1);
        let unpacked = DeflateDecoder::new(deflated.as_slice()).take(most).read_to_end(&mut json);
        if unpacked.is_err() || crate::record::digest(&json) != digest {
            return Err(RegisterError::Damaged(format!("the review {digest} is not what was recorded")));
        }
        Ok(json)
    }
}

fn run(mut row: crate::store::Row) -> Result<RecordedRun, RegisterError> {
    let by_severity = |row: &mut crate::store::Row, severities: &[Severity]| -> Result<BTreeMap<Severity, i64>, RegisterError> {
        let mut counts = BTreeMap::new();
        for severity in severities {
            let n = row.integer()?;
            if n > 0 {
                counts.insert(*severity, n);
            }
        }
        Ok(counts)
    };
    let of_risks = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];
    let of_flaws = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Unknown];
    Ok(RecordedRun {
        number: row.integer()?,
        at: tables::time(&row.text()?)?,
        cause: row.text()?,
        tool: row.text()?,
        revision: row.text()?,
        review: row.text()?,
        database_day: row.text()?,
        n_unread: row.integer()?,
        open: by_severity(&mut row, &of_risks)?,
        questions: row.integer()?,
        mitigated: row.integer()?,
        decided: row.integer()?,
        inherent: row.integer()?,
        residual: row.integer()?,
        vulnerabilities: by_severity(&mut row, &of_flaws)?,
        n_changes: row.integer()?,
    })
}
