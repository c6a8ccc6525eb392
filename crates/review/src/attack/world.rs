//! The plan as permissions see it: principals with all their policies, and what can be named as a resource.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use bartizan_iam::{
    Caller, Comparison, Document, Effect, Origin, Part, PolicyText, PrincipalKind, Principals, ResourceName, Statement, Who,
};
use bartizan_model::{Address, Component, Node, Span, Text, Value, is_account_id};

use super::controls::{CONTROLLED, Controls};
use super::policy;
use crate::facts::managed;
use crate::facts::read::{first_setting, last};
use crate::flows::index::Index;

/// A policy with where it comes from.
#[derive(Debug)]
pub(crate) struct Policy {
    /// What it says.
    pub(crate) document: Document,
    /// Where to look for policies whose text is not in the plan: the attachment of an AWS managed policy.
    pub(crate) attached_at: Option<Span>,
    /// Name or address.
    pub(crate) name: String,
}

impl Policy {
    /// True where it denies anything.
    pub(crate) fn denies(&self) -> bool {
        self.document.denies().next().is_some()
    }
}

/// A user, role or group.
#[derive(Debug)]
pub(crate) struct Principal<'a> {
    pub(crate) component: &'a Component,
    /// How policies name it; for a group, as if somebody were it.
    pub(crate) caller: Option<Caller>,
    /// Identity policies, of its groups too.
    pub(crate) policies: Vec<Rc<Policy>>,
    /// The same without what they deny; empty where they deny nothing.
    pub(crate) undenied: Vec<Rc<Policy>>,
    /// Its permissions boundary.
    pub(crate) boundary: Option<Rc<Policy>>,
    /// Trust policy of a role.
    pub(crate) trust: Option<Document>,
    /// The statement of it that leaves it to the policies of the account who takes the role over, without condition.
    pub(crate) trusts_account: Option<Origin>,
    /// Groups that a user is in.
    pub(crate) groups: Vec<Address>,
    /// By group: the places of its policies among all.
    pub(crate) through: Vec<(Address, Range<usize>)>,
    /// Customer-managed policies attached to it or its groups.
    pub(crate) attached: Vec<Address>,
    /// What of its policies the plan does not tell, in words.
    pub(crate) gap: Option<String>,
    pub(crate) account: String,
}

/// Something that policies speak of.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    /// Its place among all, in the order of addresses.
    pub(crate) place: usize,
    pub(crate) component: &'a Component,
    pub(crate) name: ResourceName,
    /// What lies in it, where actions on its contents name that: `bucket/key`.
    pub(crate) objects: Option<ResourceName>,
    /// Its own policy.
    pub(crate) policy: Option<Document>,
    /// True where its policy denies nothing, or only plain transport, which no caller here uses.
    pub(crate) forbids_nothing: bool,
    /// True where its policy leaves everything to the policies of its account, as the default policy of a key does.
    pub(crate) trusts_account: bool,
    pub(crate) account: String,
}

/// Everything that permissions are asked about.
#[derive(Debug, Default)]
pub(crate) struct World<'a> {
    pub(crate) principals: BTreeMap<Address, Principal<'a>>,
    pub(crate) targets: BTreeMap<Address, Target<'a>>,
    /// By component type, sorted.
    pub(crate) by_type: BTreeMap<&'a str, Vec<Address>>,
    /// Roles by the services that they trust, without conditions judged.
    pub(crate) by_service: BTreeMap<String, Vec<Address>>,
    /// Roles that trust more than services and identity providers: only these are taken by whoever may call `sts:AssumeRole`.
    pub(crate) trusting: BTreeSet<Address>,
    /// Principals by the resource part of their ARN: `role/app`.
    by_name: BTreeMap<String, Vec<Address>>,
    /// By principal: resources whose own policy names it.
    admitted: BTreeMap<Address, BTreeSet<Address>>,
    /// Resources whose own policy speaks of everyone, or of whom the plan does not know.
    admit_anyone: BTreeSet<Address>,
    /// Resources whose own policy speaks of an account that is not theirs, or of one that the plan does not know.
    admit_accounts: BTreeSet<Address>,
    /// Policies of the organisation, by what they control.
    controls: Controls,
    /// By account as the plan names it: twelve digits that stand for it.
    accounts: BTreeMap<String, String>,
}

/// The account of what no provider configuration gives one.
const OWN_ACCOUNT: &str = "000000000000";

/// Services that give new resources an id of their own; a name in the plan is only a tag there.
const GENERATED_IDS: &[&str] = &[
    "ec2",
    "vpc",
    "kms",
    "efs",
    "fsx",
    "cognito",
    "apigateway",
    "cloudfront",
    "bedrock",
    "appsync",
    "route53",
    "organizations",
    "imagebuilder",
    "emr",
    "directoryservice",
    "workspaces",
    "guardduty",
    "acm",
    "wafv2",
    "identitycenter",
    "storagegateway",
    "datasync",
    "transfer",
];

impl<'a> World<'a> {
    /// Reads the principals and targets of a plan.
    pub(crate) fn read(index: &Index<'a>) -> Self {
        let mut world = World::default();
        let mut shared: BTreeMap<Address, Rc<Policy>> = BTreeMap::new();
        let mut managed: BTreeMap<String, Rc<Policy>> = BTreeMap::new();
        for (address, component) in &index.architecture.components {
            let account = world.account(component);
            let kind = last(&component.component_type);
            if component.service == "iam" && matches!(kind, "role" | "user" | "group") {
                let principal = Reader { index, shared: &mut shared, managed: &mut managed, account: &account }.principal(component);
                world.principals.insert(address.clone(), principal);
            }
            world.by_type.entry(component.component_type.as_str()).or_default().push(address.clone());
            if let Some(target) = target(index, component, &account) {
                world.targets.insert(address.clone(), target);
            }
        }
        for (place, target) in world.targets.values_mut().enumerate() {
            target.place = place;
        }
        for (address, principal) in &world.principals {
            let Some(trust) = &principal.trust else { continue };
            for assumer in bartizan_iam::assumers(trust) {
                match assumer.who {
                    Who::Service(service) => {
                        let roles = world.by_service.entry(service.to_string()).or_default();
                        if roles.last() != Some(address) {
                            roles.push(address.clone());
                        }
                    }
                    Who::Federated(_) | Who::Deleted(_) => {}
                    Who::Anyone | Who::AnyoneExcept(_) | Who::Account(_) | Who::Principal(_) | Who::Unknown(_) => {
                        world.trusting.insert(address.clone());
                    }
                }
            }
        }
        world.controls = Controls::read(index, &world.targets.values().map(|target| target.account.as_str()).collect(), |component| {
            world.known_account(component).to_owned()
        });
        let controlled: Vec<Address> = world
            .targets
            .values()
            .filter(|target| world.controlling_resource(target).any(Policy::denies))
            .map(|t| t.component.address.clone())
            .collect();
        for address in controlled {
            world.targets.get_mut(&address).into_iter().for_each(|target| target.forbids_nothing = false);
        }
        world.read_names();
        world.read_admitted();
        world
    }

    fn read_names(&mut self) {
        for (address, principal) in &self.principals {
            let texts = principal.caller.iter().flat_map(|caller| caller.name.texts());
            for [.., resource] in texts.filter_map(PolicyText::arn_segments) {
                self.by_name.entry(resource.to_string()).or_default().push(address.clone());
            }
        }
    }

    fn read_admitted(&mut self) {
        let (mut admitted, mut anyone) = (BTreeMap::<Address, BTreeSet<Address>>::new(), BTreeSet::new());
        let mut accounts = BTreeSet::new();
        for (target, policy, account) in
            self.targets.iter().filter_map(|(address, target)| Some((address, target.policy.as_ref()?, &target.account)))
        {
            for statement in policy.allows() {
                for listed in statement.principals.list() {
                    match listed.kind {
                        PrincipalKind::Service | PrincipalKind::Federated | PrincipalKind::CanonicalUser | PrincipalKind::DeletedId => {}
                        // An account admits by its own policies.
                        PrincipalKind::Account => {
                            if listed.account().is_none_or(|id| id.known().is_none_or(|id| id != *account)) {
                                accounts.insert(target.clone());
                            }
                        }
                        PrincipalKind::Anyone | PrincipalKind::Unknown => {
                            anyone.insert(target.clone());
                        }
                        PrincipalKind::User
                        | PrincipalKind::Role
                        | PrincipalKind::RoleSession
                        | PrincipalKind::FederatedUser
                        | PrincipalKind::SomeAws => {
                            for principal in self.named(&listed.text) {
                                admitted.entry(principal.clone()).or_default().insert(target.clone());
                            }
                        }
                    }
                }
                if matches!(statement.principals, Principals::Except(_)) {
                    anyone.insert(target.clone());
                }
            }
        }
        self.admitted = admitted;
        self.admit_anyone = anyone;
        self.admit_accounts = accounts;
    }

    /// Whether a resource's own policy may speak of a principal.
    pub(crate) fn admits(&self, target: &Address, principal: &Address) -> bool {
        self.admit_anyone.contains(target) || self.admitted.get(principal).is_some_and(|targets| targets.contains(target))
    }

    /// Resources whose own policy names a principal.
    pub(crate) fn admitting(&self, principal: &Address) -> impl Iterator<Item = &Address> {
        self.admitted.get(principal).into_iter().flatten()
    }

    /// Resources whose own policy speaks of everyone, or of whom the plan does not know.
    pub(crate) fn open_to_anyone(&self) -> &BTreeSet<Address> {
        &self.admit_anyone
    }

    /// Principals of the plan that a policy names, by reference or by name.
    pub(crate) fn named(&self, text: &PolicyText) -> Vec<&Address> {
        let referred = text.references().map(|(address, _)| Address::new(address));
        let referred: Vec<&Address> = referred.filter_map(|address| self.principals.get_key_value(&address).map(|(key, _)| key)).collect();
        if !referred.is_empty() {
            return referred;
        }
        let Some([.., resource]) = text.arn_segments() else { return Vec::new() };
        // A session of a role is named by `assumed-role/ROLE/SESSION`.
        let resource = resource.to_string();
        let role = resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next()).map(|role| format!("role/{role}"));
        self.by_name.get(&role.unwrap_or(resource)).into_iter().flatten().collect()
    }

    /// Resources whose own policy speaks of an account that is not theirs, or of one that the plan does not know.
    pub(crate) fn open_to_accounts(&self) -> &BTreeSet<Address> {
        &self.admit_accounts
    }

    /// Twelve digits that stand for the account of a component: its id, or a number that no account has.
    ///
    /// Where nothing tells the account, every root module is taken to have its own: environments of one repository usually have, and a
    /// way from one into the other would be made up.
    fn account(&mut self, component: &Component) -> String {
        let account = component.account.as_deref().unwrap_or(&component.stack);
        if account.is_empty() {
            return OWN_ACCOUNT.to_owned();
        }
        if is_account_id(account) {
            return account.to_owned();
        }
        let next = self.accounts.len() + 1;
        self.accounts.entry(account.to_owned()).or_insert_with(|| format!("{next:012}")).clone()
    }

    /// The same for a component of the plan once all are read.
    fn known_account<'c>(&'c self, component: &'c Component) -> &'c str {
        let account = component.account.as_deref().unwrap_or(&component.stack);
        if account.is_empty() { OWN_ACCOUNT } else { self.accounts.get(account).map_or(account, String::as_str) }
    }

    /// A text with the accounts in it that only a number of ours stands for in words: `own-account`, or `account-of-` and what the plan calls
    /// it; `None` where there is none.
    pub(crate) fn with_named_accounts(&self, text: &str, own: &str) -> Option<String> {
        // All of them begin so.
        if !text.contains("00000000") {
            return None;
        }
        let known = self.accounts.iter().map(|(name, number)| (name.as_str(), number.as_str()));
        let mut out = text.to_owned();
        for (name, number) in known.chain([("this-plan", OWN_ACCOUNT)]).filter(|(_, number)| text.contains(number)) {
            let words = if number == own { "own-account".to_owned() } else { format!("account-of-{name}") };
            out = out.replace(number, &words);
        }
        (out != text).then_some(out)
    }

    /// True for an account that something of the plan lies in.
    pub(crate) fn is_own(&self, account: &str) -> bool {
        account == OWN_ACCOUNT || self.principals.values().any(|principal| principal.account == account)
    }

    /// Service control policies over an account.
    pub(crate) fn controlling(&self, account: &str) -> impl Iterator<Item = &Policy> {
        self.controls.service.get(account).into_iter().flatten().map(|policy| &**policy)
    }

    /// Resource control policies over a resource.
    pub(crate) fn controlling_resource(&self, target: &Target<'_>) -> impl Iterator<Item = &Policy> {
        let controlled = CONTROLLED.contains(&target.component.service.as_str());
        self.controls.resource.get(&target.account).into_iter().flatten().filter(move |_| controlled).map(|policy| &**policy)
    }

    /// Components of a type, sorted.
    pub(crate) fn of_type(&self, component_type: &str) -> &[Address] {
        self.by_type.get(component_type).map_or(&[], Vec::as_slice)
    }
}

struct Reader<'w, 'i, 'a> {
    index: &'i Index<'a>,
    shared: &'w mut BTreeMap<Address, Rc<Policy>>,
    managed: &'w mut BTreeMap<String, Rc<Policy>>,
    account: &'w str,
}

impl<'a> Reader<'_, '_, 'a> {
    fn principal(&mut self, component: &'a Component) -> Principal<'a> {
        let name = name(self.index, component, self.account);
        let account = self.account.to_owned();
        let kind = last(&component.component_type);
        let caller = name.as_ref().and_then(|name| match kind {
            "user" => Some(Caller { name: name.clone(), ..Caller::user(name.text().clone(), account.as_str()) }),
            // Nobody is a group, but what it holds is asked for as if somebody were.
            "group" => Some(Caller { name: name.clone(), ..Caller::user(name.text().clone(), account.as_str()) }),
            "role" => Some(Caller { name: name.clone(), ..Caller::role(name.text().clone(), account.as_str()) }),
            _ => None,
        });
        let trust = component.setting("assume_role_policy").and_then(|node| one(node, self.account));
        let mut principal = Principal {
            component,
            caller,
            policies: Vec::new(),
            undenied: Vec::new(),
            boundary: None,
            trusts_account: trust.as_ref().and_then(|trust| trusts(trust, self.account)),
            trust,
            groups: Vec::new(),
            through: Vec::new(),
            attached: Vec::new(),
            gap: None,
            account,
        };
        self.add_policies(component, &mut principal);
        for group in self.index.follow(&component.address, "member_of") {
            principal.groups.push(group.address.clone());
            let first = principal.policies.len();
            self.add_policies(group, &mut principal);
            principal.through.push((group.address.clone(), first..principal.policies.len()));
        }
        self.add_boundary(component, &mut principal);
        if principal.policies.iter().any(|policy| policy.denies()) {
            principal.undenied = principal.policies.iter().map(without_denials).collect();
        }
        principal
    }

    fn add_policies(&mut self, component: &'a Component, principal: &mut Principal<'a>) {
        for setting in ["inline_policies", "policies"] {
            let Some(node) = component.setting(setting) else { continue };
            let mut documents = Vec::new();
            if !policy::documents(node, self.account, &mut documents) {
                principal.gap = Some("an inline policy is not known".to_owned());
            }
            let name = component.address.as_str();
            principal.policies.extend(documents.into_iter().map(|document| inline(document, name)));
        }
        for attached in self.index.follow(&component.address, "has_policy") {
            principal.attached.push(attached.address.clone());
            match self.customer_policy(attached) {
                Some(policy) => principal.policies.push(policy),
                None => principal.gap = Some(format!("the text of `{}` is not known", attached.address)),
            }
        }
        let Some(node) = component.setting("managed_policy_arns") else { return };
        self.managed_policies(node, principal);
    }

    fn customer_policy(&mut self, component: &'a Component) -> Option<Rc<Policy>> {
        if let Some(known) = self.shared.get(&component.address) {
            return Some(known.clone());
        }
        let document = one(component.setting("policy")?, self.account)?;
        let policy = inline(document, component.address.as_str());
        self.shared.insert(component.address.clone(), policy.clone());
        Some(policy)
    }

    fn managed_policies(&mut self, node: &Node, principal: &mut Principal<'a>) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.managed_policies(item, principal)),
            Value::Text(text) => {
                let arn = policy::text(text);
                let attached = text.references().any(|(address, _)| principal.attached.iter().any(|known| known.as_str() == address));
                match managed::name(&arn.to_string()) {
                    Some(name) => match self.managed_policy(name, node.span) {
                        Some(policy) => principal.policies.push(policy),
                        None => principal.gap = Some(format!("the text of the AWS managed policy `{name}` is not known")),
                    },
                    None if attached => {}
                    None => match self.by_name(&arn) {
                        Some(component) if principal.attached.contains(&component.address) => {}
                        Some(component) => {
                            principal.attached.push(component.address.clone());
                            principal.policies.extend(self.customer_policy(component));
                        }
                        None => principal.gap = Some(format!("the policy `{arn}` is not in the plan")),
                    },
                }
            }
            Value::Unknown(unknown) => principal.gap = Some(format!("attached policies are not known: {}", unknown.why)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Map(_) => {}
        }
    }

    /// The customer-managed policy that an ARN names.
    fn by_name(&self, arn: &PolicyText) -> Option<&'a Component> {
        let [.., resource] = arn.arn_segments()?;
        let name = resource.known()?;
        let name = name.strip_prefix("policy/")?.rsplit('/').next()?.to_owned();
        self.index.architecture.components.values().find(|component| component.component_type == "iam.policy" && component.name == name)
    }

    fn managed_policy(&mut self, name: &str, at: Span) -> Option<Rc<Policy>> {
        let key = format!("{name} {}:{}", at.file.0, at.start);
        if let Some(known) = self.managed.get(&key) {
            return Some(known.clone());
        }
        let document = bartizan_iam::aws::managed_policy(name)?;
        let policy = Rc::new(Policy { document, attached_at: Some(at), name: name.to_owned() });
        self.managed.insert(key, policy.clone());
        Some(policy)
    }

    fn add_boundary(&mut self, component: &'a Component, principal: &mut Principal<'a>) {
        if let Some(bound) = self.index.follow(&component.address, "bounded_by").first() {
            principal.boundary = self.customer_policy(bound);
            if principal.boundary.is_some() {
                return;
            }
        }
        let Some(node) = component.setting("permissions_boundary") else { return };
        let text = node.value.as_text().map(policy::text);
        let managed = text.as_ref().and_then(|text| managed::name(&text.to_string()).map(str::to_owned));
        principal.boundary = managed.and_then(|name| self.managed_policy(&name, node.span));
        if principal.boundary.is_none() {
            principal.gap = Some("its permissions boundary is not known".to_owned());
        }
    }
}

fn without_denials(policy: &Rc<Policy>) -> Rc<Policy> {
    if !policy.denies() {
        return policy.clone();
    }
    let mut document = policy.document.clone();
    document.statements.retain(|statement| statement.effect == Effect::Allow);
    // Statements are known by their place.
    document.statements.iter_mut().enumerate().for_each(|(place, statement)| statement.index = place);
    Rc::new(Policy { document, attached_at: policy.attached_at, name: policy.name.clone() })
}

fn inline(document: Document, name: &str) -> Rc<Policy> {
    Rc::new(Policy { document, attached_at: None, name: name.to_owned() })
}

fn one(node: &Node, account: &str) -> Option<Document> {
    let mut documents = Vec::new();
    policy::documents(node, account, &mut documents);
    documents.into_iter().next()
}

/// Settings that hold the policy of a resource.
const POLICY_SETTINGS: &[&str] = &["policy", "access_policies", "resource_policy", "access_policy"];

fn target<'a>(index: &Index<'a>, component: &'a Component, account: &str) -> Option<Target<'a>> {
    let name = name(index, component, account)?;
    let objects = (component.component_type == "s3.bucket").then(|| within(&name));
    let policy = match component.setting("permissions") {
        _ if component.service == "iam" => None,
        Some(node) => permissions(node, account),
        None => first_setting(component, POLICY_SETTINGS).and_then(|node| one(node, account)),
    };
    let forbids_nothing = policy.as_ref().is_none_or(|policy| policy.denies().all(only_plain_transport));
    let trusts_account = policy.as_ref().is_some_and(|policy| policy.allows().any(|statement| leaves_to(statement, account)));
    Some(Target { place: 0, component, name, objects, policy, forbids_nothing, trusts_account, account: account.to_owned() })
}

/// True for a deny that strikes only requests without TLS.
fn only_plain_transport(statement: &Statement) -> bool {
    statement.conditions.iter().any(|condition| {
        let values: Vec<String> = condition.values.iter().map(|value| value.text.to_string()).collect();
        condition.key.to_string().eq_ignore_ascii_case("aws:SecureTransport")
            && condition.operator.comparison == Comparison::Bool
            && !condition.operator.negated
            && values == ["false"]
    })
}

/// True for a statement that grants everything to the account as such, without condition.
fn leaves_to(statement: &Statement, account: &str) -> bool {
    statement.resources.is_everything()
        && statement.actions.patterns().iter().any(|pattern| pattern.is_everything() || pattern.is_whole_service())
        && is_for(statement, account)
}

/// The statement of a trust policy that lets whoever the account allows take the role over, where nothing is denied.
fn trusts(trust: &Document, account: &str) -> Option<Origin> {
    let takes = |statement: &&Statement| statement.actions.matches_lower("sts:assumerole").is_yes() && is_for(statement, account);
    trust.allows().find(takes).map(|statement| statement.origin).filter(|_| trust.denies().next().is_none())
}

/// True for a statement that allows the account as such, without condition.
fn is_for(statement: &Statement, account: &str) -> bool {
    let own = |principal: &bartizan_iam::Principal| {
        principal.kind == PrincipalKind::Account && principal.account().and_then(|id| id.known().map(|id| id == account)).unwrap_or(false)
    };
    statement.effect == Effect::Allow
        && statement.conditions.is_empty()
        && matches!(&statement.principals, Principals::Only(list) if list.iter().any(own))
}

/// How policies name a component: by reference, and by its ARN as far as the plan knows it.
fn name(index: &Index<'_>, component: &Component, account: &str) -> Option<ResourceName> {
    let address = component.address.as_str();
    let mut name = ResourceName::new(PolicyText::reference(address, "arn", None));
    for attribute in ["id", "self"] {
        name = name.also(PolicyText::reference(address, attribute, None));
    }
    let Some(shape) = index.services.arn(component) else { return Some(name) };
    let generated = GENERATED_IDS.contains(&component.service.as_str());
    let own = match &component.name_text {
        _ if generated => PolicyText::reference(address, "id", None),
        Some(text) => policy::text(text),
        None => PolicyText::reference(address, "name", None),
    };
    let region = component.region.as_deref().unwrap_or("any");
    let shape = shape.replace("{partition}", "aws").replace("{region}", region).replace("{account}", account);
    let path = component.text("path").filter(|path| path.len() > 1).map(|path| path.trim_matches('/').to_owned());
    let mut arn = PolicyText::default();
    for (at, piece) in shape.split("{name}").enumerate() {
        if at > 0 {
            if let Some(path) = path.as_deref().filter(|_| component.service == "iam") {
                arn.push(Part::Literal(format!("{path}/")));
            }
            let trimmed = own.known().map(|known| known.trim_start_matches('/').to_owned());
            match trimmed {
                Some(known) => arn.push(Part::Literal(known)),
                None => arn.append(own.clone()),
            }
        }
        // A suffix that AWS draws at random has six characters; other wildcards of the shape stand for ids.
        let random = if component.service == "secretsmanager" { "AbCdEf" } else { "any" };
        arn.push(Part::Literal(piece.replace('*', random)));
    }
    Some(name.also(arn))
}

/// The name of something inside of a bucket.
fn within(bucket: &ResourceName) -> ResourceName {
    let mut texts = bucket.texts().iter().map(|text| {
        let mut text = text.clone();
        text.push(Part::Literal("/any".to_owned()));
        text
    });
    let first = texts.next().unwrap_or_default();
    texts.fold(ResourceName::new(first), ResourceName::also)
}

/// A Lambda function's permissions as the policy that AWS makes of them.
/// Source: Lambda developer guide, `AddPermission`.
fn permissions(node: &Node, account: &str) -> Option<Document> {
    let statements: Vec<Node> = node.value.as_list()?.iter().filter_map(permission).collect();
    let document = Value::Map([("Statement".to_owned(), Node::new(Value::List(statements), node.span))].into_iter().collect());
    one(&Node::new(document, node.span), account)
}

fn permission(entry: &Node) -> Option<Node> {
    let text = |value: &str| Node::new(Value::Text(Text::literal(value)), entry.span);
    let map = |key: &str, value: Node| Node::new(Value::Map([(key.to_owned(), value)].into_iter().collect()), entry.span);
    let principal = entry.get("principal").filter(|node| !node.value.is_null())?.clone();
    let is_service = principal.value.as_str().is_some_and(|name| name.ends_with(".amazonaws.com"));
    let who = if is_service { "Service" } else { "AWS" };
    let mut members = indexmap::IndexMap::new();
    members.insert("Effect".to_owned(), text("Allow"));
    members.insert("Principal".to_owned(), map(who, principal));
    members.insert("Action".to_owned(), entry.get("action").cloned().unwrap_or_else(|| text("lambda:InvokeFunction")));
    members.insert("Resource".to_owned(), text("*"));
    let keys = [
        ("source_arn", "ArnLike", "AWS:SourceArn"),
        ("source_account", "StringEquals", "AWS:SourceAccount"),
        ("principal_org_id", "StringEquals", "aws:PrincipalOrgID"),
        ("function_url_auth_type", "StringEquals", "lambda:FunctionUrlAuthType"),
    ];
    let mut conditions: indexmap::IndexMap<String, Node> = indexmap::IndexMap::new();
    for (member, operator, key) in keys {
        let Some(value) = entry.get(member).filter(|node| !node.value.is_null()) else { continue };
        let keys = conditions.entry(operator.to_owned()).or_insert_with(|| Node::new(Value::Map(indexmap::IndexMap::new()), entry.span));
        if let Value::Map(keys) = &mut keys.value {
            keys.insert(key.to_owned(), value.clone());
        }
    }
    if !conditions.is_empty() {
        members.insert("Condition".to_owned(), Node::new(Value::Map(conditions), entry.span));
    }
    Some(Node::new(Value::Map(members), entry.span))
}
