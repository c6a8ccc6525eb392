//! Steps 2 to 6 of a review, pure: flows, facts, threats, risk, mitigations and response of an architecture.

mod facts;
mod outcome;

pub use facts::{FACTS, FactDoc, FactKind, FactOn, Facts};
pub use outcome::{
    Alarm, AttackPath, Category, Evidence, Fix, InOrder, Mitigation, PathStep, Policy, Question, Recovery, Response, Review, Runbook,
    Score, Severity, Status, Term, Threat, TrainingTopic,
};
