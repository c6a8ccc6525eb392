//! A request that shows what a public statement lets anyone do; it has passed the evaluator.

use crate::aws::{self, AccessLevel};
use crate::document::Document;
use crate::formula::{Atom, Cube};
use crate::pattern::{Pattern, Syntax};
use crate::public::PublicStatement;
use crate::satisfy::{Need, solve_cube};
use crate::search::{Constraint, Found, find};
use crate::{Caller, Context, Outcome, Policies, Request, ResourceName, ResourcePattern, Resources, decide};

/// More actions than this are not tried for one statement.
const MAX_TRIES: usize = 64;

/// An unsigned request that a resource policy allows.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicRequest<'a> {
    /// The action as AWS spells it: `s3:GetObject`.
    pub action: String,
    /// The resource; references are written as they are read (`${aws_s3_bucket.a.arn}/…`), `None` where the policy names none.
    pub resource: Option<String>,
    /// What must hold besides; empty where anyone may do it just so.
    pub needs: Vec<Need<'a>>,
}

impl<'a> PublicStatement<'a> {
    /// A request without a signature that the policy allows by this statement, reading before listing before writing.
    ///
    /// `None` where none of the actions that AWS has could be shown to be allowed, as when what the statement names is not known.
    pub fn example(&self, document: &'a Document) -> Option<PublicRequest<'a>> {
        let table = aws::action_table();
        let (certain, _) = table.sets(&self.statement.actions);
        let order = [AccessLevel::Read, AccessLevel::List, AccessLevel::Write, AccessLevel::PermissionsManagement, AccessLevel::Tagging];
        let sets = order.map(|level| certain.intersection(aws::at_level(level)));
        let actions = sets.iter().flat_map(|set| table.names(set));
        actions.take(MAX_TRIES).find_map(|action| self.example_of(action, document))
    }

    fn example_of(&self, action: &str, document: &'a Document) -> Option<PublicRequest<'a>> {
        let resource = resource_for(action, &self.statement.resources)?;
        let (service, _) = action.split_once(':')?;
        let facts = aws::action(action)?;
        let name = ResourceName::new(resource.as_deref().unwrap_or("*"));
        let request = Request::new(Caller::anonymous(), action, name, Context::open());
        let decision = decide(&request, &Policies { resource: Some(document), ..Policies::default() });
        let is_shown = matches!(decision.outcome, Outcome::Allow | Outcome::Conditional) && decision.decided;
        is_shown.then(|| PublicRequest { action: format!("{service}:{}", facts.name), resource, needs: decision.needs })
    }
}

/// A resource that the statement names and that the action works on; `Some(None)` where the policy stands at its resource.
#[allow(clippy::option_option, reason = "none to be found is not the same as none to be named")]
fn resource_for(action: &str, resources: &Resources) -> Option<Option<String>> {
    if *resources == Resources::Attached {
        return Some(None);
    }
    let (prefix, _) = action.split_once(':')?;
    let service = aws::service(prefix)?;
    let types = aws::action(action)?.resources.iter().filter_map(|resource| service.resource_type(&resource.resource_type));
    let syntax = Syntax { wildcards: true, ..Syntax::default() };
    let arns: Vec<Pattern> = types.map(|one| Pattern::compile(&glob_of(&one.arn).into(), syntax)).collect();
    if arns.is_empty() {
        return resources.is_everything().then(|| Some("*".to_owned()));
    }
    let listed = match resources {
        Resources::Only(patterns) => {
            Constraint { patterns: patterns.iter().flat_map(ResourcePattern::as_patterns).collect(), fold_case: false, wanted: true }
        }
        Resources::Except(_) | Resources::Attached => {
            let cube = Cube { literals: vec![(Atom::Resource(resources), true)] };
            return solve_cube(&cube, &Context::open()).1.resource.map(Some);
        }
    };
    match find(&[Constraint { patterns: arns, fold_case: false, wanted: true }, listed]) {
        Found::Text(text) => Some(Some(text)),
        Found::Nothing | Found::GaveUp => None,
    }
}

/// `arn:${Partition}:s3:::${BucketName}/${ObjectName}` as a pattern.
fn glob_of(arn: &str) -> String {
    let mut out = String::new();
    let mut rest = arn.replace("${Partition}", "aws");
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        out.push_str("?*");
        rest = after.split_once('}').map_or_else(String::new, |(_, after)| after.to_owned());
    }
    out + &rest
}

#[cfg(test)]
mod tests {
    use crate::{Document, public_statements};

    fn example(statements: &str) -> Option<(String, Option<String>, Vec<String>)> {
        let document = Document::from_json(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap();
        let public = public_statements(&document);
        let found = public[0].example(&document)?;
        Some((found.action, found.resource, found.needs.into_iter().map(|need| need.text).collect()))
    }

    #[test]
    fn an_object_of_a_public_bucket_can_be_read() {
        let (action, resource, needs) = example(
            r#"{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}"#,
        )
        .unwrap();
        assert_eq!((action.as_str(), needs.len()), ("s3:GetObject", 0));
        assert!(resource.unwrap().starts_with("arn:aws:s3:::b/"));
    }

    #[test]
    fn denies_and_conditions_are_kept() {
        let found = example(
            r#"{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b/*",
                "Condition":{"Bool":{"aws:SecureTransport":"true"}}},
               {"Effect":"Deny","Principal":"*","Action":"s3:Get*","Resource":"*"}"#,
        );
        let (action, _, needs) = found.unwrap();
        assert_eq!((action.as_str(), needs.join(", ").as_str()), ("s3:PutObject", "Bool aws:SecureTransport `true`"));
    }

    #[test]
    fn queues_topics_and_functions_have_their_own_arns() {
        let found = example(r#"{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*"}"#).unwrap();
        assert_eq!(found.0, "sqs:SendMessage");
        assert!(found.1.unwrap().starts_with("arn:aws:sqs:"));
    }
}
