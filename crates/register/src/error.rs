//! What can go wrong with a register.

/// A register that cannot do what is asked.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The database says no, or cannot be reached. The outside world's fault.
    #[error("the register: {0}")]
    Database(String),
    /// The place names no register. The user's fault.
    #[error("`{place}` is no register: {reason}")]
    Place {
        /// As written, without a password.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// A newer version of the tool has written it. The user's fault.
    #[error("the register has version {found} of its tables and this program knows {known}: use the newer program that wrote it")]
    Newer {
        /// Version of the tables.
        found: i64,
        /// Version that is known.
        known: i64,
    },
    /// What the register holds is not what was written; another program has changed it.
    #[error("the register is damaged: {0}")]
    Damaged(String),
    /// There is no system of that name. The user's fault.
    #[error("the register has no system `{name}`{near}")]
    NoSystem {
        /// As asked.
        name: String,
        /// `; did you mean …?`, or nothing.
        near: String,
    },
    /// There is no such risk, vulnerability or run. The user's fault.
    #[error("{0}")]
    NotFound(String),
    /// A text is no time. The user's fault.
    #[error("`{0}` is no time: write a day (`2026-11-28`) or RFC 3339 (`2026-11-28T04:00:00Z`)")]
    Time(String),
    /// A run is older than the last one of its system. The user's fault.
    #[error("the last run of `{system}` is of {last}: a run of {at} comes too late")]
    OutOfOrder {
        /// The system.
        system: String,
        /// Time of its last run.
        last: String,
        /// Time of the refused one.
        at: String,
    },
    /// Another worker has taken over the job, because this one was silent for too long.
    #[error("another worker has taken over `{0}`")]
    LostLease(String),
}
