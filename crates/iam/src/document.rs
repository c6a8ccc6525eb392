//! A policy document and its statements.

use crate::{Actions, Condition, JsonError, Node, Origin, Principals, Problem, Resources, Truth, json, parse};

/// The version of the policy language; it decides whether `${…}` is a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, and what holds where nothing is written: no policy variables.
    V2008,
    /// `2012-10-17`.
    V2012,
}

/// A policy document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The version.
    pub version: Version,
    /// `Id`, where one is written.
    pub id: Option<String>,
    /// The statements in order.
    pub statements: Vec<Statement>,
    /// What is wrong with the document.
    pub problems: Vec<Problem>,
    /// Set where statements may be missing because the plan does not know them; the reason.
    pub incomplete: Option<String>,
    /// The whole document.
    pub origin: Origin,
}

/// Whether a statement grants or forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It grants.
    Allow,
    /// It forbids.
    Deny,
    /// The plan does not know.
    Unknown,
}

/// One statement of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// `Sid`, as written.
    pub sid: Option<String>,
    /// Grants or forbids.
    pub effect: Effect,
    /// Who.
    pub principals: Principals,
    /// What.
    pub actions: Actions,
    /// On what.
    pub resources: Resources,
    /// Under which conditions; all must hold.
    pub conditions: Vec<Condition>,
    /// Where it is written.
    pub origin: Origin,
    /// Its place in the document, from 0.
    pub index: usize,
}

impl Document {
    /// Reads a document from JSON text; origins are byte ranges of it.
    ///
    /// # Errors
    /// The text is no JSON. A JSON text that is no policy gives a document with [`Document::problems`].
    pub fn from_json(text: &str) -> Result<Self, JsonError> {
        Ok(Self::from_tree(&json::parse_json(text)?))
    }

    /// Reads a document from a tree whose strings may hold references.
    pub fn from_tree(node: &Node) -> Self {
        parse::document(node)
    }

    /// The statements that grant, or may grant.
    pub fn allows(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter().filter(|statement| statement.effect != Effect::Deny)
    }

    /// The statements that forbid, or may forbid.
    pub fn denies(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter().filter(|statement| statement.effect != Effect::Allow)
    }
}

impl Statement {
    /// Whether it grants.
    pub fn is_allow(&self) -> Truth {
        match self.effect {
            Effect::Allow => Truth::Yes,
            Effect::Deny => Truth::No,
            Effect::Unknown => Truth::Maybe,
        }
    }

    /// Whether it forbids.
    pub fn is_deny(&self) -> Truth {
        self.is_allow().negated()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::{Document, Effect, Version};
    use crate::{Actions, Comparison, Node, Origin, PolicyText, PrincipalKind, Principals, Resources, Tree, Truth};

    #[test]
    fn a_document_is_read_with_the_place_of_everything() {
        let text = r#"{"Version": "2012-10-17", "Statement": {
            "Sid": "Read", "Effect": "Allow", "Principal": {"AWS": ["111111111111", "*"], "Service": "sns.amazonaws.com"},
            "NotAction": ["s3:Delete*"], "Resource": "arn:aws:s3:::b/*",
            "Condition": {"StringEquals": {"aws:SourceAccount": ["1", "2"]}, "Bool": {"aws:SecureTransport": true}}}}"#;
        let document = Document::from_json(text).unwrap();
        assert_eq!((document.version, document.problems.len()), (Version::V2012, 0));
        let [statement] = document.statements.as_slice() else { panic!("one statement") };
        assert_eq!((statement.sid.as_deref(), statement.effect), (Some("Read"), Effect::Allow));
        let kinds: Vec<_> = statement.principals.list().iter().map(|principal| principal.kind).collect();
        assert_eq!(kinds, [PrincipalKind::Account, PrincipalKind::Anyone, PrincipalKind::Service]);
        assert!(statement.actions.is_except());
        let resource = &statement.resources.patterns()[0];
        assert_eq!(&text[resource.origin.start as usize..resource.origin.end as usize], "\"arn:aws:s3:::b/*\"");
        let shown: Vec<_> = statement.conditions.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["StringEquals aws:SourceAccount `1`, `2`", "Bool aws:SecureTransport `true`"]);
    }

    #[test]
    fn what_is_not_known_stays_open() {
        let origin = Origin { source: 3, start: 1, end: 2 };
        let unknown = || Node::new(Tree::Unknown("variable `actions` has no value".to_owned()), origin);
        let key = |text: &str| PolicyText::literal(text);
        let allow = Node::new(Tree::Text("Allow".into()), origin);
        let statement = Tree::Map(vec![
            (key("Effect"), allow),
            (key("Action"), unknown()),
            (key("Resource"), unknown()),
            (key("Condition"), unknown()),
            (key("Principal"), unknown()),
        ]);
        let list = Tree::List(vec![Node::new(statement, origin), unknown()]);
        let document = Document::from_tree(&Node::new(Tree::Map(vec![(key("Statement"), Node::new(list, origin))]), origin));
        let statement = &document.statements[0];
        assert_eq!(statement.actions.matches("s3:GetObject"), Truth::Maybe);
        assert_eq!(statement.conditions[0].operator.comparison, Comparison::Other);
        assert_eq!(statement.principals.list()[0].kind, PrincipalKind::Unknown);
        assert_eq!(document.incomplete.as_deref(), Some("variable `actions` has no value"));
        assert_eq!(statement.origin, origin);
    }

    #[test]
    fn mistakes_are_named_and_the_rest_is_kept() {
        let text = r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "allow", "Action": "s3:*", "Resource": "arn:aws:s3"},
            {"Effect": "Allow", "Resource": "*", "Colour": "red"},
            {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringMatches": {"a:b": "c"}}}, 7]}"#;
        let document = Document::from_json(text).unwrap();
        let codes: Vec<_> = document.problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, ["effect", "resource-not-an-arn", "unknown-element", "no-action", "unknown-operator", "not-a-statement"]);
        assert_eq!(document.statements.len(), 3);
        assert_eq!(document.statements[0].effect, Effect::Unknown);
        assert_eq!(document.statements[1].actions, Actions::Only(Vec::new()));
    }

    #[test]
    fn a_document_inside_a_string_is_read_too() {
        let origin = Origin { source: 1, start: 10, end: 20 };
        let text = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}"#;
        let document = Document::from_tree(&Node::new(Tree::Text(text.into()), origin));
        assert_eq!(document.statements[0].origin, origin);
        assert_eq!(document.statements[0].resources, Resources::Attached);
        assert!(matches!(document.statements[0].principals, Principals::Only(_)));
    }

    proptest! {
        #[test]
        fn reading_never_panics(
            key in "(Effect|Action|Resource|Principal|Condition|Statement|Version|NotAction)",
            value in "(\"Allow\"|\"\\*\"|1|null|\\[\\]|\\{\\}|\\[\"a:b\",2,null\\]|\\{\"AWS\":\\[1\\]\\}|\\{\"Bool\":\\{\"a\":\\[\\]\\}\\})",
        ) {
            for text in [format!("{{\"{key}\":{value}}}"), format!("{{\"Statement\":[{{\"{key}\":{value}}}]}}"), value.clone()] {
                Document::from_json(&text).unwrap();
            }
        }
    }
}
