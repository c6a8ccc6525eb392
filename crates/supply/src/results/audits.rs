//! The audits of package managers: cargo-audit, pip-audit and npm audit.

use serde_json::Value;

use super::{Reader, list, text, texts, word};
use crate::advisory::Advisory;
use crate::ecosystem::EcosystemKind;
use crate::package::{Package, SkipReason};

/// cargo-audit. Source: rustsec/rustsec, `rustsec::report`.
pub(super) fn cargo(value: &Value, reader: &mut Reader<'_, '_>) -> bool {
    if value.pointer("/vulnerabilities/list").is_none() || value.get("lockfile").is_none() {
        return false;
    }
    for flaw in list(value, "/vulnerabilities/list") {
        let id = text(flaw, "/advisory/id");
        let span = reader.span_of_first(id);
        let package = Package::new(EcosystemKind::CRATES, text(flaw, "/package/name"), text(flaw, "/package/version"), span);
        let advisory = Advisory {
            id: id.to_owned(),
            aliases: texts(flaw, "/advisory/aliases").map(str::to_owned).collect(),
            summary: text(flaw, "/advisory/title").to_owned(),
            published: text(flaw, "/advisory/date").to_owned(),
            modified: text(flaw, "/advisory/date").to_owned(),
            cvss: Some(text(flaw, "/advisory/cvss").to_owned()).filter(|vector| !vector.is_empty()).into_iter().collect(),
            references: Some(text(flaw, "/advisory/url").to_owned()).filter(|url| !url.is_empty()).into_iter().collect(),
            ..Advisory::default()
        };
        // `>=1.2.3` is a constraint whose version mends it; `^1.2` and lists of them are not one version.
        let fixed = texts(flaw, "/versions/patched").next().and_then(|patched| patched.strip_prefix(">=")).map(str::trim);
        reader.report("cargo-audit", package, advisory, fixed);
    }
    true
}

/// pip-audit, with and without the list around the dependencies. Source: pypa/pip-audit, "JSON".
pub(super) fn pip(value: &Value, reader: &mut Reader<'_, '_>) -> bool {
    let dependencies = if value.is_array() { list(value, "") } else { list(value, "/dependencies") };
    let is_pip = |of: &Value| of.get("name").is_some() && (of.get("vulns").is_some() || of.get("skip_reason").is_some());
    if dependencies.is_empty() && value.get("fixes").is_none() || !dependencies.iter().all(is_pip) {
        return false;
    }
    for of in dependencies {
        let name = text(of, "/name");
        if let Some(reason) = of.get("skip_reason").and_then(Value::as_str) {
            let span = reader.span_of_first(name);
            reader.found.skip(name, span, SkipReason::Unreadable(format!("pip-audit left it out: {reason}")));
        }
        for flaw in list(of, "/vulns") {
            let id = text(flaw, "/id");
            let package = Package::new(EcosystemKind::PYPI, name, text(of, "/version"), reader.span_of_first(id));
            let advisory = Advisory {
                id: id.to_owned(),
                aliases: texts(flaw, "/aliases").map(str::to_owned).collect(),
                summary: text(flaw, "/description").lines().next().unwrap_or_default().to_owned(),
                ..Advisory::default()
            };
            reader.report("pip-audit", package, advisory, texts(flaw, "/fix_versions").next());
        }
    }
    true
}

/// npm audit, report versions 1 (npm 6) and 2 (npm 7 and later). Source: docs.npmjs.com, "npm audit".
pub(super) fn npm(value: &Value, reader: &mut Reader<'_, '_>) -> bool {
    if let Some(advisories) = value.get("advisories").and_then(Value::as_object) {
        for flaw in advisories.values() {
            npm_1(flaw, reader);
        }
        return true;
    }
    let Some(vulnerabilities) = value.get("vulnerabilities").and_then(Value::as_object) else { return false };
    if value.get("auditReportVersion").is_none() {
        return false;
    }
    for (name, of) in vulnerabilities {
        // A text in `via` names another entry of the report, where the flaw is told; an object is the flaw of this very package.
        for flaw in list(of, "/via").iter().filter(|via| via.is_object()) {
            npm_2(name, of, flaw, reader);
        }
    }
    true
}

fn npm_1(flaw: &Value, reader: &mut Reader<'_, '_>) {
    let name = text(flaw, "/module_name");
    let id = npm_id(flaw, "/url");
    let span = reader.span_of_first(if text(flaw, "/url").is_empty() { name } else { text(flaw, "/url") });
    let aliases = texts(flaw, "/cves").chain(texts(flaw, "/github_advisory_id")).map(str::to_owned);
    let advisory = Advisory {
        aliases: aliases.chain([text(flaw, "/github_advisory_id").to_owned()]).collect(),
        summary: text(flaw, "/title").to_owned(),
        severity: word(text(flaw, "/severity")),
        cvss: Some(text(flaw, "/cvss/vectorString").to_owned()).filter(|vector| !vector.is_empty()).into_iter().collect(),
        references: Some(text(flaw, "/url").to_owned()).filter(|url| !url.is_empty()).into_iter().collect(),
        id,
        ..Advisory::default()
    };
    let patched = text(flaw, "/patched_versions").strip_prefix(">=").map(str::trim);
    for of in list(flaw, "/findings") {
        let package = Package::new(EcosystemKind::NPM, name, text(of, "/version"), span);
        reader.report("npm audit", package, advisory.clone(), patched);
    }
}

/// Version 2 names no versions, only where the packages lie; the lock file's packages tell them.
fn npm_2(name: &str, of: &Value, flaw: &Value, reader: &mut Reader<'_, '_>) {
    let id = npm_id(flaw, "/url");
    let span = reader.span_of_first(text(flaw, "/url"));
    let fixed = of.pointer("/fixAvailable/version").and_then(Value::as_str).filter(|_| text(of, "/fixAvailable/name") == name);
    let advisory = Advisory {
        summary: text(flaw, "/title").to_owned(),
        severity: word(text(flaw, "/severity")),
        cvss: Some(text(flaw, "/cvss/vectorString").to_owned()).filter(|vector| !vector.is_empty()).into_iter().collect(),
        cwe: texts(flaw, "/cwe").map(str::to_owned).collect(),
        references: Some(text(flaw, "/url").to_owned()).filter(|url| !url.is_empty()).into_iter().collect(),
        id,
        ..Advisory::default()
    };
    let range = text(flaw, "/range");
    let affected: Vec<Package> = match crate::constraint::ranges(range, crate::constraint::Dialect::Npm) {
        Ok(ranges) => {
            let holds = |package: &&Package| {
                let version = crate::version::Version::parse(crate::version::Scheme::SemVer, &package.version);
                package.ecosystem.kind == EcosystemKind::NPM
                    && package.name == name
                    && version.is_ok_and(|version| ranges.iter().any(|range| range.contains(&version).unwrap_or(false)))
            };
            reader.found.packages.iter().filter(holds).cloned().collect()
        }
        Err(_) => Vec::new(),
    };
    if affected.is_empty() {
        let message = format!("`{name}` {range}: no package of a lock file that was scanned lies in it, and the report names no version");
        reader.unread(if text(flaw, "/url").is_empty() { name } else { text(flaw, "/url") }, &message);
    }
    for package in affected {
        reader.report("npm audit", Package { span, ..package }, advisory.clone(), fixed);
    }
}

/// The id at the end of the advisory's address, else its number.
fn npm_id(flaw: &Value, pointer: &str) -> String {
    let last = text(flaw, pointer).rsplit('/').next().unwrap_or_default();
    if last.starts_with("GHSA-") {
        return last.to_owned();
    }
    let number = ["id", "source"].iter().find_map(|key| flaw.get(key).and_then(Value::as_u64));
    number.map_or_else(|| last.to_owned(), |number| format!("NPM-{number}"))
}
