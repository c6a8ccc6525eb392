//! Flows that people declared in bartizan.yaml.

use bartizan_model::{Address, Confidence, Diagnostic, ReasonKind, Severity, Span};

use super::entities::Entities;
use super::set::FlowSet;
use super::{Context, reason};

/// Adds the declared flows; an end that is no component, actor or `internet` is reported.
pub(super) fn add(
    context: &Context<'_>,
    actors: &[Address],
    entities: &mut Entities,
    set: &mut FlowSet,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for declared in &context.index.architecture.declarations.flows {
        let mut end = |(text, span): &(String, Span)| -> Option<Address> {
            let address = Address::new(text);
            if text == "internet" {
                return Some(entities.internet());
            }
            if text == super::entities::OPERATOR {
                return Some(entities.operator());
            }
            if actors.contains(&address) || context.index.component(&address).is_some() {
                return Some(address);
            }
            let message = format!("the declared flow names `{text}`, which is neither a component nor an actor");
            let help = "write the address as the source has it, or declare it under `actors`";
            diagnostics.push(Diagnostic::new("flows/unknown-end", Severity::Warning, message, *span).with_help(help));
            None
        };
        let (Some(from), Some(to)) = (end(&declared.from), end(&declared.to)) else { continue };
        let why = vec![reason(ReasonKind::Declaration, "declared", Some(declared.span))];
        let mut found = context.to(from, to, Confidence::Declared, why);
        if declared.protocol.is_some() {
            found.protocol.clone_from(&declared.protocol);
            found.port = declared.port;
        }
        found.port = declared.port.or(found.port);
        found.encrypted = declared.encrypted.or(found.encrypted);
        found.authentication = declared.authentication.clone().or(found.authentication);
        set.add(found);
        // Data of the flow is set with the assets, by name.
    }
}
