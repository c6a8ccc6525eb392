//! Helm releases whose chart is not among the files: each stands for all that its chart makes, and its values say what it talks to.

use std::collections::BTreeMap;

use bartizan_model::{Address, Architecture, Component, Kind, Node, Relation, Value};

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

/// Services that name no class of load balancer belong to the AWS Load Balancer Controller where the plan installs it: since chart 1.5
/// (controller 2.5) it takes them over when they are made, and its balancers are internal unless told otherwise.
/// Source: AWS Load Balancer Controller documentation, "Service mutator webhook".
pub(super) fn adopt_services(architecture: &mut Architecture) {
    let takes_over = |release: &Component| {
        let version = release.text("chart_version").unwrap_or_default();
        let old = version.strip_prefix("1.").and_then(|rest| rest.split('.').next()).and_then(|minor| minor.parse::<u32>().ok());
        let switched_off = release.settings.get("set").and_then(|set| set.value.as_list()).unwrap_or(&[]).iter().any(|set| {
            let is = |key: &str, wanted: &str| set.get(key).is_some_and(|node| node.value.as_str().as_deref() == Some(wanted));
            is("name", "enableServiceMutatorWebhook") && set.get("value").is_some_and(|value| value.value.as_bool() == Some(false))
        });
        release.text("chart").is_some_and(|chart| chart.ends_with("aws-load-balancer-controller"))
            && old.is_none_or(|minor| minor >= 5)
            && !switched_off
    };
    let releases = architecture.components.values().filter(|component| component.component_type == "kubernetes.helm_release");
    if !releases.into_iter().any(takes_over) {
        return;
    }
    for service in architecture.components.values_mut().filter(|component| component.component_type == "kubernetes.service") {
        let by_default = |setting: &str, value: &str| {
            service
                .settings
                .get(setting)
                .is_some_and(|node| node.value.as_str().as_deref() == Some(value) && Some(node.span) == service.span)
        };
        if by_default("load_balancer_type", "classic") && by_default("scheme", "internet-facing") {
            for (setting, value) in [("load_balancer_type", "network"), ("scheme", "internal")] {
                if let Some(node) = service.settings.get_mut(setting) {
                    node.value = Value::Text(value.into());
                }
            }
        }
    }
}

/// True where a Service has a name that charts give: the release's own, or one that starts with it.
pub(super) fn serves(release: &str, service: &str) -> bool {
    service.strip_prefix(release).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
