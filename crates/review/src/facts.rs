//! Facts: what code derives once for all rules to use (exposure, reachability, permissions, joins).
//!
//! The vocabulary [`FACTS`] is closed: the catalogue's loader refuses a rule that names a fact which is not in it.
//! A fact that code did not set is *empty* ([`FactKind`] says what that is); code that cannot tell sets [`bartizan_model::Value::Unknown`],
//! never nothing.

use std::collections::BTreeMap;

use bartizan_model::{Address, Asset, Node};
use indexmap::IndexMap;

mod actions;
mod api;
pub(crate) mod asked;
pub(crate) mod cluster;
mod directory;
pub(crate) mod document;
pub(crate) mod endpoint;
mod exposed;
pub(crate) mod flaws;
mod fronted;
mod granted;
mod groups;
mod handled;
mod joined;
mod kept;
mod lifecycle;
mod logins;
pub(crate) mod managed;
mod messaging;
mod moving;
pub(crate) mod network;
mod old_tls;
pub(crate) mod permissions;
pub(crate) mod reachability;
mod reached;
pub(crate) mod read;
mod recipes;
mod regions;
mod resource_policies;
mod secrets;
mod sink;
mod system;
mod trust;
mod upkeep;
pub(crate) mod verdict;
mod vocabulary;
pub(crate) mod words;

pub use flaws::{named_images, shippers};
pub use lifecycle::{Lifecycle, LifecycleEntry};
pub(crate) use sink::NOWHERE;
pub use vocabulary::{FACTS, FactDoc, FactKind, FactOn};

use crate::flows::set::FlowSet;
use crate::flows::{Context, Entities};
use sink::Sink;

/// What code derived, for rules to read as `facts.<name>`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Facts of components, by name.
    pub by_component: BTreeMap<Address, IndexMap<String, Node>>,
    /// Facts of the system as a whole, by name.
    pub system: IndexMap<String, Node>,
}

/// Derives every fact.
pub(crate) fn derive(
    context: &Context<'_>,
    set: &FlowSet,
    entities: &Entities,
    assets: &[Asset],
    lifecycle: &Lifecycle,
    today: Option<&str>,
) -> Facts {
    let mut sink = Sink::default();
    exposed::add(context, set, &mut sink);
    reached::add(context, set, &mut sink);
    resource_policies::add(context, &mut sink);
    granted::add(context, set, entities, &mut sink);
    trust::add(context, &mut sink);
    secrets::add(context, &mut sink);
    moving::add(context, set, entities, &mut sink);
    joined::add(context, set, &mut sink);
    messaging::add(context, set, entities, &mut sink);
    flaws::add(context, &mut sink);
    lifecycle::add(context, lifecycle, today, &mut sink);
    fronted::add(context, set, entities, &mut sink);
    api::add(context, &mut sink);
    directory::add(context, &mut sink);
    cluster::add(context, set, &mut sink);
    recipes::add(context, &mut sink);
    kept::add(context, set, &mut sink);
    logins::add(context, &mut sink);
    system::add(context, &mut sink);
    regions::add(context, &mut sink);
    handled::add(set, assets, &mut sink);
    old_tls::add(context, &mut sink);
    groups::add(context, &mut sink);
    upkeep::add(context, assets, &mut sink);
    sink.finish()
}
