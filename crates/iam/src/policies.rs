//! The policies that have a say in a request.

use crate::{Document, Truth};

/// All policies that apply to one request.
///
/// What is left out does not apply: no boundary, no organisation, no endpoint.
#[derive(Clone, Debug)]
pub struct Policies<'a> {
    /// Identity policies: of the user and its groups, or of the role.
    pub identity: Vec<&'a Document>,
    /// Permissions boundary of the user or role.
    pub boundary: Option<&'a Document>,
    /// Session policy.
    pub session: Option<&'a Document>,
    /// Policy of the resource: bucket policy, key policy, trust policy.
    ///
    /// A KMS key without one is taken to have the default policy, which lets its account's policies decide.
    pub resource: Option<&'a Document>,
    /// Service control policies of the caller's account: levels from the organisation's root down to the account.
    pub service_control: Vec<Vec<&'a Document>>,
    /// Resource control policies of the resource's account, by level, where the service supports them; only their denies count.
    pub resource_control: Vec<Vec<&'a Document>>,
    /// Policy of the VPC endpoint that the request travels through.
    pub endpoint: Option<&'a Document>,
    /// Whether `RestrictPublicBuckets` is in force for the bucket (bucket, account or organisation).
    pub restrict_public_buckets: Truth,
}

impl Default for Policies<'_> {
    fn default() -> Self {
        Self {
            identity: Vec::new(),
            boundary: None,
            session: None,
            resource: None,
            service_control: Vec::new(),
            resource_control: Vec::new(),
            endpoint: None,
            restrict_public_buckets: Truth::No,
        }
    }
}

/// Which of the policies speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Service control policies, by level from the root.
    ServiceControl(usize),
    /// Resource control policies, by level from the root.
    ResourceControl(usize),
    /// VPC endpoint policy.
    Endpoint,
    /// Permissions boundary.
    Boundary,
    /// Session policy.
    Session,
    /// Identity policies.
    Identity,
    /// Resource policy.
    Resource,
    /// S3 block public access.
    BlockPublicAccess,
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Layer::ServiceControl(_) => "service control policy",
            Layer::ResourceControl(_) => "resource control policy",
            Layer::Endpoint => "VPC endpoint policy",
            Layer::Boundary => "permissions boundary",
            Layer::Session => "session policy",
            Layer::Identity => "identity policy",
            Layer::Resource => "resource policy",
            Layer::BlockPublicAccess => "block public access",
        })
    }
}

impl<'a> Policies<'a> {
    /// Every document with its layer and its place in the layer, in the order of [`Layer`].
    pub(crate) fn documents(&self) -> impl Iterator<Item = (Layer, usize, &'a Document)> {
        let levels = |levels: &[Vec<&'a Document>], make: fn(usize) -> Layer| {
            levels
                .iter()
                .enumerate()
                .flat_map(|(level, documents)| documents.iter().enumerate().map(move |(at, document)| (make(level), at, *document)))
                .collect::<Vec<_>>()
        };
        let one = |layer: Layer, document: Option<&'a Document>| document.map(|document| (layer, 0, document));
        levels(&self.service_control, Layer::ServiceControl)
            .into_iter()
            .chain(levels(&self.resource_control, Layer::ResourceControl))
            .chain(one(Layer::Endpoint, self.endpoint))
            .chain(one(Layer::Boundary, self.boundary))
            .chain(one(Layer::Session, self.session))
            .chain(self.identity.iter().enumerate().map(|(at, document)| (Layer::Identity, at, *document)).collect::<Vec<_>>())
            .chain(one(Layer::Resource, self.resource))
    }
}
