//! Notices on their way out.
//!
//! A notice is written by the transaction that records its news, once for each channel, so neither is there without the other.
//! Whoever sends takes it for a while, sends, and writes down that it is sent. A sender that dies between the last two steps makes the next
//! one send it again, under the same key: receivers that look at the key see it once.

use std::time::Duration;

use crate::error::RegisterError;
use crate::notice::Notice;
use crate::record::digest;
use crate::register::Register;
use crate::store::{Lock, Store, Value};
use crate::time::Time;
use crate::work::seconds;

/// After this many tries a notice is given up; `retry` gives it another chance.
const MAX_ATTEMPTS: i64 = 8;
/// Seconds until the second try; each further one waits twice as long.
const FIRST_PAUSE_SECONDS: i64 = 10;
/// No pause is longer.
const MAX_PAUSE_SECONDS: i64 = 3600;

/// A notice that a sender holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The key by which a receiver knows a repeated delivery.
    pub key: String,
    /// Name of the channel.
    pub channel: String,
    /// What to tell.
    pub notice: Notice,
    /// How many tries were made, this one counted.
    pub attempt: i64,
    worker: String,
}

#[cfg(test)]
impl Outgoing {
    pub(crate) fn new(key: &str, channel: &str, notice: Notice) -> Self {
        Self { key: key.to_owned(), channel: channel.to_owned(), notice, attempt: 1, worker: String::new() }
    }
}

/// Where a notice stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeState {
    /// The key.
    pub key: String,
    /// Name of the channel.
    pub channel: String,
    /// The news in one line.
    pub summary: String,
    /// When it was written, RFC 3339.
    pub created: String,
    /// `waiting`, `sent` or `failed`.
    pub state: String,
    /// Tries so far.
    pub attempts: i64,
    /// What the last try met; empty where it went well.
    pub error: String,
    /// When it was sent, RFC 3339; empty where it was not.
    pub sent_at: String,
}

/// Writes a notice for each channel; gives their number.
pub(crate) fn add(store: &mut Store, system: i64, notice: &Notice, channels: &[String]) -> Result<usize, RegisterError> {
    let payload = serde_json::to_string(notice).map_err(|error| RegisterError::Damaged(error.to_string()))?;
    let columns =
        ["id", "system", "run", "channel", "created", "payload", "state", "attempts", "due", "worker", "lease_until", "error", "sent_at"];
    let mut names: Vec<&String> = channels.iter().collect();
    names.sort_unstable();
    names.dedup();
    let rows: Vec<Vec<Value>> = names
        .iter()
        .map(|channel| {
            let key =
                digest(format!("{}\0{}\0{}\0{}\0{channel}", notice.system, notice.run, notice.at, digest(payload.as_bytes())).as_bytes());
            vec![
                key.into(),
                system.into(),
                notice.run.into(),
                (*channel).into(),
                (&notice.at).into(),
                (&payload).into(),
                "waiting".into(),
                0.into(),
                0.into(),
                "".into(),
                0.into(),
                "".into(),
                "".into(),
            ]
        })
        .collect();
    store.put("notices", &columns, &[], &rows)?;
    Ok(rows.len())
}

impl Register {
    /// Takes a notice that is due and goes through one of the channels, until `lease` from now.
    ///
    /// # Errors
    /// The database says no.
    pub fn outgoing(&mut self, channels: &[String], worker: &str, lease: Duration) -> Result<Option<Outgoing>, RegisterError> {
        if channels.is_empty() {
            return Ok(None);
        }
        self.store.transaction(Lock::Rows, |store| {
            let places: Vec<String> = (1..=channels.len()).map(|n| format!("${n}")).collect();
            let sql = format!(
                "SELECT id, channel, payload, attempts FROM notices WHERE state = 'waiting' AND due <= {now} \
                 AND (worker = '' OR lease_until < {now}) AND channel IN ({}) ORDER BY due, created, id LIMIT 1{}",
                places.join(","),
                store.skip_locked(),
                now = store.now()
            );
            let values: Vec<Value> = channels.iter().map(Value::from).collect();
            let mut rows = store.query(&sql, &values)?;
            let Some(row) = rows.first_mut() else { return Ok(None) };
            let (key, channel, payload, attempts) = (row.text()?, row.text()?, row.text()?, row.integer()?);
            let sql = format!("UPDATE notices SET worker = $1, lease_until = {} + $2, attempts = attempts + 1 WHERE id = $3", store.now());
            store.execute(&sql, &[worker.into(), seconds(lease).into(), (&key).into()])?;
            let notice = serde_json::from_str(&payload).map_err(|error| RegisterError::Damaged(format!("notice {key}: {error}")))?;
            Ok(Some(Outgoing { key, channel, notice, attempt: attempts + 1, worker: worker.to_owned() }))
        })
    }

    /// Whether another sender holds a notice of these channels: it may yet fall silent.
    ///
    /// # Errors
    /// The database says no.
    pub fn is_sending(&mut self, channels: &[String]) -> Result<bool, RegisterError> {
        let held = "SELECT channel FROM notices WHERE state = 'waiting' AND worker <> ''";
        let rows = self.store.query(held, &[])?;
        let held = rows.into_iter().map(|mut row| row.text()).collect::<Result<Vec<String>, RegisterError>>()?;
        Ok(held.iter().any(|channel| channels.contains(channel)))
    }

    /// Writes down that a notice is sent.
    ///
    /// # Errors
    /// The database says no.
    pub fn sent(&mut self, outgoing: &Outgoing, at: Time) -> Result<(), RegisterError> {
        let sql = "UPDATE notices SET state = 'sent', worker = '', error = '', sent_at = $1 WHERE id = $2 AND state = 'waiting'";
        let values = [at.to_string().into(), (&outgoing.key).into()];
        self.store.transaction(Lock::Rows, |store| store.execute(sql, &values).map(|_| ()))
    }

    /// Writes down that a try failed, and when the next one is due; true where there is none any more.
    ///
    /// # Errors
    /// The database says no.
    pub fn not_sent(&mut self, outgoing: &Outgoing, error: &str) -> Result<bool, RegisterError> {
        let is_last = outgoing.attempt >= MAX_ATTEMPTS;
        let doublings = u32::try_from(outgoing.attempt - 1).unwrap_or(0).min(16);
        let pause = (FIRST_PAUSE_SECONDS << doublings).min(MAX_PAUSE_SECONDS);
        let sql = format!(
            "UPDATE notices SET state = $1, worker = '', error = $2, due = {} + $3 WHERE id = $4 AND worker = $5 AND state = 'waiting'",
            self.store.now()
        );
        let state = if is_last { "failed" } else { "waiting" };
        let values = [state.into(), error.into(), pause.into(), (&outgoing.key).into(), (&outgoing.worker).into()];
        self.store.transaction(Lock::Rows, |store| store.execute(&sql, &values))?;
        Ok(is_last)
    }

    /// Makes every notice that pauses due now. Gives their number.
    ///
    /// # Errors
    /// The database says no.
    pub fn hurry(&mut self) -> Result<u64, RegisterError> {
        let sql = "UPDATE notices SET due = 0 WHERE state = 'waiting' AND due > 0";
        self.store.transaction(Lock::Rows, |store| store.execute(sql, &[]))
    }

    /// Gives every notice that pauses or was given up all its tries again, from now on. Gives their number.
    ///
    /// # Errors
    /// The database says no.
    pub fn retry(&mut self) -> Result<u64, RegisterError> {
        let sql = "UPDATE notices SET state = 'waiting', due = 0, attempts = 0 WHERE state = 'failed' OR (state = 'waiting' AND due > 0)";
        self.store.transaction(Lock::Rows, |store| store.execute(sql, &[]))
    }

    /// All notices, in the order of their runs' times.
    ///
    /// # Errors
    /// The database says no.
    pub fn notices(&mut self) -> Result<Vec<NoticeState>, RegisterError> {
        let sql = "SELECT id, channel, payload, created, state, attempts, error, sent_at FROM notices";
        let rows = self.store.query(sql, &[])?;
        let state = |mut row: crate::store::Row| {
            let (key, channel, payload) = (row.text()?, row.text()?, row.text()?);
            let notice: Notice =
                serde_json::from_str(&payload).map_err(|error| RegisterError::Damaged(format!("notice {key}: {error}")))?;
            Ok(NoticeState {
                key,
                channel,
                summary: notice.summary,
                created: row.text()?,
                state: row.text()?,
                attempts: row.integer()?,
                error: row.text()?,
                sent_at: row.text()?,
            })
        };
        let mut notices = rows.into_iter().map(state).collect::<Result<Vec<_>, RegisterError>>()?;
        notices.sort_by(|a, b| (&a.created, &a.summary, &a.channel, &a.key).cmp(&(&b.created, &b.summary, &b.channel, &b.key)));
        Ok(notices)
    }
}
