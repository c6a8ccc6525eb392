//! Steps 2 to 6 of a review, pure: flows, facts, threats, risk, mitigations and response of an architecture.

mod address_pattern;
mod attack;
pub mod catalogue;
mod expression;
mod facts;
mod flows;
mod mitigations;
mod outcome;
mod response;
mod review;
mod risk;
#[cfg(test)]
mod testing;
mod threats;
mod training;

pub use attack::graph::{AttackGraph, Fact, Operation};
pub use attack::{Access, Answer, Asked, Attack, Edge, Goal, Line, Permission, Standing, Unanswered, Via, can};
pub use catalogue::{
    Adjustment, Catalogue, CatalogueError, ComponentType, Control, ControlKind, Costs, Detect, Dimension, EnvironmentWords, Example,
    Expectation, Framework, Likelihood, On, Page, QuestionText, RiskTable, Rule, Selector, SettingDoc, SettingKind, WorkloadRule,
};
pub use expression::{
    EvaluationError, Expression, ExpressionError, Gap, Operand, Read, Scope, Shape, Template, Val, ValueKind, Verdict, Vocabulary,
};
pub use facts::{FACTS, FactDoc, FactKind, FactOn, Facts, Lifecycle, LifecycleEntry, named_images, shippers};
pub use flows::{Api, ServiceApis, complete};
pub use outcome::{
    Alarm, AttackPath, Category, Cut, Evidence, Fix, InOrder, Mitigation, PathStep, Policy, Question, Recovery, Response, Review, Runbook,
    Score, Severity, Status, Term, Threat, TrainingTopic,
};
pub use review::{attack_graph, review};
