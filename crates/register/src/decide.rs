//! Decisions on risks and vulnerabilities that are taken in the register.

use crate::change::{About, Change};
use crate::course::{ChangeKind, Course, Decision, State};
use crate::error::RegisterError;
use crate::register::{Register, system_id};
use crate::run::{Severity, Status};
use crate::store::{Lock, Store};
use crate::tables;
use crate::time::Time;

impl Register {
    /// Decides on a risk by the id of its threat, or on a vulnerability by its id or one of its names; `None` takes the last decision back.
    /// Tells what changed.
    ///
    /// # Errors
    /// There is no such system, risk or vulnerability, or the database says no.
    pub fn decide(
        &mut self,
        system: &str,
        subject: &str,
        decision: Option<&Decision>,
        by: &str,
        at: Time,
    ) -> Result<Vec<Change>, RegisterError> {
        let n_runs = self.system(system)?.n_runs;
        let id = system_id(system);
        self.store.transaction(Lock::Number(id), |store| {
            let mut changes = decide(store, id, subject, decision, at)?;
            if changes.is_empty() {
                return Err(RegisterError::NotFound(format!("`{system}` has no risk and no vulnerability `{subject}`")));
            }
            let mut rows = store.query("SELECT n_changes FROM systems WHERE id = $1", &[id.into()])?;
            let n_changes = rows.first_mut().map_or(Ok(0), crate::store::Row::integer)?;
            let mut last = n_changes;
            for (change, number) in changes.iter_mut().zip(n_changes + 1..) {
                change.number = number;
                change.run = n_runs;
                change.who = by.to_owned();
                last = number;
            }
            tables::add_changes(store, id, &changes)?;
            store.execute("UPDATE systems SET n_changes = $1 WHERE id = $2", &[last.into(), id.into()])?;
            Ok(changes)
        })
    }
}

fn decide(store: &mut Store, id: i64, subject: &str, decision: Option<&Decision>, at: Time) -> Result<Vec<Change>, RegisterError> {
    let mut changes = Vec::new();
    let mut risks = tables::risks(store, id)?;
    if let Some(risk) = risks.get_mut(subject) {
        let (kind, text) = apply(&mut risk.course, risk.threat.status, decision, at);
        changes.push(change(About::Risk, subject, risk.threat.severity, &risk.threat.title, at, kind, text));
        tables::put_risks(store, id, std::iter::once(&*risk))?;
        return Ok(changes);
    }
    let mut vulnerabilities = tables::vulnerabilities(store, id)?;
    // A name such as a CVE may mean flaws of several packages.
    for of in vulnerabilities.values_mut().filter(|of| of.id == subject || of.flaw.names.iter().any(|name| name == subject)) {
        let (kind, text) = apply(&mut of.course, Status::Open, decision, at);
        changes.push(change(About::Vulnerability, &of.id, of.flaw.severity, &of.title(), at, kind, text));
        tables::put_vulnerabilities(store, id, std::iter::once(&*of))?;
    }
    Ok(changes)
}

fn apply(course: &mut Course, status: Status, decision: Option<&Decision>, at: Time) -> (ChangeKind, String) {
    course.decision = decision.cloned();
    match decision {
        Some(decision) => {
            if course.state != State::Gone && status != Status::Mitigated && decision.holds(&at.day()) {
                course.state = State::Decided;
            }
            let until = decision.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
            (ChangeKind::Decided, format!("{}{until}: {}", decision.kind, decision.why))
        }
        None => {
            if course.state == State::Decided && status != Status::Accepted {
                course.state = if status == Status::Question { State::Question } else { State::Reopened };
            }
            (ChangeKind::Revoked, String::new())
        }
    }
}

fn change(about: About, subject: &str, severity: Severity, title: &str, at: Time, kind: ChangeKind, text: String) -> Change {
    Change { number: 0, run: 0, at, about, subject: subject.to_owned(), kind, who: String::new(), text, severity, title: title.to_owned() }
}
