//! From files to objects: which YAML is Kubernetes, and what is passed over.

use std::collections::BTreeSet;

use bartizan_model::path::folder;
use bartizan_model::{Diagnostic, FileId, Node, Severity, Value};

use super::object::Object;
use crate::yaml;

/// API groups of tools that borrow Kubernetes' shape for files that no cluster ever gets.
const OTHER_TOOLS: &[&str] = &[
    "backstage.io",
    "config.gatekeeper.sh",
    "eksctl.io",
    "kind.x-k8s.io",
    "kubeadm.k8s.io",
    "kustomize.config.k8s.io",
    "skaffold",
    "test.gatekeeper.sh",
    "admission.k8s.io",
    "audit.k8s.io",
    "client.authentication.k8s.io",
    "kubelet.config.k8s.io",
];

/// What stands in the files.
#[derive(Default)]
pub(super) struct Manifests {
    /// Objects in the order of files and documents.
    pub(super) objects: Vec<Object>,
    /// Kustomizations with their folder.
    pub(super) kustomizations: Vec<(String, Node)>,
}

/// Reads the manifests among the files, except the templates of charts that were rendered.
pub(super) fn parse(files: &[(FileId, &str, &str)], rendered: &BTreeSet<String>, diagnostics: &mut Vec<Diagnostic>) -> Manifests {
    let mut out = Manifests::default();
    let mut templates = Vec::new();
    for (file, path, text) in files {
        let chart = path.split_once("/templates/").map(|(chart, _)| chart);
        if !may_be_manifest(path, text) || chart.is_some_and(|chart| rendered.contains(chart)) {
            continue;
        }
        let yaml = yaml::read(*file, text);
        let templated = text.contains("{{") && (in_templates(path) || !yaml.diagnostics.is_empty());
        if templated {
            templates.push(*file);
            continue;
        }
        let stack = folder(path);
        let before = out.objects.len();
        for document in yaml.documents {
            unfold(document.root, stack, None, &mut out);
        }
        let kustomized = out.kustomizations.last().is_some_and(|(folder, _)| folder == stack);
        if out.objects.len() > before || kustomized || text.lines().any(|line| line.starts_with("apiVersion:")) {
            diagnostics.extend(yaml.diagnostics);
        }
    }
    if let (n, Some(first)) = (templates.len(), templates.first()) {
        let files = if n == 1 { "1 Helm template is".to_owned() } else { format!("{n} Helm templates are") };
        let message = format!("{files} not read, because no release says which values fill them");
        let span = bartizan_model::Span::new(*first, 0..0);
        let help = "render them (`helm template NAME CHART -f VALUES > rendered.yaml`) and review the result as well";
        diagnostics.push(Diagnostic::new("kubernetes/helm-template", Severity::Note, message, span).with_help(help));
    }
    out
}

/// A cheap look at the text, so that the other YAML of a repository costs nothing.
pub(super) fn may_be_manifest(path: &str, text: &str) -> bool {
    let named = path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".json");
    let kustomization = is_kustomization(path);
    named && (kustomization || text.contains("apiVersion") && text.contains("kind"))
}

/// True for the names under which kustomize looks for its file.
pub(super) fn is_kustomization(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("kustomization.yaml" | "kustomization.yml" | "Kustomization"))
}

fn in_templates(path: &str) -> bool {
    folder(path).split('/').any(|part| part == "templates")
}

/// Adds the objects of one document; lists give their items. `namespace` is that of objects that name none.
pub(super) fn unfold(root: Node, stack: &str, namespace: Option<&str>, out: &mut Manifests) {
    let text = |key: &str| root.get(key).and_then(|node| node.value.as_str().map(std::borrow::Cow::into_owned)).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let group = api_version.split('/').next().unwrap_or("");
    if kind == "Kustomization" && group == "kustomize.config.k8s.io" {
        out.kustomizations.push((stack.to_owned(), root));
        return;
    }
    if OTHER_TOOLS.contains(&group) {
        return;
    }
    if kind.ends_with("List") && root.get("items").is_some() {
        if let Value::Map(mut map) = root.value
            && let Some(Value::List(items)) = map.shift_remove("items").map(|items| items.value)
        {
            items.into_iter().for_each(|item| unfold(item, stack, namespace, out));
        }
        return;
    }
    out.objects.extend(Object::from_node(root, stack, namespace));
}
