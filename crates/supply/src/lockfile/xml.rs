//! XML files. Document types are refused, so nothing in them expands or is fetched.

use roxmltree::{Document, Node};

use super::File;
use crate::package::Found;

/// Reads a whole file, or says what is wrong and where.
pub(crate) fn whole<'a>(file: &File<'a>, found: &mut Found) -> Option<Document<'a>> {
    match Document::parse(file.text) {
        Ok(document) => Some(document),
        Err(error) => {
            let at = error.pos();
            let span = file.span_at(usize::try_from(at.row).unwrap_or(1), usize::try_from(at.col).unwrap_or(1));
            found.malformed(file.path, span, format!("not valid XML: {error}"));
            None
        }
    }
}

/// The children of a name, whatever the namespace.
pub(crate) fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// The first child of a name.
pub(crate) fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// Trimmed text of the first child of a name; `None` where there is none or it is empty.
pub(crate) fn child_text<'a>(node: Node<'a, '_>, name: &'static str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim).filter(|text| !text.is_empty())
}
