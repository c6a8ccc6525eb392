//! Statements of policies as they are written.

use bartizan_model::Sources;
use bartizan_review::Permission;
use schemars::JsonSchema;
use serde::Serialize;

use super::architecture::Origin;
use crate::redact;

/// One statement of a policy, or a policy that AWS keeps.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PermissionDto {
    /// Whom it speaks of: the address of a user, role, group or service account, or what a policy of a resource names (`*`, an account, a
    /// service, an ARN); a group or user of a cluster is `Group/name` or `User/name`. `own-account` is the account that the policy is in.
    pub holder: String,
    /// `policy`, `managed-policy`, `boundary`, `trust`, `resource-policy` or `cluster-role`.
    pub via: String,
    /// Address of the policy or role, or of what carries it; for policies that AWS keeps and roles that every cluster has, their name.
    pub policy: String,
    /// `allow` or `deny`.
    pub effect: String,
    /// Patterns of actions or verbs; `not a, b` for all but these. Empty where AWS keeps the text, or no file shows the rules.
    pub actions: Vec<String>,
    /// Patterns of resources; for policies of a resource and trust policies the address that carries them. In a cluster `namespace/secrets`,
    /// `*` for every namespace, after `${cluster.arn}/` where the holder is a principal of AWS.
    pub resources: Vec<String>,
    /// Conditions; all must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// Where it is written.
    pub origin: Option<Origin>,
}

impl PermissionDto {
    pub(super) fn of(permission: &Permission, sources: &Sources) -> Self {
        let shown = |texts: &[String]| texts.iter().map(|text| redact::redact(text)).collect();
        Self {
            holder: permission.holder.clone(),
            via: permission.via.id().to_owned(),
            policy: permission.policy.clone(),
            effect: if permission.denies { "deny" } else { "allow" }.to_owned(),
            actions: permission.actions.clone(),
            resources: permission.resources.clone(),
            conditions: shown(&permission.conditions),
            origin: Origin::of(permission.span, sources),
        }
    }
}
