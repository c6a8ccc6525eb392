//! `attack/`: escalation primitives, each a join of permissions over the principals and components of a plan.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Problems;

/// What an attacker can do with permissions, and what a role can be passed to.
#[derive(Clone, Debug, Default)]
pub struct Primitives {
    /// Sorted by id.
    pub list: Vec<Primitive>,
    /// Steps that are no matter of permissions, by id, with what the attacker does in a few words.
    pub relations: BTreeMap<String, String>,
}

impl Primitives {
    /// What the attacker does by each technique, by id.
    pub(crate) fn titles(&self) -> BTreeMap<String, String> {
        let primitives = self.list.iter().map(|primitive| (primitive.id.clone(), primitive.title.clone()));
        primitives.chain(self.relations.iter().map(|(id, title)| (id.clone(), title.clone()))).collect()
    }
}

/// One way to gain something by permissions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Primitive {
    /// Kebab-case id.
    pub id: String,
    /// What the attacker does, in a few words.
    pub title: String,
    /// Kind.
    pub kind: PrimitiveKind,
    /// Permissions that the same actor needs, all of them for one binding.
    #[serde(default)]
    pub needs: Vec<Permission>,
    /// Services of which the bound role must trust one; also the value of `iam:PassedToService`.
    #[serde(default)]
    pub trusts: Vec<String>,
    /// Component types that `target` binds.
    #[serde(default)]
    pub target: Vec<String>,
    /// What it gives.
    pub gives: Gain,
    /// Chance that the step works for somebody who tries, 0 < p <= 1.
    #[serde(default = "likely")]
    pub likelihood: f64,
    /// Why the likelihood is what it is.
    #[serde(default)]
    pub why: Option<String>,
    /// What no plan can know; the step is conditional then.
    #[serde(default)]
    pub assumes: Option<String>,
    /// True where nobody says what the actor gains by it; the step is an assumption then.
    #[serde(skip)]
    pub is_generic: bool,
    /// Prerequisites that the plan decides.
    #[serde(default, rename = "where")]
    pub prerequisites: Vec<Prerequisite>,
    /// MITRE ATT&CK ids.
    #[serde(default)]
    pub attack: Vec<String>,
    /// Where it is known from.
    #[serde(default)]
    pub source: Vec<String>,
    /// Code that finds it, for what is no matter of AWS actions.
    #[serde(default)]
    pub detector: Option<Detector>,
}

/// Code that finds a primitive which is no matter of AWS actions; a closed list, so that a primitive cannot name what is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detector {
    /// Writes webhooks that change what others create.
    AdmissionWebhookWrite,
    /// Writes the config map that maps principals into a cluster.
    AwsAuthUpdate,
    /// Approves certificate requests of clients.
    CertificateApprove,
    /// Reads config maps.
    ConfigMapRead,
    /// Acts as other users, groups or service accounts.
    Impersonate,
    /// A machine that outsiders reach answers metadata requests without a token.
    MetadataRequestForgery,
    /// Reaches pods by the interface of their node.
    NodeProxy,
    /// A node acts as the pods on it.
    NodeServiceAccounts,
    /// Creates pods under other service accounts.
    PodCreate,
    /// Creates pods that leave for the node.
    PodCreatePrivileged,
    /// Adds containers to running pods.
    PodEphemeralContainer,
    /// Runs commands in pods.
    PodExec,
    /// A pod reaches the metadata service of its node.
    PodNodeMetadata,
    /// Binds roles that it does not hold.
    RoleBind,
    /// Rewrites roles beyond what it holds.
    RoleEscalate,
    /// Reads secrets.
    SecretRead,
    /// Issues tokens of service accounts.
    ServiceAccountToken,
    /// A task reaches the metadata service of its machine.
    TaskInstanceMetadata,
    /// Reads the specification of workloads.
    WorkloadRead,
    /// Rewrites workloads.
    WorkloadUpdate,
}

impl Detector {
    /// All of them; the catalogue uses each.
    pub const ALL: &'static [Detector] = &[
        Detector::AdmissionWebhookWrite,
        Detector::AwsAuthUpdate,
        Detector::CertificateApprove,
        Detector::ConfigMapRead,
        Detector::Impersonate,
        Detector::MetadataRequestForgery,
        Detector::NodeProxy,
        Detector::NodeServiceAccounts,
        Detector::PodCreate,
        Detector::PodCreatePrivileged,
        Detector::PodEphemeralContainer,
        Detector::PodExec,
        Detector::PodNodeMetadata,
        Detector::RoleBind,
        Detector::RoleEscalate,
        Detector::SecretRead,
        Detector::ServiceAccountToken,
        Detector::TaskInstanceMetadata,
        Detector::WorkloadRead,
        Detector::WorkloadUpdate,
    ];
}

/// Likelihood that a service does by a role what its caller wants, where nobody says so.
const GENERIC: f64 = 0.1;

fn likely() -> f64 {
    0.9
}

/// One permission that a primitive needs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// The action.
    #[serde(default)]
    pub action: Option<String>,
    /// Actions of which one will do.
    #[serde(default)]
    pub any: Vec<String>,
    /// What it must cover; nothing: any resource will do.
    #[serde(default)]
    pub on: Option<Variable>,
}

impl Permission {
    /// The actions of which one is needed.
    pub fn actions(&self) -> impl Iterator<Item = &String> {
        self.action.iter().chain(&self.any)
    }
}

/// What a permission must cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    /// The actor's own user or role.
    #[serde(rename = "self")]
    Own,
    /// A role.
    Role,
    /// A user.
    User,
    /// A group.
    Group,
    /// A customer-managed policy.
    Policy,
    /// A component of the target types.
    Target,
    /// What lies in the target.
    Objects,
}

/// Kinds of primitives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrimitiveKind {
    /// Gives itself more.
    #[serde(rename = "self")]
    Own,
    /// Removes what limits it.
    Guardrail,
    /// Becomes another principal.
    Principal,
    /// Changes who is trusted.
    Trust,
    /// Starts compute under a passed role.
    NewCompute,
    /// Takes over compute that is there.
    ExistingCompute,
    /// Changes what compute loads.
    Supply,
    /// Inside a Kubernetes cluster.
    K8s,
    /// Opens a resource by its policy.
    ResourcePolicy,
    /// Reads or changes data.
    Data,
    /// Reads configuration.
    Config,
    /// Harms.
    Impact,
}

/// What a primitive gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gain {
    /// Any permission, for whom `on` says.
    Rights,
    /// The rights of the group.
    Join,
    /// Acts as the user.
    User,
    /// Acts as the role.
    Role,
    /// Runs code in the target.
    RunsAs,
    /// The boundary or an own deny limits no more.
    Unbound,
    /// Reads data of the target.
    Read,
    /// Writes data of the target.
    Write,
    /// Destroys data of the target.
    Destroy,
    /// Lets anybody at the target.
    Admit,
    /// Reads the configuration of the target.
    Config,
    /// Holds a second factor of the user.
    Mfa,
    /// Sets tags.
    Tags,
    /// Administers the account.
    Account,
    /// Administers the cluster.
    Cluster,
    /// Harms without data.
    Disrupt,
}

/// Prerequisites that the plan decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prerequisite {
    /// An instance profile with the role exists, or the actor may make one.
    InstanceProfile,
    /// The actor is a user.
    IsUser,
    /// The actor is a role.
    IsRole,
    /// The bound user has a password.
    LoginProfileExists,
    /// The bound user has none.
    NoLoginProfile,
    /// The bound user has an access key.
    HasAccessKey,
    /// The target runs as a role.
    TargetRunsRole,
    /// The target's role lets Systems Manager in.
    SsmManaged,
    /// ECS Exec is on.
    ExecEnabled,
    /// The network lets SSH through.
    NetworkToSsh,
    /// Image tags can be moved.
    MutableTags,
    /// The actor has a permissions boundary.
    HasBoundary,
    /// Access lists are in force.
    AclsEnabled,
    /// The actor runs code on the target already.
    CodeOnTarget,
    /// The cluster takes access entries.
    ClusterApiAuth,
    /// The Data API is on.
    DataApiEnabled,
    /// The database takes IAM logins.
    IamAuthEnabled,
    /// The bound principal is one that the actor can become.
    ActorCanBecome,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrimitiveFile {
    primitives: Vec<Primitive>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PassRoleFile {
    services: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RelationFile {
    relations: BTreeMap<String, String>,
}

/// Reads one file of `attack/`; types must be those of the catalogue.
pub(super) fn load(path: &str, text: &str, catalogue: &mut super::Catalogue, problems: &mut Problems) {
    if path.ends_with("passrole.yaml") {
        if let Some(file) = problems.parse::<PassRoleFile>(path, text) {
            catalogue.attack.list.extend(generic(&file.services));
            catalogue.attack.list.sort_by(|a, b| a.id.cmp(&b.id));
        }
        return;
    }
    if path.ends_with("relations.yaml") {
        if let Some(file) = problems.parse::<RelationFile>(path, text) {
            catalogue.attack.relations.extend(file.relations);
        }
        return;
    }
    let Some(file) = problems.parse::<PrimitiveFile>(path, text) else { return };
    for primitive in file.primitives {
        if let Some(message) = mistake(&primitive, catalogue) {
            problems.push(path, None, format!("primitive `{}`: {message}", primitive.id));
        } else {
            catalogue.attack.list.push(primitive);
        }
    }
    catalogue.attack.list.sort_by(|a, b| a.id.cmp(&b.id));
}

/// Primitives for services that take a role, where no primitive says what the actor gains: one for each set of services.
fn generic(services: &BTreeMap<String, Vec<String>>) -> Vec<Primitive> {
    let mut actions: BTreeMap<&Vec<String>, Vec<String>> = BTreeMap::new();
    for (action, services) in services {
        actions.entry(services).or_default().push(action.clone());
    }
    let primitive = |(services, actions): (&Vec<String>, Vec<String>)| {
        let names: Vec<&str> = services.iter().map(|service| service.trim_end_matches(".amazonaws.com")).collect();
        let pass = Permission { action: Some("iam:PassRole".to_owned()), any: Vec::new(), on: Some(Variable::Role) };
        Primitive {
            id: format!("passrole-to-{}", names.join("-").replace('.', "-")),
            title: format!("Hands a role to {}, which acts by it", names.join(" or ")),
            kind: PrimitiveKind::NewCompute,
            needs: vec![Permission { action: None, any: actions, on: None }, pass],
            trusts: services.clone(),
            target: Vec::new(),
            gives: Gain::Role,
            likelihood: GENERIC,
            why: Some("what the service does by the role is not known to be of use to the actor".to_owned()),
            assumes: None,
            is_generic: true,
            prerequisites: Vec::new(),
            attack: vec!["T1098.003".to_owned()],
            source: vec!["policy_sentry".to_owned()],
            detector: None,
        }
    };
    actions.into_iter().map(primitive).collect()
}

fn mistake(primitive: &Primitive, catalogue: &super::Catalogue) -> Option<String> {
    if catalogue.attack.list.iter().any(|known| known.id == primitive.id) {
        return Some("there is another one of this id".to_owned());
    }
    if primitive.needs.is_empty() == primitive.detector.is_none() {
        return Some("it has either `needs` or a `detector`".to_owned());
    }
    if primitive.needs.iter().any(|need| need.actions().next().is_none()) {
        return Some("a need names neither `action` nor `any`".to_owned());
    }
    if !(primitive.likelihood > 0.0 && primitive.likelihood <= 1.0) {
        return Some("`likelihood` must be more than 0 and at most 1".to_owned());
    }
    let binds_target = primitive.needs.iter().any(|need| matches!(need.on, Some(Variable::Target | Variable::Objects)));
    if binds_target && primitive.target.is_empty() {
        return Some("a need is `on: target`, but `target` lists no component type".to_owned());
    }
    let unknown = primitive.target.iter().find(|name| !catalogue.types.contains_key(*name));
    unknown.map(|name| format!("there is no component type `{name}`"))
}
