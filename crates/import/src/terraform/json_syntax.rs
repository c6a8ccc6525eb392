//! `.tf.json` and `.tfvars.json` → the same syntax tree as `.tf`.
//!
//! Which members are blocks is not written in JSON; Terraform knows it from schemas. Here the top level is known, and inside a block every object
//! or list of objects is read as an attribute: evaluation gives blocks and attributes the same shape, a list of maps.

use bartizan_model::{Diagnostic, FileId, Node, Severity, Span, Value};

use super::parse::parse_template_at;
use super::syntax::{Attribute, Block, Body, Expr, ExprKind, TemplatePart};
use crate::json::{self, Origin};

/// Reads a `.tf.json` file.
pub(crate) fn parse(file: FileId, text: &str) -> (Body, Vec<Diagnostic>) {
    let root = match json::parse(text, Origin::File { file, base: 0 }) {
        Ok(root) => root,
        Err(error) => {
            let end = text.get(error.offset..).and_then(|rest| rest.chars().next()).map_or(error.offset, |c| error.offset + c.len_utf8());
            let span = Span::new(file, error.offset..end);
            return (Body::default(), vec![Diagnostic::new("terraform/syntax", Severity::Error, error.message, span)]);
        }
    };
    let mut diagnostics = Vec::new();
    let mut reader = Reader { diagnostics: &mut diagnostics };
    let mut body = Body::default();
    for item in one_or_many(&root) {
        let Value::Map(members) = &item.value else { continue };
        for (kind, member) in members {
            let depth = match kind.as_str() {
                "resource" | "data" => 2,
                "variable" | "output" | "module" | "provider" => 1,
                "locals" | "terraform" | "moved" => 0,
                _ => {
                    body.attributes.push(reader.attribute(kind, member));
                    continue;
                }
            };
            reader.labelled(kind, member, &mut Vec::new(), depth, &mut body.blocks);
        }
    }
    (body, diagnostics)
}

struct Reader<'d> {
    diagnostics: &'d mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn labelled(&mut self, kind: &str, node: &Node, labels: &mut Vec<Box<str>>, depth: usize, out: &mut Vec<Block>) {
        for item in one_or_many(node) {
            let Value::Map(members) = &item.value else { continue };
            if depth == 0 {
                let mut body = Body::default();
                for (name, member) in members {
                    if kind == "terraform" && name == "backend" {
                        self.labelled("backend", member, &mut Vec::new(), 1, &mut body.blocks);
                    } else {
                        body.attributes.push(self.attribute(name, member));
                    }
                }
                out.push(Block { kind: kind.into(), labels: labels.clone(), body, header: item.span, span: item.span });
                continue;
            }
            for (label, member) in members {
                labels.push(label.as_str().into());
                self.labelled(kind, member, labels, depth - 1, out);
                labels.pop();
            }
        }
    }

    fn attribute(&mut self, name: &str, node: &Node) -> Attribute {
        // `type` of a variable is an expression in a string: `"list(string)"`.
        Attribute { name: name.into(), expr: self.expr(node), span: node.span }
    }

    fn expr(&mut self, node: &Node) -> Expr {
        let kind = match &node.value {
            Value::Null | Value::Unknown(_) => ExprKind::Null,
            Value::Bool(value) => ExprKind::Bool(*value),
            Value::Number(number) => ExprKind::Number(*number),
            Value::Text(text) => match parse_template_at(node.span, &text.to_string()) {
                Ok(mut parts) => match parts.as_mut_slice() {
                    [] => ExprKind::Text(text.clone()),
                    [TemplatePart::Literal(literal)] => ExprKind::Text(std::mem::take(literal)),
                    _ => ExprKind::Template(parts),
                },
                Err(why) => {
                    let diagnostic = Diagnostic::new("terraform/syntax", Severity::Error, why, node.span);
                    self.diagnostics.push(diagnostic.with_help("the text is taken as it is written"));
                    ExprKind::Text(text.clone())
                }
            },
            Value::List(items) => ExprKind::Tuple(items.iter().map(|item| self.expr(item)).collect()),
            Value::Map(members) => ExprKind::Object(
                members
                    .iter()
                    .map(|(key, member)| (Expr { kind: ExprKind::Text(key.as_str().into()), span: member.span }, self.expr(member)))
                    .collect(),
            ),
        };
        Expr { kind, span: node.span }
    }
}

fn one_or_many(node: &Node) -> Vec<&Node> {
    match &node.value {
        Value::List(items) => items.iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) | Value::Unknown(_) => vec![node],
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use bartizan_model::FileId;

    #[test]
    fn resources_keep_their_labels() {
        let (body, diagnostics) = parse(FileId(0), r#"{"resource": {"aws_s3_bucket": {"a": {"bucket": "x-${var.y}"}, "b": {}}}}"#);
        assert!(diagnostics.is_empty());
        let labels: Vec<_> = body.blocks.iter().map(|block| block.labels.join(".")).collect();
        assert_eq!(labels, ["aws_s3_bucket.a", "aws_s3_bucket.b"]);
    }
}
