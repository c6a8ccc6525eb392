//! Jobs: which systems are to be looked at, shared among workers.
//!
//! There is at most one job of a system. A worker takes one and holds it for as long as it gives signs of life; after that anyone may take
//! it over. Its results count only while it is still the holder: the end of the job is written together with what it found.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::RegisterError;
use crate::place::Place;
use crate::register::{Register, system_id};
use crate::store::{Lock, Store};

/// After this many workers have failed on a job it waits for the next round.
const MAX_ATTEMPTS: i64 = 3;

/// A job that a worker holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The system to look at.
    pub system: String,
    /// Why: `advisories` or `schedule`.
    pub cause: String,
    /// The worker.
    pub worker: String,
    /// How many workers have taken it, this one counted.
    pub attempt: i64,
}

/// What a worker finds when it asks for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// A job of its own.
    Job(Job),
    /// Other workers hold all that is left; they may yet fall silent.
    Wait,
    /// Nothing is left.
    Nothing,
}

/// A moment by the clock of the database, in seconds since 1970; all workers share that clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

impl Register {
    /// The moment by the clock of the database.
    ///
    /// # Errors
    /// The database says no.
    pub fn moment(&mut self) -> Result<Moment, RegisterError> {
        let sql = format!("SELECT {}", self.store.now());
        let mut rows = self.store.query(&sql, &[])?;
        rows.first_mut().map_or(Ok(0), crate::store::Row::integer).map(Moment)
    }

    /// Makes jobs of all systems that were last matched against other advisories that are not newer, or that nobody has looked at since
    /// `every` before `since`. The advisories are a digest and the day of their latest change.
    /// Systems without packages and without a source to review have nothing to look at. Gives the number of new jobs.
    ///
    /// # Errors
    /// The database says no.
    pub fn ask(&mut self, advisories: Option<(&str, &str)>, since: Moment, every: Duration) -> Result<u64, RegisterError> {
        let before = since.0.saturating_sub(i64::try_from(every.as_secs()).unwrap_or(i64::MAX));
        let sql = "INSERT INTO jobs (system, cause, worker, lease_until, attempts, error) \
                   SELECT id, CASE WHEN packages <> '' AND $1 <> '' AND advisories <> $1 AND advisories_day <= $5 THEN 'advisories' ELSE 'schedule' END, '', 0, 0, '' \
                   FROM systems WHERE (packages <> '' AND $1 <> '' AND advisories <> $1 AND advisories_day <= $5) \
                   OR (looked_epoch <= $2 AND (paths <> '[]' OR (packages <> '' AND $1 <> ''))) \
                   ON CONFLICT (system) DO UPDATE SET attempts = 0, worker = '' \
                   WHERE jobs.attempts >= $3 AND (jobs.worker = '' OR jobs.lease_until < $4)";
        let (digest, day) = advisories.unwrap_or_default();
        let values = [digest.into(), before.into(), MAX_ATTEMPTS.into(), since.0.into(), day.into()];
        self.store.transaction(Lock::Rows, |store| store.execute(sql, &values))
    }

    /// Takes a job for a worker until `lease` from now.
    ///
    /// # Errors
    /// The database says no.
    pub fn claim(&mut self, worker: &str, lease: Duration) -> Result<Claim, RegisterError> {
        self.store.transaction(Lock::Rows, |store| {
            let free = format!(
                "SELECT jobs.system, systems.name, cause, attempts FROM jobs JOIN systems ON systems.id = jobs.system \
                 WHERE (worker = '' OR lease_until < {}) AND attempts < $1 ORDER BY jobs.system LIMIT 1{}",
                store.now(),
                // The other table's rows are written by whoever records.
                if store.is_shared() { " FOR UPDATE OF jobs SKIP LOCKED" } else { store.skip_locked() }
            );
            if let Some(row) = store.query(&free, &[MAX_ATTEMPTS.into()])?.first_mut() {
                let (id, system, cause, attempts) = (row.integer()?, row.text()?, row.text()?, row.integer()?);
                let sql =
                    format!("UPDATE jobs SET worker = $1, lease_until = {} + $2, attempts = attempts + 1 WHERE system = $3", store.now());
                store.execute(&sql, &[worker.into(), seconds(lease).into(), id.into()])?;
                return Ok(Claim::Job(Job { system, cause, worker: worker.to_owned(), attempt: attempts + 1 }));
            }
            let held = format!("SELECT system FROM jobs WHERE worker <> '' AND (attempts < $1 OR lease_until >= {}) LIMIT 1", store.now());
            let is_held = !store.query(&held, &[MAX_ATTEMPTS.into()])?.is_empty();
            Ok(if is_held { Claim::Wait } else { Claim::Nothing })
        })
    }

    /// Gives a job back that the worker could not do, with the reason; another try is made later.
    ///
    /// # Errors
    /// The database says no.
    pub fn give_back(&mut self, job: &Job, error: &str) -> Result<(), RegisterError> {
        let sql = "UPDATE jobs SET worker = '', lease_until = 0, error = $1 WHERE system = $2 AND worker = $3";
        let values = [error.into(), system_id(&job.system).into(), (&job.worker).into()];
        self.store.transaction(Lock::Rows, |store| store.execute(sql, &values).map(|_| ()))
    }

    /// Jobs that nobody could do in the last round, as system and reason.
    ///
    /// # Errors
    /// The database says no.
    pub fn failures(&mut self) -> Result<Vec<(String, String)>, RegisterError> {
        let sql = format!(
            "SELECT systems.name, jobs.error FROM jobs JOIN systems ON systems.id = jobs.system \
             WHERE attempts >= $1 AND (worker = '' OR lease_until < {})",
            self.store.now()
        );
        let rows = self.store.query(&sql, &[MAX_ATTEMPTS.into()])?;
        let mut failures = rows.into_iter().map(|mut row| Ok((row.text()?, row.text()?))).collect::<Result<Vec<_>, RegisterError>>()?;
        failures.sort();
        Ok(failures)
    }

    fn renew(&mut self, job: &Job, lease: Duration) -> Result<bool, RegisterError> {
        let sql = format!("UPDATE jobs SET lease_until = {} + $1 WHERE system = $2 AND worker = $3", self.store.now());
        let values = [seconds(lease).into(), system_id(&job.system).into(), (&job.worker).into()];
        self.store.transaction(Lock::Rows, |store| store.execute(&sql, &values)).map(|n| n == 1)
    }
}

/// Ends a job within the transaction that records what it found.
pub(crate) fn end(store: &mut Store, job: &Job) -> Result<(), RegisterError> {
    let sql = "DELETE FROM jobs WHERE system = $1 AND worker = $2";
    match store.execute(sql, &[system_id(&job.system).into(), (&job.worker).into()])? {
        1 => Ok(()),
        _ => Err(RegisterError::LostLease(job.system.clone())),
    }
}

pub(crate) fn seconds(duration: Duration) -> i64 {
    // A lease of no time would be nobody's at once.
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX).max(1)
}

/// Signs of life for a job, from a thread and a connection of their own, until it is dropped.
pub struct Heartbeat {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    /// Begins; `lease` is what the job was taken for.
    pub fn start(place: &Place, job: &Job, lease: Duration) -> Self {
        let (stop, stopped) = mpsc::channel::<()>();
        let (place, job) = (place.clone(), job.clone());
        let thread = std::thread::spawn(move || {
            let mut register: Option<Register> = None;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(lease / 3) {
                register = register.or_else(|| Register::open(&place).ok());
                match register.as_mut().map(|register| register.renew(&job, lease)) {
                    // Somebody else has it: what this worker finds will be refused.
                    Some(Ok(false)) => return,
                    Some(Ok(true)) => {}
                    // The connection is lost; the next beat makes another.
                    Some(Err(_)) | None => register = None,
                }
            }
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        // The thread wakes up when nobody can stop it any more.
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been told already and changes nothing here.
            let _ = thread.join();
        }
    }
}
