//! Components, flows, boundaries, assets and diagnostics as they are written.

use bartizan_model::{Architecture, Asset, AssetOrigin, Boundary, Component, Diagnostic, Flow, Kind, Reason, Sources, Span};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::value;
use crate::{Place, redact, words};

/// The architecture.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ArchitectureDto {
    /// The system's name, where it is declared.
    pub system: Option<String>,
    /// Elements of the data flow diagram, by address.
    pub components: Vec<ComponentDto>,
    /// What decides how the elements behave (roles, security groups, subnets, keys), by address.
    pub supporting: Vec<ComponentDto>,
    /// Data flows.
    pub flows: Vec<FlowDto>,
    /// Trust boundaries, parents before children.
    pub boundaries: Vec<BoundaryDto>,
    /// Assets, by name.
    pub assets: Vec<AssetDto>,
    /// Addresses that the configuration says were others before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<MovedDto>,
    /// Resources and modules of which the configuration makes none: their `count` is zero or their `for_each` empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub switched_off: Vec<SwitchedOffDto>,
    /// Source types that the catalogue does not know, with how many there are.
    pub unknown_types: IndexMap<String, usize>,
    /// Places in the sources whose reference or expression could not be resolved; the diagnostics say which.
    pub unresolved_references: usize,
}

/// What is declared to be the same object under a new address: a resource, all instances of one, or a module with all that is in it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MovedDto {
    /// The address of before, or the start of several.
    pub from: String,
    /// What stands in its place.
    pub to: String,
}

/// A block that makes nothing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SwitchedOffDto {
    /// Where its instances would stand, without their key.
    pub address: String,
    /// The block.
    pub origin: Option<Origin>,
}

/// Where something is written.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Origin {
    /// Path relative to the reviewed root.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A component.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ComponentDto {
    /// Unique in the document.
    pub id: String,
    /// The source's own address.
    pub address: String,
    /// The source's type: `aws_s3_bucket`.
    #[serde(rename = "type")]
    pub source_type: String,
    /// The catalogue's type: `s3.bucket`.
    pub component_type: String,
    /// Short AWS name.
    pub service: String,
    /// `external_entity`, `process`, `data_store` or `supporting`.
    pub kind: String,
    /// What a reader calls it.
    pub name: String,
    /// Id of the innermost trust boundary.
    pub boundary: Option<String>,
    /// Who can reach it: `internet`, `other-accounts`, `account`, `vpc`, `cluster`, `none`; null where it was not derived.
    pub exposure: Option<String>,
    /// Why it has that exposure.
    pub exposure_why: Vec<ReasonDto>,
    /// Names of the assets it stores or handles.
    pub assets: Vec<String>,
    /// The stack it belongs to; empty for the root.
    pub stack: String,
    /// AWS account, as far as known.
    pub account: Option<String>,
    /// AWS region, as far as known.
    pub region: Option<String>,
    /// Where it is declared.
    pub origin: Option<Origin>,
    /// Settings by the catalogue's names; what is not known is `{"unknown": reason}`.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub settings: Value,
    /// Tags or labels.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub tags: Value,
}

/// Why something is so.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReasonDto {
    /// `integration`, `reference`, `permission`, `network`, `block`, `declaration` or `default`.
    pub kind: String,
    /// In words.
    pub text: String,
    /// File, where one says so.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
}

/// A data flow.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FlowDto {
    /// Structural id.
    pub id: String,
    /// Address of the caller or the data's origin.
    pub from: String,
    /// Address of the other side.
    pub to: String,
    /// Lower-case protocol.
    pub protocol: String,
    /// TCP or UDP port.
    pub port: Option<u16>,
    /// Whether the transport is encrypted; null: not known.
    pub encrypted: Option<bool>,
    /// How the caller proves itself; null: not known.
    pub authentication: Option<String>,
    /// Names of the assets carried.
    pub data: Vec<String>,
    /// `declared`, `integration`, `granted` or `reachable`.
    pub confidence: String,
    /// `active` or `blocked`.
    pub status: String,
    /// Why we say so, strongest first.
    pub why: Vec<ReasonDto>,
}

/// A trust boundary.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BoundaryDto {
    /// Structural id.
    pub id: String,
    /// `internet`, `account`, `vpc`, `private-subnets`, …
    pub kind: String,
    /// What a reader calls it.
    pub name: String,
    /// Id of the boundary around it.
    pub parent: Option<String>,
    /// Where it is declared.
    pub origin: Option<Origin>,
}

/// An asset.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AssetDto {
    /// Unique name.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Harm when outsiders read it, 1..=5.
    pub confidentiality: u8,
    /// Harm when it is changed, 1..=5.
    pub integrity: u8,
    /// Harm when it is not there, 1..=5.
    pub availability: u8,
    /// `declared`, `tagged` or `guessed`.
    pub known_from: String,
    /// Addresses of the components that store it.
    pub stored_in: Vec<String>,
    /// Why we say so.
    pub why: Vec<ReasonDto>,
}

/// A problem of input, catalogue or tool.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DiagnosticDto {
    /// Stable code.
    pub code: String,
    /// `note`, `warning` or `error`.
    pub severity: String,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub origin: Option<Origin>,
    /// Other places.
    pub related: Vec<RelatedDto>,
    /// What to do.
    pub help: Option<String>,
}

/// A second place that a diagnostic speaks of.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RelatedDto {
    /// Where.
    pub origin: Option<Origin>,
    /// What is there.
    pub text: String,
}

impl ArchitectureDto {
    pub(super) fn of(architecture: &Architecture) -> Self {
        let sources = &architecture.sources;
        let (supporting, components): (Vec<&Component>, Vec<&Component>) =
            architecture.components.values().partition(|component| component.kind == Kind::Supporting);
        let written = |list: Vec<&Component>| list.into_iter().map(|component| ComponentDto::of(component, sources)).collect();
        Self {
            system: architecture.declarations.system.clone(),
            components: written(components),
            supporting: written(supporting),
            flows: architecture.flows.iter().map(|flow| FlowDto::of(flow, sources)).collect(),
            boundaries: architecture.boundaries.iter().map(|boundary| BoundaryDto::of(boundary, sources)).collect(),
            assets: architecture.assets.iter().map(|asset| AssetDto::of(asset, sources)).collect(),
            moved: architecture.moved.iter().map(|moved| MovedDto { from: moved.from.to_string(), to: moved.to.to_string() }).collect(),
            switched_off: architecture
                .switched_off
                .iter()
                .map(|off| SwitchedOffDto { address: off.address.to_string(), origin: Origin::of(Some(off.span), sources) })
                .collect(),
            unknown_types: architecture.unknown_types.clone(),
            unresolved_references: architecture.unresolved_references,
        }
    }
}

impl Origin {
    pub(super) fn of(span: Option<Span>, sources: &Sources) -> Option<Self> {
        let place = Place::of(sources, span?)?;
        Some(Self { file: place.file, line: place.line, column: place.column })
    }
}

impl ComponentDto {
    fn of(component: &Component, sources: &Sources) -> Self {
        let address = component.address.to_string();
        Self {
            id: address.clone(),
            address,
            source_type: component.source_type.clone(),
            component_type: component.component_type.clone(),
            service: component.service.clone(),
            kind: words::kind_id(component.kind).to_owned(),
            name: component.name.clone(),
            boundary: component.boundary.clone(),
            exposure: component.exposure.as_ref().map(|(exposure, _)| words::exposure_id(*exposure).to_owned()),
            exposure_why: component.exposure.iter().flat_map(|(_, why)| why).map(|reason| ReasonDto::of(reason, sources)).collect(),
            assets: component.assets.clone(),
            stack: component.stack.clone(),
            account: component.account.clone(),
            region: component.region.clone(),
            origin: Origin::of(component.span, sources),
            settings: value::settings(&component.settings),
            tags: value::settings(&component.tags),
        }
    }
}

impl ReasonDto {
    fn of(reason: &Reason, sources: &Sources) -> Self {
        let place = reason.span.and_then(|span| Place::of(sources, span));
        Self {
            kind: words::reason_kind_id(reason.kind).to_owned(),
            text: redact::redact(&reason.text),
            line: place.as_ref().map(|place| place.line),
            file: place.map(|place| place.file),
        }
    }
}

impl FlowDto {
    fn of(flow: &Flow, sources: &Sources) -> Self {
        Self {
            id: flow.id.clone(),
            from: flow.from.to_string(),
            to: flow.to.to_string(),
            protocol: flow.protocol.clone(),
            port: flow.port,
            encrypted: flow.encrypted,
            authentication: flow.authentication.clone(),
            data: flow.data.clone(),
            confidence: words::confidence_id(flow.confidence).to_owned(),
            status: words::flow_status_id(flow.status).to_owned(),
            why: flow.why.iter().map(|reason| ReasonDto::of(reason, sources)).collect(),
        }
    }
}

impl BoundaryDto {
    fn of(boundary: &Boundary, sources: &Sources) -> Self {
        Self {
            id: boundary.id.clone(),
            kind: words::boundary_id(boundary.kind).to_owned(),
            name: boundary.name.clone(),
            parent: boundary.parent.clone(),
            origin: Origin::of(boundary.span, sources),
        }
    }
}

impl AssetDto {
    fn of(asset: &Asset, sources: &Sources) -> Self {
        let known_from = match asset.origin {
            AssetOrigin::Declared => "declared",
            AssetOrigin::Tagged => "tagged",
            AssetOrigin::Guessed => "guessed",
        };
        Self {
            name: asset.name.clone(),
            description: asset.description.clone(),
            confidentiality: asset.classification.confidentiality,
            integrity: asset.classification.integrity,
            availability: asset.classification.availability,
            known_from: known_from.to_owned(),
            stored_in: asset.stored_in.iter().map(ToString::to_string).collect(),
            why: asset.why.iter().map(|reason| ReasonDto::of(reason, sources)).collect(),
        }
    }
}

impl DiagnosticDto {
    pub(super) fn of(diagnostic: &Diagnostic, sources: &Sources) -> Self {
        Self {
            code: diagnostic.code.to_owned(),
            severity: words::diagnostic_severity_id(diagnostic.severity).to_owned(),
            message: redact::redact(&diagnostic.message),
            origin: Origin::of(diagnostic.span, sources),
            related: diagnostic
                .related
                .iter()
                .map(|related| RelatedDto { origin: Origin::of(Some(related.span), sources), text: redact::redact(&related.text) })
                .collect(),
            help: diagnostic.help.clone(),
        }
    }
}
