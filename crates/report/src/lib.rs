//! Step 7 of a review: everything that is written. One file per format; nothing here judges, and nothing here touches a disk.
//!
//! - [`baseline`]: threats that are known.
//! - [`dfd`]: the threat model diagram.
//! - [`difference`]: what changed between two reviews.
//! - [`json`]: the stable machine formats and their JSON Schemas.
//! - [`sarif`]: findings for code scanning.
//! - [`gitlab`], [`junit`]: findings for merge requests and for Jenkins.
//! - [`html`]: the page for people, one file that works offline.
//! - [`folder`]: the files of `bartizan-report/`.
//! - [`markdown`]: the document that is reviewed and signed.

pub mod baseline;
pub mod dfd;
pub mod difference;
pub mod folder;
pub mod gitlab;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
mod paths;
mod place;
mod redact;
pub mod sarif;
mod summary;
mod words;

#[cfg(test)]
mod fixture;

pub use paths::{percent, sentence as path_sentence, weightiest};
pub use place::{Excerpt, Place};
pub use redact::redact;
pub use summary::{Counts, Remedies, Worst, counts, worst};
