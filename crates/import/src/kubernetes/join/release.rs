//! Helm releases whose chart is not among the files: each stands for all that its chart makes, and its values say what it talks to.

use std::collections::BTreeMap;

use bartizan_model::{Address, Architecture, Kind, Node, Relation, Value};

use super::super::helm::texts_of_values;

/// Releases with the texts of their values.
pub(super) type Unrendered = BTreeMap<Address, Vec<(String, Node)>>;

/// Finds the releases that nothing was rendered of, and makes them elements.
pub(super) fn unrendered(architecture: &mut Architecture) -> Unrendered {
    let mut out = Unrendered::new();
    let installs = Relation::Other("installs".to_owned());
    let rendered: Vec<Address> = architecture.links.iter().filter(|link| link.relation == installs).map(|link| link.from.clone()).collect();
    for component in architecture.components.values_mut() {
        if component.component_type != "kubernetes.helm_release" || rendered.contains(&component.address) {
            continue;
        }
        component.kind = Kind::Process;
        let mut texts = Vec::new();
        for values in component.settings.get("values").and_then(|values| values.value.as_list()).unwrap_or(&[]) {
            if let Value::Text(text) = &values.value {
                texts.extend(texts_of_values(text, values.span).into_iter().map(|(path, node)| (format!("values.{path}"), node)));
            }
        }
        for set in component.settings.get("set").and_then(|set| set.value.as_list()).unwrap_or(&[]) {
            if let (Some(name), Some(value)) = (set.get("name").and_then(|name| name.value.as_str()), set.get("value")) {
                texts.push((format!("values.{name}"), value.clone()));
            }
        }
        out.insert(component.address.clone(), texts);
    }
    out
}

/// True where a Service has a name that charts give: the release's own, or one that starts with it.
pub(super) fn serves(release: &str, service: &str) -> bool {
    service.strip_prefix(release).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
