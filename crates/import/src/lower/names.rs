//! Components by name and ARN, for what is named in words instead of by reference: other stacks, environment variables, literal ARNs.

use std::collections::HashMap;

use bartizan_model::{Address, Part, Text};

use crate::catalogue::ComponentType;
use crate::resource::Resource;

/// Names shorter than this are too common to be taken for a mention.
const MIN_MENTIONED: usize = 4;

/// Services whose resources others name in configuration text by their plain name.
const NAMED_IN_TEXT: [&str; 14] = [
    "s3",
    "sqs",
    "sns",
    "dynamodb",
    "kinesis",
    "firehose",
    "lambda",
    "secretsmanager",
    "ssm",
    "stepfunctions",
    "eventbridge",
    "rds",
    "elasticache",
    "opensearch",
];

/// The index.
#[derive(Default)]
pub(crate) struct Names {
    /// Type → name → components with their stack.
    by_name: HashMap<String, HashMap<String, Vec<(Address, String)>>>,
    /// Service segment and resource part of an ARN → components with their stack.
    by_arn: HashMap<(String, String), Vec<(Address, String)>>,
    /// Name alone, for services whose names stand in configuration text.
    in_text: HashMap<String, Vec<(Address, String)>>,
}

impl Names {
    /// Enters a component under its name and ARN.
    pub(crate) fn add(&mut self, address: &Address, component_type: &str, entry: &ComponentType, name: &str, resource: &Resource) {
        if name.is_empty() {
            return;
        }
        let item = (address.clone(), resource.stack.clone());
        self.by_name.entry(component_type.to_owned()).or_default().entry(name.to_owned()).or_default().push(item.clone());
        if let Some((service, part)) = entry.arn.as_deref().and_then(split_arn)
            && part.contains("{name}")
        {
            let part = part.replace("{name}", name);
            self.by_arn.entry((service.to_owned(), part.trim_end_matches(['*', '/']).to_owned())).or_default().push(item.clone());
        }
        if name.len() >= MIN_MENTIONED && NAMED_IN_TEXT.contains(&entry.service.as_str()) {
            self.in_text.entry(name.to_owned()).or_default().push(item);
        }
    }

    /// The component of a type with that name; one of the asking stack first.
    pub(crate) fn by_name(&self, component_type: &str, name: &str, stack: &str) -> Option<Address> {
        nearest(self.by_name.get(component_type)?.get(name)?, stack)
    }

    /// The component that a text names: an ARN, or a plain name of the given type. References without value match anything.
    pub(crate) fn by_text(&self, text: &Text, of: Option<&str>, stack: &str) -> Option<Address> {
        let flat = flatten(text);
        if let Some((service, part)) = split_arn(&flat) {
            return self.by_arn(service, part, stack);
        }
        let known = text.known()?;
        self.by_name(of?, &known, stack)
    }

    fn by_arn(&self, service: &str, part: &str, stack: &str) -> Option<Address> {
        let mut part = part;
        // Qualifiers and object keys behind the name: `function:f:live`, `bucket/key`, `table/t/stream/…`.
        loop {
            if let Some(found) = self.by_arn.get(&(service.to_owned(), part.trim_end_matches(['*', '/', ':']).to_owned())) {
                return nearest(found, stack);
            }
            let cut = part.rfind(['/', ':'])?;
            part = part.get(..cut)?;
        }
    }

    /// The components that configuration text mentions in words: ARNs, queue URLs, exact names.
    pub(crate) fn mentioned(&self, text: &Text, stack: &str) -> Vec<Address> {
        let flat = flatten(text);
        if let Some(found) = self.in_text.get(flat.trim()) {
            return nearest(found, stack).into_iter().collect();
        }
        let mut out = Vec::new();
        for word in flat.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '=' | '(' | ')' | '`')) {
            if let Some((service, part)) = split_arn(word) {
                out.extend(self.by_arn(service, part, stack));
            } else if let Some(rest) = word.strip_prefix("https://sqs.") {
                out.extend(rest.rsplit('/').next().and_then(|name| self.by_name("sqs.queue", name, stack)));
            } else if let Some(rest) = word.strip_prefix("s3://") {
                out.extend(rest.split('/').next().and_then(|name| self.by_name("s3.bucket", name, stack)));
            }
        }
        out
    }
}

/// The text with `*` where a value is not known.
fn flatten(text: &Text) -> String {
    let mut out = String::new();
    for part in text.parts() {
        match part {
            Part::Literal(literal) => out.push_str(literal),
            Part::Reference { value: Some(value), .. } => out.push_str(value),
            Part::Reference { value: None, .. } | Part::Unknown(_) => out.push('*'),
        }
    }
    out
}

/// Service and resource part of an ARN or ARN pattern.
fn split_arn(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
    let _partition = parts.next()?;
    let service = parts.next()?;
    let (_region, _account) = (parts.next()?, parts.next()?);
    Some((service, parts.next()?))
}

fn nearest(found: &[(Address, String)], stack: &str) -> Option<Address> {
    found.iter().find(|(_, of)| of == stack).or(found.first()).map(|(address, _)| address.clone())
}
