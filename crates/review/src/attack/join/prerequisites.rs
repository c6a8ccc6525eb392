//! Prerequisites of primitives that the plan decides: instance profiles, switches, what Systems Manager reaches.

use bartizan_model::{Address, Component, Node, Value};

use super::{Binding, Join, Shown};
use crate::attack::rights::{Actor, Need, On};
use crate::catalogue::attack::{Prerequisite, Primitive};

impl<'w, 'a> Join<'w, '_, 'a> {
    /// Whether a component meets the prerequisites of a primitive.
    pub(super) fn binding_fits(&self, primitive: &Primitive, binding: Binding<'w, 'a>, shown: &mut Shown) -> bool {
        let component = match binding {
            Binding::Principal(principal) => Some(principal.component),
            Binding::Target(target) => Some(target.component),
            Binding::Own | Binding::Nothing => None,
        };
        for prerequisite in &primitive.prerequisites {
            let fits = match (prerequisite, component) {
                (Prerequisite::LoginProfileExists, Some(user)) => {
                    if user.flag("login_profile") != Some(true) {
                        shown.needs.insert(Need::Open("the user has a console password".to_owned()));
                    }
                    true
                }
                (Prerequisite::NoLoginProfile, Some(user)) => user.flag("login_profile") != Some(true),
                (Prerequisite::TargetRunsRole, Some(target)) => !self.index.principals_of(&target.address).is_empty(),
                (Prerequisite::SsmManaged, Some(target)) => self.ssm_managed(target, shown),
                (Prerequisite::ExecEnabled, Some(target)) => switch(target, &["enable_execute_command"], "ECS Exec is on", shown),
                (Prerequisite::MutableTags, Some(target)) => target.text("image_tag_mutability").is_none_or(|value| value != "IMMUTABLE"),
                (Prerequisite::AclsEnabled, Some(target)) => {
                    target.text("object_ownership").is_some_and(|value| value != "BucketOwnerEnforced")
                }
                (Prerequisite::ClusterApiAuth, Some(target)) => target.text("authentication_mode").is_none_or(|mode| mode != "CONFIG_MAP"),
                (Prerequisite::DataApiEnabled, Some(target)) => {
                    switch(target, &["enable_http_endpoint", "http_endpoint_enabled"], "the Data API is on", shown)
                }
                (Prerequisite::IamAuthEnabled, Some(target)) => {
                    switch(target, &["iam_database_authentication_enabled", "iam_authentication"], "IAM logins are on", shown)
                }
                (Prerequisite::NetworkToSsh, Some(_)) => {
                    shown.needs.insert(Need::Open("the network lets the attacker connect".to_owned()));
                    true
                }
                _ => true,
            };
            if !fits {
                return false;
            }
        }
        true
    }

    /// True for a role that an instance is to have, but that lies in no instance profile.
    pub(super) fn wants_profile(&self, primitive: &Primitive, binding: Binding<'w, 'a>) -> bool {
        let Binding::Principal(role) = binding else { return false };
        let profiles = role.component.setting("instance_profiles");
        let has = profiles.is_some_and(|node| node.value.as_list().is_none_or(|list| !list.is_empty()));
        primitive.prerequisites.contains(&Prerequisite::InstanceProfile) && !has
    }

    /// Whether an actor can make an instance profile.
    pub(super) fn makes_profiles(&self, actor: Actor<'w, 'a>) -> bool {
        let mut actions = ["iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile"].iter();
        actions.all(|action| self.rights.may(actor, action, On::Anything, &[]).is_some())
    }

    /// Whether a role lets an instance open channels to Systems Manager.
    fn manages(&self, role: &Address) -> bool {
        let Some(principal) = self.rights.world.principals.get(role) else { return false };
        let actor = Actor::of(principal);
        let mut actions = ["ssmmessages:CreateControlChannel", "ec2messages:GetMessages"].iter();
        actions.any(|action| self.rights.may(actor, action, On::Anything, &[]).is_some())
    }

    /// Systems Manager reaches an instance whose role may open its channels.
    fn ssm_managed(&self, target: &Component, shown: &mut Shown) -> bool {
        if !target.component_type.starts_with("ec2.") {
            return true;
        }
        let managed = self.index.principals_of(&target.address).iter().any(|(role, _)| {
            let known = self.managing.borrow().get(&role.address).copied();
            known.unwrap_or_else(|| {
                let manages = self.manages(&role.address);
                self.managing.borrow_mut().insert(role.address.clone(), manages);
                manages
            })
        });
        if !managed {
            shown.needs.insert(Need::Open("Systems Manager manages the instance".to_owned()));
        }
        true
    }
}

/// A switch of a component: on, off, or a condition where the plan does not tell.
fn switch(component: &Component, settings: &[&str], words: &str, shown: &mut Shown) -> bool {
    let node: Option<&Node> = settings.iter().find_map(|name| component.settings.get(*name));
    match node.map(|node| &node.value) {
        Some(Value::Null | Value::Bool(false)) => false,
        Some(value) if value.as_bool() == Some(true) => true,
        Some(_) | None => {
            shown.needs.insert(Need::Open(words.to_owned()));
            true
        }
    }
}
