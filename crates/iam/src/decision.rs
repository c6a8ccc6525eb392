//! The decision on a request, with the statements that decide it.
//!
//! Source: IAM User Guide, policy evaluation logic (one account, cross-account, the table of resource-based policies);
//! KMS Developer Guide, key policies; the exceptions are named where they are made.

use crate::caller::{Reach, reach_of_allow, same_text, struck_by_deny};
use crate::context::ContextValue;
use crate::document::{Document, Effect, Statement};
use crate::formula::{Atom, Formula};
use crate::policies::{Layer, Policies};
use crate::public::public_statements;
use crate::request::{CallerKind, Request};
use crate::satisfy::{self, Need};
use crate::{Condition, Principals, Truth};

/// How a request comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Allowed in every case.
    Allow,
    /// Allowed when [`Decision::needs`] are met.
    Conditional,
    /// A statement forbids it.
    ExplicitDeny,
    /// Nothing allows it.
    ImplicitDeny,
}

/// A statement that has to do with the outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason<'a> {
    /// Which policies it belongs to.
    pub layer: Layer,
    /// Place of its document within the layer.
    pub document: usize,
    /// The statement.
    pub statement: &'a Statement,
    /// Whether it applies to the request.
    pub applies: Truth,
    /// Its conditions that are still open.
    pub open: Vec<&'a Condition>,
}

/// The decision on a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<'a> {
    /// How it comes out.
    pub outcome: Outcome,
    /// Statements that allow, or may, in the order of the layers.
    pub allowed_by: Vec<Reason<'a>>,
    /// Statements that deny, or may.
    pub denied_by: Vec<Reason<'a>>,
    /// Layers that would have to allow and do not (for an implicit deny).
    pub missing: Vec<Layer>,
    /// For a conditional outcome: one way to meet it, condition by condition.
    pub needs: Vec<Need<'a>>,
    /// False where there were too many combinations to look at; then a conditional outcome is possible, not shown.
    pub decided: bool,
}

impl Decision<'_> {
    /// Whether the request is allowed.
    pub fn allowed(&self) -> Truth {
        match self.outcome {
            Outcome::Allow => Truth::Yes,
            Outcome::Conditional => Truth::Maybe,
            Outcome::ExplicitDeny | Outcome::ImplicitDeny => Truth::No,
        }
    }
}

/// Decides a request.
pub fn decide<'a>(request: &Request, policies: &Policies<'a>) -> Decision<'a> {
    let mut evaluation = Evaluation::new(request, policies);
    let (deny, allow) = (evaluation.deny(), evaluation.allow());
    let formula = allow.clone().and(deny.clone().negated());
    let mut decision = Decision {
        outcome: Outcome::ImplicitDeny,
        allowed_by: evaluation.allowed_by,
        denied_by: evaluation.denied_by,
        missing: evaluation.missing,
        needs: Vec::new(),
        decided: true,
    };
    if needs_no_permission(request) {
        decision.outcome = Outcome::Allow;
        return decision;
    }
    decision.outcome = match (deny.value(), allow.value(), formula.value()) {
        (Truth::Yes, ..) => Outcome::ExplicitDeny,
        (_, Truth::No, _) => Outcome::ImplicitDeny,
        (.., Truth::Yes) => Outcome::Allow,
        _ => {
            let solved = satisfy::solve(&formula, &request.context);
            decision.decided = solved.decided;
            decision.needs = solved.needs;
            match solved.answer {
                Truth::Yes => Outcome::Allow,
                Truth::Maybe => Outcome::Conditional,
                // Whatever the open conditions turn out to be, the denies take back what the allows give.
                Truth::No if satisfy::solve(&allow, &request.context).answer.is_possible() => Outcome::ExplicitDeny,
                Truth::No => Outcome::ImplicitDeny,
            }
        }
    };
    decision
}

/// Two operations need no permission, and a deny does not stop them (STS API reference): to ask who one is, and for users to begin a session.
fn needs_no_permission(request: &Request) -> bool {
    let is = |name: &str| request.action.eq_ignore_ascii_case(name);
    let has_long_term_keys = matches!(request.caller.kind, CallerKind::User | CallerKind::Root);
    is("sts:GetCallerIdentity") || is("sts:GetSessionToken") && has_long_term_keys
}

struct Evaluation<'r, 'a> {
    request: &'r Request,
    policies: &'r Policies<'a>,
    action: String,
    allowed_by: Vec<Reason<'a>>,
    denied_by: Vec<Reason<'a>>,
    missing: Vec<Layer>,
}

/// What one or several documents allow, by the way they name the caller.
struct Granted<'a> {
    direct: Formula<'a>,
    role: Formula<'a>,
    account: Formula<'a>,
}

impl<'a> Granted<'a> {
    fn at_all(self) -> Formula<'a> {
        Formula::any([self.direct, self.role, self.account])
    }
}

impl<'r, 'a> Evaluation<'r, 'a> {
    fn new(request: &'r Request, policies: &'r Policies<'a>) -> Self {
        let action = request.action.to_ascii_lowercase();
        Self { request, policies, action, allowed_by: Vec::new(), denied_by: Vec::new(), missing: Vec::new() }
    }

    fn has_boundary(&self) -> bool {
        self.policies.boundary.is_some()
    }

    fn scp_applies(&self) -> bool {
        self.request.caller.is_in_account() && !self.request.caller.exempt_from_scp
    }

    /// Any deny of any layer.
    fn deny(&mut self) -> Formula<'a> {
        let mut out = Vec::new();
        for (layer, place, document) in self.policies.documents() {
            let applies = match layer {
                Layer::ServiceControl(_) => self.scp_applies(),
                Layer::ResourceControl(_) => !self.request.caller.is_service_linked(),
                _ => true,
            };
            if !applies {
                continue;
            }
            for statement in document.denies().filter(|statement| speaks(layer, statement)) {
                let struck = struck_by_deny(&statement.principals, &self.request.caller, self.has_boundary());
                let formula = self.statement(statement, statement.is_deny().and(struck));
                push_reason(&mut self.denied_by, layer, place, statement, &formula);
                out.push(formula);
            }
            out.push(gap(document, "deny"));
        }
        out.push(self.restricted_bucket());
        Formula::any(out)
    }

    /// `RestrictPublicBuckets` shuts a bucket with a public policy to all but its own account and services (S3 User Guide).
    fn restricted_bucket(&self) -> Formula<'a> {
        let restricted = self.policies.restrict_public_buckets;
        let Some(policy) = self.policies.resource.filter(|_| restricted.is_possible() && self.action.starts_with("s3:")) else {
            return Formula::False;
        };
        let is_public = Truth::any(public_statements(policy).iter().map(|statement| statement.verdict));
        let outside = match self.request.caller.kind {
            CallerKind::Service => Truth::No,
            CallerKind::Anonymous | CallerKind::Federated => Truth::Yes,
            CallerKind::User | CallerKind::Role | CallerKind::FederatedUser | CallerKind::Root => self.same_account().negated(),
        };
        Formula::of(restricted.and(is_public).and(outside), || "block public access shuts the bucket".to_owned())
    }

    fn same_account(&self) -> Truth {
        match (&self.request.caller.account, &self.request.resource_account) {
            (Some(own), Some(other)) => same_text(own, other),
            (None, _) => Truth::No,
            (Some(_), None) => Truth::Maybe,
        }
    }

    /// What the allows give, before any deny.
    fn allow(&mut self) -> Formula<'a> {
        let caller = &self.request.caller;
        let scp = self.service_control();
        let endpoint = match self.policies.endpoint {
            Some(document) => self.granted(Layer::Endpoint, &[document]).at_all(),
            None => Formula::True,
        };
        let resource = self.granted(Layer::Resource, self.policies.resource.as_slice());
        if !caller.is_in_account() {
            if resource.direct == Formula::False {
                self.missing.push(Layer::Resource);
            }
            return Formula::all([endpoint, resource.direct]);
        }
        let identity = self.identity();
        let limit = |evaluation: &mut Self, layer: Layer, document: Option<&'a Document>| match document {
            Some(document) => evaluation.granted(layer, &[document]).at_all(),
            None => Formula::True,
        };
        let boundary = limit(self, Layer::Boundary, self.policies.boundary);
        let session = limit(self, Layer::Session, self.policies.session);
        let limits = boundary.clone().and(session.clone());

        let Granted { direct, role, account } = resource;
        let any_way = Formula::any([direct.clone(), role.clone(), account]);
        let trusted = if self.needs_trust() { any_way.clone() } else { Formula::True };
        let through_account = Formula::all([identity.clone(), limits.clone(), trusted.clone()]);
        let own = Formula::any([direct, role.and(limits.clone()), through_account]);
        let foreign = Formula::all([identity.clone(), limits, any_way.clone()]);
        let same = self.same_account();
        for (layer, formula) in
            [(Layer::Identity, &identity), (Layer::Boundary, &boundary), (Layer::Session, &session), (Layer::Endpoint, &endpoint)]
        {
            if *formula == Formula::False {
                self.missing.push(layer);
            }
        }
        if trusted == Formula::False || same.is_no() && any_way == Formula::False {
            self.missing.push(Layer::Resource);
        }
        self.missing.sort();
        let same = Formula::of(same, || "caller and resource are in one account".to_owned());
        let in_account = same.clone().and(own);
        let across = same.negated().and(foreign);
        Formula::all([scp, endpoint, Formula::any([in_account, across])])
    }

    /// Every level must allow.
    fn service_control(&mut self) -> Formula<'a> {
        if !self.scp_applies() {
            return Formula::True;
        }
        let mut levels = Vec::new();
        for (level, documents) in self.policies.service_control.iter().enumerate() {
            let granted = self.granted(Layer::ServiceControl(level), documents).at_all();
            if granted == Formula::False {
                self.missing.push(Layer::ServiceControl(level));
            }
            levels.push(granted);
        }
        Formula::all(levels)
    }

    fn identity(&mut self) -> Formula<'a> {
        match self.request.caller.kind {
            // Root needs no identity policy and can have none.
            CallerKind::Root => Formula::True,
            // Credentials of GetFederationToken without a session policy have no permissions of their own.
            CallerKind::FederatedUser if self.policies.session.is_none() => Formula::False,
            _ => self.granted(Layer::Identity, &self.policies.identity.clone()).at_all(),
        }
    }

    /// True for the two kinds of resource that do not trust their own account implicitly: role trust and KMS keys.
    fn needs_trust(&self) -> bool {
        if self.action.starts_with("sts:assumerole") {
            return true;
        }
        // Actions on no key in particular (`kms:ListKeys`) are ordinary.
        let is_key = self.request.resource.texts().iter().any(|text| match text.arn_segments() {
            Some([_, _, service, _, _, resource]) => {
                service.known().as_deref() == Some("kms") && !resource.known_prefix().starts_with("alias/")
            }
            None => text.references().any(|(address, _)| address.contains("aws_kms_key.")),
        });
        self.action.starts_with("kms:") && is_key && self.policies.resource.is_some()
    }

    /// What the allows of some documents give.
    fn granted(&mut self, layer: Layer, documents: &[&'a Document]) -> Granted<'a> {
        let (mut direct, mut role, mut account) = (Vec::new(), Vec::new(), Vec::new());
        for (place, document) in documents.iter().enumerate() {
            for statement in document.allows().filter(|statement| speaks(layer, statement)) {
                let reach = reach_of_allow(&statement.principals, &self.request.caller);
                let Reach { direct: by_name, role: by_role, account: by_account } = reach;
                for (truth, out) in [(by_name, &mut direct), (by_role, &mut role), (by_account, &mut account)] {
                    if truth.is_possible() {
                        out.push(self.statement(statement, statement.is_allow().and(truth)));
                    }
                }
                let whole = self.statement(statement, statement.is_allow().and(reach.at_all()));
                push_reason(&mut self.allowed_by, layer, place, statement, &whole);
            }
            direct.push(gap(document, "allow"));
        }
        Granted { direct: Formula::any(direct), role: Formula::any(role), account: Formula::any(account) }
    }

    /// Whether a statement applies; `who` says whether it speaks of the caller.
    fn statement(&self, statement: &'a Statement, who: Truth) -> Formula<'a> {
        if who.is_no() {
            return Formula::False;
        }
        let action = statement.actions.matches_lower(&self.action);
        if action.is_no() {
            return Formula::False;
        }
        let resource = statement.resources.matches(&self.request.resource, &self.request.context);
        if resource.is_no() {
            return Formula::False;
        }
        let list = |texts: &mut dyn Iterator<Item = String>| texts.collect::<Vec<_>>().join("`, `");
        let principals = || list(&mut statement.principals.list().iter().map(|principal| principal.text.to_string()));
        let actions = || list(&mut statement.actions.patterns().iter().map(|pattern| pattern.text.to_string()));
        let resources = || list(&mut statement.resources.patterns().iter().map(|pattern| pattern.text.to_string()));
        Formula::all(
            [
                Formula::of(who, || format!("the statement speaks of the caller, principals `{}`", principals())),
                Formula::of(action, || format!("`{}` is among the actions `{}`", self.request.action, actions())),
                Formula::of(resource, || format!("`{}` is among the resources `{}`", self.request.resource.text(), resources())),
            ]
            .into_iter()
            .chain(statement.conditions.iter().map(|condition| self.condition(condition))),
        )
    }

    fn condition(&self, condition: &'a Condition) -> Formula<'a> {
        match condition.holds(&self.request.context) {
            Truth::Yes => Formula::True,
            Truth::No => Formula::False,
            Truth::Maybe => {
                let is_free = condition.key.known().is_some_and(|key| *self.request.context.get(&key) == ContextValue::Unknown);
                if is_free { Formula::Atom(Atom::Condition(condition)) } else { Formula::Atom(Atom::Open(condition.to_string())) }
            }
        }
    }
}

/// A resource policy without a principal speaks of nobody; AWS refuses it.
fn speaks(layer: Layer, statement: &Statement) -> bool {
    layer != Layer::Resource || statement.principals != Principals::Attached
}

/// Statements that the plan does not know may allow and may deny.
fn gap<'a>(document: &Document, what: &str) -> Formula<'a> {
    match &document.incomplete {
        Some(reason) => Formula::Atom(Atom::Open(format!("a statement that is not known would {what} it ({reason})"))),
        None => Formula::False,
    }
}

fn push_reason<'a>(out: &mut Vec<Reason<'a>>, layer: Layer, document: usize, statement: &'a Statement, formula: &Formula<'a>) {
    let applies = formula.value();
    if applies.is_no() {
        return;
    }
    let mut open = Vec::new();
    conditions_of(formula, &mut open);
    debug_assert!(statement.effect != Effect::Unknown || applies == Truth::Maybe);
    out.push(Reason { layer, document, statement, applies, open });
}

fn conditions_of<'a>(formula: &Formula<'a>, out: &mut Vec<&'a Condition>) {
    match formula {
        Formula::Atom(Atom::Condition(condition)) => out.push(condition),
        Formula::And(items) | Formula::Or(items) => items.iter().for_each(|item| conditions_of(item, out)),
        Formula::Not(inner) => conditions_of(inner, out),
        Formula::True | Formula::False | Formula::Atom(_) => {}
    }
}
