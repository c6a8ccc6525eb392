//! Small readings of components and values that every fact shares.

use bartizan_model::{Address, Component, Node, Text, Value};

/// The last segment of a component type: `subnet` of `vpc.subnet`.
pub(crate) fn last(component_type: &str) -> &str {
    component_type.rsplit('.').next().unwrap_or(component_type)
}

/// True for what the source only looks up (a Terraform data source): it exists elsewhere, and of its parts only what is written is known.
pub(crate) fn is_looked_up(address: &Address) -> bool {
    let own = address.as_str().rsplit(':').next().unwrap_or("");
    own.starts_with("data.") || own.contains(".data.")
}

/// The texts of a node that is one text or a list of them.
pub(crate) fn texts(node: &Node) -> Box<dyn Iterator<Item = &Text> + '_> {
    match &node.value {
        Value::Text(text) => Box::new(std::iter::once(text)),
        Value::List(items) => Box::new(items.iter().flat_map(texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Map(_) | Value::Unknown(_) => Box::new(std::iter::empty()),
    }
}

/// Whether a file is written in Terraform's language.
pub(crate) fn is_terraform(path: &str) -> bool {
    [".tf", ".tofu", ".tfvars"].iter().any(|ending| path.ends_with(ending))
}

/// The first of several settings that is set.
pub(crate) fn first_setting<'a>(component: &'a Component, names: &[&str]) -> Option<&'a Node> {
    names.iter().find_map(|name| component.setting(name))
}
