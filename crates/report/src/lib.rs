//! Step 7 and all machine formats: documents, diagrams, SARIF and JSON of a review.

pub mod dfd;
