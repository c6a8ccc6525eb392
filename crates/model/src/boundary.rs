//! Trust boundaries.

use crate::Span;

/// What kind of line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BoundaryKind {
    /// Beyond our control.
    Internet,
    /// People and systems of other parties.
    External,
    /// An AWS account.
    Account,
    /// A region, where the system has more than one.
    Region,
    /// A VPC.
    Vpc,
    /// Subnets that route to an internet gateway.
    PublicSubnets,
    /// Subnets that route out through NAT or the like.
    PrivateSubnets,
    /// Subnets without a route out.
    IsolatedSubnets,
    /// A Kubernetes cluster.
    Cluster,
    /// A Kubernetes namespace.
    Namespace,
}

/// A trust boundary; they nest.
#[derive(Clone, Debug)]
pub struct Boundary {
    /// Unique, structural: `vpc:aws_vpc.main`, `namespace:shop`.
    pub id: String,
    /// Its kind.
    pub kind: BoundaryKind,
    /// What a reader calls it.
    pub name: String,
    /// The boundary around it.
    pub parent: Option<String>,
    /// Where the source declares it.
    pub span: Option<Span>,
}
