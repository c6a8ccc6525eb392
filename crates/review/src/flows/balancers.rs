//! Load balancers to their targets: listeners, rules, target groups and registrations of every generation.

use std::collections::BTreeMap;

use bartizan_model::{Address, Component, Confidence, Node, Reason, ReasonKind, Span, Value};

use super::integrations::encrypted_by_name;
use super::set::{FlowSet, Found};
use super::{Context, lattice, reason};
use crate::facts::endpoint::is_balancer;
use crate::facts::network::{Protocol, reference};
use crate::facts::reachability::{admits_clients, reaches};
use crate::facts::read::{first_setting, last, texts};
use crate::facts::verdict::Verdict;

/// A listener of a balancer, whichever way it is written.
pub(crate) struct Listener<'a> {
    /// Port.
    pub(crate) port: Option<u16>,
    /// Lower-case protocol.
    pub(crate) protocol: String,
    /// True where every action answers with a redirect.
    pub(crate) redirects: bool,
    /// How callers must prove themselves before a target is asked.
    pub(crate) authentication: Option<String>,
    /// Port and protocol of the targets of a classic balancer.
    pub(crate) target: Option<(Option<u16>, String)>,
    /// Where the port or the listener is written.
    pub(crate) span: Option<Span>,
    /// The listener's own component.
    pub(crate) component: Option<&'a Component>,
}

/// Adds flows from balancers to what they forward to.
pub(super) fn add(context: &Context<'_>, set: &mut FlowSet) {
    for (address, component) in &context.index.architecture.components {
        if !is_balancer(component) && !lattice::is_service(component) {
            continue;
        }
        for listener in listeners(context, component) {
            match &listener.target {
                Some((port, protocol)) => classic(context, component, *port, protocol, &listener, set),
                None => forward(context, address, &listener, set),
            }
        }
    }
}

/// The listeners of a balancer, by port.
pub(crate) fn listeners<'a>(context: &Context<'a>, balancer: &'a Component) -> Vec<Listener<'a>> {
    let mut found = Vec::new();
    if let Some(Node { value: Value::List(items), .. }) = balancer.setting("listeners") {
        for item in items {
            let text = |key: &str| item.get(key).and_then(|node| node.value.as_str()).map(|text| text.to_ascii_lowercase());
            let protocol = text("protocol").unwrap_or_else(|| "tcp".to_owned());
            let target = text("instance_protocol").unwrap_or_else(|| protocol.clone());
            found.push(Listener {
                port: port(item.get("port")),
                redirects: false,
                authentication: None,
                target: Some((port(item.get("instance_port")), target)),
                span: Some(item.span),
                component: None,
                protocol,
            });
        }
    }
    for listener in context.index.follow_back(&balancer.address, "part_of") {
        if !last(&listener.component_type).ends_with("listener") {
            continue;
        }
        let number = port(listener.setting("port"));
        let protocol = match (listener.text("protocol"), listener.setting("protocol")) {
            (Some(protocol), _) => protocol.to_ascii_lowercase().replace("tcp_udp", "tcp"),
            // Not known is not the default: whatever it speaks runs over TCP, and whether that is encrypted is open.
            (None, Some(_)) => "tcp".to_owned(),
            (None, None) if number == Some(443) => "https".to_owned(),
            (None, None) => "http".to_owned(),
        };
        let mut actions: Vec<String> = listener.setting("default_action").map(action_types).unwrap_or_default();
        for rule in context.index.follow_back(&listener.address, "part_of") {
            actions.extend(rule.setting("action").map(action_types).unwrap_or_default());
        }
        let authentication = actions.iter().find_map(|action| match action.as_str() {
            "authenticate-oidc" => Some("oidc".to_owned()),
            "authenticate-cognito" => Some("cognito".to_owned()),
            "jwt-validation" => Some("jwt".to_owned()),
            _ => None,
        });
        let mutual = listener.text("mutual_authentication_mode").filter(|mode| mode == "verify").map(|_| "mtls".to_owned());
        found.push(Listener {
            port: number,
            protocol,
            redirects: !actions.is_empty() && actions.iter().all(|action| action == "redirect" || action == "fixed-response"),
            authentication: authentication.or(mutual),
            target: None,
            span: listener.setting("port").map(|node| node.span).or(listener.span),
            component: Some(listener),
        });
    }
    found.sort_by_key(|listener| (listener.port, listener.span));
    found
}

fn action_types(node: &Node) -> Vec<String> {
    node.at("type").into_iter().flat_map(texts).filter_map(|text| text.known().map(std::borrow::Cow::into_owned)).collect()
}

fn port(node: Option<&Node>) -> Option<u16> {
    let number = node?.value.as_number()?;
    format!("{number}").parse().ok()
}

fn classic(context: &Context<'_>, balancer: &Component, port: Option<u16>, protocol: &str, listener: &Listener<'_>, set: &mut FlowSet) {
    let named = balancer.setting("instances").into_iter().flat_map(texts);
    let mut targets: Vec<(Address, Option<Span>)> =
        named.filter_map(|text| reference(text).ok()).map(|address| (address, listener.span)).collect();
    let registered = context.index.to(&balancer.address).iter().filter(|link| super::index::is_relation(&link.relation, "registers_in"));
    targets.extend(registered.map(|link| (link.from.clone(), link.span)));
    for (target, span) in targets {
        if context.index.component(&target).is_none() {
            continue;
        }
        let text =
            format!("the listener forwards to port {} of its instances", port.map_or_else(|| "?".to_owned(), |port| port.to_string()));
        push(
            context,
            balancer.address.clone(),
            target,
            port,
            protocol,
            vec![reason(ReasonKind::Integration, text, listener.span.or(span))],
            set,
        );
    }
}

fn forward(context: &Context<'_>, balancer: &Address, listener: &Listener<'_>, set: &mut FlowSet) {
    let Some(component) = listener.component else { return };
    let mut groups: BTreeMap<Address, Option<Span>> = BTreeMap::new();
    let mut collect = |from: &Address| {
        for link in context.index.from(from) {
            if super::index::is_relation(&link.relation, "forwards_to") {
                groups.entry(link.to.clone()).or_insert(link.span);
            }
        }
    };
    collect(&component.address);
    for rule in context.index.follow_back(&component.address, "part_of") {
        collect(&rule.address);
    }
    for (group, span) in groups {
        let Some(group) = context.index.component(&group) else { continue };
        for link in context.index.to(&group.address) {
            if !super::index::is_relation(&link.relation, "registers_in") {
                continue;
            }
            let Some(target) = context.index.component(&link.from) else { continue };
            let own = attachment_port(group, &target.address);
            let number = own.or_else(|| port(group.setting("port"))).or(listener.port);
            let protocol = group.text("protocol").map_or_else(|| listener.protocol.clone(), |protocol| protocol.to_ascii_lowercase());
            let mut why =
                vec![reason(ReasonKind::Integration, format!("the listener forwards to `{}`", group.address), span.or(listener.span))];
            why.push(reason(ReasonKind::Integration, format!("`{}` is registered in `{}`", target.address, group.address), link.span));
            if target.service == "lambda" {
                let caller = if group.service == "vpc" { "vpc-lattice.amazonaws.com" } else { "elasticloadbalancing.amazonaws.com" };
                why.extend(invocation_refused(target, caller));
                let mut found = context.to(balancer.clone(), target.address.clone(), Confidence::Integration, why);
                found.authentication = Some("resource policy".to_owned());
                set.add(found);
            } else {
                why.extend(clients_refused(context, balancer, group, target, number));
                why.extend(lattice::refused(context, balancer, &target.address, number));
                push(context, balancer.clone(), target.address.clone(), number, &protocol, why, set);
            }
        }
    }
}

/// What keeps a service from calling a function: none of the function's permissions is for it.
/// Source: ELB guide, "Lambda functions as targets"; API Gateway guide, "Set up Lambda integrations".
pub(super) fn invocation_refused(function: &Component, principal: &str) -> Option<Reason> {
    // Permissions of a module that is not at hand are not known, nor are those of a function that another plan makes.
    if function.source_type == "module" || function.component_type != "lambda.function" {
        return None;
    }
    let node = function.settings.get("permissions");
    let items = match node.map(|node| &node.value) {
        None | Some(Value::Null) => &[][..],
        Some(Value::List(items)) => items.as_slice(),
        Some(_) => return None,
    };
    let admits = |item: &Node| match item.get("principal") {
        None => true,
        Some(own) => own.value.as_str().is_none_or(|own| own == principal || own == "*"),
    };
    if items.is_empty() || items.iter().any(admits) {
        return None;
    }
    let text = format!("the resource policy of `{}` does not let {principal} invoke it", function.address);
    Some(reason(ReasonKind::Block, text, node.map(|node| node.span).or(function.span)))
}

/// What keeps out clients whose address a network balancer preserves: the target's groups must admit the clients themselves.
/// Source: NLB guide, "Client IP preservation": on for instances, and for addresses unless the protocol is TCP or TLS.
fn clients_refused(context: &Context<'_>, balancer: &Address, group: &Component, target: &Component, port: Option<u16>) -> Option<Reason> {
    let component = context.index.component(balancer)?;
    if component.text("load_balancer_type").as_deref() != Some("network") {
        return None;
    }
    let by_type = || match (group.text("target_type").as_deref(), group.text("protocol").as_deref()) {
        (Some("alb" | "lambda"), _) => false,
        (Some("ip"), protocol) => !matches!(protocol, Some("TCP" | "TLS") | None),
        _ => true,
    };
    let stated = group.setting("preserve_client_ip").map(|node| node.value.as_bool());
    if !stated.unwrap_or_else(|| Some(by_type())).unwrap_or(false) {
        return None;
    }
    let open = context.from_internet.get(balancer)?;
    let (Some(own), Some(endpoint)) = (context.endpoints.get(balancer), context.endpoints.get(&target.address)) else { return None };
    if open.verdict == Verdict::No && open.openings.is_empty() || own.public != Verdict::Yes {
        return None;
    }
    let udp = group.text("protocol").is_some_and(|protocol| protocol == "UDP");
    let protocol = if udp { Protocol::Udp } else { Protocol::Tcp };
    let decision = reaches(&context.network, own, endpoint, &protocol, port);
    // A rule that names the balancer's own group admits what comes through the balancer, whoever it is from.
    if decision.by_group {
        return None;
    }
    admits_clients(&context.network, endpoint, &protocol, port)
}

fn attachment_port(group: &Component, target: &Address) -> Option<u16> {
    let Value::List(items) = &first_setting(group, &["targets"])?.value else { return None };
    items.iter().find_map(|item| {
        let id = item.get("id")?.value.as_text()?;
        let named = reference(id).ok()?;
        if named == *target { port(item.get("port")) } else { None }
    })
}

fn push(
    context: &Context<'_>,
    from: Address,
    to: Address,
    port: Option<u16>,
    protocol: &str,
    mut why: Vec<bartizan_model::Reason>,
    set: &mut FlowSet,
) {
    let to = context.index.drawn(&to);
    why.extend(super::integrations::check_over(context, &super::integrations::transport(Some(protocol)), &from, &to, port));
    set.add(Found {
        from,
        to,
        protocol: Some(protocol.to_owned()),
        port,
        encrypted: encrypted_by_name(Some(protocol)),
        authentication: Some("none".to_owned()),
        confidence: Confidence::Integration,
        why,
    });
}
