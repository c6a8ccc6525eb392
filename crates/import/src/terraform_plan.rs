//! `terraform show -json` (and OpenTofu's) → resources.
//!
//! Values come from `planned_values`; what only the apply knows is taken from `configuration`, where each attribute lists what it refers to, so that
//! a role or queue that does not exist yet is still the one that is meant. Spans lie in the plan file itself.

use std::cell::Cell;
use std::collections::BTreeMap;

use bartizan_model::{Diagnostic, FileId, Node, Severity, Span, Text, Value};
use indexmap::IndexMap;

use crate::json::{self, Origin};
use crate::resource::{Mode, Resource};

/// Chains of module outputs and variables are followed this far.
const MAX_HOPS: usize = 16;
/// Names that one expression's chains may visit.
const MAX_VISITS: usize = 2_000;

/// True when a JSON text is likely to be a plan; a full parse decides.
pub(crate) fn is_plan(text: &str) -> bool {
    let head: String = text.chars().take(4096).collect();
    head.contains("\"format_version\"") && (head.contains("\"terraform_version\"") || head.contains("\"planned_values\""))
}

/// Reads a plan. `directory` is where it lies, the stack's name.
pub(crate) fn read(file: FileId, text: &str, directory: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Resource> {
    let root = match json::parse_without(text, Origin::File { file, base: 0 }, is_passed_over) {
        Ok(root) => root,
        Err(error) => {
            let span = Span::new(file, error.offset..error.offset);
            diagnostics.push(
                Diagnostic::new("plan/syntax", Severity::Error, error.message, span)
                    .with_help("write the plan again: `terraform show -json plan.out > plan.json`"),
            );
            return Vec::new();
        }
    };
    let planned = root.get("planned_values").and_then(|values| values.get("root_module"));
    // `terraform show -json` of a state has the values at another place.
    let values = planned.or_else(|| root.get("values").and_then(|values| values.get("root_module")));
    let Some(values) = values else {
        diagnostics.push(
            Diagnostic::new("plan/no-values", Severity::Error, "the plan has no `planned_values`", Span::new(file, 0..0))
                .with_help("use the output of `terraform show -json` on a plan file"),
        );
        return Vec::new();
    };
    let unknowns = root
        .at("resource_changes[]")
        .into_iter()
        .filter_map(|change| Some((text_of(change, "address")?, change.get("change")?.get("after_unknown")?)))
        .collect();
    let prior = root.get("prior_state").and_then(|state| state.get("values")).and_then(|values| values.get("root_module"));
    let configuration = root.get("configuration");
    let mut expressions = BTreeMap::new();
    if let Some(module) = configuration.and_then(|configuration| configuration.get("root_module")) {
        add_expressions(module, "", &mut expressions);
    }
    let reader = Reader { configuration, unknowns, expressions, visits: Cell::new(0), directory };
    let mut out = Vec::new();
    reader.module(values, &mut out, false);
    if let Some(prior) = prior {
        reader.module(prior, &mut out, true);
    }
    out
}

/// What of a plan is not looked at; it is more than half of it. Of what existed before, data sources alone are read.
fn is_passed_over(keys: &[&str]) -> bool {
    match keys {
        ["resource_changes", "change", member] => *member != "after_unknown",
        ["resource_drift" | "relevant_attributes" | "output_changes" | "checks"] => true,
        ["planned_values" | "prior_state" | "values", .., "resources", "sensitive_values"] => true,
        _ => false,
    }
}

struct Reader<'a> {
    configuration: Option<&'a Node>,
    /// `after_unknown` by address.
    unknowns: BTreeMap<String, &'a Node>,
    /// The configuration of each resource by its address without instance keys.
    expressions: BTreeMap<String, &'a Node>,
    /// Names that the expression at hand may still visit: a chain may fork at every step.
    visits: Cell<usize>,
    directory: &'a str,
}

/// A module instance in terms of its configuration: the configuration's module node for each call on the way, with the address so far.
struct Place<'a> {
    /// Address with trailing dot: `module.a["x"].`, or nothing.
    prefix: String,
    /// The same without instance keys.
    bare: String,
    module: Option<&'a Node>,
    /// The call in the parent and the parent's own place.
    outer: Option<(&'a Node, Box<Place<'a>>)>,
}

impl<'a> Reader<'a> {
    fn module(&self, node: &'a Node, out: &mut Vec<Resource>, looked_only: bool) {
        for resource in node.at("resources[]") {
            if let Some(resource) = self.resource(resource)
                && (!looked_only || resource.mode == Mode::Looked)
            {
                out.push(resource);
            }
        }
        for child in node.at("child_modules[]") {
            self.module(child, out, looked_only);
        }
    }

    fn resource(&self, node: &'a Node) -> Option<Resource> {
        let address = text_of(node, "address")?;
        let source_type = text_of(node, "type")?;
        let label = text_of(node, "name")?;
        let mode = if text_of(node, "mode").as_deref() == Some("data") { Mode::Looked } else { Mode::Managed };
        let span = node.get("address").map_or(node.span, |address| address.span);
        let place = self.place(&address);
        let path = if mode == Mode::Looked { format!("data.{source_type}.{label}") } else { format!("{source_type}.{label}") };
        let expressions = self.expressions.get(&format!("{}{path}", place.bare)).copied();
        let provider = expressions.and_then(|resource| text_of(resource, "provider_config_key"));
        let (account, region) = self.provider(provider.as_deref());
        let mut body = node.get("values").cloned().unwrap_or_else(|| Node::new(Value::Map(IndexMap::new()), node.span));
        if let Some(unknown) = self.unknowns.get(&address) {
            self.fill(&mut body, unknown, expressions.and_then(|resource| resource.get("expressions")), &place, span);
        }
        // An attribute that names another resource keeps the reference also where its value is known already.
        if let (Value::Map(members), Some(Value::Map(expressions))) =
            (&mut body.value, expressions.and_then(|resource| resource.get("expressions")).map(|node| &node.value))
        {
            for (name, expression) in expressions {
                if let Some(member) = members.get_mut(name) {
                    self.annotate(member, expression, &place);
                }
            }
        }
        Some(Resource { address, mode, source_type, label, body, span, stack: self.directory.to_owned(), account, region })
    }

    /// The place of the module that holds a resource.
    fn place(&self, address: &str) -> Place<'a> {
        let mut place = Place {
            prefix: String::new(),
            bare: String::new(),
            module: self.configuration.and_then(|c| c.get("root_module")),
            outer: None,
        };
        let mut rest = address;
        while let Some(call) = rest.strip_prefix("module.") {
            let end = end_of_step(call);
            let (step, after) = call.split_at(end);
            let name = step.split('[').next().unwrap_or(step);
            let Some(node) = place.module.and_then(|module| module.get("module_calls")).and_then(|calls| calls.get(name)) else { break };
            place = Place {
                prefix: format!("{}module.{step}.", place.prefix),
                bare: format!("{}module.{name}.", place.bare),
                module: node.get("module"),
                outer: Some((node, Box::new(place))),
            };
            rest = after.strip_prefix('.').unwrap_or(after);
        }
        place
    }

    /// Puts references, or an unknown, where the apply decides.
    fn fill(&self, node: &mut Node, unknown: &Node, expression: Option<&Node>, place: &Place<'a>, span: Span) {
        match &unknown.value {
            Value::Bool(true) => {
                let reference = expression.and_then(|expression| self.reference(expression, place));
                let value = reference.map_or_else(|| Value::after_apply("it is known only after the apply"), Value::Text);
                *node = Node::new(value, if node.value.is_null() { span } else { node.span });
            }
            Value::Map(members) => {
                if let Value::Map(values) = &mut node.value {
                    for (name, inner) in members {
                        let expression = expression.and_then(|expression| expression.get(name));
                        let entry = values.entry(name.clone()).or_insert_with(|| Node::new(Value::Null, span));
                        self.fill(entry, inner, expression, place, span);
                    }
                }
            }
            Value::List(items) => {
                if let Value::List(values) = &mut node.value {
                    for (index, inner) in items.iter().enumerate() {
                        let inner_expression = expression.and_then(|expression| match &expression.value {
                            Value::List(list) => list.get(index),
                            _ => Some(expression),
                        });
                        if let Some(value) = values.get_mut(index) {
                            self.fill(value, inner, inner_expression, place, span);
                        }
                    }
                }
            }
            Value::Null | Value::Bool(false) | Value::Number(_) | Value::Text(_) | Value::Unknown(_) => {}
        }
    }

    fn annotate(&self, node: &mut Node, expression: &Node, place: &Place<'a>) {
        if let Value::Text(text) = &node.value
            && text.is_literal()
            && let Some(reference) = self.reference(expression, place)
            && let Some((address, attribute)) = reference.as_reference()
            && !attribute.is_empty()
        {
            node.value = Value::Text(Text::reference(address, attribute, Some(text.encoded())));
        }
    }

    /// What an expression refers to: one resource's attribute, or several one after the other.
    fn reference(&self, expression: &Node, place: &Place<'a>) -> Option<Text> {
        let names: Vec<String> =
            expression.at("references[]").into_iter().filter_map(|node| node.value.as_str().map(std::borrow::Cow::into_owned)).collect();
        self.visits.set(MAX_VISITS);
        let mut out = Text::default();
        let mut last = String::new();
        for name in names {
            // `aws_x.y.arn` is followed by its prefix `aws_x.y`, which says nothing new.
            if last.starts_with(&format!("{name}.")) || last.starts_with(&format!("{name}[")) {
                continue;
            }
            if let Some(text) = self.named(&name, place, MAX_HOPS) {
                out.push(&text);
            }
            last = name;
        }
        (!out.is_empty()).then_some(out)
    }

    fn named(&self, name: &str, place: &Place<'a>, hops: usize) -> Option<Text> {
        let hops = hops.checked_sub(1)?;
        self.visits.set(self.visits.get().checked_sub(1)?);
        let mut parts = steps(name);
        match *parts.first()? {
            "each" | "count" | "local" | "path" | "terraform" | "self" => None,
            "var" => {
                let (call, outer) = place.outer.as_ref()?;
                let expression = call.get("expressions")?.get(parts.get(1)?)?;
                self.first_of(expression, outer, hops)
            }
            "module" => {
                let step = parts.get(1)?;
                let bare = step.split('[').next().unwrap_or(step);
                let module = place.module?.get("module_calls")?.get(bare)?.get("module")?;
                let output = module.get("outputs")?.get(parts.get(2)?)?.get("expression")?;
                let prefix = format!("{}module.{step}.", place.prefix);
                let inner = Place { prefix, bare: format!("{}module.{bare}.", place.bare), module: Some(module), outer: None };
                self.first_of(output, &inner, hops)
            }
            first => {
                let n_address = if first == "data" { 3 } else { 2 };
                let attribute = if parts.len() > n_address { parts.split_off(n_address).join(".") } else { String::new() };
                (parts.len() == n_address).then(|| Text::reference(&format!("{}{}", place.prefix, parts.join(".")), &attribute, None))
            }
        }
    }

    fn first_of(&self, expression: &Node, place: &Place<'a>, hops: usize) -> Option<Text> {
        let names = expression.at("references[]");
        names.into_iter().find_map(|node| self.named(&node.value.as_str()?, place, hops))
    }

    /// Account and region of a provider configuration, as far as it spells them.
    fn provider(&self, key: Option<&str>) -> (Option<String>, Option<String>) {
        let Some(provider) = key.and_then(|key| self.configuration?.get("provider_config")?.get(key)) else { return (None, None) };
        let constant = |path: &str| {
            let node = provider.get("expressions")?.first_at(path)?;
            node.value.as_str().map(std::borrow::Cow::into_owned)
        };
        let account = constant("assume_role.role_arn.constant_value").and_then(|arn| arn.split(':').nth(4).map(str::to_owned));
        (account, constant("region.constant_value"))
    }
}

/// Adds the resources that a module of the configuration and the modules that it calls declare.
fn add_expressions<'a>(module: &'a Node, prefix: &str, out: &mut BTreeMap<String, &'a Node>) {
    for resource in module.at("resources[]") {
        if let Some(address) = text_of(resource, "address") {
            out.entry(format!("{prefix}{address}")).or_insert(resource);
        }
    }
    if let Some(Value::Map(calls)) = module.get("module_calls").map(|calls| &calls.value) {
        for (name, call) in calls {
            if let Some(called) = call.get("module") {
                add_expressions(called, &format!("{prefix}module.{name}."), out);
            }
        }
    }
}

fn text_of(node: &Node, name: &str) -> Option<String> {
    node.get(name).and_then(|node| node.value.as_str().map(std::borrow::Cow::into_owned))
}

/// Where the first step of an address ends: at a dot outside of brackets and quotes.
fn end_of_step(address: &str) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    let mut depth = 0usize;
    for (index, character) in address.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            '.' if !quoted && depth == 0 => return index,
            _ => {}
        }
    }
    address.len()
}

/// The steps of an address or reference.
fn steps(mut name: &str) -> Vec<&str> {
    let mut out = Vec::new();
    while !name.is_empty() {
        let (step, rest) = name.split_at(end_of_step(name));
        out.push(step);
        name = rest.strip_prefix('.').unwrap_or("");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{is_plan, read};
    use bartizan_model::FileId;

    const PLAN: &str = r#"{"format_version":"1.2","terraform_version":"1.9.0","planned_values":{"root_module":{"resources":[
      {"address":"aws_sqs_queue.q","mode":"managed","type":"aws_sqs_queue","name":"q","values":{"name":"jobs"}}],
      "child_modules":[{"address":"module.w[\"a.b\"]","resources":[
      {"address":"module.w[\"a.b\"].aws_lambda_function.f","mode":"managed","type":"aws_lambda_function","name":"f",
       "values":{"function_name":"f","environment":[{"variables":{}}]}}]}]}},
      "resource_changes":[{"address":"module.w[\"a.b\"].aws_lambda_function.f","change":{"after_unknown":{"role":true,"arn":true,"environment":[{"variables":true}]}}}],
      "configuration":{"provider_config":{"aws":{"expressions":{"region":{"constant_value":"eu-west-1"}}}},"root_module":{
       "module_calls":{"w":{"expressions":{"queue":{"references":["aws_sqs_queue.q.url","aws_sqs_queue.q"]}},"module":{"resources":[
        {"address":"aws_lambda_function.f","provider_config_key":"aws","expressions":{
          "role":{"references":["aws_iam_role.r.arn","aws_iam_role.r"]},
          "environment":[{"variables":{"references":["var.queue"]}}]}}]}}}}}}"#;

    #[test]
    fn unknowns_become_the_references_that_the_configuration_names() {
        assert!(is_plan(PLAN));
        let mut diagnostics = Vec::new();
        let resources = read(FileId(0), PLAN, "", &mut diagnostics);
        assert_eq!(diagnostics, []);
        let function = &resources[1];
        assert_eq!(function.region.as_deref(), Some("eu-west-1"));
        let text = |path: &str| function.body.first_at(path).and_then(|n| n.value.as_text()).map(ToString::to_string);
        assert_eq!(text("role").as_deref(), Some(r#"${module.w["a.b"].aws_iam_role.r.arn}"#));
        assert_eq!(text("environment.variables").as_deref(), Some("${aws_sqs_queue.q.url}"));
        assert!(function.body.get("arn").is_some_and(|n| n.value.is_unknown()));
        let span = resources[0].span;
        assert_eq!(&PLAN[span.start as usize..span.end as usize], "\"aws_sqs_queue.q\"");
    }
}
