//! Primitives joined over the plan: which principal can do what to whom, one step per binding that exists.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bartizan_model::{Address, Component, Node, Relation, Value};

use super::graph::{AttackGraph, Fact, FactId, Operation, Step};
use super::reach::Reach;
use super::rights::{Actor, Grant, Need, On, Rights, is_user};
use super::world::{Principal, Target};
use crate::catalogue::attack::{Gain, Permission, Prerequisite, Primitive, PrimitiveKind, Variable};
use crate::facts::read::last;
use crate::flows::index::Index;
use crate::outcome::Evidence;

/// Factor on the likelihood of a step for each condition that the plan does not tell.
const OPEN_CONDITION: f64 = 0.5;

/// Joins primitives for one actor after the other.
pub(crate) struct Join<'w, 'i, 'a> {
    pub(crate) rights: &'w Rights<'w, 'a>,
    pub(crate) index: &'i Index<'a>,
    /// Components whose configuration holds a credential.
    pub(crate) holders: &'w BTreeSet<Address>,
    /// Holders of each customer-managed policy.
    policy_holders: BTreeMap<Address, Vec<Address>>,
    /// Resources by type, and roles by the services that they trust.
    by_type: HashMap<&'w str, Vec<&'w Target<'a>>>,
    by_service: HashMap<&'w str, Vec<&'w Principal<'a>>>,
    /// By type: resources whose own policy speaks of everyone.
    open_to_anyone: HashMap<&'w str, Vec<&'w Target<'a>>>,
    graph: &'w mut AttackGraph,
    /// By primitive id: shared texts.
    names: BTreeMap<String, Arc<str>>,
}

/// What a primitive's variable is bound to.
#[derive(Clone, Copy)]
enum Binding<'w, 'a> {
    Nothing,
    Own,
    Principal(&'w Principal<'a>),
    Target(&'w Target<'a>),
}

/// What the needs of a primitive come to.
#[derive(Clone, Default)]
struct Shown {
    evidence: Vec<Evidence>,
    actions: Vec<String>,
    needs: BTreeSet<Need>,
}

impl Shown {
    fn merge(&mut self, other: &Self) {
        let new = |have: &[String], action: &&String| !have.contains(action);
        let actions: Vec<String> = other.actions.iter().filter(|action| new(&self.actions, action)).cloned().collect();
        self.actions.extend(actions);
        self.needs.extend(other.needs.iter().cloned());
        self.show(&other.evidence);
    }

    fn show(&mut self, evidence: &[Evidence]) {
        for item in evidence {
            if !self.evidence.contains(item) {
                self.evidence.push(item.clone());
            }
        }
    }

    fn add(&mut self, action: &str, grant: Grant) {
        self.actions.push(action.to_owned());
        self.needs.extend(grant.needs);
        self.show(&grant.evidence);
    }
}

impl<'w, 'i, 'a> Join<'w, 'i, 'a> {
    pub(crate) fn new(
        rights: &'w Rights<'w, 'a>,
        index: &'i Index<'a>,
        holders: &'w BTreeSet<Address>,
        graph: &'w mut AttackGraph,
    ) -> Self {
        let mut policy_holders: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
        for (address, principal) in &rights.world.principals {
            for policy in &principal.attached {
                policy_holders.entry(policy.clone()).or_default().push(address.clone());
            }
        }
        let world = rights.world;
        let mut by_type: HashMap<&str, Vec<&Target<'a>>> = HashMap::new();
        for target in world.targets.values() {
            by_type.entry(target.component.component_type.as_str()).or_default().push(target);
        }
        let mut by_service: HashMap<&str, Vec<&Principal<'a>>> = HashMap::new();
        for (service, roles) in &world.by_service {
            by_service.insert(service, roles.iter().filter_map(|role| world.principals.get(role)).collect());
        }
        let mut open_to_anyone: HashMap<&str, Vec<&Target<'a>>> = HashMap::new();
        for target in world.open_to_anyone().iter().filter_map(|address| world.targets.get(address)) {
            open_to_anyone.entry(target.component.component_type.as_str()).or_default().push(target);
        }
        Self { rights, index, holders, policy_holders, by_type, by_service, open_to_anyone, graph, names: BTreeMap::new() }
    }

    /// Every step that a primitive gives one actor.
    pub(crate) fn run(&mut self, actor: Actor<'w, 'a>, primitive: &Primitive) {
        let address = &actor.principal.component.address;
        // What has no permissions is found by code of its own.
        if primitive.needs.is_empty() || !self.actor_fits(actor, primitive) {
            return;
        }
        let (free, bound): (Vec<&Permission>, Vec<&Permission>) = primitive.needs.iter().partition(|need| need.on.is_none());
        let fixed = primitive.trusts.first().map(String::as_str);
        let fixed: Vec<(&'static str, Option<&str>)> = fixed.map(|service| ("iam:PassedToService", Some(service))).into_iter().collect();
        let mut common = Shown::default();
        for need in free {
            let found = need.actions().find_map(|action| Some((action, self.rights.may(actor, action, On::Anything, &fixed)?)));
            let Some((action, grant)) = found else { return };
            common.add(action, grant);
        }
        let own = if actor.elevated { Fact::Elevated(address.clone()) } else { Fact::Identity(address.clone()) };
        let own = self.graph.fact(own);
        let is_target = |need: &&Permission| matches!(need.on, Some(Variable::Target | Variable::Objects));
        let (on_target, on_principal): (Vec<&Permission>, Vec<&Permission>) = bound.iter().partition(|need| is_target(need));
        if !on_target.is_empty() && on_principal.iter().any(|need| need.on == Some(Variable::Role)) {
            self.pairs(actor, own, primitive, &common, &on_target, &on_principal);
            return;
        }
        for (binding, shown) in self.bindings_that_hold(actor, primitive, &bound, &common) {
            self.conclude(actor, own, primitive, binding, shown);
        }
    }

    fn bindings_that_hold(
        &self,
        actor: Actor<'w, 'a>,
        primitive: &Primitive,
        needs: &[&Permission],
        common: &Shown,
    ) -> Vec<(Binding<'w, 'a>, Shown)> {
        let mut out = Vec::new();
        for binding in self.bindings(actor, primitive, needs) {
            let mut shown = common.clone();
            let all = needs.iter().all(|need| self.bound(actor, need, binding, primitive, &mut shown));
            if all && self.binding_fits(actor, primitive, binding, &mut shown) {
                out.push((binding, shown));
            }
        }
        out
    }

    /// A primitive that gives a role to compute that is there: the actor takes over the compute, and what it takes over acts as the role.
    fn pairs(
        &mut self,
        actor: Actor<'w, 'a>,
        own: FactId,
        primitive: &Primitive,
        common: &Shown,
        on_target: &[&Permission],
        on_principal: &[&Permission],
    ) {
        /// Most compute that is named for one role; one is enough for the attacker.
        const MOST: usize = 3;
        let targets = self.bindings_that_hold(actor, primitive, on_target, common);
        if targets.is_empty() {
            return;
        }
        let roles = self.bindings_that_hold(actor, primitive, on_principal, common);
        for (target, shown) in targets.iter().take(MOST) {
            let Binding::Target(target) = target else { continue };
            let code = Fact::Code(target.component.address.clone());
            self.add(primitive, shown, vec![own], code.clone(), &target.component.address);
            let code = self.graph.fact(code);
            for (role, of_role) in &roles {
                let Binding::Principal(role) = role else { continue };
                let mut both = shown.clone();
                both.merge(of_role);
                let address = role.component.address.clone();
                // Both act: whoever gives the role, and the compute that then has it.
                self.add(primitive, &both, vec![own, code], Fact::Identity(address.clone()), &address);
                self.add(primitive, &both, vec![code, own], Fact::Identity(address.clone()), &address);
            }
        }
    }

    fn bound(&self, actor: Actor<'w, 'a>, need: &Permission, binding: Binding<'w, 'a>, primitive: &Primitive, shown: &mut Shown) -> bool {
        let target = match binding {
            Binding::Nothing => return false,
            Binding::Own => self.rights.world.targets.get(&actor.principal.component.address),
            Binding::Principal(principal) => self.rights.world.targets.get(&principal.component.address),
            Binding::Target(target) => Some(target),
        };
        let Some(target) = target else { return false };
        let on = if need.on == Some(Variable::Objects) { On::Objects(target) } else { On::Component(target) };
        let services: Vec<Option<&str>> =
            if primitive.trusts.is_empty() { vec![None] } else { primitive.trusts.iter().map(|service| Some(service.as_str())).collect() };
        for action in need.actions() {
            for service in &services {
                let fixed: Vec<(&'static str, Option<&str>)> =
                    service.map(|service| ("iam:PassedToService", Some(service))).into_iter().collect();
                if let Some(grant) = self.rights.may(actor, action, on, &fixed) {
                    shown.add(action, grant);
                    return true;
                }
            }
        }
        false
    }

    fn actor_fits(&self, actor: Actor<'w, 'a>, primitive: &Primitive) -> bool {
        let world = self.rights.world;
        let admitted = || !world.open_to_anyone().is_empty() || world.admitting(&actor.principal.component.address).next().is_some();
        let by_policy = primitive.needs.iter().all(|need| matches!(need.on, Some(Variable::Target | Variable::Objects))) && admitted();
        let possible = |need: &Permission| need.actions().any(|action| self.rights.possible(actor, action));
        if !by_policy && !primitive.needs.iter().all(possible) {
            return false;
        }
        primitive.prerequisites.iter().all(|prerequisite| match prerequisite {
            Prerequisite::IsUser => is_user(actor.principal.component),
            Prerequisite::IsRole => actor.principal.component.component_type == "iam.role",
            Prerequisite::HasBoundary => actor.principal.boundary.is_some(),
            _ => true,
        })
    }

    /// Everything that the primitive's variable may stand for: what the actor's statements may speak of, or what speaks of the actor itself.
    fn bindings(&self, actor: Actor<'w, 'a>, primitive: &Primitive, bound: &[&Permission]) -> Vec<Binding<'w, 'a>> {
        let account = &actor.principal.account;
        let Some(variable) = bound.iter().filter_map(|need| need.on).max_by_key(|variable| order(*variable)) else {
            // A permission on nothing in particular may still be about the components that the primitive names.
            let targets = self.targets(primitive).filter(|target| target.account == *account).map(Binding::Target).collect();
            return if primitive.target.is_empty() { vec![Binding::Nothing] } else { targets };
        };
        if variable == Variable::Own {
            return vec![Binding::Own];
        }
        let Some(reach) = bound.first().map(|need| self.rights.reach(actor, need.actions())) else { return Vec::new() };
        let kinds: Vec<&str> = match variable {
            Variable::User => vec!["iam.user"],
            Variable::Group => vec!["iam.group"],
            Variable::Role => vec!["iam.role"],
            Variable::Policy => vec!["iam.policy"],
            Variable::Target | Variable::Objects | Variable::Own => primitive.target.iter().map(String::as_str).collect(),
        };
        let world = self.rights.world;
        let mut found: Vec<&'w Target<'a>> = match &*reach {
            Reach::Only(some) => {
                let known = some.iter().filter_map(|address| world.targets.get(address));
                known.filter(|target| kinds.contains(&target.component.component_type.as_str())).collect()
            }
            Reach::Everything if variable == Variable::Role && !primitive.trusts.is_empty() => {
                let roles = primitive.trusts.iter().filter_map(|service| self.by_service.get(service.as_str())).flatten();
                roles.filter_map(|role| world.targets.get(&role.component.address)).collect()
            }
            Reach::Everything => {
                let all = kinds.iter().filter_map(|kind| self.by_type.get(kind)).flatten().copied();
                all.filter(|target| target.account == *account || target.policy.is_some()).collect()
            }
        };
        if matches!(variable, Variable::Target | Variable::Objects) {
            let named = world.admitting(&actor.principal.component.address).filter_map(|address| world.targets.get(address));
            let named = named.filter(|target| kinds.contains(&target.component.component_type.as_str()));
            let open = kinds.iter().filter_map(|kind| self.open_to_anyone.get(kind)).flatten().copied();
            let speaks =
                |target: &&'w Target<'a>| bound.iter().all(|need| need.actions().any(|action| self.rights.speaks_of(target, action)));
            found.extend(named.chain(open).filter(speaks));
            found.sort_by_key(|target| target.place);
            found.dedup_by_key(|target| target.place);
            return found.into_iter().map(Binding::Target).collect();
        }
        if variable == Variable::Policy {
            return found.into_iter().map(Binding::Target).collect();
        }
        let trusted: Option<BTreeSet<&Address>> = (variable == Variable::Role && !primitive.trusts.is_empty()).then(|| {
            let roles = primitive.trusts.iter().filter_map(|service| self.by_service.get(service.as_str())).flatten();
            roles.map(|role| &role.component.address).collect()
        });
        found.sort_by_key(|target| target.place);
        found.dedup_by_key(|target| target.place);
        let principals = found.into_iter().filter_map(|target| world.principals.get(&target.component.address));
        let fits = |principal: &&Principal<'a>| {
            principal.account == *account && trusted.as_ref().is_none_or(|trusted| trusted.contains(&principal.component.address))
        };
        principals.filter(fits).map(Binding::Principal).collect()
    }

    fn targets(&self, primitive: &Primitive) -> impl Iterator<Item = &'w Target<'a>> {
        primitive.target.iter().filter_map(|kind| self.by_type.get(kind.as_str())).flatten().copied()
    }

    fn binding_fits(&self, actor: Actor<'w, 'a>, primitive: &Primitive, binding: Binding<'w, 'a>, shown: &mut Shown) -> bool {
        let component = match binding {
            Binding::Principal(principal) => Some(principal.component),
            Binding::Target(target) => Some(target.component),
            Binding::Own | Binding::Nothing => None,
        };
        for prerequisite in &primitive.prerequisites {
            let fits = match (prerequisite, component) {
                (Prerequisite::InstanceProfile, Some(role)) if matches!(binding, Binding::Principal(_)) => {
                    self.instance_profile(actor, role)
                }
                (Prerequisite::LoginProfileExists, Some(user)) => {
                    if user.flag("login_profile") != Some(true) {
                        shown.needs.insert(Need::Open("the user has a console password".to_owned()));
                    }
                    true
                }
                (Prerequisite::NoLoginProfile, Some(user)) => user.flag("login_profile") != Some(true),
                (Prerequisite::TargetRunsRole, Some(target)) => !self.index.principals_of(&target.address).is_empty(),
                (Prerequisite::SsmManaged, Some(target)) => self.ssm_managed(target, shown),
                (Prerequisite::ExecEnabled, Some(target)) => switch(target, &["enable_execute_command"], "ECS Exec is on", shown),
                (Prerequisite::MutableTags, Some(target)) => target.text("image_tag_mutability").is_none_or(|value| value != "IMMUTABLE"),
                (Prerequisite::AclsEnabled, Some(target)) => {
                    target.text("object_ownership").is_some_and(|value| value != "BucketOwnerEnforced")
                }
                (Prerequisite::ClusterApiAuth, Some(target)) => target.text("authentication_mode").is_none_or(|mode| mode != "CONFIG_MAP"),
                (Prerequisite::DataApiEnabled, Some(target)) => {
                    switch(target, &["enable_http_endpoint", "http_endpoint_enabled"], "the Data API is on", shown)
                }
                (Prerequisite::IamAuthEnabled, Some(target)) => {
                    switch(target, &["iam_database_authentication_enabled", "iam_authentication"], "IAM logins are on", shown)
                }
                (Prerequisite::NetworkToSsh, Some(_)) => {
                    shown.needs.insert(Need::Open("the network lets the attacker connect".to_owned()));
                    true
                }
                _ => true,
            };
            if !fits {
                return false;
            }
        }
        true
    }

    /// An instance profile with the role is there, or the actor can make one.
    fn instance_profile(&self, actor: Actor<'w, 'a>, role: &Component) -> bool {
        let has = role.setting("instance_profiles").is_some_and(|node| node.value.as_list().is_none_or(|list| !list.is_empty()));
        has || ["iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile"]
            .iter()
            .all(|action| self.rights.may(actor, action, On::Anything, &[]).is_some())
    }

    /// Systems Manager reaches an instance whose role may open its channels.
    fn ssm_managed(&self, target: &Component, shown: &mut Shown) -> bool {
        if !target.component_type.starts_with("ec2.") {
            return true;
        }
        let managed = self.index.principals_of(&target.address).iter().any(|(role, _)| {
            let Some(principal) = self.rights.world.principals.get(&role.address) else { return false };
            let actor = Actor { principal, elevated: false };
            ["ssmmessages:CreateControlChannel", "ec2messages:GetMessages"]
                .iter()
                .any(|action| self.rights.may(actor, action, On::Anything, &[]).is_some())
        });
        if !managed {
            shown.needs.insert(Need::Open("Systems Manager manages the instance".to_owned()));
        }
        true
    }

    fn conclude(&mut self, actor: Actor<'w, 'a>, own: FactId, primitive: &Primitive, binding: Binding<'w, 'a>, mut shown: Shown) {
        let actor_address = actor.principal.component.address.clone();
        let bound = match binding {
            Binding::Principal(principal) => principal.component.address.clone(),
            Binding::Target(target) => target.component.address.clone(),
            Binding::Own | Binding::Nothing => actor_address.clone(),
        };
        if let Binding::Target(target) = binding
            && matches!(primitive.gives, Gain::Read | Gain::Config | Gain::Admit)
            && !self.decrypts(actor, target, &mut shown)
        {
            return;
        }
        let mut premises = vec![own];
        if primitive.prerequisites.contains(&Prerequisite::CodeOnTarget) {
            premises.push(self.graph.fact(Fact::Code(bound.clone())));
        }
        let mut gives = Vec::new();
        match (primitive.gives, binding) {
            (_, Binding::Principal(principal)) if primitive.prerequisites.contains(&Prerequisite::ActorCanBecome) => {
                if principal.component.address != actor_address {
                    premises.push(self.graph.fact(Fact::Identity(bound.clone())));
                }
                gives.push(Fact::Elevated(bound.clone()));
            }
            (Gain::Rights, Binding::Principal(principal)) if last(&principal.component.component_type) == "group" => {
                gives.push(Fact::Group(bound.clone()));
            }
            (Gain::Rights, Binding::Target(policy)) => {
                let holders = self.policy_holders.get(&policy.component.address).cloned().unwrap_or_default();
                for holder in holders {
                    let mut with_holder = premises.clone();
                    if holder != actor_address {
                        with_holder.push(self.graph.fact(Fact::Identity(holder.clone())));
                    }
                    self.add(primitive, &shown, with_holder, Fact::Elevated(holder), &bound);
                }
            }
            (Gain::Rights, Binding::Principal(_)) if bound != actor_address => {
                premises.push(self.graph.fact(Fact::Identity(bound.clone())));
                gives.push(Fact::Elevated(bound.clone()));
            }
            (Gain::Rights, _) => gives.push(Fact::Elevated(actor_address)),
            (Gain::Role, Binding::Target(target)) => gives.extend(self.roles_behind(target, primitive).into_iter().map(Fact::Identity)),
            (Gain::Role, Binding::Nothing | Binding::Own) => {}
            (Gain::RunsAs, Binding::Target(place)) if primitive.kind == PrimitiveKind::Supply => {
                gives.extend(self.loaders(&place.component.address).into_iter().map(Fact::Code));
            }
            (Gain::User | Gain::Role | Gain::Join, _) => gives.push(Fact::Identity(bound.clone())),
            (Gain::RunsAs, _) => gives.push(Fact::Code(bound.clone())),
            (Gain::Read, _) => {
                gives.push(Fact::Data(bound.clone(), Operation::Read));
                if self.holders.contains(&bound) {
                    gives.push(Fact::Configuration(bound.clone()));
                }
            }
            (Gain::Write, _) => gives.push(Fact::Data(bound.clone(), Operation::Write)),
            (Gain::Destroy, _) => gives.push(Fact::Data(bound.clone(), Operation::Destroy)),
            (Gain::Admit, _) => {
                gives.extend([Operation::Read, Operation::Write].map(|operation| Fact::Data(bound.clone(), operation)));
            }
            (Gain::Config, _) => gives.extend(self.holders.contains(&bound).then(|| Fact::Configuration(bound.clone()))),
            (Gain::Mfa, _) => gives.push(Fact::SecondFactor(bound.clone())),
            (Gain::Tags, _) => gives.push(Fact::Tags(bound.clone())),
            (Gain::Account, _) => gives.push(Fact::Admin(actor.principal.account.clone())),
            (Gain::Cluster, _) => gives.push(Fact::Cluster(bound.clone())),
            (Gain::Disrupt, Binding::Target(_)) => gives.push(Fact::Data(bound.clone(), Operation::Disrupt)),
            // Without its boundary the principal holds what its policies say; that is a matter of the account's own rules.
            (Gain::Disrupt | Gain::Unbound, _) => {}
        }
        for fact in gives {
            self.add(primitive, &shown, premises.clone(), fact, &bound);
        }
    }

    /// Roles that can be had through a component: those of a service that it launches under, or those that trust it or that it hands out.
    fn roles_behind(&self, target: &Target<'a>, primitive: &Primitive) -> BTreeSet<Address> {
        let world = self.rights.world;
        if !primitive.trusts.is_empty() {
            let roles = primitive.trusts.iter().filter_map(|service| world.by_service.get(service)).flatten();
            let of_account = roles.filter(|role| world.principals.get(*role).is_some_and(|role| role.account == target.account));
            let profiled = |role: &&Address| {
                let component = world.principals.get(*role).map(|role| role.component);
                let profiles = component.and_then(|role| role.setting("instance_profiles")).and_then(|node| node.value.as_list());
                !primitive.prerequisites.contains(&Prerequisite::InstanceProfile) || profiles.is_none_or(|list| !list.is_empty())
            };
            return of_account.filter(profiled).cloned().collect();
        }
        let address = &target.component.address;
        let mut found: BTreeSet<Address> = self.index.follow(address, "gives_role").into_iter().map(|role| role.address.clone()).collect();
        for (role, principal) in &world.principals {
            let Some(trust) = &principal.trust else { continue };
            let trusts = bartizan_iam::assumers(trust).iter().any(|assumer| match &assumer.who {
                bartizan_iam::Who::Federated(provider) => provider.text.references().any(|(known, _)| known == address.as_str()),
                _ => assumer.conditions.iter().any(|condition| {
                    condition.values.iter().any(|value| value.text.references().any(|(known, _)| known == address.as_str()))
                }),
            });
            if trusts {
                found.insert(role.clone());
            }
        }
        found
    }

    /// Compute that loads its code, image or template from a place, and runs as somebody.
    fn loaders(&self, place: &Address) -> BTreeSet<Address> {
        const LOADS: &[&str] =
            &["code", "script", "image", "source", "template", "artifact", "package", "bundle", "layer", "definition", "build", "repo"];
        let loads = |link: &&&bartizan_model::Link| {
            let attribute = link.attribute.to_ascii_lowercase();
            let structural = matches!(link.relation, Relation::EncryptedWith | Relation::InVpc | Relation::InSubnet | Relation::Watches);
            !structural && LOADS.iter().any(|word| attribute.contains(word))
        };
        let from = self.index.to(place).iter().filter(loads).flat_map(|link| {
            let users = self.index.users(&link.from);
            if users.is_empty() { vec![link.from.clone()] } else { users }
        });
        from.filter(|address| !self.index.principals_of(address).is_empty()).collect()
    }

    /// Under a customer's own key, reading takes the key too.
    fn decrypts(&self, actor: Actor<'w, 'a>, target: &Target<'a>, shown: &mut Shown) -> bool {
        let keys = self.index.from(&target.component.address).iter().filter(|link| link.relation == Relation::EncryptedWith);
        for link in keys {
            let Some(key) = self.rights.world.targets.get(&link.to).filter(|key| key.component.component_type == "kms.key") else {
                continue;
            };
            // A database or volume is decrypted by its service for whoever logs in or mounts it.
            if !matches!(
                target.component.service.as_str(),
                "s3" | "secretsmanager" | "ssm" | "dynamodb" | "sqs" | "sns" | "kinesis" | "lambda"
            ) {
                continue;
            }
            let via = format!("{}.{}.amazonaws.com", target.component.service, key.component.region.as_deref().unwrap_or("any"));
            match self.rights.may(actor, "kms:Decrypt", On::Component(key), &[("kms:ViaService", Some(&via))]) {
                Some(grant) => shown.add("kms:Decrypt", grant),
                None => return false,
            }
        }
        true
    }

    fn add(&mut self, primitive: &Primitive, shown: &Shown, mut premises: Vec<FactId>, gives: Fact, bound: &Address) {
        let mut conditions: Vec<String> = primitive.assumes.iter().cloned().collect();
        for need in &shown.needs {
            match need {
                Need::Tags => premises.push(self.graph.fact(Fact::Tags(bound.clone()))),
                Need::SecondFactor => {
                    let holder = premises.first().and_then(|own| self.graph.get(*own)).map(|fact| Address::new(fact.address()));
                    if let Some(holder) = holder {
                        premises.push(self.graph.fact(Fact::SecondFactor(holder)));
                    }
                }
                Need::Open(words) => conditions.push(words.clone()),
            }
        }
        let open = i32::try_from(conditions.len()).unwrap_or(i32::MAX);
        let technique = self.names.entry(primitive.id.clone()).or_insert_with(|| primitive.id.as_str().into()).clone();
        let gives = self.graph.fact(gives);
        self.graph.step(Step {
            premises,
            gives,
            technique,
            actions: shown.actions.as_slice().into(),
            probability: primitive.likelihood * OPEN_CONDITION.powi(open),
            conditions: conditions.into(),
            assumption: false,
            evidence: shown.evidence.as_slice().into(),
        });
    }
}

/// The variable that ranges: the actor's own only where there is no other.
fn order(variable: Variable) -> u8 {
    match variable {
        Variable::Own => 0,
        Variable::Policy | Variable::Target | Variable::Objects => 1,
        Variable::Role | Variable::User | Variable::Group => 2,
    }
}

/// A switch of a component: on, off, or a condition where the plan does not tell.
fn switch(component: &Component, settings: &[&str], words: &str, shown: &mut Shown) -> bool {
    let node: Option<&Node> = settings.iter().find_map(|name| component.settings.get(*name));
    match node.map(|node| &node.value) {
        Some(Value::Null | Value::Bool(false)) => false,
        Some(value) if value.as_bool() == Some(true) => true,
        Some(_) | None => {
            shown.needs.insert(Need::Open(words.to_owned()));
            true
        }
    }
}
