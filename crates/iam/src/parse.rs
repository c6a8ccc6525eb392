//! From the tree to the document. Never fails: what is wrong becomes a problem, what is not known stays open.

use crate::document::{Document, Effect, Statement, Version};
use crate::{
    ActionPattern, Actions, Condition, ConditionValue, Node, Operator, Origin, PolicyText, Principal, PrincipalKind, Principals, Problem,
    ResourcePattern, Resources, Tree, json, mistakes, operator,
};

/// Reads a document.
pub(crate) fn document(node: &Node) -> Document {
    if let Tree::Text(text) = &node.tree
        && let Some(known) = text.known()
        && let Ok(mut inner) = json::parse_json(&known)
        && matches!(inner.tree, Tree::Map(_))
    {
        set_origin(&mut inner, node.origin);
        return document(&inner);
    }
    let mut reader = Reader { problems: Vec::new(), incomplete: None, variables: false };
    let mut out =
        Document { version: Version::V2008, id: None, statements: Vec::new(), problems: Vec::new(), incomplete: None, origin: node.origin };
    match &node.tree {
        Tree::Map(entries) => reader.body(entries, &mut out),
        Tree::Null => {}
        Tree::Unknown(reason) => reader.incomplete = Some(reason.clone()),
        Tree::Text(text) if text.known().is_none() => {
            reader.incomplete = Some(format!("the document is `{text}`"));
        }
        Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) | Tree::List(_) => {
            reader.problem("not-a-document", "a policy document is an object".to_owned(), node.origin);
        }
    }
    out.problems = reader.problems;
    out.incomplete = reader.incomplete;
    out
}

fn set_origin(node: &mut Node, origin: Origin) {
    node.origin = origin;
    match &mut node.tree {
        Tree::List(items) => items.iter_mut().for_each(|item| set_origin(item, origin)),
        Tree::Map(entries) => entries.iter_mut().for_each(|(_, item)| set_origin(item, origin)),
        Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) | Tree::Unknown(_) => {}
    }
}

struct Reader {
    problems: Vec<Problem>,
    incomplete: Option<String>,
    variables: bool,
}

impl Reader {
    fn problem(&mut self, code: &'static str, message: String, origin: Origin) {
        self.problems.push(Problem { code, message, origin });
    }

    fn body(&mut self, entries: &[(PolicyText, Node)], out: &mut Document) {
        for (key, node) in entries {
            match (key.to_string().to_ascii_lowercase().as_str(), &node.tree) {
                ("version", Tree::Text(text)) => match text.known().as_deref() {
                    Some("2012-10-17") => out.version = Version::V2012,
                    Some("2008-10-17") => out.version = Version::V2008,
                    Some(other) => self.problem("version", format!("there is no policy version `{other}`"), node.origin),
                    // Nobody computes the old version.
                    None => out.version = Version::V2012,
                },
                ("id", Tree::Text(text)) => out.id = Some(text.to_string()),
                ("version" | "id", Tree::Null) | ("statement", _) => {}
                _ => self.problem("unknown-element", format!("a policy has no element `{key}`"), node.origin),
            }
        }
        self.variables = out.version == Version::V2012;
        let mut any = false;
        for (_, node) in entries.iter().filter(|(key, _)| is(key, "statement")) {
            any = true;
            for item in elements(node) {
                self.statement_or_gap(item, &mut out.statements);
            }
        }
        if !any {
            self.problem("no-statement", "the policy has no `Statement`".to_owned(), out.origin);
        }
    }

    fn statement_or_gap(&mut self, node: &Node, out: &mut Vec<Statement>) {
        match &node.tree {
            Tree::Map(entries) => {
                let statement = self.statement(entries, node.origin, out.len());
                self.problems.extend(mistakes::mistakes(&statement));
                out.push(statement);
            }
            Tree::Null => {}
            Tree::Unknown(reason) => self.incomplete = Some(reason.clone()),
            Tree::Text(text) if text.known().is_none() => self.incomplete = Some(format!("a statement is `{text}`")),
            Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) | Tree::List(_) => {
                self.problem("not-a-statement", "a statement is an object".to_owned(), node.origin);
            }
        }
    }

    fn statement(&mut self, entries: &[(PolicyText, Node)], origin: Origin, index: usize) -> Statement {
        let mut out = Statement {
            sid: None,
            effect: Effect::Unknown,
            principals: Principals::Attached,
            actions: Actions::Only(Vec::new()),
            resources: Resources::Attached,
            conditions: Vec::new(),
            origin,
            index,
        };
        let (mut has_action, mut has_effect) = (false, false);
        for (key, node) in entries {
            if matches!(node.tree, Tree::Null) {
                continue;
            }
            match key.to_string().to_ascii_lowercase().as_str() {
                "sid" => out.sid = text_of(node).map(|text| text.to_string()),
                "effect" => {
                    has_effect = true;
                    out.effect = self.effect(node);
                }
                "principal" => out.principals = Principals::Only(self.principals(node)),
                "notprincipal" => out.principals = Principals::Except(self.principals(node)),
                "action" => {
                    has_action = true;
                    out.actions = Actions::Only(self.actions(node));
                }
                "notaction" => {
                    has_action = true;
                    out.actions = Actions::Except(self.actions(node));
                }
                "resource" => out.resources = Resources::Only(self.resources(node)),
                "notresource" => out.resources = Resources::Except(self.resources(node)),
                "condition" => self.conditions(node, &mut out.conditions),
                _ => self.problem("unknown-element", format!("a statement has no element `{key}`"), node.origin),
            }
        }
        if !has_action {
            self.problem("no-action", "the statement has neither `Action` nor `NotAction`".to_owned(), origin);
        }
        if !has_effect {
            self.problem("effect", "the statement has no `Effect`".to_owned(), origin);
        }
        out
    }

    fn effect(&mut self, node: &Node) -> Effect {
        let text = text_of(node);
        match text.as_ref().and_then(PolicyText::known).as_deref() {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            Some(other) => {
                self.problem("effect", format!("`Effect` is `Allow` or `Deny`, not `{other}`"), node.origin);
                Effect::Unknown
            }
            None => Effect::Unknown,
        }
    }

    fn actions(&mut self, node: &Node) -> Vec<ActionPattern> {
        self.texts(node, "action")
            .into_iter()
            .map(|(text, origin)| {
                if text.known().is_some_and(|known| known != "*" && !known.contains(':')) {
                    self.problem("action-without-service", format!("`{text}` is no action: write `service:{text}`"), origin);
                }
                ActionPattern::new(text, origin)
            })
            .collect()
    }

    fn resources(&mut self, node: &Node) -> Vec<ResourcePattern> {
        self.texts(node, "resource")
            .into_iter()
            .map(|(text, origin)| {
                let pattern = ResourcePattern::new(text, self.variables, origin);
                if pattern.sloppy {
                    let message = format!("`{}` has fewer than six segments and works only because it ends in `*`", pattern.text);
                    self.problem("resource-too-short", message, origin);
                } else if pattern.matches_nothing() {
                    self.problem("resource-not-an-arn", format!("`{}` is no ARN and matches nothing", pattern.text), origin);
                }
                pattern
            })
            .collect()
    }

    fn principals(&mut self, node: &Node) -> Vec<Principal> {
        let mut out = Vec::new();
        match &node.tree {
            Tree::Map(entries) => {
                for (key, values) in entries {
                    let key = key.to_string();
                    for (text, origin) in self.texts(values, "principal") {
                        let kind = match key.to_ascii_lowercase().as_str() {
                            "aws" => {
                                out.push(Principal::aws(text, origin));
                                continue;
                            }
                            // `{"*": "*"}` is how the Terraform data source writes everyone.
                            "*" => PrincipalKind::Anyone,
                            "service" => PrincipalKind::Service,
                            "federated" => PrincipalKind::Federated,
                            "canonicaluser" => PrincipalKind::CanonicalUser,
                            _ => {
                                self.problem("principal", format!("there is no kind of principal `{key}`"), origin);
                                PrincipalKind::Unknown
                            }
                        };
                        out.push(Principal { kind, text, origin });
                    }
                }
            }
            Tree::Text(text) if text.known().as_deref() == Some("*") => {
                out.push(Principal { kind: PrincipalKind::Anyone, text: text.clone(), origin: node.origin });
            }
            Tree::Text(text) if text.known().is_some() => {
                let message = format!("a principal is `*` or an object such as `{{\"AWS\": \"{text}\"}}`");
                self.problem("principal", message, node.origin);
                out.push(Principal::aws(text.clone(), node.origin));
            }
            Tree::Text(text) => out.push(Principal { kind: PrincipalKind::Unknown, text: text.clone(), origin: node.origin }),
            Tree::Unknown(reason) => {
                out.push(Principal { kind: PrincipalKind::Unknown, text: PolicyText::unknown(reason.clone()), origin: node.origin });
            }
            Tree::List(items) => out.extend(items.iter().flat_map(|item| self.principals(item)).collect::<Vec<_>>()),
            Tree::Null => {}
            Tree::Bool(_) | Tree::Number(_) => self.problem("principal", "a principal is text or an object".to_owned(), node.origin),
        }
        out
    }

    fn conditions(&mut self, node: &Node, out: &mut Vec<Condition>) {
        match &node.tree {
            Tree::Map(operators) => {
                for (name, keys) in operators {
                    let operator = Operator::parse(&name.to_string());
                    if operator.comparison == operator::Comparison::Other && name.known().is_some() {
                        self.problem("unknown-operator", format!("there is no condition operator `{name}`"), keys.origin);
                    }
                    self.condition_keys(&operator, keys, out);
                }
            }
            Tree::List(items) => items.iter().for_each(|item| self.conditions(item, out)),
            Tree::Null => {}
            Tree::Unknown(reason) => out.push(self.open_condition(Operator::parse("?"), reason, node.origin)),
            Tree::Text(text) => out.push(self.open_condition(Operator::parse("?"), &format!("the conditions are `{text}`"), node.origin)),
            Tree::Bool(_) | Tree::Number(_) => self.problem("condition", "`Condition` is an object".to_owned(), node.origin),
        }
    }

    fn condition_keys(&mut self, operator: &Operator, node: &Node, out: &mut Vec<Condition>) {
        match &node.tree {
            Tree::Map(keys) => {
                for (key, values) in keys {
                    let mut condition = self.open_condition(operator.clone(), "", values.origin);
                    condition.key = key.clone();
                    condition.open = is_open(values);
                    condition.values = self
                        .texts(values, "condition")
                        .into_iter()
                        .map(|(text, origin)| ConditionValue::new(text, operator, self.variables, origin))
                        .collect();
                    out.push(condition);
                }
            }
            Tree::List(items) => items.iter().for_each(|item| self.condition_keys(operator, item, out)),
            Tree::Null => {}
            Tree::Unknown(reason) => out.push(self.open_condition(operator.clone(), reason, node.origin)),
            Tree::Text(_) | Tree::Bool(_) | Tree::Number(_) => {
                self.problem("condition", format!("under `{operator}` stands an object of keys and values"), node.origin);
            }
        }
    }

    fn open_condition(&self, operator: Operator, reason: &str, origin: Origin) -> Condition {
        Condition { operator, key: PolicyText::unknown(reason), values: Vec::new(), open: true, variables: self.variables, origin }
    }

    /// One text or a list of them; what is not known becomes an unknown text.
    fn texts(&mut self, node: &Node, what: &str) -> Vec<(PolicyText, Origin)> {
        let mut out = Vec::new();
        for item in elements(node) {
            match (&item.tree, text_of(item)) {
                (_, Some(text)) => out.push((text, item.origin)),
                (Tree::List(inner), None) => out.extend(inner.iter().flat_map(|inner| self.texts(inner, what)).collect::<Vec<_>>()),
                (Tree::Null, None) => {}
                // A template function or the like: it says something, though not to us.
                _ => {
                    self.problem("not-text", format!("expected text for `{what}`"), item.origin);
                    out.push((PolicyText::unknown("it is an object where text is expected"), item.origin));
                }
            }
        }
        out
    }
}

fn elements(node: &Node) -> &[Node] {
    match &node.tree {
        Tree::List(items) => items,
        Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) | Tree::Map(_) | Tree::Unknown(_) => std::slice::from_ref(node),
    }
}

fn is_open(node: &Node) -> bool {
    elements(node).iter().any(|item| matches!(item.tree, Tree::Unknown(_)))
}

fn text_of(node: &Node) -> Option<PolicyText> {
    match &node.tree {
        Tree::Text(text) => Some(text.clone()),
        Tree::Bool(value) => Some(PolicyText::literal(value.to_string())),
        Tree::Number(number) => Some(PolicyText::literal(number.to_string())),
        Tree::Unknown(reason) => Some(PolicyText::unknown(reason.clone())),
        Tree::Null | Tree::List(_) | Tree::Map(_) => None,
    }
}

fn is(key: &PolicyText, name: &str) -> bool {
    key.known().is_some_and(|key| key.eq_ignore_ascii_case(name))
}
