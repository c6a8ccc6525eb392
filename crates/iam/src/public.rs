//! Which statements of a resource policy grant to everyone, and which to other accounts.

use crate::document::{Document, Effect, Statement};
use crate::narrow::{narrows, narrows_when_false};
use crate::{Condition, Origin, PolicyText, PrincipalKind, Principals, Truth};

/// A statement that grants to everyone, or may.
#[derive(Clone, Debug)]
pub struct PublicStatement<'a> {
    /// The statement.
    pub statement: &'a Statement,
    /// *Yes*, or *maybe* where it depends on what the plan does not know.
    pub verdict: Truth,
    /// Conditions that stay and do not narrow who: `aws:SecureTransport` and the like.
    pub conditions: Vec<&'a Condition>,
}

/// An account that a policy names as one that may come in.
#[derive(Clone, Debug)]
pub struct ForeignAccount<'a> {
    /// The account: twelve digits, or a reference.
    pub account: PolicyText,
    /// *Yes* where it is certainly none of the own ones, *maybe* where that cannot be told.
    pub verdict: Truth,
    /// The statement that names it.
    pub statement: &'a Statement,
    /// Where it is named.
    pub origin: Origin,
    /// Set where the account is named by a condition on an open principal, not by the principal.
    pub condition: Option<&'a Condition>,
}

/// Whether a statement grants to everyone: the principal is `*` (or an `Allow` with `NotPrincipal`), and no condition narrows it to fixed callers.
///
/// The statement is taken alone; [`public_statements`] also looks at the denies beside it.
pub fn is_public(statement: &Statement) -> Truth {
    let open = match &statement.principals {
        Principals::Attached => Truth::No,
        Principals::Except(_) => Truth::Yes,
        Principals::Only(list) => Truth::any(list.iter().map(|principal| match principal.kind {
            PrincipalKind::Anyone => Truth::Yes,
            PrincipalKind::Unknown => Truth::Maybe,
            _ => Truth::No,
        })),
    };
    let narrowed = Truth::any(statement.conditions.iter().map(narrows));
    statement.is_allow().and(open).and(narrowed.negated())
}

/// The statements that grant to everyone, after the denies of the same document; those that certainly do not are left out.
pub fn public_statements(document: &Document) -> Vec<PublicStatement<'_>> {
    document
        .statements
        .iter()
        .filter_map(|statement| {
            let verdict = is_public(statement).and(shut_by_denies(document, statement).negated());
            let conditions = statement.conditions.iter().filter(|condition| narrows(condition).is_no()).collect();
            verdict.is_possible().then_some(PublicStatement { statement, verdict, conditions })
        })
        .collect()
}

/// Whether a deny of the document shuts out everyone but particular callers from all that the statement grants.
fn shut_by_denies(document: &Document, statement: &Statement) -> Truth {
    Truth::any(document.statements.iter().map(|deny| {
        let hits_everyone = match &deny.principals {
            Principals::Only(list) => list.iter().any(|principal| principal.kind == PrincipalKind::Anyone).into(),
            Principals::Except(_) => Truth::Yes,
            Principals::Attached => Truth::No,
        };
        // Of the conditions of a deny all must hold for it to strike, so each of them alone must spare only particular callers.
        let spares_few = Truth::all(deny.conditions.iter().map(narrows_when_false));
        deny.is_deny()
            .and(hits_everyone)
            .and(spares_few)
            .and(deny.actions.covers(&statement.actions))
            .and(deny.resources.covers(&statement.resources))
    }))
}

/// The accounts that a resource or trust policy lets in and that are none of `own`.
///
/// An account that is a reference counts as *maybe* foreign, unless it is in `own` by the same reference.
/// References to whole ARNs (`${aws_iam_role.r.arn}`) are things of the plan and not listed.
pub fn foreign_accounts<'a>(document: &'a Document, own: &[PolicyText]) -> Vec<ForeignAccount<'a>> {
    let mut out = Vec::new();
    for statement in document.statements.iter().filter(|statement| statement.effect != Effect::Deny) {
        let Principals::Only(list) = &statement.principals else { continue };
        for principal in list {
            if let Some(account) = principal.account() {
                push(&mut out, account, own, statement, principal.origin, None);
            }
        }
        let open = list.iter().any(|principal| matches!(principal.kind, PrincipalKind::Anyone));
        for condition in statement.conditions.iter().filter(|condition| open && narrows(condition).is_possible()) {
            let names_account = ["aws:PrincipalAccount", "aws:SourceAccount", "aws:SourceOwner", "kms:CallerAccount"]
                .iter()
                .any(|key| condition.is_on(key));
            let names_arn = ["aws:PrincipalArn", "aws:SourceArn"].iter().any(|key| condition.is_on(key));
            for value in &condition.values {
                let account = match value.text.arn_segments() {
                    Some([_, _, _, _, account, _]) if names_arn && !account.is_empty() => account,
                    _ if names_account => value.text.clone(),
                    _ => continue,
                };
                push(&mut out, account, own, statement, value.origin, Some(condition));
            }
        }
    }
    out
}

fn push<'a>(
    out: &mut Vec<ForeignAccount<'a>>,
    account: PolicyText,
    own: &[PolicyText],
    statement: &'a Statement,
    origin: Origin,
    condition: Option<&'a Condition>,
) {
    let same = own.iter().any(|own| *own == account || own.known().is_some_and(|own| account.known().as_ref() == Some(&own)));
    // `arn:aws:iam::aws:policy/…` and other names of AWS itself.
    if same || account.known().is_some_and(|known| known.bytes().any(|byte| !byte.is_ascii_digit())) {
        return;
    }
    let verdict =
        if account.known().is_some() && !own.is_empty() && own.iter().all(|own| own.known().is_some()) { Truth::Yes } else { Truth::Maybe };
    out.push(ForeignAccount { account, verdict, statement, origin, condition });
}

#[cfg(test)]
mod tests {
    use super::{foreign_accounts, is_public, public_statements};
    use crate::{Document, PolicyText, Truth};

    fn bucket_policy(statements: &str) -> Document {
        Document::from_json(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap()
    }

    const OPEN: &str = r#"{"Sid":"Open","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}"#;

    #[test]
    fn everyone_is_public_and_an_organisation_is_not() {
        assert_eq!(is_public(&bucket_policy(OPEN).statements[0]), Truth::Yes);
        let narrowed = OPEN.replace("\"Action\"", r#""Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}},"Action""#);
        assert_eq!(is_public(&bucket_policy(&narrowed).statements[0]), Truth::No);
        let tls = OPEN.replace("\"Action\"", r#""Condition":{"Bool":{"aws:SecureTransport":"true"}},"Action""#);
        let document = bucket_policy(&tls);
        let public = public_statements(&document);
        assert_eq!(public[0].conditions[0].to_string(), "Bool aws:SecureTransport `true`");
        assert_eq!(
            is_public(&bucket_policy(&OPEN.replace("\"Principal\":\"*\"", "\"NotPrincipal\":{\"AWS\":\"1\"}")).statements[0]),
            Truth::Yes
        );
    }

    #[test]
    fn a_deny_for_all_others_closes_an_open_statement() {
        let deny = |condition: &str, action: &str| {
            format!(r#"{OPEN},{{"Effect":"Deny","Principal":"*","Action":"{action}","Resource":"*","Condition":{condition}}}"#)
        };
        let vpce = r#"{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#;
        assert!(public_statements(&bucket_policy(&deny(vpce, "s3:*"))).is_empty());
        assert_eq!(public_statements(&bucket_policy(&deny(vpce, "s3:PutObject"))).len(), 1);
        let tls = r#"{"Bool":{"aws:SecureTransport":"false"}}"#;
        assert_eq!(public_statements(&bucket_policy(&deny(tls, "s3:*"))).len(), 1);
        let perimeter = r#"{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}"#;
        assert!(public_statements(&bucket_policy(&deny(perimeter, "s3:*"))).is_empty());
    }

    #[test]
    fn accounts_are_foreign_when_they_are_not_ours() {
        let document = bucket_policy(
            r#"{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::222222222222:root","111111111111"]},"Action":"*","Resource":"*"},
               {"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"333333333333"}}}"#,
        );
        let own = [PolicyText::literal("111111111111")];
        let found: Vec<_> = foreign_accounts(&document, &own).iter().map(|found| (found.account.to_string(), found.verdict)).collect();
        assert_eq!(found, [("222222222222".to_owned(), Truth::Yes), ("333333333333".to_owned(), Truth::Yes)]);
        let unsure = foreign_accounts(&document, &[PolicyText::reference("data.aws_caller_identity.c", "account_id", None)]);
        assert!(unsure.iter().all(|found| found.verdict == Truth::Maybe));
    }
}
