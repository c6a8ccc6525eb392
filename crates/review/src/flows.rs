//! Step 2 of the review: completes an architecture with data flows, trust boundaries, exposure and assets, and derives the facts.
//!
//! Import gives components, settings and links; [`complete`] adds what follows from them.
//! Every flow says why it is there. A link that is only a reference between two resources never becomes one.

use bartizan_model::{Address, Architecture, Asset, Confidence, Diagnostic, Flow, FlowStatus, Reason, ReasonKind};

use crate::facts::endpoint::{Endpoints, endpoints};
use crate::facts::network::Network;
use crate::facts::permissions::{Permissions, permissions};
use crate::facts::reachability::FromInternet;
use crate::facts::{self, Facts, Lifecycle};

mod assets;
mod balancers;
mod boundaries;
mod declared;
mod entities;
mod exposure;
mod grants;
pub(crate) mod index;
mod integrations;
mod internet;
mod lattice;
mod managed;
mod mentions;
mod mounts;
pub(crate) mod policies;
mod service_addresses;
mod services;
pub(crate) mod set;
mod tunnels;

pub(crate) use entities::{ANYONE, Entities, is_untrusted};
pub(crate) use managed::undecided;
pub use services::{Api, ServiceApis};
pub(crate) use services::{ApiEntry, ServiceEntry};
pub(crate) use tunnels::vpn_leads;

use index::Index;
use set::{FlowSet, Found};

/// What the steps share.
pub(crate) struct Context<'a> {
    /// Indexes over the architecture.
    pub(crate) index: Index<'a>,
    /// The network.
    pub(crate) network: Network,
    /// Network endpoints of components.
    pub(crate) endpoints: Endpoints,
    /// Policies of roles and users.
    pub(crate) permissions: Permissions<'a>,
    /// Whether the internet reaches each endpoint.
    pub(crate) from_internet: std::collections::BTreeMap<Address, FromInternet>,
    /// What resource policies and ACLs admit.
    pub(crate) policies: policies::Policies<'a>,
}

/// Completes an architecture with flows, boundaries, exposure and assets, and derives the facts that rules read.
///
/// `services` says how components are reached, `lifecycle` when versions end; `today` is ISO 8601 and decides what has ended.
pub fn complete(
    architecture: Architecture,
    services: &ServiceApis,
    lifecycle: &Lifecycle,
    today: Option<&str>,
) -> (Architecture, Facts, Vec<Diagnostic>) {
    let derive = |seen: &Seen<'_, '_>| facts::derive(seen.context, seen.flows, seen.entities, seen.assets, lifecycle, today);
    complete_with(architecture, services, derive)
}

/// What the steps share while an architecture is completed.
pub(crate) struct Seen<'s, 'a> {
    pub(crate) context: &'s Context<'a>,
    pub(crate) flows: &'s FlowSet,
    pub(crate) entities: &'s Entities,
    pub(crate) assets: &'s [Asset],
}

/// The same with whatever is to be learnt from what the steps share while it is there.
pub(crate) fn complete_with<T>(
    mut architecture: Architecture,
    services: &ServiceApis,
    look: impl FnOnce(&Seen<'_, '_>) -> T,
) -> (Architecture, T, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut entities = Entities::default();
    let actors: Vec<_> = architecture.declarations.actors.iter().map(|actor| entities.actor(actor)).collect();
    entities.internet();
    let context = Context::new(&architecture, services);
    let mut set = FlowSet::default();
    declared::add(&context, &actors, &mut entities, &mut set, &mut diagnostics);
    integrations::add(&context, &mut set);
    balancers::add(&context, &mut set);
    let grants = grants::read(&context);
    mentions::add(&context, &grants, &mut set, &mut diagnostics);
    grants::add(&context, &grants, &mut entities, &mut set);
    mounts::add(&context, &grants, &mut set, &mut diagnostics);
    internet::add(&context, &mut entities, &mut set);
    managed::add(&context, &mut entities, &mut set);
    tunnels::add(&context, &mut entities, &mut set);
    policies::add(&context, &mut entities, &mut set);
    let assets = assets::find(&context, &mut set);
    let exposure = exposure::exposure(&context, &set);
    let seen = look(&Seen { context: &context, flows: &set, entities: &entities, assets: &assets });
    let mut boundaries = boundaries::find(&context, &set);
    drop(context);

    for (address, component) in entities.into_components() {
        architecture.components.entry(address).or_insert(component);
    }
    architecture.components.sort_keys();
    boundaries.place(&mut architecture);
    architecture.boundaries = boundaries.list;
    for (address, found) in exposure {
        if let Some(component) = architecture.components.get_mut(&address) {
            component.exposure = Some(found);
        }
    }
    for asset in &assets {
        for address in &asset.stored_in {
            if let Some(component) = architecture.components.get_mut(address) {
                component.assets.push(asset.name.clone());
            }
        }
    }
    architecture.assets = assets;
    architecture.flows = set.finish();
    diagnostics.sort_by(|a, b| (a.span, a).cmp(&(b.span, b)));
    (architecture, seen, diagnostics)
}

impl<'a> Context<'a> {
    pub(crate) fn new(architecture: &'a Architecture, services: &'a ServiceApis) -> Self {
        let index = Index::new(architecture, services);
        let network = Network::read(architecture);
        let endpoints = endpoints(architecture, &network);
        let permissions = permissions(&index);
        let from_internet =
            endpoints.iter().map(|(address, endpoint)| (address.clone(), facts::reachability::from_internet(&network, endpoint))).collect();
        let policies = policies::read(&index);
        Self { index, network, endpoints, permissions, from_internet, policies }
    }

    /// A flow to a component with the protocol, port, encryption and authentication that its type has.
    pub(crate) fn to(&self, from: Address, to: Address, confidence: Confidence, why: Vec<Reason>) -> Found {
        let api = self.index.component(&to).map(|component| self.index.services.api(component)).unwrap_or_default();
        Found {
            from,
            to,
            protocol: api.protocol,
            port: api.port,
            encrypted: api.encrypted,
            authentication: api.authentication,
            confidence,
            why,
        }
    }
}

/// A reason.
pub(crate) fn reason(kind: ReasonKind, text: impl Into<String>, span: Option<bartizan_model::Span>) -> Reason {
    Reason { kind, text: text.into(), span }
}

/// True for a flow that takes place.
pub(crate) fn is_active(flow: &Flow) -> bool {
    flow.status == FlowStatus::Active
}
