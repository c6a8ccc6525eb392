//! AWS-managed policies. Plans attach them by ARN and no plan holds their text.

use std::sync::OnceLock;

use super::blocks::Blocks;
use crate::Document;

/// An AWS-managed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// Its name: `ReadOnlyAccess`.
    pub name: String,
    /// Its path, as in its ARN: `/`, `/service-role/`.
    pub path: String,
    /// The version that is in force: `v12`.
    pub version: String,
    /// The day it was last changed: `2026-09-30`.
    pub updated: String,
    /// The document as JSON.
    pub text: String,
}

impl ManagedPolicy {
    /// Its ARN in the standard partition.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::aws:policy{}{}", self.path, self.name)
    }

    /// The document; its origins count the bytes of [`ManagedPolicy::text`].
    pub fn document(&self) -> Option<Document> {
        Document::from_json(&self.text).ok()
    }

    /// Reads a line: name, path, version, day and document, separated by tabs.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.splitn(5, '\t').map(str::to_owned);
        Some(Self { name: fields.next()?, path: fields.next()?, version: fields.next()?, updated: fields.next()?, text: fields.next()? })
    }
}

fn blocks() -> &'static Blocks {
    static BLOCKS: OnceLock<Blocks> = OnceLock::new();
    BLOCKS.get_or_init(|| Blocks::open(include_bytes!("../../data/aws/managed-policies.bin")))
}

/// The document of an AWS-managed policy, by its ARN (of any partition) or its name.
///
/// Every call unpacks and parses it anew: keep what you got. An ARN with the wrong path is no policy, as in AWS.
pub fn managed_policy(arn_or_name: &str) -> Option<Document> {
    managed_policy_named(arn_or_name)?.document()
}

/// The same with what else is known of the policy.
pub fn managed_policy_named(arn_or_name: &str) -> Option<ManagedPolicy> {
    let (path, name) = match arn_or_name.strip_prefix("arn:") {
        Some(rest) => {
            let (_, resource) = rest.split_once(":iam::aws:policy/")?;
            let (folder, name) = resource.rsplit_once('/').unwrap_or(("", resource));
            (Some(if folder.is_empty() { "/".to_owned() } else { format!("/{folder}/") }), name)
        }
        None => (None, arn_or_name),
    };
    let text = blocks().text(blocks().holding(name)?);
    let line = text.lines().find(|line| line.split('\t').next() == Some(name))?;
    ManagedPolicy::parse(line).filter(|policy| path.is_none_or(|path| path == policy.path))
}

/// All AWS-managed policies, sorted by name; unpacked block by block as the iterator goes.
pub fn managed_policies() -> impl Iterator<Item = ManagedPolicy> {
    (0..blocks().len()).flat_map(|at| blocks().text(at).lines().filter_map(ManagedPolicy::parse).collect::<Vec<_>>())
}
