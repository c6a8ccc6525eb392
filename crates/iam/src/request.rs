//! A request: who asks for which action on what, and what is known of its context.

use crate::context::{Context, ContextValue};
use crate::{Part, PolicyText, ResourceName};

/// What kind of caller it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallerKind {
    /// An IAM user.
    User,
    /// A session of a role.
    Role,
    /// A federated user of GetFederationToken.
    FederatedUser,
    /// The root user of an account.
    Root,
    /// An AWS service that acts for itself.
    Service,
    /// Someone with a token of an identity provider, before any role is assumed.
    Federated,
    /// Nobody in particular: an unsigned request.
    Anonymous,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// Its kind.
    pub kind: CallerKind,
    /// ARN of the user or of the *role*, host of the service, ARN or host of the provider; every name it goes by.
    pub name: ResourceName,
    /// ARN of the session, where it is one in particular; for a federated user the user whose credentials it has.
    pub session: Option<ResourceName>,
    /// Account; `None` for services, providers and anonymous callers.
    pub account: Option<PolicyText>,
    /// True where service control policies do not apply: the management account and service-linked roles.
    pub exempt_from_scp: bool,
}

impl Caller {
    /// A caller by its ARN as IAM writes it; a session's role is taken to have no path.
    ///
    /// `None` for an ARN that names no caller. Use [`Caller::role`] and [`Caller::user`] for references.
    pub fn from_arn(arn: &PolicyText) -> Option<Self> {
        let [_, partition, service, _, account, resource] = arn.arn_segments()?;
        let (service, start) = (service.known()?.into_owned(), resource.known_prefix());
        match service.as_str() {
            "iam" if start == "root" => Some(Self::plain(CallerKind::Root, arn.clone(), Some(account))),
            "iam" if start.starts_with("user/") => Some(Self::user(arn.clone(), account)),
            "iam" if start.starts_with("role/") => Some(Self::role(arn.clone(), account)),
            "sts" if start.starts_with("assumed-role/") => {
                let name = resource.split('/', 3).into_iter().nth(1)?;
                let mut role = PolicyText::literal("arn:");
                role.append(partition);
                role.push(Part::Literal(":iam::".to_owned()));
                role.append(account.clone());
                role.push(Part::Literal(":role/".to_owned()));
                role.append(name);
                Some(Self { session: Some(ResourceName::new(arn.clone())), ..Self::role(role, account) })
            }
            "sts" if start.starts_with("federated-user/") => Some(Self::plain(CallerKind::FederatedUser, arn.clone(), Some(account))),
            _ => None,
        }
    }

    /// Any session of a role.
    pub fn role(arn: impl Into<PolicyText>, account: impl Into<PolicyText>) -> Self {
        let out = Self::plain(CallerKind::Role, arn.into(), Some(account.into()));
        Self { exempt_from_scp: out.is_service_linked(), ..out }
    }

    /// A user.
    pub fn user(arn: impl Into<PolicyText>, account: impl Into<PolicyText>) -> Self {
        Self::plain(CallerKind::User, arn.into(), Some(account.into()))
    }

    /// A service: `sns.amazonaws.com`.
    pub fn service(host: &str) -> Self {
        Self { exempt_from_scp: true, ..Self::plain(CallerKind::Service, host.into(), None) }
    }

    /// Someone with a token of an identity provider.
    pub fn federated(provider: impl Into<PolicyText>) -> Self {
        Self { exempt_from_scp: true, ..Self::plain(CallerKind::Federated, provider.into(), None) }
    }

    /// An unsigned request.
    pub fn anonymous() -> Self {
        Self { exempt_from_scp: true, ..Self::plain(CallerKind::Anonymous, PolicyText::default(), None) }
    }

    fn plain(kind: CallerKind, name: PolicyText, account: Option<PolicyText>) -> Self {
        Self { kind, name: ResourceName::new(name), session: None, account, exempt_from_scp: false }
    }

    /// True for a service-linked role, which neither service nor resource control policies bind (Organizations User Guide).
    pub fn is_service_linked(&self) -> bool {
        let by_name = |text: &PolicyText| {
            text.to_string().contains(":role/aws-service-role/")
                || text.references().any(|(address, _)| address.contains("aws_iam_service_linked_role."))
        };
        self.kind == CallerKind::Role && self.name.texts().iter().any(by_name)
    }

    /// True for callers whose policies are those of an account.
    pub fn is_in_account(&self) -> bool {
        matches!(self.kind, CallerKind::User | CallerKind::Role | CallerKind::FederatedUser | CallerKind::Root)
    }
}

/// A request to decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Who.
    pub caller: Caller,
    /// What: `s3:GetObject`.
    pub action: String,
    /// On what.
    pub resource: ResourceName,
    /// The account of the resource; `None` where it is not known.
    pub resource_account: Option<PolicyText>,
    /// What is known of the context.
    pub context: Context,
}

impl Request {
    /// A request. The keys that follow from the caller (`aws:PrincipalArn` and the like) are filled in where the context does not say.
    ///
    /// The resource's account is read from its ARN; S3 leaves it out, so say it with [`Request::owned_by`] where it is known.
    pub fn new(caller: Caller, action: &str, resource: ResourceName, context: Context) -> Self {
        let account = |text: &PolicyText| match text.arn_segments() {
            Some([_, _, _, _, account, _]) if !account.is_empty() => Some(account),
            _ => None,
        };
        let resource_account = resource.texts().iter().find_map(account);
        let mut out = Self { caller, action: action.to_owned(), resource, resource_account, context };
        out.fill_context();
        out
    }

    /// The same request for a resource of this account, which the context then holds too (`aws:ResourceAccount`).
    #[must_use]
    pub fn owned_by(mut self, account: impl Into<PolicyText>) -> Self {
        let account = account.into();
        self.context.set_default("aws:ResourceAccount", ContextValue::Single(account.clone()));
        self.resource_account = Some(account);
        self
    }

    /// The same request as AWS takes it: on `*` where the action works on no resource, so that a policy that names one does not grant it.
    ///
    /// An action that [`crate::aws`] does not know stays as it is. Source: Service Authorization Reference, actions without resource types.
    #[must_use]
    pub fn as_aws_takes_it(mut self) -> Self {
        if crate::aws::action(&self.action).is_some_and(|action| action.resources.is_empty()) {
            self.resource = ResourceName::new("*");
        }
        self
    }

    /// Keys that the caller determines. Source: IAM User Guide, global condition keys, "availability".
    fn fill_context(&mut self) {
        let mut set = |key: &str, value: ContextValue| self.context.set_default(key, value);
        let known = |text: &PolicyText| if text.is_empty() { ContextValue::Unknown } else { ContextValue::Single(text.clone()) };
        let is_service = |yes: bool| ContextValue::Single(PolicyText::literal(if yes { "true" } else { "false" }));
        let kind = match self.caller.kind {
            CallerKind::User => Some("User"),
            CallerKind::Role => Some("AssumedRole"),
            CallerKind::FederatedUser => Some("FederatedUser"),
            CallerKind::Root => Some("Account"),
            CallerKind::Service => None,
            CallerKind::Federated | CallerKind::Anonymous => Some("Anonymous"),
        };
        if let Some(kind) = kind {
            set("aws:PrincipalType", ContextValue::Single(kind.into()));
        }
        match &self.caller.account {
            Some(account) => {
                set("aws:PrincipalAccount", known(account));
                set("aws:PrincipalArn", known(self.caller.name.text()));
                set("aws:PrincipalIsAWSService", is_service(false));
                set("aws:PrincipalServiceName", ContextValue::Absent);
            }
            None => {
                let keys = ["aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:userid"];
                keys.iter().for_each(|key| set(key, ContextValue::Absent));
                if self.caller.kind == CallerKind::Service {
                    set("aws:PrincipalIsAWSService", is_service(true));
                    set("aws:PrincipalServiceName", known(self.caller.name.text()));
                } else {
                    set("aws:PrincipalIsAWSService", ContextValue::Absent);
                }
            }
        }
        match self.caller.kind {
            CallerKind::User => {
                let name = self.caller.name.texts().iter().find_map(|text| text.arn_segments());
                if let Some([.., resource]) = name
                    && let Some(name) = resource.known().and_then(|known| known.rsplit('/').next().map(str::to_owned))
                {
                    set("aws:username", ContextValue::Single(name.into()));
                }
            }
            _ => set("aws:username", ContextValue::Absent),
        }
        if self.caller.kind != CallerKind::Service {
            // Only services speak for a source; a caller cannot put these keys into its own request.
            ["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"]
                .iter()
                .for_each(|key| set(key, ContextValue::Absent));
        }
        if let Some(account) = &self.resource_account {
            set("aws:ResourceAccount", known(account));
        }
    }
}
