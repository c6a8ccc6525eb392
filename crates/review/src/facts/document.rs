//! Policy documents as facts need them: statements with their lines and with references to other components kept.
//!
//! Step 2 of the review. It answers simple questions about what one document says; who may do what in the end is `bartizan_iam`'s matter.

use bartizan_model::{Address, Node, Part, Text, Value};

use super::read::texts;

/// A policy document.
#[derive(Debug, Default)]
pub(crate) struct Document<'a> {
    /// Its statements in order.
    pub(crate) statements: Vec<Statement<'a>>,
    /// False when a part of it is not known.
    pub(crate) complete: bool,
}

/// A statement.
#[derive(Debug)]
pub(crate) struct Statement<'a> {
    /// `Allow`; a `Deny` otherwise.
    pub(crate) allow: bool,
    /// Action patterns as written; with `not_actions` those it does not speak of.
    pub(crate) actions: Vec<(String, &'a Node)>,
    /// True for `NotAction`.
    pub(crate) not_actions: bool,
    /// Resource patterns.
    pub(crate) resources: Vec<(&'a Text, &'a Node)>,
    /// True where a resource is not known at all.
    pub(crate) untold_resources: bool,
    /// True for `NotResource`.
    pub(crate) not_resources: bool,
    /// Principals; empty in identity policies.
    pub(crate) principals: Vec<Principal<'a>>,
    /// True for `NotPrincipal`.
    pub(crate) not_principals: bool,
    /// Conditions: operator, key, values.
    pub(crate) conditions: Vec<Condition<'a>>,
    /// True where a condition is not known at all.
    pub(crate) untold_conditions: bool,
    /// The statement itself.
    pub(crate) node: &'a Node,
}

/// Whom a statement of a resource or trust policy speaks of.
#[derive(Debug)]
pub(crate) enum Principal<'a> {
    /// `*`.
    Anyone(&'a Node),
    /// An account, user or role.
    Aws(&'a Text, &'a Node),
    /// A service principal.
    Service(String, &'a Node),
    /// An identity provider.
    Federated(&'a Text, &'a Node),
    /// Something else or not known.
    Other,
}

/// One condition.
#[derive(Debug)]
pub(crate) struct Condition<'a> {
    /// Operator in lower case: `stringequals`.
    pub(crate) operator: String,
    /// Key in lower case: `aws:sourcearn`.
    pub(crate) key: String,
    /// Its values.
    pub(crate) values: &'a Node,
}

impl<'a> Document<'a> {
    /// Reads a document: a map with `Statement`; lists of documents are read one after the other.
    pub(crate) fn read(node: &'a Node) -> Document<'a> {
        let mut document = Document { statements: Vec::new(), complete: true };
        document.add(node);
        document
    }

    fn add(&mut self, node: &'a Node) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.add(item)),
            Value::Map(map) => {
                let Some(statement) = member(node, "Statement").or_else(|| map.contains_key("Effect").then_some(node)) else {
                    // `{name, policy}` wraps the document itself.
                    if let Some(inner) = ["policy", "document", "PolicyDocument"].iter().find_map(|key| map.get(*key)) {
                        self.add(inner);
                    }
                    return;
                };
                self.add_statements(statement);
            }
            Value::Unknown(_) => self.complete = false,
            // A text that is no JSON: a reference to a document elsewhere, or a value that is known after apply.
            Value::Text(text) => self.complete &= text.is_empty(),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn add_statements(&mut self, node: &'a Node) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.add_statements(item)),
            Value::Map(_) => self.statements.push(Statement::read(node)),
            Value::Null => {}
            Value::Unknown(_) | Value::Text(_) | Value::Bool(_) | Value::Number(_) => self.complete = false,
        }
    }
}

impl<'a> Statement<'a> {
    fn read(node: &'a Node) -> Statement<'a> {
        let not_actions = member(node, "NotAction");
        let actions = not_actions.or_else(|| member(node, "Action"));
        let not_resources = member(node, "NotResource");
        let resources = not_resources.or_else(|| member(node, "Resource"));
        let not_principals = member(node, "NotPrincipal");
        let principals = not_principals.or_else(|| member(node, "Principal"));
        let mut statement = Statement {
            allow: member(node, "Effect")
                .and_then(|effect| effect.value.as_str())
                .is_some_and(|effect| effect.eq_ignore_ascii_case("allow")),
            actions: Vec::new(),
            not_actions: not_actions.is_some(),
            resources: Vec::new(),
            untold_resources: resources.is_some_and(holds_unknown),
            not_resources: not_resources.is_some(),
            principals: Vec::new(),
            not_principals: not_principals.is_some(),
            conditions: Vec::new(),
            untold_conditions: member(node, "Condition").is_some_and(|condition| !matches!(condition.value, Value::Map(_))),
            node,
        };
        if let Some(actions) = actions {
            each(actions, &mut |text, at| statement.actions.push((pattern(text), at)));
        }
        if let Some(resources) = resources {
            each(resources, &mut |text, at| statement.resources.push((text, at)));
        }
        if let Some(principals) = principals {
            read_principals(principals, &mut statement.principals);
        }
        if let Some(Node { value: Value::Map(operators), .. }) = member(node, "Condition") {
            for (operator, keys) in operators {
                let Value::Map(keys) = &keys.value else {
                    statement.untold_conditions = true;
                    continue;
                };
                for (key, values) in keys {
                    let operator = operator.to_ascii_lowercase();
                    statement.conditions.push(Condition { operator, key: key.to_ascii_lowercase(), values });
                }
            }
        }
        statement
    }

    /// True when the statement speaks of an action. `NotAction` speaks of all but its own.
    pub(crate) fn covers_action(&self, action: &str) -> bool {
        let named = self.actions.iter().any(|(pattern, _)| glob(pattern, action));
        named != self.not_actions
    }

    /// True when the statement speaks of every resource.
    pub(crate) fn any_resource(&self) -> bool {
        self.not_resources || self.names_none() || self.resources.iter().any(|(text, _)| as_written(text) == "*")
    }

    /// True where the statement leaves resources out; one that is not known is not left out.
    pub(crate) fn names_none(&self) -> bool {
        self.resources.is_empty() && !self.untold_resources
    }

    /// The node of the pattern that covers an action, for evidence.
    pub(crate) fn action_node(&self, action: &str) -> &'a Node {
        self.actions.iter().find(|(pattern, _)| glob(pattern, action)).map_or(self.node, |(_, node)| node)
    }

    /// True when a positive condition fixes one of the keys. `…IfExists` lets a request without the key through, so it fixes nothing.
    pub(crate) fn fixes(&self, keys: &[&str]) -> bool {
        self.conditions.iter().any(|condition| {
            keys.iter().any(|key| condition.key.eq_ignore_ascii_case(key)) && condition.is_positive() && condition.narrows()
        })
    }
}

impl Statement<'_> {
    /// True when a condition may fix one of the keys: its values, or the condition itself, are not known.
    pub(crate) fn may_fix(&self, keys: &[&str]) -> bool {
        let named = |condition: &Condition<'_>| keys.iter().any(|key| condition.key.eq_ignore_ascii_case(key));
        self.untold_conditions
            || self.conditions.iter().any(|condition| named(condition) && condition.is_positive() && holds_unknown(condition.values))
    }
}

impl Condition<'_> {
    /// True for operators that need the key and a value of it.
    pub(crate) fn is_positive(&self) -> bool {
        let base = self.operator.trim_start_matches("forallvalues:").trim_start_matches("foranyvalue:");
        !base.contains("not") && !base.ends_with("ifexists") && base != "null" && !self.operator.starts_with("forallvalues:")
    }

    /// True when no value of it stands for everything. Where values are compared as they are, one that is not known stands for itself.
    pub(crate) fn narrows(&self) -> bool {
        let as_they_are = self.operator.contains("stringequals");
        let mut any = as_they_are && holds_unknown(self.values);
        let mut wide = false;
        each(self.values, &mut |text, _| {
            any = true;
            let value = as_written(text);
            let like = self.operator.contains("like") || self.operator.contains("arn");
            wide |= like && (value == "*" || value == "arn:*" || value == "arn:aws:*");
            wide |= value == "0.0.0.0/0" || value == "::/0" || value == "0.0.0.0/1" || value == "128.0.0.0/1";
        });
        any && !wide
    }
}

/// Keys that tie a statement for everyone to somebody.
/// Source: AWS S3 user guide, "The meaning of public", and the global condition keys of the IAM user guide.
pub(crate) const NARROWING_KEYS: &[&str] = &[
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalservicename",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpcsourceip",
    "aws:sourceip",
    "aws:userid",
    "aws:username",
    "kms:calleraccount",
    "kms:viaservice",
    "sns:endpoint",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "elasticfilesystem:accessedviamounttarget",
    "sts:externalid",
];

fn member<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Value::Map(map) = &node.value else { return None };
    map.get(key)
        .or_else(|| map.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, node)| node))
        .filter(|node| !node.value.is_null())
}

fn each<'a>(node: &'a Node, visit: &mut dyn FnMut(&'a Text, &'a Node)) {
    match &node.value {
        Value::Text(text) => visit(text, node),
        Value::List(items) => items.iter().for_each(|item| each(item, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Map(_) | Value::Unknown(_) => {}
    }
}

fn holds_unknown(node: &Node) -> bool {
    match &node.value {
        Value::Unknown(_) => true,
        Value::List(items) => items.iter().any(holds_unknown),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => false,
    }
}

fn read_principals<'a>(node: &'a Node, out: &mut Vec<Principal<'a>>) {
    match &node.value {
        Value::Text(text) if as_written(text) == "*" => out.push(Principal::Anyone(node)),
        Value::List(items) => items.iter().for_each(|item| read_principals(item, out)),
        Value::Map(map) => {
            for (kind, values) in map {
                let before = out.len();
                each(values, &mut |text, at| {
                    out.push(match kind.as_str() {
                        "AWS" | "*" if as_written(text) == "*" => Principal::Anyone(at),
                        "AWS" => Principal::Aws(text, at),
                        "Service" => Principal::Service(pattern(text), at),
                        "Federated" => Principal::Federated(text, at),
                        _ => Principal::Other,
                    });
                });
                if out.len() == before {
                    out.push(Principal::Other);
                }
            }
        }
        Value::Text(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Unknown(_) => out.push(Principal::Other),
    }
}

/// A text as a pattern: what is not known stands for anything.
pub(crate) fn pattern(text: &Text) -> String {
    let mut out = String::new();
    for part in text.parts() {
        match part {
            Part::Literal(literal) => out.push_str(literal),
            Part::Reference { value: Some(value), .. } => out.push_str(value),
            Part::Reference { value: None, .. } | Part::Unknown(_) => out.push('*'),
        }
    }
    out
}

/// A text where what is not known stands for itself: no wildcard that nobody wrote.
pub(crate) fn as_written(text: &Text) -> String {
    let mut out = String::new();
    for part in text.parts() {
        match part {
            Part::Literal(literal) => out.push_str(literal),
            Part::Reference { value: Some(value), .. } => out.push_str(value),
            Part::Reference { value: None, .. } | Part::Unknown(_) => out.push('\u{FFFD}'),
        }
    }
    out
}

/// Components that a text refers to, in order.
pub(crate) fn references(text: &Text) -> impl Iterator<Item = Address> + '_ {
    text.references().map(|(address, _)| Address::new(address))
}

/// IAM's wildcards: `*` for any run, `?` for one character; case does not count.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0usize, 0usize);
    let mut back: Option<(usize, usize)> = None;
    while let Some(wanted) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || c.eq_ignore_ascii_case(wanted) => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((star, at)) => {
                    p = star + 1;
                    t = at + 1;
                    back = Some((star, at + 1));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == b'*')
}

/// Known texts of a node, as patterns.
pub(crate) fn patterns(node: &Node) -> Vec<String> {
    texts(node).map(pattern).collect()
}

#[cfg(test)]
mod tests {
    use super::{Document, NARROWING_KEYS, Principal, glob};
    use crate::testing::{list, map, span, text};
    use bartizan_model::Node;

    #[test]
    fn wildcards_match_as_iam_means_them() {
        assert!(glob("s3:Get*", "s3:getobject"));
        assert!(glob("*", "iam:PassRole"));
        assert!(!glob("s3:Get*", "s3:PutObject"));
        assert!(glob("dynamodb:?can", "dynamodb:Scan"));
        assert!(glob("a*b*c", "aXbXbXc"));
    }

    #[test]
    fn a_resource_that_is_not_known_is_not_every_resource() {
        let statement = |resource: Option<bartizan_model::Value>| {
            let mut members = vec![("Effect", text("Allow")), ("Action", text("kms:Decrypt"))];
            members.extend(resource.map(|value| ("Resource", value)));
            Node::new(map(&[("Statement", map(&members))]), span(1))
        };
        let unknown = || bartizan_model::Value::unresolved("a variable without value");
        for (resource, any) in [(None, true), (Some(unknown()), false), (Some(list(vec![unknown()])), false), (Some(text("*")), true)] {
            let node = statement(resource);
            let document = Document::read(&node);
            assert_eq!(document.statements.iter().map(super::Statement::any_resource).collect::<Vec<_>>(), [any]);
        }
    }

    #[test]
    fn a_statement_for_everyone_is_narrowed_only_by_a_positive_fixed_value() {
        let document = |operator: &str, value: &str| {
            Node::new(
                map(&[(
                    "Statement",
                    map(&[
                        ("Effect", text("Allow")),
                        ("Principal", map(&[("AWS", list(vec![text("*")]))])),
                        ("Action", text("sqs:SendMessage")),
                        ("Condition", map(&[(operator, map(&[("aws:SourceArn", text(value))]))])),
                    ]),
                )]),
                span(1),
            )
        };
        for (operator, value, narrowed) in [
            ("ArnEquals", "arn:aws:sns:eu-west-1:111122223333:t", true),
            ("ArnLike", "*", false),
            ("ArnEqualsIfExists", "arn:aws:sns:eu-west-1:111122223333:t", false),
            ("StringNotEquals", "x", false),
        ] {
            let node = document(operator, value);
            let document = Document::read(&node);
            let [statement] = document.statements.as_slice() else { unreachable!("one statement") };
            assert!(matches!(statement.principals.as_slice(), [Principal::Anyone(_)]));
            assert_eq!(statement.fixes(NARROWING_KEYS), narrowed, "{operator} {value}");
        }
    }
}
