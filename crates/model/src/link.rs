//! Links: typed joins between components as the sources state them. The review turns them into flows, boundaries and facts.

use crate::{Address, Span};

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// Compute holds the permissions of a role or user.
    RunsAs,
    /// Lies in a subnet.
    InSubnet,
    /// Lies in a VPC.
    InVpc,
    /// Its network interface carries a security group.
    GuardedBy,
    /// Its data is encrypted under a key.
    EncryptedWith,
    /// Is contained in another: a service in an ECS cluster, a workload in an EKS cluster, an instance in an Aurora cluster.
    PartOf,
    /// A web ACL, Shield protection or the like stands before it.
    ProtectedBy,
    /// Its configuration text names another: environment variables, user data, container definitions, manifests.
    Mentions,
    /// An alarm watches it (from: the alarm).
    Watches,
    /// A backup plan or replication copies it (from: the plan).
    BacksUp,
    /// A route table, gateway or NACL serves it, a peering joins it, or any other structural join; the string names it as the catalogue does.
    Other(String),
    /// Data moves along it by the source's own declaration.
    Flow(FlowSpec),
}

/// What the catalogue or the source says of a declared flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlowSpec {
    /// Lower-case protocol: `https`, `mysql`, `redis`, `kafka`; `None` where the target's own protocol applies.
    pub protocol: Option<String>,
    /// TCP or UDP port.
    pub port: Option<u16>,
    /// Whether the transport is encrypted, where the source says so.
    pub encrypted: Option<bool>,
    /// How the caller proves itself: `iam`, `none`, `password`, `cognito`, `mtls`, …
    pub authentication: Option<String>,
    /// One sentence for the reason: `event source mapping`, `listener forwards to the target group`.
    pub why: String,
}

/// One link. Both ends are addresses of components of the same [`crate::Architecture`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// Where it starts; for a flow the side that the data comes from or the caller.
    pub from: Address,
    /// Where it ends.
    pub to: Address,
    /// What it says.
    pub relation: Relation,
    /// The catalogue's name of the setting that says so, or the path inside the text (`environment.QUEUE_URL`).
    pub attribute: String,
    /// Where it is written.
    pub span: Option<Span>,
}
