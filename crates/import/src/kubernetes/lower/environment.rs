//! What containers are told: environment variables, arguments and mounted configuration.

use bartizan_model::{Node, Value};

use super::super::object::{Object, list_at, plain_text, text_at};
use super::super::select::Index;
use super::container::container_nodes;

/// One text that a container is given.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// `QUEUE_URL`; for arguments the flag before it; for mounted files the file's name.
    pub(crate) name: String,
    /// `env.QUEUE_URL`, `args.--queue`, `file.app.yaml`.
    pub(crate) attribute: String,
    /// The text, where it is written.
    pub(crate) node: Node,
}

impl Variable {
    /// True for environment variables.
    pub(crate) fn is_environment(&self) -> bool {
        self.attribute.starts_with("env.")
    }

    /// True for whole configuration files, in which a single word means little.
    pub(crate) fn is_file(&self) -> bool {
        self.attribute.starts_with("file.")
    }
}

/// All that a workload's containers are told.
#[derive(Default)]
pub(crate) struct Environment {
    pub(crate) literals: Vec<Variable>,
    /// Names of the Secrets it uses in any way.
    pub(crate) secrets: Vec<Node>,
    /// Names of the variables that come from Secrets; those of a Secret taken as a whole appear as `NAME.*`.
    pub(crate) secrets_in_environment: Vec<Node>,
}

/// Collects what the containers of a workload are told.
pub(crate) fn variables(object: &Object, index: &Index<'_>) -> Environment {
    let mut out = Environment::default();
    let Some(pod) = object.pod_spec() else { return out };
    for (container, _) in container_nodes(pod) {
        for source in list_at(container, "envFrom") {
            from_source(source, object, index, &mut out);
        }
        for variable in list_at(container, "env") {
            one(variable, object, index, &mut out);
        }
        arguments(container, &mut out);
    }
    for volume in list_at(pod, "volumes") {
        mounted(volume, object, index, &mut out);
    }
    out
}

fn from_source(source: &Node, object: &Object, index: &Index<'_>, out: &mut Environment) {
    let prefix = text_at(source, "prefix").unwrap_or_default();
    if let Some(name) = source.first_at("configMapRef.name") {
        for (key, value) in config_data(name, object, index) {
            let name = format!("{prefix}{key}");
            out.literals.push(Variable { attribute: format!("env.{name}"), name, node: value.clone() });
        }
    }
    if let Some(name) = source.first_at("secretRef.name") {
        secret(name, out);
        let all = format!("{}.*", plain_text(name).unwrap_or_default());
        out.secrets_in_environment.push(Node::text(all.as_str(), name.span));
    }
}

fn one(variable: &Node, object: &Object, index: &Index<'_>, out: &mut Environment) {
    let Some(name) = text_at(variable, "name") else { return };
    let attribute = format!("env.{name}");
    if let Some(value) = variable.get("value").filter(|value| !value.value.is_null()) {
        out.literals.push(Variable { attribute, name, node: expand(value, &out.literals) });
    } else if let Some(reference) = variable.first_at("valueFrom.configMapKeyRef") {
        let key = text_at(reference, "key").unwrap_or_default();
        let found = reference.get("name").map(|map| config_data(map, object, index)).unwrap_or_default();
        if let Some((_, value)) = found.into_iter().find(|(name, _)| **name == key) {
            out.literals.push(Variable { attribute, name, node: value.clone() });
        }
    } else if let Some(reference) = variable.first_at("valueFrom.secretKeyRef") {
        if let Some(secret_name) = reference.get("name") {
            secret(secret_name, out);
        }
        out.secrets_in_environment.push(Node::text(name.as_str(), reference.span));
    }
}

/// `$(NAME)` stands for a variable that is set before.
fn expand(value: &Node, before: &[Variable]) -> Node {
    let Value::Text(text) = &value.value else { return value.clone() };
    if !text.encoded().contains("$(") {
        return value.clone();
    }
    let mut encoded = text.encoded().to_owned();
    for variable in before.iter().filter(|variable| variable.is_environment()) {
        if let Value::Text(known) = &variable.node.value {
            encoded = encoded.replace(&format!("$({})", variable.name), known.encoded());
            if encoded.len() > MAX_EXPANDED_BYTES {
                return value.clone();
            }
        }
    }
    Node::new(Value::Text(bartizan_model::Text::from_encoded(encoded)), value.span)
}

/// Variables that double in each other could grow without end.
const MAX_EXPANDED_BYTES: usize = 64 << 10;

fn arguments(container: &Node, out: &mut Environment) {
    for list in ["command", "args"] {
        let mut flag = String::new();
        for item in list_at(container, list) {
            let Some(text) = item.value.as_text() else { continue };
            let written = text.encoded();
            if let Some((name, value)) = written.split_once('=').filter(|(name, _)| is_flag(name)) {
                let node = Node::text(bartizan_model::Text::from_encoded(value), item.span);
                out.literals.push(Variable { name: name.trim_start_matches('-').to_owned(), attribute: format!("{list}.{name}"), node });
                flag.clear();
            } else if written.starts_with('-') && !written.contains(char::is_whitespace) {
                flag = written.to_owned();
            } else {
                let name = std::mem::take(&mut flag);
                let attribute = if name.is_empty() { list.to_owned() } else { format!("{list}.{name}") };
                out.literals.push(Variable { name: name.trim_start_matches('-').to_owned(), attribute, node: item.clone() });
            }
        }
    }
}

fn is_flag(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.'))
}

fn mounted(volume: &Node, object: &Object, index: &Index<'_>, out: &mut Environment) {
    let sources = std::iter::once(volume).chain(list_at(volume, "projected.sources"));
    for source in sources {
        let map = source.first_at("configMap.name");
        for (key, value) in map.map(|name| config_data(name, object, index)).unwrap_or_default() {
            out.literals.push(Variable { name: key.clone(), attribute: format!("file.{key}"), node: value.clone() });
        }
        if let Some(name) = source.first_at("secret.secretName").or_else(|| source.first_at("secret.name")) {
            secret(name, out);
        }
    }
}

fn secret(name: &Node, out: &mut Environment) {
    if !out.secrets.iter().any(|known| known.value == name.value) {
        out.secrets.push(name.clone());
    }
}

/// The data of a ConfigMap of the workload's namespace.
fn config_data<'a>(name: &Node, object: &Object, index: &Index<'a>) -> Vec<(&'a String, &'a Node)> {
    let found = plain_text(name).and_then(|name| index.find("ConfigMap", object.namespace(), &name, &object.stack));
    let data = found.and_then(|map| map.node.get("data")).and_then(|data| data.value.as_map());
    data.map(|data| data.iter().filter(|(_, value)| !value.value.is_null()).collect()).unwrap_or_default()
}
