//! Reviews, packages and vulnerabilities → the register's own types.

use std::collections::BTreeMap;

use anyhow::Context as _;
use bartizan_model::{Address, FileId, Sources, Span};
use bartizan_register::{Flaw, Package, Review, Severity, Status, Threat};
use bartizan_report::json::v1::REVIEW;
use bartizan_supply::{EcosystemKind, Origin, Relation, Vulnerability};
use serde_json::Value;

/// What the register keeps of a `bartizan/review/1`.
pub(super) struct ReadReview {
    pub(super) system: Option<String>,
    pub(super) review: Review,
    /// Files that could not be read.
    pub(super) unread: Vec<String>,
}

pub(super) fn review(json: Vec<u8>) -> anyhow::Result<ReadReview> {
    let value: Value = serde_json::from_slice(&json).context("it is no JSON")?;
    let schema = value.get("schema").and_then(Value::as_str).unwrap_or_default();
    anyhow::ensure!(schema == REVIEW, "its schema is `{schema}`, not `{REVIEW}`");
    let threats = value.get("threats").and_then(Value::as_array).context("it has no list `threats`")?;
    let threats = threats.iter().map(threat).collect::<anyhow::Result<Vec<Threat>>>()?;
    let diagnostics = value.get("diagnostics").and_then(Value::as_array).into_iter().flatten();
    let errors = diagnostics.filter(|diagnostic| text(diagnostic, "/severity") == "error");
    let mut unread: Vec<String> = errors.map(|diagnostic| text(diagnostic, "/origin/file")).filter(|file| !file.is_empty()).collect();
    unread.sort();
    unread.dedup();
    let system = Some(text(&value, "/architecture/system")).filter(|name| !name.is_empty());
    Ok(ReadReview { system, review: Review { json, threats }, unread })
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn threat(value: &Value) -> anyhow::Result<Threat> {
    let id = text(value, "/id");
    anyhow::ensure!(!id.is_empty(), "a threat has no id");
    let severity = text(value, "/severity");
    let status = text(value, "/status");
    let number = |pointer: &str| value.pointer(pointer).and_then(Value::as_i64).unwrap_or_default();
    let list = |name: &str| value.get(name).and_then(Value::as_array).into_iter().flatten();
    let place = |evidence: &Value| {
        let file = text(evidence, "/file");
        let line = evidence.get("line").and_then(Value::as_i64).unwrap_or_default();
        (!file.is_empty()).then(|| format!("{file}:{line}"))
    };
    Ok(Threat {
        rule: text(value, "/rule"),
        title: text(value, "/title"),
        message: text(value, "/message"),
        severity: Severity::of(&severity).with_context(|| format!("threat `{id}` has the severity `{severity}`"))?,
        status: Status::of(&status).with_context(|| format!("threat `{id}` has the status `{status}`"))?,
        decision: text(value, "/decision"),
        inherent: number("/likelihood/value") * number("/impact/value"),
        residual: number("/residual/risk"),
        targets: list("targets").filter_map(Value::as_str).map(str::to_owned).collect(),
        places: list("evidence").filter_map(place).collect(),
        id,
    })
}

/// A package as the register keeps it; `shippers` are by file.
pub(super) fn package(package: &bartizan_supply::Package, sources: &Sources, shippers: &BTreeMap<String, Vec<Address>>) -> Package {
    let shippers = shippers.get(sources.path(package.span)).map(|of| of.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    Package {
        ecosystem: package.ecosystem.to_string(),
        name: package.name.clone(),
        version: package.version.clone(),
        place: format!("{}:{}", sources.path(package.span), sources.start(package.span).line),
        origin: match &package.origin {
            Origin::Registry => "registry".to_owned(),
            Origin::Own => "own".to_owned(),
            Origin::Elsewhere(from) => from.clone(),
        },
        relation: match package.relation {
            Relation::Direct => "direct",
            Relation::Transitive => "transitive",
            Relation::Unknown => "unknown",
        }
        .to_owned(),
        is_development: package.is_development,
        workload: shippers.or_else(|| package.layer.clone()).unwrap_or_default(),
    }
}

/// Recorded packages as matching takes them, each with its index, and those whose ecosystem is not known here.
pub(super) fn to_judge(packages: &[Package]) -> (Vec<(usize, bartizan_supply::Package)>, Vec<&Package>) {
    let mut asked = Vec::new();
    let mut unknown = Vec::new();
    for (index, package) in packages.iter().enumerate() {
        let Ok(ecosystem) = package.ecosystem.parse::<bartizan_supply::Ecosystem>() else {
            unknown.push(package);
            continue;
        };
        let origin = match package.origin.as_str() {
            "registry" => Origin::Registry,
            "own" => Origin::Own,
            from => Origin::Elsewhere(from.to_owned()),
        };
        // Where it stands is told by the recorded place; matching only passes the span on.
        let span = Span::new(FileId(0), 0..0);
        let of = bartizan_supply::Package::new(ecosystem, &package.name, &package.version, span).from(origin);
        asked.push((index, of.for_development(package.is_development)));
    }
    (asked, unknown)
}

/// Names by which flaws of a skipped package (`name` or `name@version`) may be known, in any ecosystem.
pub(super) fn names(what: &str) -> Vec<(String, String)> {
    // Names of npm begin with the sign that separates the version.
    let name = what.char_indices().rev().find(|(at, c)| *c == '@' && *at > 0).and_then(|(at, _)| what.get(..at)).unwrap_or(what);
    let mut names = vec![name.to_owned(), name.to_lowercase(), EcosystemKind::PYPI.canonical_name(name)];
    names.sort();
    names.dedup();
    names.into_iter().map(|name| (String::new(), name)).collect()
}

/// A flaw of a recorded package; one package is one however its name is written.
pub(super) fn flaw(of: &Vulnerability, asked: &bartizan_supply::Package, package: &Package) -> Flaw {
    let rating = Severity::of(of.rating().id()).unwrap_or(Severity::Unknown);
    Flaw {
        name: of.name().to_owned(),
        names: of.names.clone(),
        ecosystem: package.ecosystem.clone(),
        package: asked.ecosystem.kind.canonical_name(&package.name),
        version: package.version.clone(),
        place: package.place.clone(),
        severity: if of.informational.is_some() { Severity::Info } else { rating },
        score: of.score(),
        epss: of.epss.map(|epss| f64::from(epss.probability)),
        fixed: of.fixed.clone().unwrap_or_default(),
        known_exploited: of.kev.as_ref().map(|kev| kev.date_added.clone()).unwrap_or_default(),
        informational: of.informational.clone().unwrap_or_default(),
        summary: of.summary().to_owned(),
        advisories: of.advisories.iter().map(|advisory| (advisory.id.clone(), advisory.published.clone())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{names, review};

    #[test]
    fn names_of_skipped_packages_lose_their_versions() {
        let of = |what: &str| names(what).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(of("@scope/name@1.0"), ["@scope/name"]);
        assert_eq!(of("Zope.Interface"), ["Zope.Interface", "zope-interface", "zope.interface"]);
    }

    #[test]
    fn what_is_no_review_is_refused_with_the_reason() {
        let error = |json: &str| review(json.as_bytes().to_vec()).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error("{"), "it is no JSON");
        assert_eq!(error("{\"schema\":\"bartizan/model/1\"}"), "its schema is `bartizan/model/1`, not `bartizan/review/1`");
        let threat = r#"{"schema":"bartizan/review/1","threats":[{"id":"a","severity":"huge","status":"open"}]}"#;
        assert_eq!(error(threat), "threat `a` has the severity `huge`");
    }
}
