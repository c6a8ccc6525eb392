//! Data sources that compute without asking AWS: `aws_iam_policy_document` above all.

use bartizan_model::{Node, Span, Text, Value, path};
use indexmap::IndexMap;

use super::evaluate::{Evaluated, Scope};
use super::module::Instance;
use super::resolve::Resolver;
use crate::built::Built;
use crate::json::{self, Origin};

impl<'a> Resolver<'a> {
    /// An attribute of a data source that can be told from the files; `None` where only AWS knows it.
    pub(crate) fn data_attribute(
        &self,
        instance: &Instance<'a>,
        address: &str,
        name: &str,
        scope: &Scope<'a>,
        span: Span,
    ) -> Evaluated<Option<Node>> {
        let kind = instance.block.label(0).unwrap_or("");
        let valued = |value: &str| Some(Node::new(Value::Text(Text::reference(address, name, Some(value))), span));
        Ok(match (kind, name) {
            ("aws_iam_policy_document", "json" | "minified_json") => {
                let tree = self.policy_document(instance, scope);
                let text = json::write(&tree).unwrap_or_default();
                self.remember_document(&text, tree, span);
                Some(Node::new(Value::Text(text), span))
            }
            ("aws_region", "name" | "id" | "region") if instance.block.body.attributes.is_empty() => {
                self.provider_of(&instance.module, instance.block, kind).region.as_deref().and_then(valued)
            }
            ("aws_partition", "partition") => {
                let region = self.provider_of(&instance.module, instance.block, kind).region.unwrap_or_default();
                let partition = if region.starts_with("cn-") {
                    "aws-cn"
                } else if region.starts_with("us-gov-") {
                    "aws-us-gov"
                } else {
                    "aws"
                };
                valued(partition)
            }
            ("aws_partition", "dns_suffix") => valued("amazonaws.com"),
            ("aws_caller_identity", "account_id") => {
                let account = self.provider_of(&instance.module, instance.block, kind).account;
                account.filter(|id| bartizan_model::is_account_id(id)).as_deref().and_then(valued)
            }
            ("template_file", "rendered") => self.template_file_rendered(instance, scope, span)?,
            ("local_file", "content") => {
                let Some(attribute) = instance.block.body.attribute("filename") else { return Ok(None) };
                let path = self.eval(&attribute.expr, scope)?;
                let path = path.value.as_str().and_then(|path| path::join(&instance.module.stack.path, &path));
                path.and_then(|path| self.tree.text(&path).ok()).map(|text| Node::text(text.as_str(), span))
            }
            ("terraform_remote_state", "outputs") => self.remote_state(instance, scope, span)?,
            _ => None,
        })
    }

    fn template_file_rendered(&self, instance: &Instance<'a>, scope: &Scope<'a>, span: Span) -> Evaluated<Option<Node>> {
        let body = &instance.block.body;
        let (Some(template), vars) = (body.attribute("template"), body.attribute("vars")) else { return Ok(None) };
        let template = self.eval(&template.expr, scope)?;
        let Some(text) = template.value.as_str() else { return Ok(None) };
        let variables = match vars {
            Some(vars) => self.eval(&vars.expr, scope)?,
            None => Node::new(Value::Map(IndexMap::new()), span),
        };
        let Value::Map(variables) = &variables.value else { return Ok(None) };
        let Ok(parts) = super::parse::parse_template_at(span, &text) else { return Ok(None) };
        let mut out = Text::default();
        self.render_owned(parts, variables, span, &mut out)?;
        Ok(Some(Node::new(Value::Text(out), span)))
    }

    /// Outputs of another stack under review, found by its backend.
    fn remote_state(&self, instance: &Instance<'a>, scope: &Scope<'a>, span: Span) -> Evaluated<Option<Node>> {
        let body = self.body(&instance.block.body, scope, instance.block.span, true);
        let Some(backend) = body.get("backend").and_then(|node| node.value.as_str().map(std::borrow::Cow::into_owned)) else {
            return Ok(None);
        };
        let Some(settings) = body.get("config") else { return Ok(None) };
        let root = self.stack_of_state(&backend, settings, &instance.module);
        Ok(root.filter(|root| root.stack.path != instance.module.stack.path).map(|root| self.outputs(&root, span)))
    }

    /// The document of an `aws_iam_policy_document`, each statement with the span of its block.
    fn policy_document(&self, instance: &Instance<'a>, scope: &Scope<'a>) -> Node {
        let span = instance.block.span;
        let body = self.body(&instance.block.body, scope, span, true);
        let mut statements: Vec<Node> = Vec::new();
        for source in ["source_json", "source_policy_documents"].iter().flat_map(|name| body.at(&format!("{name}[]"))) {
            statements.extend(self.statements_of(source));
        }
        for block in body.at("statement[]") {
            replace_or_push(&mut statements, statement(block));
        }
        for source in ["override_json", "override_policy_documents"].iter().flat_map(|name| body.at(&format!("{name}[]"))) {
            for overriding in self.statements_of(source) {
                replace_or_push(&mut statements, overriding);
            }
        }
        let version = body.get("version").cloned().filter(|node| !node.value.is_null());
        let mut document = IndexMap::new();
        if let Some(id) = body.get("policy_id").filter(|node| !node.value.is_null()) {
            document.insert("Id".to_owned(), id.clone());
        }
        document.insert("Version".to_owned(), version.unwrap_or_else(|| Node::text("2012-10-17", span)));
        document.insert("Statement".to_owned(), Node::new(Value::List(statements), span));
        Node::new(Value::Map(document), span)
    }

    fn statements_of(&self, source: &Node) -> Vec<Node> {
        let document = match &source.value {
            Value::Text(text) => self.document(text, source.span),
            Value::Unknown(_) => Some(source.clone()),
            _ => None,
        };
        match document {
            Some(document) => match document.get("Statement").map(|node| &node.value) {
                Some(Value::List(items)) => items.clone(),
                Some(_) => document.get("Statement").cloned().into_iter().collect(),
                // A document that is not known may say anything: it stays in the list as what it is.
                None if document.value.is_unknown() => vec![document],
                None => Vec::new(),
            },
            None => Vec::new(),
        }
    }

    /// The tree of a JSON text: the one it was made of, else parsed.
    pub(crate) fn document(&self, text: &Text, span: Span) -> Option<Node> {
        if let Some(built) = self.documents.borrow().get(text) {
            return Built::at(built, span).cloned();
        }
        if text.as_reference().is_some() && text.known().is_none() {
            return Some(Node::new(Value::after_apply("a document that is known only after the apply"), span));
        }
        json::parse(text.encoded(), Origin::Computed(span)).ok()
    }
}

fn replace_or_push(statements: &mut Vec<Node>, new: Node) {
    let sid =
        |node: &Node| node.get("Sid").and_then(|sid| sid.value.as_str().map(std::borrow::Cow::into_owned)).filter(|sid| !sid.is_empty());
    if let Some(wanted) = sid(&new)
        && let Some(old) = statements.iter_mut().find(|old| sid(old).as_deref() == Some(&wanted))
    {
        *old = new;
        return;
    }
    statements.push(new);
}

fn statement(block: &Node) -> Node {
    if block.value.is_unknown() {
        return block.clone();
    }
    let span = block.span;
    let set = |name: &str| block.get(name).filter(|node| !node.value.is_null());
    let mut out = IndexMap::new();
    if let Some(sid) = set("sid") {
        out.insert("Sid".to_owned(), sid.clone());
    }
    out.insert("Effect".to_owned(), set("effect").cloned().unwrap_or_else(|| Node::text("Allow", span)));
    for (name, key) in [("actions", "Action"), ("not_actions", "NotAction"), ("resources", "Resource"), ("not_resources", "NotResource")] {
        if let Some(value) = set(name).filter(|node| node.value.as_list().is_none_or(|items| !items.is_empty())) {
            out.insert(key.to_owned(), variables(value));
        }
    }
    for (name, key) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
        let mut kinds: IndexMap<String, Node> = IndexMap::new();
        for principal in block.at(&format!("{name}[]")) {
            let kind = principal.get("type").and_then(|node| node.value.as_str().map(std::borrow::Cow::into_owned)).unwrap_or_default();
            let Some(identifiers) = principal.get("identifiers") else { continue };
            let entry = kinds.entry(kind).or_insert_with(|| Node::new(Value::List(Vec::new()), principal.span));
            if let Value::List(items) = &mut entry.value {
                match &identifiers.value {
                    Value::List(new) => items.extend(new.iter().cloned()),
                    _ => items.push(identifiers.clone()),
                }
            }
        }
        if kinds.keys().any(|kind| kind == "*") {
            out.insert(key.to_owned(), Node::text("*", span));
        } else if !kinds.is_empty() {
            out.insert(key.to_owned(), Node::new(Value::Map(kinds), span));
        }
    }
    let mut conditions: IndexMap<String, Node> = IndexMap::new();
    for condition in block.at("condition[]") {
        let known =
            |name: &str| condition.get(name).and_then(|node| node.value.as_str().map(std::borrow::Cow::into_owned)).unwrap_or_default();
        let Some(values) = condition.get("values") else { continue };
        let test = conditions.entry(known("test")).or_insert_with(|| Node::new(Value::Map(IndexMap::new()), condition.span));
        // A key that is known in part (`${provider}:sub`) stays apart from others, and one that is not known at all is some condition still.
        let key = condition.get("variable").and_then(|node| node.value.as_text()).map(|text| text.encoded().to_owned());
        if let Value::Map(keys) = &mut test.value {
            keys.insert(key.unwrap_or_else(|| format!("unknown-{}", keys.len() + 1)), variables(values));
        }
    }
    if !conditions.is_empty() {
        out.insert("Condition".to_owned(), Node::new(Value::Map(conditions), span));
    }
    Node::new(Value::Map(out), span)
}

/// `&{aws:username}` is how this data source spells the policy variable `${aws:username}`.
fn variables(node: &Node) -> Node {
    match &node.value {
        Value::Text(text) if text.encoded().contains("&{") => {
            Node::new(Value::Text(Text::from_encoded(text.encoded().replace("&{", "${"))), node.span)
        }
        Value::List(items) => Node::new(Value::List(items.iter().map(variables).collect()), node.span),
        _ => node.clone(),
    }
}
