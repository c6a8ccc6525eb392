//! Policy documents of the plan in the form that `bartizan_iam` reads: texts with their references, every node with its place.
//!
//! What no plan spells out is settled here, once for all questions: an account that is a variable or `data.aws_caller_identity` is the
//! account of the component that holds the document, a region that is not written is any. Names are what tells resources apart.

use bartizan_iam::{Document, Node as PolicyNode, Origin, Part as PolicyPart, PolicyText, Tree};
use bartizan_model::{FileId, Node, Part, Span, Text, Value};

/// The place of a node of a policy in the plan.
pub(crate) fn span(origin: Origin) -> Span {
    Span { file: FileId(origin.source), start: origin.start, end: origin.end }
}

/// Reads every document in a setting; a list holds several, and `{name, policy}` wraps one.
pub(crate) fn documents(node: &Node, account: &str, out: &mut Vec<Document>) -> bool {
    match &node.value {
        Value::List(items) => {
            // All of them are read, also after one that is not known.
            let unknown = items.iter().filter(|item| !documents(item, account, out)).count();
            unknown == 0
        }
        Value::Map(members) => {
            let has = |name: &str| members.keys().any(|key| key.eq_ignore_ascii_case(name));
            let wrapped = ["policy", "document", "PolicyDocument"].iter().find_map(|key| members.get(*key));
            match wrapped {
                Some(inner) if !has("Statement") && !has("Effect") => documents(inner, account, out),
                _ => {
                    let document = Document::from_tree(&tree(node, account));
                    let complete = document.incomplete.is_none();
                    out.push(document);
                    complete
                }
            }
        }
        Value::Text(text) => match text.known().filter(|known| known.trim_start().starts_with('{')) {
            Some(_) => {
                let document = Document::from_tree(&tree(node, account));
                let complete = document.incomplete.is_none();
                out.push(document);
                complete
            }
            None => text.is_empty(),
        },
        Value::Unknown(_) => false,
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn tree(node: &Node, account: &str) -> PolicyNode {
    let origin = Origin { source: node.span.file.0, start: node.span.start, end: node.span.end };
    let tree = match &node.value {
        Value::Null => Tree::Null,
        Value::Bool(value) => Tree::Bool(*value),
        Value::Number(value) => Tree::Number(*value),
        Value::Text(value) => Tree::Text(settled(value, account)),
        Value::List(items) => Tree::List(items.iter().map(|item| self::tree(item, account)).collect()),
        Value::Map(members) => {
            let member = |(key, item): (&String, &Node)| (text(&Text::from_encoded(key.as_str())), self::tree(item, account));
            Tree::Map(members.iter().map(member).collect())
        }
        Value::Unknown(unknown) => Tree::Unknown(unknown.why.to_string()),
    };
    PolicyNode::new(tree, origin)
}

/// A text with its references. What is unknown for the same reason is the same unknown, so that a name and a pattern with one variable meet.
pub(crate) fn text(text: &Text) -> PolicyText {
    let mut out = PolicyText::default();
    for part in text.parts() {
        out.push(match part {
            Part::Literal(literal) => PolicyPart::Literal(literal.to_owned()),
            Part::Reference { address, attribute, value } => {
                PolicyPart::Reference { address: address.to_owned(), attribute: attribute.to_owned(), value: value.map(str::to_owned) }
            }
            Part::Unknown(reason) => PolicyPart::Reference { address: reason.to_owned(), attribute: "name".to_owned(), value: None },
        });
    }
    out
}

/// A text whose ARN, if it is one, has an account and a region to compare by.
pub(crate) fn settled(value: &Text, account: &str) -> PolicyText {
    let plain = text(value);
    if is_account(&plain) {
        return PolicyText::literal(account);
    }
    let Some([arn, partition, service, region, owner, resource]) = plain.arn_segments() else { return plain };
    let known = |segment: PolicyText, otherwise: &str| if segment.known().is_some() { segment } else { PolicyText::literal(otherwise) };
    let mut out = arn;
    let is_global = matches!(service.known().as_deref(), Some("s3" | "iam" | "cloudfront" | "sts"));
    let region = match region.known().as_deref() {
        Some("") if is_global => region,
        _ => PolicyText::literal("*"),
    };
    for segment in [known(partition, "aws"), service, region, known(owner, account), resource] {
        out.push(PolicyPart::Literal(":".to_owned()));
        out.append(segment);
    }
    out
}

/// True for a text that is the number of the account which the plan is applied to.
fn is_account(text: &PolicyText) -> bool {
    matches!(text.as_reference(), Some((address, "account_id" | "id")) if address.contains("data.aws_caller_identity."))
}

#[cfg(test)]
mod tests {
    use super::settled;
    use bartizan_model::Text;

    #[test]
    fn an_account_that_is_not_written_is_the_own_one() {
        let mut text = Text::literal("arn:aws:iam::");
        text.push(&Text::reference("data.aws_caller_identity.current", "account_id", None));
        text.push(&Text::literal(":role/app-"));
        text.push(&Text::unknown("the variable `id` has no value"));
        let settled = settled(&text, "000000000000");
        assert_eq!(settled.to_string(), "arn:aws:iam::000000000000:role/app-${the variable `id` has no value.name}");
    }
}
