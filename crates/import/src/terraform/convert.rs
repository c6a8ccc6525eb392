//! Type constraints of variables: conversion of values, defaults of optional attributes.

use bartizan_model::{Node, Text, Value};
use indexmap::IndexMap;

use super::evaluate::{Scope, to_text};
use super::number_text;
use super::resolve::Resolver;
use super::syntax::{Expr, ExprKind};

/// Converts a value to a type constraint (`list(object({ a = optional(string, "x") }))`). What cannot be converted stays as it is: Terraform
/// would refuse it, and a review of what is written is worth more than none.
pub(crate) fn to_type<'a>(resolver: &Resolver<'a>, node: Node, constraint: &'a Expr) -> Node {
    if matches!(node.value, Value::Null | Value::Unknown(_)) {
        return node;
    }
    let span = node.span;
    match &constraint.kind {
        ExprKind::Name(name) => primitive(node, name),
        ExprKind::Text(name) => primitive(node, name.encoded()),
        ExprKind::Call(call) => {
            let Some(inner) = call.args.first() else { return node };
            match (&*call.name, node.value) {
                ("optional", value) => to_type(resolver, Node::new(value, span), inner),
                ("list", Value::List(items)) => {
                    Node::new(Value::List(items.into_iter().map(|item| to_type(resolver, item, inner)).collect()), span)
                }
                ("set", Value::List(items)) => {
                    let items = items.into_iter().map(|item| to_type(resolver, item, inner)).collect();
                    Node::new(Value::List(super::functions::distinct(items)), span)
                }
                ("map", Value::Map(members)) => {
                    let members = members.into_iter().map(|(key, member)| (key, to_type(resolver, member, inner)));
                    Node::new(Value::Map(members.collect()), span)
                }
                ("tuple", Value::List(items)) => match &inner.kind {
                    ExprKind::Tuple(types) => {
                        let converted = items.into_iter().enumerate().map(|(index, item)| match types.get(index) {
                            Some(constraint) => to_type(resolver, item, constraint),
                            None => item,
                        });
                        Node::new(Value::List(converted.collect()), span)
                    }
                    _ => Node::new(Value::List(items), span),
                },
                ("object", Value::Map(members)) => object(resolver, members, inner, span),
                (_, value) => Node::new(value, span),
            }
        }
        _ => node,
    }
}

fn object<'a>(resolver: &Resolver<'a>, mut members: IndexMap<String, Node>, constraint: &'a Expr, span: bartizan_model::Span) -> Node {
    let ExprKind::Object(attributes) = &constraint.kind else { return Node::new(Value::Map(members), span) };
    let mut out = IndexMap::with_capacity(attributes.len());
    for (key, attribute_type) in attributes {
        let name = match &key.kind {
            ExprKind::Text(text) => text.encoded(),
            ExprKind::Name(name) => name,
            _ => continue,
        };
        let given = members.shift_remove(name).filter(|node| !node.value.is_null());
        let value = match (given, &attribute_type.kind) {
            (Some(node), _) => to_type(resolver, node, attribute_type),
            (None, ExprKind::Call(call)) if &*call.name == "optional" => match (call.args.first(), call.args.get(1)) {
                (Some(inner), Some(default)) => {
                    // Defaults are constants, so the empty scope is theirs.
                    let scope = Scope { module: None, each: None, count: None, variables: None };
                    match resolver.eval(default, &scope) {
                        Ok(node) => to_type(resolver, node, inner),
                        Err(failure) => resolver.failed(&failure),
                    }
                }
                _ => Node::new(Value::Null, span),
            },
            (None, _) => Node::new(Value::Null, span),
        };
        out.insert(name.to_owned(), value);
    }
    Node::new(Value::Map(out), span)
}

/// Converts to `string`, `number` or `bool`; anything else is `any`.
pub(crate) fn primitive(node: Node, name: &str) -> Node {
    let value = match (name, &node.value) {
        ("string", Value::Number(number)) => Value::Text(Text::literal(number_text(*number))),
        ("string", Value::Bool(_)) => match to_text(&node) {
            Ok(text) => Value::Text(text),
            Err(_) => return node,
        },
        ("number", Value::Text(_)) => match node.value.as_number() {
            Some(number) => Value::Number(number),
            None => return node,
        },
        ("bool", Value::Text(_)) => match node.value.as_bool() {
            Some(value) => Value::Bool(value),
            None => return node,
        },
        _ => return node,
    };
    Node::new(value, node.span)
}
