//! The words that reports use for the vocabulary's enums: ids for machines, titles for people.

use bartizan_model::{Boundary, BoundaryKind, Confidence, Exposure, FlowStatus, Kind, ReasonKind};
use bartizan_review::{Category, Severity, Status};

/// Severities from the worst, the order reports use.
pub(crate) const SEVERITIES: [Severity; 5] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

pub(crate) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
    }
}

pub(crate) fn category(category: Category) -> &'static str {
    match category {
        Category::UnauthorizedAccess => "Unauthorized access",
        Category::DataExfiltration => "Data exfiltration",
        Category::DataTampering => "Data tampering",
        Category::ResourceExhaustion => "Resource exhaustion",
        Category::DenialOfService => "Denial of service",
        Category::InsecureDependencies => "Insecure dependencies",
    }
}

/// The title of a category id; the id itself where it is none of ours.
pub(crate) fn category_by_id(id: &str) -> &str {
    Category::ALL.into_iter().find(|known| known.id() == id).map_or(id, |known| category(known))
}

pub(crate) fn status_id(status: Status) -> &'static str {
    match status {
        Status::Open => "open",
        Status::Mitigated => "mitigated",
        Status::Accepted => "accepted",
        Status::Question => "question",
    }
}

pub(crate) fn kind_id(kind: Kind) -> &'static str {
    match kind {
        Kind::ExternalEntity => "external_entity",
        Kind::Process => "process",
        Kind::DataStore => "data_store",
        Kind::Supporting => "supporting",
    }
}

pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::ExternalEntity => "external entity",
        Kind::Process => "process",
        Kind::DataStore => "data store",
        Kind::Supporting => "supporting",
    }
}

pub(crate) fn exposure_id(exposure: Exposure) -> &'static str {
    match exposure {
        Exposure::Internet => "internet",
        Exposure::OtherAccounts => "other-accounts",
        Exposure::Account => "account",
        Exposure::Vpc => "vpc",
        Exposure::Cluster => "cluster",
        Exposure::None => "none",
    }
}

pub(crate) fn exposure(exposure: Exposure) -> &'static str {
    match exposure {
        Exposure::Internet => "the internet",
        Exposure::OtherAccounts => "other accounts",
        Exposure::Account => "its account",
        Exposure::Vpc => "its VPC",
        Exposure::Cluster => "its cluster",
        Exposure::None => "nothing known",
    }
}

pub(crate) fn boundary_id(kind: BoundaryKind) -> &'static str {
    match kind {
        BoundaryKind::Internet => "internet",
        BoundaryKind::External => "external",
        BoundaryKind::Account => "account",
        BoundaryKind::Region => "region",
        BoundaryKind::Vpc => "vpc",
        BoundaryKind::PublicSubnets => "public-subnets",
        BoundaryKind::PrivateSubnets => "private-subnets",
        BoundaryKind::IsolatedSubnets => "isolated-subnets",
        BoundaryKind::Cluster => "cluster",
        BoundaryKind::Namespace => "namespace",
    }
}

pub(crate) fn boundary(kind: BoundaryKind) -> &'static str {
    match kind {
        BoundaryKind::Internet => "internet",
        BoundaryKind::External => "external parties",
        BoundaryKind::Account => "AWS account",
        BoundaryKind::Region => "region",
        BoundaryKind::Vpc => "VPC",
        BoundaryKind::PublicSubnets => "public subnets",
        BoundaryKind::PrivateSubnets => "private subnets",
        BoundaryKind::IsolatedSubnets => "isolated subnets",
        BoundaryKind::Cluster => "cluster",
        BoundaryKind::Namespace => "namespace",
    }
}

/// A boundary in words; a name that begins with the kind stands alone.
pub(crate) fn named_boundary(boundary: &Boundary) -> String {
    let kind = self::boundary(boundary.kind);
    let outside = matches!(boundary.kind, BoundaryKind::External | BoundaryKind::Internet);
    let says = boundary.name.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind))
        && boundary.name.get(kind.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    if outside || says { boundary.name.clone() } else { format!("{kind} {}", boundary.name) }
}

pub(crate) fn confidence_id(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Declared => "declared",
        Confidence::Integration => "integration",
        Confidence::Granted => "granted",
        Confidence::Reachable => "reachable",
    }
}

pub(crate) fn flow_status_id(status: FlowStatus) -> &'static str {
    match status {
        FlowStatus::Active => "active",
        FlowStatus::Blocked => "blocked",
    }
}

pub(crate) fn reason_kind_id(kind: ReasonKind) -> &'static str {
    match kind {
        ReasonKind::Integration => "integration",
        ReasonKind::Reference => "reference",
        ReasonKind::Permission => "permission",
        ReasonKind::Network => "network",
        ReasonKind::Block => "block",
        ReasonKind::Declaration => "declaration",
        ReasonKind::Default => "default",
    }
}

pub(crate) fn diagnostic_severity_id(severity: bartizan_model::Severity) -> &'static str {
    match severity {
        bartizan_model::Severity::Note => "note",
        bartizan_model::Severity::Warning => "warning",
        bartizan_model::Severity::Error => "error",
    }
}

/// `1 threat`, `2 threats`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// Whether an estimate in USD says more than that something is free.
pub(crate) fn is_cost(usd_per_month: f64) -> bool {
    usd_per_month.is_finite() && usd_per_month >= 0.005
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// A sentence starts with a capital; a name in backticks stays as it is.
pub(crate) fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map(char::to_uppercase).into_iter().flatten().chain(characters).collect()
}

/// A sentence ends with one full stop.
pub(crate) fn sentence(text: &str) -> String {
    let trimmed = text.trim_end();
    if trimmed.is_empty() || trimmed.ends_with(['.', '!', '?', ':']) { trimmed.to_owned() } else { format!("{trimmed}.") }
}

#[cfg(test)]
mod tests {
    use bartizan_model::{Boundary, BoundaryKind};

    use super::named_boundary;

    #[test]
    fn no_boundary_says_its_kind_twice() {
        let named = |kind: BoundaryKind, name: &str| {
            named_boundary(&Boundary { id: "b".to_owned(), kind, name: name.to_owned(), parent: None, span: None })
        };
        assert_eq!(named(BoundaryKind::Account, "AWS account"), "AWS account");
        assert_eq!(named(BoundaryKind::Account, "AWS account 111122223333"), "AWS account 111122223333");
        assert_eq!(named(BoundaryKind::Account, "main"), "AWS account main");
        assert_eq!(named(BoundaryKind::IsolatedSubnets, "isolated subnets"), "isolated subnets");
        assert_eq!(named(BoundaryKind::Internet, "internet"), "internet");
        assert_eq!(named(BoundaryKind::Vpc, "VPC main"), "VPC main");
        assert_eq!(named(BoundaryKind::Cluster, "clusters"), "cluster clusters");
    }
}
