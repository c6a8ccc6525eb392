//! Data flows.

use crate::{Address, Span};

/// How we know of a flow, from the strongest to the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A person declared it in bartizan.yaml.
    Declared,
    /// An integration that exists to move data: an event source mapping, a subscription, a listener.
    Integration,
    /// The caller's role grants it for this very target.
    Granted,
    /// The network lets it through and the configuration hints at it.
    Reachable,
}

/// Whether a flow can take place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowStatus {
    /// Nothing that we know of stops it.
    Active,
    /// Something stops it; the last reason names it.
    Blocked,
}

/// The kind of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonKind {
    /// An integration resource or attribute.
    Integration,
    /// A reference in an environment variable, user data or container definition.
    Reference,
    /// An IAM or resource-policy statement.
    Permission,
    /// A security group, route, NACL or address.
    Network,
    /// What stops it.
    Block,
    /// A person's declaration.
    Declaration,
    /// A default of AWS or Kubernetes.
    Default,
}

/// Why something is so, with where it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// Its kind.
    pub kind: ReasonKind,
    /// In words, lower case, no full stop.
    pub text: String,
    /// Where it is written; `None` for a default that no file states.
    pub span: Option<Span>,
}

/// A data flow between two components.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Structural id: hash of from, to, protocol and port.
    pub id: String,
    /// The side that the data comes from or the caller.
    pub from: Address,
    /// The other side.
    pub to: Address,
    /// Lower-case protocol.
    pub protocol: String,
    /// TCP or UDP port, where there is one.
    pub port: Option<u16>,
    /// Whether the transport is encrypted; `None`: not known.
    pub encrypted: Option<bool>,
    /// How the caller proves itself; `None`: not known.
    pub authentication: Option<String>,
    /// Names of the assets carried.
    pub data: Vec<String>,
    /// How we know of it.
    pub confidence: Confidence,
    /// Whether it can take place.
    pub status: FlowStatus,
    /// Why we say so, strongest first.
    pub why: Vec<Reason>,
}
