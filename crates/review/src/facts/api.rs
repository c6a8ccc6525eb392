//! Facts about the routes of APIs: which answer anyone, which reach an administrator's function with any token, which hand bodies on
//! unchecked, what is kept in caches and logs.

use std::collections::BTreeSet;

use bartizan_model::{Address, Component, Node, Span, Value};

use super::document::{pattern, references};
use super::sink::Sink;
use crate::flows::Context;

/// Words of a path that lead to what only administrators should do.
const ADMINISTRATIVE: &[&str] =
    &["admin", "administration", "administrator", "manage", "management", "internal", "backoffice", "superuser"];

/// Operations of a path in an OpenAPI definition; `OPTIONS` is the browser's own question and carries no data.
const OPERATIONS: &[&str] = &["get", "put", "post", "delete", "patch", "head", "x-amazon-apigateway-any-method"];

/// Sets the facts of APIs, stages and workflows.
pub(super) fn add(context: &Context<'_>, sink: &mut Sink) {
    for component in context.index.architecture.components.values() {
        match component.component_type.as_str() {
            "apigateway.rest_api" => {
                methods(context, component, sink);
                definition(component, sink);
            }
            "apigateway.api" => {
                routes(context, component, sink);
                definition(component, sink);
            }
            "appsync.graphql_api" => graphql(component, sink),
            "apigateway.stage" => {
                traced(component, sink);
                stage_cache(context, component, sink);
            }
            "apigateway.api_stage" => traced(component, sink),
            "stepfunctions.state_machine" => recorded(component, sink),
            "cloudfront.distribution" => edge_cache(context, component, sink),
            _ => {}
        }
    }
}

/// One method or route.
struct Route<'a> {
    label: String,
    authorization: Option<&'a Node>,
    component: &'a Component,
}

impl Route<'_> {
    fn write(&self, api: &Address, sink: &mut Sink) {
        let Some(node) = self.authorization else { return };
        let span = if node.value.is_null() { self.component.span } else { Some(node.span) };
        let told = if node.value.is_null() { Some("NONE".into()) } else { node.value.as_str() };
        let Some(kind) = told else {
            for name in ["open_routes", "unscoped_routes"] {
                not_told(api, name, "the authorization of one of its routes is not known", span, sink);
            }
            return;
        };
        let keyed = self.component.flag("api_key_required") == Some(true);
        if kind == "NONE" && !keyed {
            sink.push_text(api, "open_routes", &self.label, span.or(self.component.span));
        }
        if matches!(kind.as_ref(), "JWT" | "COGNITO_USER_POOLS") && is_administrative(&self.label) {
            match self.component.settings.get("authorization_scopes").map(|node| &node.value) {
                Some(Value::Unknown(_)) => not_told(api, "unscoped_routes", "the scopes of a route are not known", span, sink),
                Some(Value::List(scopes)) if !scopes.is_empty() => {}
                _ => sink.push_text(api, "unscoped_routes", &self.label, span),
            }
        }
    }
}

fn not_told(address: &Address, name: &'static str, why: &str, span: Option<Span>, sink: &mut Sink) {
    if sink.get(address, name).is_none() {
        sink.unknown(address, name, why, span);
    }
}

fn is_administrative(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| ADMINISTRATIVE.contains(&word))
}

fn methods(context: &Context<'_>, api: &Component, sink: &mut Sink) {
    for method in context.index.follow_back(&api.address, "part_of") {
        if method.component_type != "apigateway.method" {
            continue;
        }
        let verb = method.text("http_method").unwrap_or_else(|| "ANY".to_owned());
        if verb == "OPTIONS" {
            continue;
        }
        let label = format!("{verb} {}", path(context, method));
        Route { label: label.clone(), authorization: method.settings.get("authorization"), component: method }.write(&api.address, sink);
        if matches!(verb.as_str(), "POST" | "PUT" | "PATCH" | "ANY") {
            unchecked(context, api, method, &verb, &label, sink);
        }
    }
}

/// The path of a method from its resources, the root being the API itself.
fn path(context: &Context<'_>, method: &Component) -> String {
    let mut parts = Vec::new();
    let mut at = context.index.follow(&method.address, "on_resource").into_iter().next();
    while let Some(resource) = at.filter(|resource| resource.component_type == "apigateway.resource" && parts.len() < 20) {
        parts.push(resource.text("path_part").unwrap_or_else(|| "*".to_owned()));
        at = context.index.follow(&resource.address, "below").into_iter().next();
    }
    parts.iter().rev().fold(String::new(), |path, part| path + "/" + part) + if parts.is_empty() { "/" } else { "" }
}

/// A method that hands the body to an AWS service itself, with nothing that looks at it.
fn unchecked(context: &Context<'_>, api: &Component, method: &Component, verb: &str, label: &str, sink: &mut Sink) {
    let resources: BTreeSet<Address> =
        context.index.follow(&method.address, "on_resource").iter().map(|resource| resource.address.clone()).collect();
    let Some(Node { value: Value::List(integrations), .. }) = api.setting("integrations") else { return };
    let own = integrations.iter().find(|integration| {
        let same_verb = text_at(integration, "http_method").is_some_and(|own| own.eq_ignore_ascii_case(verb))
            || refers(integration, "http_method", &method.address);
        let same_path = integration
            .get("resource_id")
            .and_then(|node| node.value.as_text())
            .is_some_and(|text| references(text).any(|address| resources.contains(&address)));
        same_verb && same_path
    });
    let Some(integration) = own else { return };
    let uri = integration.get("uri").and_then(|node| node.value.as_text()).map(pattern).unwrap_or_default();
    if text_at(integration, "type").as_deref() != Some("AWS") || uri.contains(":lambda:") || refers_to_function(context, integration) {
        return;
    }
    let validators = context.index.follow(&method.address, "validated_by");
    let checked = method.setting("request_models").is_some()
        && validators.iter().any(|validator| validator.flag("validate_request_body") == Some(true));
    let untold = method.setting("request_validator_id").is_some() && validators.is_empty();
    if untold {
        not_told(&api.address, "unchecked_routes", "the request validator of a method is not in the plan", method.span, sink);
    } else if !checked {
        sink.push_text(&api.address, "unchecked_routes", label, method.span);
    }
}

fn text_at(node: &Node, key: &str) -> Option<String> {
    node.get(key)?.value.as_str().map(std::borrow::Cow::into_owned)
}

fn refers(node: &Node, key: &str, to: &Address) -> bool {
    node.get(key).and_then(|node| node.value.as_text()).is_some_and(|text| references(text).any(|address| address == *to))
}

fn refers_to_function(context: &Context<'_>, integration: &Node) -> bool {
    integration.get("uri").and_then(|node| node.value.as_text()).is_some_and(|text| {
        references(text).any(|address| context.index.component(&address).is_some_and(|component| component.service == "lambda"))
    })
}

fn routes(context: &Context<'_>, api: &Component, sink: &mut Sink) {
    let web_socket = api.text("protocol_type").as_deref() == Some("WEBSOCKET");
    for route in context.index.follow_back(&api.address, "part_of") {
        if route.component_type != "apigateway.route" {
            continue;
        }
        let label = route.text("route_key").unwrap_or_else(|| "a route".to_owned());
        // A connection is let in once; later messages on it carry no authorization of their own.
        if label.starts_with("OPTIONS ") || web_socket && label != "$connect" {
            continue;
        }
        Route { label, authorization: route.settings.get("authorization_type"), component: route }.write(&api.address, sink);
    }
    if let Some(target) = api.setting("target") {
        sink.push_text(&api.address, "open_routes", "$default", Some(target.span));
    }
    if let Some(Node { value: Value::List(integrations), .. }) = api.setting("integrations") {
        for integration in integrations {
            if let Some(node) = integration.get("integration_subtype").filter(|node| !node.value.is_null()) {
                let label = node.value.as_str().map_or_else(|| "a service".to_owned(), std::borrow::Cow::into_owned);
                sink.push_text(&api.address, "unchecked_routes", &label, Some(node.span));
            }
        }
    }
}

/// Operations of an OpenAPI definition without security of their own or of the whole.
fn definition(api: &Component, sink: &mut Sink) {
    let Some(body) = api.setting("body") else { return };
    let Some(paths) = body.get("paths").and_then(|paths| paths.value.as_map()) else {
        not_told(&api.address, "open_routes", "its OpenAPI definition is not known", Some(body.span), sink);
        return;
    };
    let demands = |node: &Node| match node.get("security").map(|security| &security.value) {
        Some(Value::List(items)) => Some(items.iter().any(|item| item.value.as_map().is_none_or(|schemes| !schemes.is_empty()))),
        Some(Value::Unknown(_)) => Some(true),
        _ => None,
    };
    let by_default = demands(body).unwrap_or(false);
    for (path, operations) in paths {
        let Some(operations) = operations.value.as_map() else { continue };
        for (verb, operation) in operations.iter().filter(|(verb, _)| OPERATIONS.contains(&verb.to_ascii_lowercase().as_str())) {
            let signed = operation
                .get("x-amazon-apigateway-auth")
                .and_then(|auth| auth.get("type"))
                .is_some_and(|kind| kind.value.as_str().is_none_or(|kind| !kind.eq_ignore_ascii_case("none")));
            if !demands(operation).unwrap_or(by_default) && !signed {
                let verb = if verb.starts_with("x-") { "ANY".to_owned() } else { verb.to_ascii_uppercase() };
                sink.push_text(&api.address, "open_routes", &format!("{verb} {path}"), Some(operation.span));
            }
        }
    }
}

/// A GraphQL API that lets in whoever has its API key, which lies in every client.
fn graphql(api: &Component, sink: &mut Sink) {
    let Some(node) = api.setting("authentication_type") else { return };
    match node.value.as_str().as_deref() {
        Some("API_KEY") => sink.push_text(&api.address, "open_routes", "every field, by API key", Some(node.span)),
        Some(_) => {}
        None => not_told(&api.address, "open_routes", "how it authenticates is not known", Some(node.span), sink),
    }
}

/// Stages that log whole requests and answers.
fn traced(stage: &Component, sink: &mut Sink) {
    let mut look = |settings: &Node| {
        let Some(trace) = settings.get("data_trace_enabled").filter(|node| !node.value.is_null()) else { return };
        let off = settings.get("logging_level").and_then(|node| node.value.as_str()).is_some_and(|level| level == "OFF");
        match trace.value.as_bool() {
            Some(true) if !off => sink.push_text(&stage.address, "payloads_logged", "requests and answers", Some(trace.span)),
            None if !off => {
                not_told(&stage.address, "payloads_logged", "whether bodies are logged is not known", Some(trace.span), sink);
            }
            _ => {}
        }
    };
    for setting in ["method_settings", "route_settings"] {
        if let Some(Node { value: Value::List(items), .. }) = stage.setting(setting) {
            items.iter().for_each(&mut look);
        }
    }
    if stage.component_type == "apigateway.api_stage"
        && let Some(trace) = stage.setting("data_trace_enabled").filter(|node| node.value.as_bool() == Some(true))
        && stage.text("logging_level").as_deref() != Some("OFF")
    {
        sink.push_text(&stage.address, "payloads_logged", "requests and answers", Some(trace.span));
    }
}

/// Workflows that log the input and output of every state.
fn recorded(workflow: &Component, sink: &mut Sink) {
    let Some(node) = workflow.setting("include_execution_data") else { return };
    if workflow.text("log_level").as_deref() == Some("OFF") {
        return;
    }
    match node.value.as_bool() {
        Some(true) => sink.push_text(&workflow.address, "payloads_logged", "inputs and outputs", Some(node.span)),
        Some(false) => {}
        None => not_told(&workflow.address, "payloads_logged", "whether inputs are logged is not known", Some(node.span), sink),
    }
}

/// A stage that keeps answers of authorised methods under a key without the caller.
fn stage_cache(context: &Context<'_>, stage: &Component, sink: &mut Sink) {
    let Some(cluster) = stage.setting("cache_cluster_enabled") else { return };
    if cluster.value.as_bool() == Some(false) {
        return;
    }
    let settings = stage.setting("method_settings").and_then(|node| node.value.as_list()).unwrap_or(&[]);
    let cached = settings.iter().filter_map(|item| item.get("caching_enabled")).find(|node| node.value.as_bool() == Some(true));
    let Some(cached) = cached else { return };
    for api in context.index.follow(&stage.address, "part_of") {
        let authorised = context
            .index
            .follow_back(&api.address, "part_of")
            .iter()
            .any(|part| part.component_type == "apigateway.method" && part.text("authorization").is_some_and(|kind| kind != "NONE"));
        let keys: Vec<String> = api
            .setting("integrations")
            .into_iter()
            .flat_map(|node| node.at("cache_key_parameters"))
            .flat_map(super::document::patterns)
            .map(|key| key.to_ascii_lowercase())
            .collect();
        let by_caller =
            keys.iter().any(|key| key.contains("header.authorization") || key.contains("cookie") || key.contains("context.auth"));
        if authorised && !by_caller {
            if cluster.value.is_unknown() {
                not_told(&stage.address, "shared_cache", "whether the stage caches is not known", Some(cluster.span), sink);
            } else {
                sink.push_text(&stage.address, "shared_cache", "answers of methods with authorization", Some(cached.span));
            }
        }
    }
}

/// Managed cache policies that keep answers under a key without cookies.
/// Source: CloudFront developer guide, "Use managed cache policies": CachingOptimized, CachingOptimizedForUncompressedObjects.
const COOKIELESS: &[&str] = &["658327ea-f89d-4fab-a63d-7e88639e58f6", "b2884449-e4de-46a7-ac36-70bc7f1ddd6d"];

/// Managed origin request policies that hand on the viewer's cookies.
/// Source: CloudFront developer guide, "Use managed origin request policies": AllViewer, AllViewerExceptHostHeader, AllViewerAndCloudFrontHeaders.
const WITH_COOKIES: &[&str] =
    &["216adef6-5c7f-47e4-b989-5492eafa07d3", "b689b0a8-53d0-40ab-baf2-68738e2966ac", "33f36d7e-f396-46d9-90e0-52428a34d9dc"];

/// A distribution whose origin gets the viewer's cookies while answers are kept without them.
fn edge_cache(context: &Context<'_>, distribution: &Component, sink: &mut Sink) {
    let Some(forwarding) = distribution.setting("origin_request_policy_id") else { return };
    let Some(caching) = distribution.setting("cache_policy_id") else { return };
    let named = |node: &Node, kind: &str| {
        let text = node.value.as_text()?;
        references(text).find_map(|address| context.index.component(&address).filter(|found| found.component_type == kind))
    };
    let forwards = match named(forwarding, "cloudfront.origin_request_policy") {
        Some(policy) => Some(matches!(policy.text("cookie_behavior").as_deref(), Some("all" | "allExcept" | "whitelist"))),
        None => forwarding.value.as_str().map(|id| WITH_COOKIES.contains(&id.as_ref())),
    };
    let ignores = match named(caching, "cloudfront.cache_policy") {
        Some(policy) => {
            let authorised = policy.setting("headers").is_some_and(|headers| {
                super::document::patterns(headers).iter().any(|header| header.eq_ignore_ascii_case("authorization"))
            });
            let off = policy.setting("max_ttl").and_then(|node| node.value.as_number()) == Some(0.0);
            Some(policy.text("cookie_behavior").as_deref() == Some("none") && !authorised && !off)
        }
        None => caching.value.as_str().map(|id| COOKIELESS.contains(&id.as_ref())),
    };
    match (forwards, ignores) {
        (Some(true), Some(true)) => {
            sink.push_text(&distribution.address, "shared_cache", "answers to requests with cookies", Some(caching.span));
        }
        (Some(false), _) | (_, Some(false)) => {}
        _ => not_told(&distribution.address, "shared_cache", "one of its policies is not known", Some(caching.span), sink),
    }
}
