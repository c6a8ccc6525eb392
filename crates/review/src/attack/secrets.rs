//! Credentials written in configuration: access keys, private keys and passwords, with whom or what they open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bartizan_model::{Address, Component, Kind, Node, Part, Span, Text, Value};

use super::compute::plain;
use super::graph::{AttackGraph, Fact, Step};
use crate::flows::Context;
use crate::flows::index::Index;
use crate::outcome::Evidence;

/// Settings that hold the password of a store.
const PASSWORDS: &[&str] = &["password", "master_password", "master_user_password", "admin_user_password", "auth_token"];

/// Passwords shorter than this are not searched for in other text.
const MIN_PASSWORD: usize = 6;

/// One credential in the configuration of a component.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// The component.
    pub(crate) holder: Address,
    /// What it gives.
    pub(crate) gives: Fact,
    /// Relation: `leaked-access-key`.
    pub(crate) technique: &'static str,
    /// Where it is written.
    pub(crate) span: Span,
}

/// What credentials open, by what refers to them.
#[derive(Default)]
struct Credentials {
    /// Access keys of users: by the key's address.
    keys: BTreeMap<String, Address>,
    /// Private keys by the address that generates them: hosts that take them.
    hosts: BTreeMap<String, Vec<Address>>,
    /// Passwords: stores, by a reference or literal that is the password.
    by_reference: BTreeMap<String, Vec<Address>>,
    by_literal: BTreeMap<String, Vec<Address>>,
}

/// Finds every credential in configuration text.
pub(crate) fn find(context: &Context<'_>) -> Vec<Held> {
    let index = &context.index;
    let credentials = credentials(index);
    let mut found = Vec::new();
    for (address, component) in &index.architecture.components {
        if component.service == "iam" || component.service == "external" || component.component_type == "ec2.key_pair" {
            continue;
        }
        for (name, node) in &component.settings {
            if PASSWORDS.contains(&name.as_str()) {
                continue;
            }
            node.for_each_text(&mut |text, at| look(&credentials, address, text, at.span, &mut found));
            let hosts = file_of(index, node).and_then(|file| credentials.hosts.get(&file));
            for host in hosts.into_iter().flatten().filter(|host| *host != address) {
                let gives = Fact::Code(host.clone());
                found.push(Held { holder: address.clone(), gives, technique: "leaked-private-key", span: node.span });
            }
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|held| seen.insert((held.holder.clone(), held.gives.clone())));
    // What lies in a bucket is read with the bucket.
    let inside: Vec<Held> = found.iter().flat_map(|held| containers(index, held)).collect();
    found.extend(inside);
    found
}

/// Adds what holders of credentials gain; code needs a way to the host or store as well.
pub(crate) fn add(context: &Context<'_>, found: &[Held], graph: &mut AttackGraph) {
    for held in found {
        let from = graph.fact(Fact::Configuration(held.holder.clone()));
        let evidence: Arc<[Evidence]> = [Evidence { span: held.span, text: format!("`{}` holds a credential", held.holder) }].into();
        if let Fact::Code(host) = &held.gives {
            let gives = graph.fact(held.gives.clone());
            let open = context.from_internet.get(host).is_some_and(|found| !found.openings.is_empty());
            let step = plain(from, gives, held.technique, if open { 0.9 } else { 0.3 }, evidence);
            let conditions: Vec<String> = if open { Vec::new() } else { vec!["the network lets the attacker connect".to_owned()] };
            graph.step(Step { conditions: conditions.into(), ..step });
        } else {
            let gives = graph.fact(held.gives.clone());
            graph.step(plain(from, gives, held.technique, 0.9, evidence));
        }
    }
}

fn credentials(index: &Index<'_>) -> Credentials {
    let mut out = Credentials::default();
    let mut pairs: BTreeMap<&Address, String> = BTreeMap::new();
    for (address, component) in &index.architecture.components {
        match component.component_type.as_str() {
            "iam.access_key" => {
                let inactive = component.text("status").is_some_and(|status| status.eq_ignore_ascii_case("inactive"));
                if let Some(user) = index.follow(address, "part_of").first().filter(|_| !inactive) {
                    out.keys.insert(address.as_str().to_owned(), user.address.clone());
                }
            }
            "ec2.key_pair" => {
                let key = component.settings.get("public_key");
                let source = key
                    .and_then(|node| node.value.as_text())
                    .and_then(|text| text.references().next().map(|(source, _)| source.to_owned()));
                // `ssh-keygen` writes `NAME` and `NAME.pub`.
                let file = || key.and_then(|node| file_of(index, node)).map(|file| file.trim_end_matches(".pub").to_owned());
                if let Some(source) = source.or_else(file) {
                    pairs.insert(address, source);
                }
            }
            _ if component.kind == Kind::DataStore => passwords(component, &mut out),
            _ => {}
        }
    }
    for (address, component) in &index.architecture.components {
        let Some(text) = component.setting("key_name").and_then(|node| node.value.as_text()) else { continue };
        let pair = text.references().map(|(pair, _)| Address::new(pair)).find(|pair| pairs.contains_key(pair));
        let by_name = || {
            pairs.keys().copied().find(|pair| index.component(pair).is_some_and(|pair| Some(pair.name.as_str()) == text.known().as_deref()))
        };
        let Some(source) = pair.as_ref().or_else(by_name).and_then(|pair| pairs.get(pair)) else { continue };
        out.hosts.entry(source.clone()).or_default().push(address.clone());
    }
    out
}

/// The file that a value comes from, where it is written as `file("…")` or was looked for there.
fn file_of(index: &Index<'_>, node: &Node) -> Option<String> {
    let written = match &node.value {
        Value::Unknown(unknown) => unknown.why.to_string(),
        Value::Text(_) => index.architecture.sources.excerpt(node.span).to_owned(),
        _ => return None,
    };
    let (_, rest) = written.split_once("file")?;
    let path = rest.split(['"', '`']).find(|piece| piece.contains(|c: char| c.is_alphanumeric()))?;
    (!path.contains(char::is_whitespace)).then(|| path.to_owned())
}

fn passwords(component: &Component, out: &mut Credentials) {
    for name in PASSWORDS {
        let Some(text) = component.setting(name).and_then(|node| node.value.as_text()) else { continue };
        for part in text.parts() {
            match part {
                Part::Reference { address, .. } => out.by_reference.entry(address.to_owned()).or_default().push(component.address.clone()),
                Part::Unknown(reason) => out.by_reference.entry(reason.to_owned()).or_default().push(component.address.clone()),
                Part::Literal(literal) if literal.len() >= MIN_PASSWORD => {
                    out.by_literal.entry(literal.to_owned()).or_default().push(component.address.clone());
                }
                Part::Literal(_) => {}
            }
        }
    }
}

fn look(credentials: &Credentials, holder: &Address, text: &Text, span: Span, found: &mut Vec<Held>) {
    let mut push = |gives: Fact, technique: &'static str| {
        if gives.address() != holder.as_str() {
            found.push(Held { holder: holder.clone(), gives, technique, span });
        }
    };
    for part in text.parts() {
        match part {
            Part::Reference { address, attribute, .. } => {
                if let Some(user) = credentials.keys.get(address) {
                    push(Fact::Identity(user.clone()), "leaked-access-key");
                }
                if attribute.starts_with("private_key") {
                    for host in credentials.hosts.get(address).into_iter().flatten() {
                        push(Fact::Code(host.clone()), "leaked-private-key");
                    }
                }
                for store in credentials.by_reference.get(address).into_iter().flatten() {
                    push(Fact::Login(store.clone()), "leaked-password");
                }
            }
            Part::Unknown(reason) => {
                for store in credentials.by_reference.get(reason).into_iter().flatten() {
                    push(Fact::Login(store.clone()), "leaked-password");
                }
            }
            Part::Literal(literal) => {
                for (password, stores) in &credentials.by_literal {
                    if literal.contains(password.as_str()) {
                        stores.iter().for_each(|store| push(Fact::Login(store.clone()), "leaked-password"));
                    }
                }
            }
        }
    }
}

/// The bucket of an object, the compute of a template: what is read with the holder.
fn containers(index: &Index<'_>, held: &Held) -> Vec<Held> {
    let is_object = index.component(&held.holder).is_some_and(|component| component.component_type == "s3.object");
    let buckets = if is_object { index.follow(&held.holder, "part_of") } else { Vec::new() };
    let users = index.users(&held.holder).into_iter().filter(|user| *user != held.holder);
    buckets.into_iter().map(|bucket| bucket.address.clone()).chain(users).map(|holder| Held { holder, ..held.clone() }).collect()
}
