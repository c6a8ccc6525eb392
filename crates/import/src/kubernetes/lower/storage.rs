//! Volumes, storage classes and node pools.

use bartizan_model::{Kind, Value};

use super::super::object::Object;
use super::{Lowered, Settings};

pub(super) fn volume(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.at("storage_class", &object.node, "spec.storageClassName");
    settings.at("access_modes", &object.node, "spec.accessModes");
    let size = if object.kind == "PersistentVolume" { "spec.capacity.storage" } else { "spec.resources.requests.storage" };
    settings.at("size", &object.node, size);
    settings.at("driver", &object.node, "spec.csi.driver");
    settings.at("volume_handle", &object.node, "spec.csi.volumeHandle");
    Lowered { component_type: "kubernetes.volume", kind: Kind::Supporting, settings }
}

pub(super) fn class(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.at("provisioner", &object.node, "provisioner");
    let encrypted = object.node.first_at("parameters.encrypted").map(super::flag);
    settings.put("encrypted", encrypted.unwrap_or_else(|| bartizan_model::Node::new(Value::Null, object.span)));
    settings.at("kms_key", &object.node, "parameters.kmsKeyId");
    settings.at_or("reclaim_policy", &object.node, "reclaimPolicy", Value::Text("Delete".into()));
    Lowered { component_type: "kubernetes.storage_class", kind: Kind::Supporting, settings }
}

pub(super) fn nodes(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.at("role", &object.node, "spec.role");
    settings.at("instance_profile", &object.node, "spec.instanceProfile");
    settings.at("node_class", &object.node, "spec.template.spec.nodeClassRef.name");
    settings.at("limits", &object.node, "spec.limits");
    settings.at("subnets", &object.node, "spec.subnetSelectorTerms");
    settings.at("security_groups", &object.node, "spec.securityGroupSelectorTerms");
    // Karpenter requires IMDSv2 with one hop unless told otherwise (Karpenter documentation, NodeClasses, spec.metadataOptions).
    settings.at_or("metadata_http_tokens", &object.node, "spec.metadataOptions.httpTokens", Value::Text("required".into()));
    settings.at_or("metadata_hop_limit", &object.node, "spec.metadataOptions.httpPutResponseHopLimit", Value::Number(1.0));
    Lowered { component_type: "kubernetes.node_pool", kind: Kind::Supporting, settings }
}
