//! Facts about resource policies, permissions and access lists.

use bartizan_model::Value;

use super::sink::{Sink, text};
use super::verdict::Verdict;
use crate::facts::document::{Principal, Statement, patterns};
use crate::flows::Context;
use crate::flows::policies::is_write;

/// Sets the facts of resource policies.
pub(super) fn add(context: &Context<'_>, sink: &mut Sink) {
    for (address, admits) in &context.policies {
        if !admits.public.is_empty() {
            let first = admits.public.values().next().copied();
            match admits.in_force {
                Verdict::Yes => {
                    for (action, span) in &admits.public {
                        sink.push_text(address, "public_actions", action, Some(*span));
                        if is_write(action) {
                            sink.push_text(address, "public_write_actions", action, Some(*span));
                        }
                    }
                    for how in &admits.by {
                        sink.push_text(address, "public_by", how, first);
                    }
                }
                Verdict::Unknown => {
                    let why = admits.blocked_by.as_ref().map_or("the account decides", |(why, _)| why.as_str());
                    for name in ["public_actions", "public_write_actions"] {
                        if name == "public_actions" || admits.public.keys().any(|action| is_write(action)) {
                            sink.unknown(address, name, why, first);
                        }
                    }
                }
                Verdict::No => {}
            }
            if let Some((why, span)) = &admits.blocked_by {
                sink.set(address, "public_blocked_by", text(why), *span);
            }
        }
        for (account, (actions, span)) in &admits.foreign {
            sink.push_text(address, "foreign_accounts", account, Some(*span));
            for action in actions {
                sink.push_text(address, "foreign_actions", action, Some(*span));
            }
        }
        for (service, span) in &admits.open_services {
            sink.push_text(address, "service_trust_open", service, Some(*span));
        }
        if let Some(span) = admits.untold_services.filter(|_| admits.open_services.is_empty()) {
            sink.unknown(address, "service_trust_open", "whom the service has to act for is not known", Some(span));
        }
        if let Some(document) = &admits.document {
            for statement in document.statements.iter().filter(|statement| !statement.allow) {
                denials(address, statement, sink);
            }
            if !document.complete {
                for name in ["denies_cleartext", "public_actions", "public_write_actions", "foreign_accounts", "foreign_actions"] {
                    if sink.get(address, name).is_none() {
                        sink.unknown(address, name, "its policy is not known", Some(statement_span(document)));
                    }
                }
            }
        }
    }
}

fn statement_span(document: &crate::facts::document::Document<'_>) -> bartizan_model::Span {
    document.statements.first().map_or(super::sink::NOWHERE, |statement| statement.node.span)
}

fn denials(address: &bartizan_model::Address, statement: &Statement<'_>, sink: &mut Sink) {
    let everyone = statement.principals.iter().any(|principal| matches!(principal, Principal::Anyone(_)));
    if !everyone {
        return;
    }
    for condition in &statement.conditions {
        let values = patterns(condition.values);
        let bool_false = values.iter().any(|value| value == "false") || condition.values.value == Value::Bool(false);
        if condition.key == "aws:securetransport" && bool_false && condition.operator.starts_with("bool") {
            sink.yes(address, "denies_cleartext", Some(statement.node.span));
        }
        if condition.key == "s3:x-amz-server-side-encryption-customer-algorithm" {
            sink.yes(address, "denies_sse_c", Some(statement.node.span));
        }
    }
}
