//! One request decided by all policies together, and what is known of a request.

use std::rc::Rc;

use bartizan_iam::{Context, ContextValue, Decision, Document, KeyClass, Layer, Policies, PolicyText, Request, ResourceName, decide};

use super::{Actor, Decided, Fixed, Grant, Need, Rights, is_user, told};
use crate::attack::policy;
use crate::attack::world::{Policy, Target};
use crate::outcome::Evidence;

impl<'a> Rights<'_, 'a> {
    /// Statements of a resource's own policy that may speak of an action.
    pub(super) fn policy_statements(&self, target: &Target<'a>, index: u16) -> Rc<[usize]> {
        let Some(policy) = &target.policy else { return Rc::default() };
        let key = (std::ptr::from_ref(target).addr(), index);
        if let Some(known) = self.policy_statements.borrow().get(&key) {
            return known.clone();
        }
        let action = self.actions.get(usize::from(index)).map_or("", String::as_str);
        let speaks = policy.statements.iter().filter(|statement| statement.actions.matches_lower(action).is_possible());
        let found: Rc<[usize]> = speaks.map(|statement| statement.index).collect();
        self.policy_statements.borrow_mut().insert(key, found.clone());
        found
    }

    pub(super) fn settle(
        &self,
        actor: Actor<'_, 'a>,
        action: &str,
        name: &ResourceName,
        target: Option<&Target<'a>>,
        fixed: Fixed<'_>,
    ) -> Option<Decided> {
        let (decision, policies) = self.decide(actor, action, name, target, true, fixed)?;
        if decision.allowed().is_possible() {
            return Some(self.decided(actor, &decision, &policies, Vec::new()));
        }
        // With other tags it may be allowed; whoever can set them can meet that.
        target.filter(|_| {
            self.index(action).map_or(!self.tag_keys.is_empty(), |index| self.detail(actor, &self.held(actor), index).tagged)
        })?;
        let (decision, policies) = self.decide(actor, action, name, target, false, fixed)?;
        decision.allowed().is_possible().then(|| self.decided(actor, &decision, &policies, vec![Need::Tags]))
    }

    /// The full decision on one request, for `--can`.
    pub(in crate::attack) fn decide<'r>(
        &'r self,
        actor: Actor<'r, 'a>,
        action: &str,
        name: &ResourceName,
        target: Option<&'r Target<'a>>,
        tags_known: bool,
        fixed: Fixed<'_>,
    ) -> Option<(Decision<'r>, Vec<&'r Policy>)> {
        let caller = actor.principal.caller.clone()?;
        let mut request = Request::new(caller, action, name.clone(), self.context(actor, target, tags_known, fixed));
        request.resource_account = Some(target.map_or_else(|| actor.principal.account.as_str(), |target| target.account.as_str()).into());
        let mut identity = self.policies(actor);
        let lower = action.to_ascii_lowercase();
        // Whole policies that never speak of the action need not be read.
        identity.retain(|policy| {
            policy.document.incomplete.is_some() || policy.document.statements.iter().any(|s| s.actions.matches_lower(&lower).is_possible())
        });
        let resource = match target {
            Some(target) if lower.starts_with("sts:assumerole") => {
                self.world.principals.get(&target.component.address).and_then(|role| role.trust.as_ref())
            }
            Some(target) => target.policy.as_ref(),
            None => None,
        };
        let policies = Policies {
            identity: identity.iter().map(|policy| &policy.document).collect(),
            boundary: actor.boundary().map(|policy| &policy.document),
            service_control: self.control(self.world.controlling(&actor.principal.account)),
            resource_control: target.map(|target| self.control(self.world.controlling_resource(target))).unwrap_or_default(),
            resource,
            ..Policies::default()
        };
        Some((decide(&request, &policies), identity))
    }

    pub(super) fn policies<'r>(&'r self, actor: Actor<'r, 'a>) -> Vec<&'r Policy> {
        let added = actor.powers.elevated.then_some(&*self.everything);
        let own = if actor.powers.undenied { &actor.principal.undenied } else { &actor.principal.policies };
        own.iter().map(|policy| &**policy).chain(added).collect()
    }

    /// Control policies of an organisation as one level; what its root lets through by default is let through.
    fn control<'r>(&'r self, policies: impl Iterator<Item = &'r Policy>) -> Vec<Vec<&'r Document>> {
        let found: Vec<&Document> = policies.map(|policy| &policy.document).collect();
        if found.is_empty() { Vec::new() } else { vec![std::iter::once(&self.everything.document).chain(found).collect()] }
    }

    /// What is known of a request. Source: IAM User Guide, global condition context keys.
    pub(super) fn context(&self, actor: Actor<'_, 'a>, target: Option<&Target<'a>>, tags_known: bool, fixed: Fixed<'_>) -> Context {
        let mut context = Context::open();
        let single = |text: &str| ContextValue::Single(text.into());
        context.set("aws:ViaAWSService", single("false"));
        context.set("aws:SecureTransport", single("true"));
        if let Some(today) = &self.today {
            context.set("aws:CurrentTime", single(today));
            context.set("aws:TokenIssueTime", single(today));
        }
        // Long-term keys have no session.
        if is_user(actor.principal.component) {
            context.set("aws:TokenIssueTime", ContextValue::Absent);
        }
        // Whoever attaches a policy picks the strongest.
        context.set("iam:PolicyARN", single("arn:aws:iam::aws:policy/AdministratorAccess"));
        context.set("iam:PermissionsBoundary", ContextValue::Absent);
        tag_values("aws:principaltag/", &actor.principal.component.tags, &mut context);
        if let Some(target) = target {
            let bound = self.world.principals.get(&target.component.address).and_then(|principal| principal.boundary.as_ref());
            if let Some(bound) = bound {
                context.set("iam:PermissionsBoundary", ContextValue::Single(PolicyText::reference(bound.name.as_str(), "arn", None)));
            }
            if tags_known {
                for key in &self.tag_keys {
                    let name = key.split_once('/').map_or("", |(_, name)| name);
                    let tag = target.component.tags.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(name));
                    context.set(key, tag.map_or(ContextValue::Absent, |(_, node)| value_of(node)));
                }
            }
        }
        for (key, value) in fixed {
            context.set(key, value.map_or(ContextValue::Absent, single));
        }
        context
    }

    pub(super) fn decided(&self, actor: Actor<'_, 'a>, decision: &Decision<'_>, policies: &[&Policy], mut needs: Vec<Need>) -> Decided {
        for need in &decision.needs {
            let key = need.condition.map(|condition| condition.key.to_string().to_ascii_lowercase()).unwrap_or_default();
            let need = match need.class {
                KeyClass::Attacker => continue,
                KeyClass::Capability if key == "aws:multifactorauthpresent" || key == "aws:multifactorauthage" => {
                    if need.negated || need.text.contains("`false`") || need.text.starts_with("Null") {
                        continue;
                    }
                    Need::SecondFactor
                }
                _ if key.contains("resourcetag/") => Need::Tags,
                KeyClass::Graph | KeyClass::Capability | KeyClass::Time | KeyClass::Other => Need::Open(need.text.clone()),
            };
            if !needs.contains(&need) {
                needs.push(need);
            }
        }
        let all = self.policies(actor);
        let place = |policy: &&Policy| all.iter().position(|known| std::ptr::eq(*known, *policy));
        let by = decision.allowed_by.iter().filter_map(|reason| match reason.layer {
            Layer::Identity => Some((Some(policies.get(reason.document).and_then(place)?), reason.statement.index)),
            Layer::Resource => Some((None, reason.statement.index)),
            _ => None,
        });
        Decided { needs, by: by.collect() }
    }

    /// A decision with the statements shown at the place that speaks of the action.
    pub(super) fn shown(&self, actor: Actor<'_, 'a>, action: &str, target: Option<&Target<'a>>, decided: &Decided) -> Grant {
        const MOST: usize = 3;
        let policies = self.policies(actor);
        let mut evidence: Vec<Evidence> = Vec::new();
        for (place, statement) in &decided.by {
            let (document, at, name) = match place {
                Some(place) => match policies.get(*place) {
                    Some(policy) if policy.name != self.everything.name => (&policy.document, policy.attached_at, policy.name.as_str()),
                    _ => continue,
                },
                None => {
                    let role = target.and_then(|target| self.world.principals.get(&target.component.address));
                    let document = role.and_then(|role| role.trust.as_ref()).or_else(|| target.and_then(|target| target.policy.as_ref()));
                    match (document, target) {
                        (Some(document), Some(target)) => (document, None, target.component.address.as_str()),
                        _ => continue,
                    }
                }
            };
            let Some(statement) = document.statements.get(*statement) else { continue };
            let item = told(statement, at, name, action);
            if !evidence.contains(&item) && evidence.len() < MOST {
                evidence.push(item);
            }
        }
        Grant { needs: decided.needs.clone(), evidence: evidence.into() }
    }
}

fn tag_values(prefix: &str, tags: &indexmap::IndexMap<String, bartizan_model::Node>, context: &mut Context) {
    for (tag, node) in tags {
        context.set(&format!("{prefix}{}", tag.to_ascii_lowercase()), value_of(node));
    }
}

pub(super) fn value_of(node: &bartizan_model::Node) -> ContextValue {
    match &node.value {
        bartizan_model::Value::Text(text) => ContextValue::Single(policy::text(text)),
        bartizan_model::Value::Bool(value) => ContextValue::Single(value.to_string().into()),
        bartizan_model::Value::Number(value) => ContextValue::Single(value.to_string().into()),
        _ => ContextValue::Unknown,
    }
}
