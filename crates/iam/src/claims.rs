//! Tokens of identity providers as sets: would a trust policy let in any of the tokens that somebody can get?
//!
//! Whoever controls a repository gets tokens for all its branches and pull requests, so the question is not about one token.
//! Each claim is a list of patterns; their language is intersected with the language of the trust policy's conditions.
//!
//! Source: IAM User Guide, creating a role for OpenID Connect federation; GitHub's and GitLab's documentation of their subject claims;
//! EKS User Guide, IAM roles for service accounts.

use std::collections::BTreeMap;

use crate::context::{Context, ContextValue};
use crate::formula::{Atom, Formula};
use crate::satisfy::solve;
use crate::trust::{Assumer, Who};
use crate::{Condition, ConditionValue, Operator, Origin, PolicyText, Statement, Truth};

/// The tokens that somebody can get from one identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    issuer: String,
    claims: BTreeMap<String, Vec<String>>,
}

/// Whether a trust policy lets in a token of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// *No* where it lets none in, *yes* where [`Admission::token`] shows one that it does, *maybe* where that depends on
    /// [`Admission::needs`] or cannot be told.
    pub verdict: Truth,
    /// Whether it lets in every token of the set, whatever else holds.
    pub every: bool,
    /// Claims of a token that gets in, as far as a condition asks for them, by name.
    pub token: BTreeMap<String, String>,
    /// What must hold besides, in words: ``IpAddress aws:SourceIp `203.0.113.0/24` ``.
    pub needs: Vec<String>,
}

impl Tokens {
    /// All tokens of an issuer, by host and path (`gitlab.com`), or all assertions of a SAML provider, by its ARN.
    ///
    /// Claims that are not narrowed by [`Tokens::with`] may have any value or be missing.
    pub fn of(issuer: &str) -> Self {
        Self { issuer: issuer.trim_start_matches("https://").trim_end_matches('/').to_owned(), claims: BTreeMap::new() }
    }

    /// Says which values a claim (`sub`) has: one that fits any of the patterns, in which `*` is any run and `?` one character.
    #[must_use]
    pub fn with<S: Into<String>>(mut self, claim: &str, patterns: impl IntoIterator<Item = S>) -> Self {
        self.claims.insert(claim.to_ascii_lowercase(), patterns.into_iter().map(Into::into).collect());
        self
    }

    /// What workflows of a GitHub repository get (`org/app`), on any branch, tag, environment or pull request; the audience is theirs to choose.
    pub fn github(repository: &str) -> Self {
        let owner = repository.split('/').next().unwrap_or(repository);
        Self::of("token.actions.githubusercontent.com")
            .with("sub", [format!("repo:{repository}:*")])
            .with("repository", [repository])
            .with("repository_owner", [owner])
    }

    /// What pipelines of a GitLab project get (`group/app`), on any branch or tag; `host` is `gitlab.com` or an instance of one's own.
    pub fn gitlab(host: &str, project: &str) -> Self {
        let group = project.rsplit_once('/').map_or(project, |(group, _)| group);
        Self::of(host)
            .with("sub", [format!("project_path:{project}:ref_type:*:ref:*")])
            .with("project_path", [project])
            .with("namespace_path", [group])
    }

    /// What pods of a Kubernetes service account get from the cluster's issuer (`oidc.eks.eu-west-1.amazonaws.com/id/…`).
    pub fn service_account(issuer: &str, namespace: &str, name: &str) -> Self {
        Self::of(issuer).with("sub", [format!("system:serviceaccount:{namespace}:{name}")]).with("aud", ["sts.amazonaws.com"])
    }

    /// Whether they are tokens of the provider that a trust policy names; *maybe* where that is a reference.
    fn are_of(&self, who: &Who) -> Truth {
        let Who::Federated(provider) = who else { return Truth::No };
        match (&provider.issuer, provider.text.known()) {
            (Some(issuer), _) => (issuer.trim_end_matches('/') == self.issuer).into(),
            (None, Some(text)) => (text == self.issuer.as_str()).into(),
            (None, None) => Truth::Maybe,
        }
    }
}

/// Whether one way into a role is open to a token of the set; `context` holds what else is known of the request.
pub fn admits(assumer: &Assumer<'_>, tokens: &Tokens, context: &Context) -> Admission {
    let of_provider = tokens.are_of(&assumer.who);
    let none = Admission { verdict: Truth::No, every: false, token: BTreeMap::new(), needs: Vec::new() };
    if of_provider.is_no() {
        return none;
    }
    let denied = || assumer.denied_by.iter().flat_map(|deny| &deny.conditions);
    let claims = restrictions(assumer.conditions.iter().chain(denied()), tokens);
    let within = || Formula::all(claims.iter().map(|claim| Formula::Atom(Atom::Condition(claim))));
    let lets_in = || {
        let denies = assumer.denied_by.iter().map(|deny| conditions(deny, context).negated());
        Formula::all(assumer.conditions.iter().map(|condition| atom(condition, context)).chain(denies))
    };
    let solved = solve(&within().and(lets_in()), context);
    if solved.answer.is_no() {
        return none;
    }
    let mut out = Admission { token: BTreeMap::new(), needs: Vec::new(), ..none };
    for need in solved.needs {
        let claim = need.condition.map(Condition::claim).filter(|claim| is_claim(need.condition, claim, tokens));
        match (claim, need.witness) {
            (Some(claim), Some(ContextValue::Single(value))) => drop(out.token.insert(claim, value.to_string())),
            (Some(claim), Some(ContextValue::Multiple(values))) => {
                let values: Vec<_> = values.iter().map(ToString::to_string).collect();
                out.token.insert(claim, values.join(", "));
            }
            (Some(_), Some(ContextValue::Absent | ContextValue::Unknown)) => {}
            _ if !out.needs.contains(&need.text) => out.needs.push(need.text),
            _ => {}
        }
    }
    let shown = Truth::from(solved.decided && out.needs.is_empty()).or(Truth::Maybe);
    out.verdict = shown.and(assumer.verdict).and(of_provider);
    out.every = out.verdict.is_yes() && solve(&within().and(lets_in().negated()), context).answer.is_no();
    out
}

/// For every key that some condition reads a known claim from: that its value is one of the set.
fn restrictions<'c>(conditions: impl Iterator<Item = &'c Condition>, tokens: &Tokens) -> Vec<Condition> {
    let mut out: Vec<Condition> = Vec::new();
    for condition in conditions {
        let claim = condition.claim();
        let seen = out.iter().any(|known| known.key.to_string().eq_ignore_ascii_case(&condition.key.to_string()));
        if let Some(patterns) = tokens.claims.get(&claim).filter(|_| !seen && is_claim(Some(condition), &claim, tokens)) {
            let operator = Operator::parse("StringLike");
            let value = |text: &String| ConditionValue::new(PolicyText::literal(text.as_str()), &operator, false, Origin::default());
            let values = patterns.iter().map(value).collect();
            let (key, origin) = (condition.key.clone(), Origin::default());
            out.push(Condition { operator: operator.clone(), key, values, open: false, variables: false, origin });
        }
    }
    out
}

/// True for a key of the issuer (`gitlab.com:sub`), of SAML (`saml:aud`), or behind a reference to an issuer.
fn is_claim(condition: Option<&Condition>, claim: &str, tokens: &Tokens) -> bool {
    let Some(known) = condition.and_then(|condition| condition.key.known()) else { return !claim.is_empty() };
    let prefix = known.len().checked_sub(claim.len() + 1).and_then(|length| known.get(..length)).unwrap_or_default();
    prefix.eq_ignore_ascii_case(&tokens.issuer) || prefix.eq_ignore_ascii_case("saml")
}

fn atom<'a>(condition: &'a Condition, context: &Context) -> Formula<'a> {
    match condition.holds(context) {
        Truth::Yes => Formula::True,
        Truth::No => Formula::False,
        Truth::Maybe => Formula::Atom(Atom::Condition(condition)),
    }
}

/// That a deny strikes.
fn conditions<'a>(deny: &'a Statement, context: &Context) -> Formula<'a> {
    let strikes = Formula::of(deny.is_deny(), || format!("statement {} denies it", deny.index + 1));
    Formula::all(std::iter::once(strikes).chain(deny.conditions.iter().map(|condition| atom(condition, context))))
}

#[cfg(test)]
mod tests {
    use super::{Admission, Tokens, admits};
    use crate::trust::assumers;
    use crate::{Context, Document, Truth};

    const GITHUB: &str = "token.actions.githubusercontent.com";

    fn ask(issuer: &str, statements: &[(&str, &str)], tokens: &Tokens) -> Admission {
        let provider = format!("arn:aws:iam::111111111111:oidc-provider/{issuer}");
        let statement = |(effect, condition): &(&str, &str)| {
            let condition = condition.replace("ISSUER", issuer);
            format!(
                r#"{{"Effect":"{effect}","Principal":{{"Federated":"{provider}"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{condition}}}"#
            )
        };
        let text: Vec<_> = statements.iter().map(statement).collect();
        let document = Document::from_json(&format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, text.join(","))).unwrap();
        let found = assumers(&document);
        admits(&found[0], tokens, &Context::open().since("2026-11-27"))
    }

    #[test]
    fn a_repository_gets_in_where_some_of_its_subjects_fit() {
        let main = r#"{"StringEquals":{"ISSUER:aud":"sts.amazonaws.com","ISSUER:sub":"repo:org/app:ref:refs/heads/main"}}"#;
        let found = ask(GITHUB, &[("Allow", main)], &Tokens::github("org/app"));
        assert_eq!((found.verdict, found.every), (Truth::Yes, false));
        assert_eq!(found.token["sub"], "repo:org/app:ref:refs/heads/main");
        assert_eq!(found.token["aud"], "sts.amazonaws.com", "a workflow chooses its audience");
        assert_eq!(ask(GITHUB, &[("Allow", main)], &Tokens::github("org/other")).verdict, Truth::No);
        let any = r#"{"StringLike":{"ISSUER:sub":"repo:org/*"}}"#;
        assert!(ask(GITHUB, &[("Allow", any)], &Tokens::github("org/other")).every);
        assert_eq!(ask(GITHUB, &[("Allow", any)], &Tokens::github("organ/app")).verdict, Truth::No);
        let sloppy = r#"{"StringLike":{"ISSUER:sub":"repo:org*"}}"#;
        assert_eq!(ask(GITHUB, &[("Allow", sloppy)], &Tokens::github("organ/app")).verdict, Truth::Yes);
        let pulls = Tokens::github("org/app").with("sub", ["repo:org/app:pull_request"]);
        assert_eq!(ask(GITHUB, &[("Allow", main)], &pulls).verdict, Truth::No);
    }

    #[test]
    fn set_operators_and_denies_count() {
        let missing = r#"{"ForAllValues:StringLike":{"ISSUER:sub":"repo:org/app:*"}}"#;
        assert_eq!(ask(GITHUB, &[("Allow", missing)], &Tokens::github("evil/x")).verdict, Truth::No, "its tokens do have a subject");
        assert_eq!(ask(GITHUB, &[("Allow", missing)], &Tokens::of(GITHUB)).verdict, Truth::Yes);
        let allow = ("Allow", r#"{"StringLike":{"ISSUER:sub":"repo:org/*"}}"#);
        let no_pulls = ("Deny", r#"{"StringLike":{"ISSUER:sub":"*:pull_request"}}"#);
        let found = ask(GITHUB, &[allow, no_pulls], &Tokens::github("org/app"));
        assert_eq!((found.verdict, found.every), (Truth::Yes, false));
        assert!(!found.token["sub"].ends_with(":pull_request"));
        let pulls = Tokens::github("org/app").with("sub", ["repo:org/app:pull_request"]);
        assert_eq!(ask(GITHUB, &[allow, no_pulls], &pulls).verdict, Truth::No);
    }

    #[test]
    fn what_else_a_trust_asks_for_is_named() {
        let from = r#"{"StringLike":{"ISSUER:sub":"repo:org/*"},"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#;
        let found = ask(GITHUB, &[("Allow", from)], &Tokens::github("org/app"));
        assert_eq!((found.verdict, found.needs), (Truth::Maybe, vec!["IpAddress aws:SourceIp `203.0.113.0/24`".to_owned()]));
        let expired = r#"{"StringLike":{"ISSUER:sub":"repo:org/*"},"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}"#;
        assert_eq!(ask(GITHUB, &[("Allow", expired)], &Tokens::github("org/app")).verdict, Truth::No);
    }

    #[test]
    fn gitlab_projects_service_accounts_and_other_issuers() {
        let branch = r#"{"StringLike":{"ISSUER:sub":"project_path:group/app:ref_type:branch:ref:*"}}"#;
        let found = ask("gitlab.com", &[("Allow", branch)], &Tokens::gitlab("gitlab.com", "group/app"));
        assert_eq!((found.verdict, found.every), (Truth::Yes, false), "tags stay outside");
        assert_eq!(ask("gitlab.com", &[("Allow", branch)], &Tokens::gitlab("git.example.com", "group/app")).verdict, Truth::No);
        let eks = "oidc.eks.eu-west-1.amazonaws.com/id/ABC";
        let shop = r#"{"StringLike":{"ISSUER:sub":"system:serviceaccount:shop:*","ISSUER:aud":"sts.amazonaws.com"}}"#;
        assert!(ask(eks, &[("Allow", shop)], &Tokens::service_account(eks, "shop", "orders")).every);
        assert_eq!(ask(eks, &[("Allow", shop)], &Tokens::service_account(eks, "dev", "orders")).verdict, Truth::No);
    }
}
