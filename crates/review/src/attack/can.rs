//! Questions: may this principal do this to that, and which statements decide.

use bartizan_iam::{Outcome, PolicyText, Reason, ResourceName};
use bartizan_model::{Address, Architecture, Span};

use super::policy::span;
use super::rights::{Actor, Rights};
use super::world::{Policy, World};
use crate::flows::ServiceApis;
use crate::flows::index::Index;

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `allowed`, `allowed under conditions`, `denied`, `not allowed`.
    pub outcome: &'static str,
    /// Why, most decisive first.
    pub reasons: Vec<Line>,
}

/// One reason of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// In words.
    pub text: String,
    /// The statement, or where its policy is attached.
    pub span: Option<Span>,
}

/// One question: may this principal do this to that?
#[derive(Clone, Copy, Debug)]
pub struct Asked<'q> {
    /// Address or ARN.
    pub principal: &'q str,
    /// `s3:GetObject`.
    pub action: &'q str,
    /// Address or ARN, `/*` behind it for what lies in it.
    pub resource: &'q str,
}

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The plan has no such user, role or group.
    #[error("there is no such user, role or group in the plan")]
    Principal,
    /// AWS has no such action.
    #[error("AWS has no such action")]
    Action,
    /// It is neither an ARN nor a component that policies can name.
    #[error("it is neither an ARN nor a component that policies can name")]
    Resource,
}

/// The answers to some questions, in their order.
pub fn can(
    architecture: &Architecture,
    services: &ServiceApis,
    questions: &[Asked<'_>],
    today: Option<&str>,
) -> Vec<Result<Answer, Unanswered>> {
    let index = Index::new(architecture, services);
    let world = World::read(&index);
    let rights = Rights::new(&world, [], today);
    questions.iter().map(|asked| answer(&world, &rights, *asked)).collect()
}

fn answer<'a>(world: &World<'a>, rights: &Rights<'_, 'a>, asked: Asked<'_>) -> Result<Answer, Unanswered> {
    let Asked { principal, action, resource } = asked;
    let found = world.principals.get(&Address::new(principal)).or_else(|| {
        let by_arn = |known: &&super::world::Principal<'_>| {
            known.caller.as_ref().is_some_and(|caller| caller.name.is(&PolicyText::literal(principal)).is_possible())
        };
        world.principals.values().find(by_arn).filter(|_| principal.starts_with("arn:"))
    });
    let principal = found.ok_or(Unanswered::Principal)?;
    bartizan_iam::aws::action(action).ok_or(Unanswered::Action)?;
    let (address, inside) = match resource.split_once("/*") {
        Some((address, "")) if !resource.starts_with("arn:") => (address, true),
        _ => (resource, false),
    };
    let by_arn = || {
        let text = PolicyText::literal(resource);
        let mut named = world.targets.values().filter(|target| {
            target.name.is(&text).is_possible() || target.objects.as_ref().is_some_and(|objects| objects.is(&text).is_possible())
        });
        named.next().filter(|_| resource.starts_with("arn:"))
    };
    let target = world.targets.get(&Address::new(address)).or_else(by_arn);
    if target.is_none() && !resource.starts_with("arn:") && resource != "*" {
        return Err(Unanswered::Resource);
    }
    let name = match target {
        Some(target) if inside => target.objects.clone().unwrap_or_else(|| target.name.clone()),
        Some(target) if !resource.starts_with("arn:") => target.name.clone(),
        _ => ResourceName::new(resource),
    };
    let actor = Actor::of(principal);
    let (decision, policies) = rights.decide(actor, action, &name, target, true, &[]).ok_or(Unanswered::Principal)?;
    let outcome = match decision.outcome {
        Outcome::Allow => "allowed",
        Outcome::Conditional => "allowed under conditions",
        Outcome::ExplicitDeny => "denied",
        Outcome::ImplicitDeny => "not allowed",
    };
    let statements = match decision.outcome {
        Outcome::Allow => decision.allowed_by.iter().collect::<Vec<_>>(),
        Outcome::ExplicitDeny => decision.denied_by.iter().collect(),
        Outcome::Conditional => decision.allowed_by.iter().chain(&decision.denied_by).collect(),
        Outcome::ImplicitDeny => Vec::new(),
    };
    // `explain` says first what each of these statements does, in the same order, then what is open or missing.
    let mut shown: Vec<&Reason<'_>> = statements;
    let certain: Vec<&Reason<'_>> = shown.iter().copied().filter(|reason| reason.applies.is_yes()).collect();
    if decision.outcome != Outcome::Conditional && !certain.is_empty() {
        shown = certain;
    }
    let mut reasons: Vec<Line> = Vec::new();
    for (at, text) in decision.explain().into_iter().enumerate() {
        let reason = shown.get(at).filter(|reason| text.contains(&reason.place()));
        let of = reason.and_then(|reason| policy_of(reason, &policies));
        let owner = of.map_or_else(String::new, |policy| format!(" of `{}`", policy.name));
        let span = reason.map(|reason| of.and_then(|policy| policy.attached_at).unwrap_or_else(|| span(reason.statement.origin)));
        reasons.push(Line { text: format!("{text}{owner}"), span });
    }
    if decision.outcome == Outcome::Allow {
        reasons.push(Line { text: "nothing denies it".to_owned(), span: None });
    }
    if let Some(gap) = &principal.gap {
        reasons.push(Line { text: format!("not everything of it is known: {gap}"), span: principal.component.span });
    }
    Ok(Answer { outcome, reasons })
}

fn policy_of<'p>(reason: &Reason<'_>, policies: &[&'p Policy]) -> Option<&'p Policy> {
    (reason.layer == bartizan_iam::Layer::Identity).then(|| policies.get(reason.document).copied()).flatten()
}
