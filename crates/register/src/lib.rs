//! The register: what is known of systems over time, in one file of SQLite or in PostgreSQL.
//!
//! It keeps every recorded review, the risks with their history and decisions, the packages and what advisories say of them, and the
//! notices that tell people of what is new. It neither reviews nor scans nor reads a clock: whoever does hands in plain values
//! ([`Run`]) with their time. Why these databases and this form of tables: `docs/decisions/0015-register.md`.
//!
//! The interface is blocking; nothing asynchronous leaves this crate.

mod change;
mod course;
mod decide;
mod document;
mod error;
mod export;
mod notice;
mod notify;
mod outbox;
mod place;
mod record;
mod register;
mod risk;
mod run;
mod store;
mod tables;
mod time;
mod vulnerability;
mod work;

pub use change::{About, Change};
pub use course::{ChangeKind, Course, Decision, State};
pub use document::{Document, NoticeDto, RunDto, SystemDto, schema};
pub use error::RegisterError;
pub use export::{ExportFormat, Item, export};
pub use notice::{NOTICE, News, Notice, notice_schema};
pub use notify::{Channel, ChannelKind, Sender};
pub use outbox::{NoticeState, Outgoing};
pub use place::Place;
pub use record::Recorded;
pub use register::{Entry, RecordedRun, Register};
pub use risk::{Risk, RiskCounts};
pub use run::{Flaw, Flaws, Package, Review, Run, Severity, Status, System, Threat};
pub use time::Time;
pub use vulnerability::{Arrival, Vulnerability};
pub use work::{Claim, Heartbeat, Job, Moment};
