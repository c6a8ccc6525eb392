//! What one policy grants to whom, over a table of all actions.

use crate::document::{Document, Effect, Statement};
use crate::trust::{Who, named_by, who};
use crate::{ActionSet, ActionTable, Principals, Resources, Truth};

/// What a policy grants to one principal.
#[derive(Clone, Debug)]
pub struct Grant<'a> {
    /// Who; `None` in an identity policy, which grants to whoever holds it.
    pub who: Option<Who>,
    /// The actions that are granted without any condition, on some resource.
    pub certain: ActionSet,
    /// The actions that are granted under conditions, or only perhaps; none of those in [`Grant::certain`].
    pub conditional: ActionSet,
    /// The statements that grant, in order.
    pub statements: Vec<&'a Statement>,
}

/// What a policy grants to whom, after its own denies, in the order in which it names them.
///
/// Only the document counts: another policy may deny what it grants. A deny of part of the resources takes nothing away.
pub fn grants<'a>(document: &'a Document, table: &ActionTable) -> Vec<Grant<'a>> {
    let mut out: Vec<Grant<'a>> = Vec::new();
    for statement in document.allows() {
        for who in everyone_named(statement) {
            let (certain, conditional) = granted(document, statement, who.as_ref(), table);
            if certain.is_empty() && conditional.is_empty() {
                continue;
            }
            let at = out.iter().position(|grant| grant.who == who).unwrap_or(out.len());
            if at == out.len() {
                out.push(Grant { who, certain: ActionSet::default(), conditional: ActionSet::default(), statements: Vec::new() });
            }
            if let Some(grant) = out.get_mut(at) {
                grant.certain = grant.certain.union(&certain);
                grant.conditional = grant.conditional.union(&conditional).minus(&grant.certain);
                grant.statements.push(statement);
            }
        }
    }
    out
}

fn everyone_named(statement: &Statement) -> Vec<Option<Who>> {
    match &statement.principals {
        Principals::Attached => vec![None],
        Principals::Only(list) => list.iter().map(|principal| Some(who(principal))).collect(),
        Principals::Except(list) => vec![Some(Who::AnyoneExcept(list.iter().map(|principal| principal.text.clone()).collect()))],
    }
}

/// What one statement grants to somebody for certain and otherwise.
fn granted(document: &Document, statement: &Statement, who: Option<&Who>, table: &ActionTable) -> (ActionSet, ActionSet) {
    let (certain, possible) = table.sets(&statement.actions);
    let is_plain = statement.conditions.is_empty() && statement.effect == Effect::Allow && !matches!(who, Some(Who::Unknown(_)));
    let mut out = if is_plain { (certain.clone(), possible.minus(&certain)) } else { (ActionSet::default(), possible) };
    for deny in document.denies() {
        let strikes = match who {
            Some(who) => named_by(deny, who),
            None => (deny.principals == Principals::Attached).into(),
        };
        let (always, perhaps) = table.sets(&deny.actions);
        let everywhere = statement.resources == Resources::Attached || deny.resources.covers(&statement.resources).is_yes();
        if strikes.is_yes() && everywhere && deny.conditions.is_empty() && deny.effect == Effect::Deny {
            out = (out.0.minus(&always), out.1.minus(&always));
        }
        // What is left of it is taken away in some cases.
        if strikes != Truth::No && everywhere {
            let doubtful = out.0.intersection(&perhaps);
            out = (out.0.minus(&doubtful), out.1.union(&doubtful));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::grants;
    use crate::{ActionSet, ActionTable, Document, Who};

    const ACTIONS: [&str; 5] = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "sqs:SendMessage", "iam:PassRole"];

    fn read(statements: &str) -> Vec<(Option<Who>, String, String)> {
        let document = Document::from_json(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap();
        let table = ActionTable::new(ACTIONS);
        let names = |set: &ActionSet| table.names(set).collect::<Vec<_>>().join(" ");
        grants(&document, &table).into_iter().map(|grant| (grant.who, names(&grant.certain), names(&grant.conditional))).collect()
    }

    #[test]
    fn an_identity_policy_grants_to_its_holder_what_it_does_not_deny() {
        let found = read(
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"},
               {"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}},
               {"Effect":"Deny","Action":"s3:Delete*","Resource":"*"},
               {"Effect":"Deny","Action":"s3:Put*","Resource":"arn:aws:s3:::b/*"}"#,
        );
        assert_eq!(found, [(None, "s3:getobject s3:putobject".to_owned(), "iam:passrole".to_owned())]);
    }

    #[test]
    fn a_resource_policy_grants_to_each_that_it_names() {
        let found = read(
            r#"{"Effect":"Allow","Principal":{"AWS":["111111111111","222222222222"]},"Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"},
               {"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"},
               {"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#,
        );
        let account = |number: &str| Some(Who::Account(number.into()));
        let expected = [
            (account("111111111111"), "s3:getobject".to_owned(), String::new()),
            (account("222222222222"), "s3:getobject".to_owned(), "s3:putobject".to_owned()),
        ];
        assert_eq!(found, expected);
    }
}
