//! Where the code of a component lies in the tree: what the archive that it is deployed from is made of, or the archive itself.

use std::collections::BTreeMap;

use bartizan_model::{Node, Value, path};

use super::Lowering;

/// Resource or data source that makes an archive.
const ARCHIVE: &str = "archive_file";

impl Lowering<'_> {
    /// Sets `code`, a list of paths, on components that have `filename`.
    pub(super) fn code(&mut self) {
        let mut archives: BTreeMap<String, Vec<Node>> = BTreeMap::new();
        for resource in self.resources.iter().filter(|resource| resource.source_type == ARCHIVE) {
            let Some(output) = resource.body.get("output_path").and_then(|node| path(node, &resource.stack)) else { continue };
            let content = ["source_dir", "source_file"].iter().filter_map(|name| resource.body.get(name));
            archives.entry(output).or_default().extend(content.filter_map(|node| absolute(node, &resource.stack)));
        }
        for component in self.out.components.values_mut() {
            let knows = self.services.types.get(&component.component_type).is_some_and(|entry| entry.settings.contains_key("code"));
            let Some(filename) = component.settings.get("filename").filter(|_| knows) else { continue };
            let Some(archive) = path(filename, &component.stack) else { continue };
            let content = archives.get(&archive).filter(|content| !content.is_empty()).cloned();
            let code = content.unwrap_or_else(|| absolute(filename, &component.stack).into_iter().collect());
            let span = filename.span;
            component.settings.insert("code".to_owned(), Node::new(Value::List(code), span));
        }
    }
}

/// The path of a text from the root of the tree.
fn path(node: &Node, stack: &str) -> Option<String> {
    path::join(stack, &node.value.as_str()?)
}

/// The same as a text that no folder is put before again.
fn absolute(node: &Node, stack: &str) -> Option<Node> {
    Some(Node::text(format!("/{}", path(node, stack)?).as_str(), node.span))
}
