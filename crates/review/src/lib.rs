//! Steps 2 to 6 of a review, pure: flows, facts, threats, risk, mitigations and response of an architecture.

mod outcome;

pub use outcome::{
    Alarm, AttackPath, Category, Evidence, Fix, InOrder, Mitigation, PathStep, Policy, Question, Recovery, Response, Review, Runbook,
    Score, Severity, Status, Term, Threat, TrainingTopic,
};
