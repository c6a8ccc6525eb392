//! Trust policies: who may assume a role, and under which conditions.

use crate::document::{Document, Effect, Statement};
use crate::{Condition, Origin, PolicyText, Principal, PrincipalKind, Principals, Qualifier, Truth};

/// Who a trust policy lets in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Everyone.
    Anyone,
    /// Everyone but those listed (`NotPrincipal`, which AWS advises against).
    AnyoneExcept(Vec<PolicyText>),
    /// An AWS service: `lambda.amazonaws.com`.
    Service(PolicyText),
    /// Users of an identity provider.
    Federated(Provider),
    /// A whole account: twelve digits or a reference; its own policies decide who in it.
    Account(PolicyText),
    /// One user, role or session, by ARN.
    Principal(PolicyText),
    /// Nobody any more: the principal was deleted and its id stayed.
    Deleted(PolicyText),
    /// It cannot be known.
    Unknown(PolicyText),
}

/// An identity provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provider {
    /// As written: an ARN, a host or a reference.
    pub text: PolicyText,
    /// SAML rather than OpenID Connect; `None` where it cannot be told.
    pub saml: Option<bool>,
    /// Host and path of an OpenID Connect issuer, where it is spelled out: `token.actions.githubusercontent.com`.
    pub issuer: Option<String>,
}

/// One way into a role.
#[derive(Clone, Debug)]
pub struct Assumer<'a> {
    /// Who.
    pub who: Who,
    /// *Yes*, or *maybe* where effect, action or principal are not known for certain. Conditions are not judged here.
    pub verdict: Truth,
    /// The action it takes: `sts:AssumeRole`, `sts:AssumeRoleWithWebIdentity` or `sts:AssumeRoleWithSAML`.
    pub action: &'static str,
    /// The conditions that must hold.
    pub conditions: &'a [Condition],
    /// The statement that grants.
    pub statement: &'a Statement,
    /// Denies of the same policy that may strike, under their own conditions.
    pub denied_by: Vec<&'a Statement>,
    /// Where the principal is written.
    pub origin: Origin,
}

/// Who may assume the role that a trust policy belongs to, in the order of the document.
pub fn assumers(document: &Document) -> Vec<Assumer<'_>> {
    let mut out = Vec::new();
    for statement in document.statements.iter().filter(|statement| statement.effect != Effect::Deny) {
        match &statement.principals {
            Principals::Attached => {}
            Principals::Except(list) => {
                let who = Who::AnyoneExcept(list.iter().map(|principal| principal.text.clone()).collect());
                out.extend(assumer(document, statement, who, &["sts:AssumeRole"], statement.origin));
            }
            Principals::Only(list) => {
                for principal in list {
                    let who = who(principal);
                    let actions = actions_of(&who);
                    out.extend(assumer(document, statement, who, actions, principal.origin));
                }
            }
        }
    }
    out
}

fn assumer<'a>(
    document: &'a Document,
    statement: &'a Statement,
    who: Who,
    actions: &[&'static str],
    origin: Origin,
) -> Option<Assumer<'a>> {
    let mut best: Option<(&'static str, Truth)> = None;
    for action in actions {
        let matched = statement.actions.matches(action);
        if matched.is_possible() && best.is_none_or(|(_, before)| matched > before) {
            best = Some((action, matched));
        }
    }
    let (action, matched) = best?;
    let mut verdict = statement.is_allow().and(matched);
    if matches!(who, Who::Unknown(_)) {
        verdict = verdict.and(Truth::Maybe);
    }
    let denied_by: Vec<_> =
        document.denies().filter(|deny| deny.actions.matches(action).is_possible() && named_by(deny, &who).is_possible()).collect();
    let surely_denied = denied_by.iter().any(|deny| {
        deny.effect == Effect::Deny && deny.conditions.is_empty() && deny.actions.matches(action).and(named_by(deny, &who)).is_yes()
    });
    (!surely_denied).then_some(Assumer { who, verdict, action, conditions: &statement.conditions, statement, denied_by, origin })
}

/// Whether a deny speaks of someone.
pub(crate) fn named_by(deny: &Statement, who: &Who) -> Truth {
    let listed = |principal: &Principal| match principal.kind {
        PrincipalKind::Anyone => Truth::Yes,
        PrincipalKind::Unknown => Truth::Maybe,
        _ if self::who(principal) == *who => Truth::Yes,
        PrincipalKind::Account if matches!(who, Who::Principal(_)) => Truth::Maybe,
        _ => Truth::No,
    };
    match &deny.principals {
        Principals::Attached => Truth::No,
        Principals::Only(list) => Truth::any(list.iter().map(listed)),
        Principals::Except(list) => Truth::any(list.iter().map(listed)).negated(),
    }
}

pub(crate) fn who(principal: &Principal) -> Who {
    let text = principal.text.clone();
    match principal.kind {
        PrincipalKind::Anyone => Who::Anyone,
        PrincipalKind::Account => Who::Account(principal.account().unwrap_or(text)),
        PrincipalKind::User | PrincipalKind::Role | PrincipalKind::RoleSession | PrincipalKind::FederatedUser | PrincipalKind::SomeAws => {
            Who::Principal(text)
        }
        PrincipalKind::DeletedId => Who::Deleted(text),
        PrincipalKind::Service => Who::Service(text),
        PrincipalKind::Federated => Who::Federated(Provider::read(text)),
        PrincipalKind::CanonicalUser | PrincipalKind::Unknown => Who::Unknown(text),
    }
}

fn actions_of(who: &Who) -> &'static [&'static str] {
    match who {
        Who::Federated(Provider { saml: Some(true), .. }) => &["sts:AssumeRoleWithSAML"],
        Who::Federated(Provider { saml: Some(false), .. }) => &["sts:AssumeRoleWithWebIdentity"],
        Who::Federated(_) => &["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"],
        Who::Unknown(_) | Who::Anyone => &["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"],
        Who::AnyoneExcept(_) | Who::Service(_) | Who::Account(_) | Who::Principal(_) | Who::Deleted(_) => &["sts:AssumeRole"],
    }
}

impl Provider {
    fn read(text: PolicyText) -> Self {
        let shown = text.to_string();
        let addresses = || text.references().map(|(address, _)| address);
        let (saml, issuer) = if shown.contains(":saml-provider/") || addresses().any(|address| address.contains("aws_iam_saml_provider.")) {
            (Some(true), None)
        } else if let Some((_, issuer)) = shown.split_once(":oidc-provider/") {
            (Some(false), (!issuer.contains("${")).then(|| issuer.to_owned()))
        } else if addresses().any(|address| address.contains("aws_iam_openid_connect_provider.")) {
            (Some(false), None)
        } else if text.known().is_some_and(|known| !known.starts_with("arn:") && known.contains('.')) {
            (Some(false), Some(shown))
        } else {
            (None, None)
        };
        Self { text, saml, issuer }
    }

    /// True for an issuer that signs tokens for everyone who opens an account there, so that the audience alone keeps nobody out.
    pub fn is_shared(&self) -> bool {
        const SHARED: [&str; 9] = [
            "token.actions.githubusercontent.com",
            "gitlab.com",
            "app.terraform.io",
            "agent.buildkite.com",
            "oidc.vercel.com",
            "accounts.google.com",
            "cognito-identity.amazonaws.com",
            "graph.facebook.com",
            "www.amazon.com",
        ];
        self.issuer.as_deref().is_some_and(|issuer| SHARED.contains(&issuer))
    }
}

impl Assumer<'_> {
    /// The conditions on one claim of the identity provider: `sub`, `aud`, `amr`.
    pub fn claim(&self, name: &str) -> impl Iterator<Item = &Condition> {
        let name = name.to_ascii_lowercase();
        self.conditions.iter().filter(move |condition| condition.claim() == name)
    }

    /// Whether everyone with a token of the provider passes: no condition fixes the subject (for Cognito and Google: the audience).
    ///
    /// *No* for principals that are not federated. For GitHub the organisation must be fixed, for others at least the beginning of the subject.
    pub fn any_subject(&self) -> Truth {
        let Who::Federated(provider) = &self.who else { return Truth::No };
        let issuer = provider.issuer.as_deref().unwrap_or("");
        let claims: &[&str] = match issuer {
            "cognito-identity.amazonaws.com" | "accounts.google.com" | "www.amazon.com" | "graph.facebook.com" => {
                &["aud", "oaud", "sub", "app_id"]
            }
            _ if provider.saml == Some(true) => &["aud", "sub", "iss", "edupersonorgdn", "namequalifier", "sub_type"],
            _ => &["sub", "repository", "repository_owner", "repository_owner_id", "repository_id", "job_workflow_ref", "actor", "email"],
        };
        let fixed = self.conditions.iter().filter(|condition| claims.contains(&condition.claim().as_str()) || condition.key.has_unknown());
        Truth::any(fixed.map(|condition| fixes_subject(condition, issuer))).negated()
    }
}

fn fixes_subject(condition: &Condition, issuer: &str) -> Truth {
    let operator = &condition.operator;
    if condition.key.has_unknown() && condition.claim().is_empty() {
        return Truth::Maybe;
    }
    if operator.negated || operator.if_exists {
        return Truth::No;
    }
    let every = Truth::all(condition.values.iter().map(|value| {
        let wild = operator.comparison == crate::Comparison::StringLike;
        let shown = value.text.to_string();
        let before = if wild { shown.split(['*', '?']).next().unwrap_or("") } else { shown.as_str() };
        let is_github_repo = issuer == "token.actions.githubusercontent.com" && before.starts_with("repo:");
        if value.text.has_unknown() {
            Truth::Maybe
        } else if is_github_repo {
            before.contains('/').into()
        } else {
            (!before.trim_end_matches("repo:").is_empty()).into()
        }
    }));
    match operator.qualifier {
        // True as well for a token without the claim.
        Some(Qualifier::ForAllValues) => every.and(Truth::Maybe),
        Some(Qualifier::ForAnyValue) | None if condition.open => every.and(Truth::Maybe),
        Some(Qualifier::ForAnyValue) | None => every,
    }
}

#[cfg(test)]
mod tests {
    use super::{Who, assumers};
    use crate::{Document, Truth};

    fn trust(principal: &str, action: &str, condition: &str) -> Document {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"{action}","Condition":{condition}}}]}}"#
        );
        Document::from_json(&text).unwrap()
    }

    #[test]
    fn services_accounts_and_principals_are_told_apart() {
        let document = trust(
            r#"{"Service":["ec2.amazonaws.com"],"AWS":["111111111111","arn:aws:iam::222222222222:role/ci","*","AROAXEXAMPLE"]}"#,
            "sts:AssumeRole",
            "{}",
        );
        let who: Vec<_> = assumers(&document).into_iter().map(|assumer| assumer.who).collect();
        let expected = [
            Who::Service("ec2.amazonaws.com".into()),
            Who::Account("111111111111".into()),
            Who::Principal("arn:aws:iam::222222222222:role/ci".into()),
            Who::Anyone,
            Who::Deleted("AROAXEXAMPLE".into()),
        ];
        assert_eq!(who, expected);
    }

    #[test]
    fn tagging_a_session_is_no_way_in() {
        assert!(assumers(&trust(r#"{"AWS":"*"}"#, "sts:TagSession", "{}")).is_empty());
    }

    #[test]
    fn an_unconditional_deny_closes_the_way() {
        let text = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":["111111111111","222222222222"]},"Action":"sts:AssumeRole"},
            {"Effect":"Deny","Principal":{"AWS":"222222222222"},"Action":"sts:*"}]}"#;
        let document = Document::from_json(text).unwrap();
        let who: Vec<_> = assumers(&document).into_iter().map(|assumer| assumer.who).collect();
        assert_eq!(who, [Who::Account("111111111111".into())]);
    }

    #[test]
    fn a_github_subject_must_fix_the_organisation() {
        let provider = r#"{"Federated":"arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"}"#;
        let open = |condition: &str| {
            let document = trust(provider, "sts:AssumeRoleWithWebIdentity", condition);
            let found = assumers(&document);
            assert_eq!(found.len(), 1);
            found[0].any_subject()
        };
        let aud = r#""StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}"#;
        let sub =
            |operator: &str, value: &str| format!(r#"{{{aud},"{operator}":{{"token.actions.githubusercontent.com:sub":"{value}"}}}}"#);
        assert_eq!(open(&format!("{{{aud}}}")), Truth::Yes);
        assert_eq!(open(&sub("StringLike", "repo:org/*")), Truth::No);
        assert_eq!(open(&sub("StringLike", "repo:*")), Truth::Yes);
        assert_eq!(open(&sub("StringLike", "repo:org*/x")), Truth::Yes);
        assert_eq!(open(&sub("StringEqualsIfExists", "repo:org/x:ref:refs/heads/main")), Truth::Yes);
        assert_eq!(open(&sub("ForAllValues:StringLike", "repo:org/x:*")), Truth::Maybe);
    }
}
