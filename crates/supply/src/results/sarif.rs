//! SARIF 2.1.0 of any tool.
//!
//! A result is a vulnerability of a package where its rule or its text names both; Grype's rules list package URLs, Trivy's messages name package and
//! version. Every other result stays a finding of its rule.

use serde_json::Value;

use super::{Finding, Reader, list, text, texts, word};
use crate::advisory::Advisory;
use crate::matching::Rating;
use crate::package::Package;
use crate::purl;

pub(super) fn read(value: &Value, reader: &mut Reader<'_, '_>) -> bool {
    if value.get("runs").is_none_or(|runs| !runs.is_array()) || value.get("version").is_none() {
        return false;
    }
    for run in list(value, "/runs") {
        let tool = text(run, "/tool/driver/name");
        for result in list(run, "/results") {
            // What was suppressed at its tool, and what is no longer there, is not open.
            if !list(result, "/suppressions").is_empty()
                || text(result, "/baselineState") == "absent"
                || matches!(text(result, "/kind"), "pass" | "notApplicable")
            {
                continue;
            }
            one(run, result, tool, reader);
        }
    }
    true
}

fn one(run: &Value, result: &Value, tool: &str, reader: &mut Reader<'_, '_>) {
    let rule = rule(run, result);
    let id = [text(result, "/ruleId"), text(result, "/rule/id"), rule.map_or("", |rule| text(rule, "/id"))]
        .into_iter()
        .find(|id| !id.is_empty())
        .unwrap_or_default();
    let message = message(result, rule);
    let span = reader.span_of_first(id);
    let score = rule.and_then(|rule| rule.pointer("/properties/security-severity"));
    let score = score.and_then(|score| score.as_f64().or_else(|| score.as_str()?.parse().ok()));
    let level = [text(result, "/level"), rule.map_or("", |rule| text(rule, "/defaultConfiguration/level"))]
        .into_iter()
        .find(|level| !level.is_empty());
    let rating = score.map_or_else(|| of_level(level.unwrap_or("warning")), Rating::of_score);
    if let Some(names) = flaw_names(id, rule) {
        let packages = packages(rule, result, &message, span);
        let advisory = Advisory {
            id: names.first().cloned().unwrap_or_default(),
            aliases: names.iter().skip(1).cloned().collect(),
            summary: rule
                .map(|rule| text(rule, "/shortDescription/text"))
                .filter(|text| !text.is_empty())
                .unwrap_or(&message)
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
            severity: word(rating.id()),
            references: rule.map(|rule| text(rule, "/helpUri").to_owned()).filter(|url| !url.is_empty()).into_iter().collect(),
            ..Advisory::default()
        };
        if !packages.is_empty() {
            for package in packages {
                reader.report(tool, package, advisory.clone(), line_of(&message, "Fixed Version"));
            }
            return;
        }
    }
    let place = result.pointer("/locations/0/physicalLocation");
    reader.results.findings.push(Finding {
        tool: tool.to_owned(),
        rule: id.to_owned(),
        rating,
        message: message.lines().next().unwrap_or_default().to_owned(),
        file: place.map(|place| text(place, "/artifactLocation/uri")).unwrap_or_default().to_owned(),
        line: place.and_then(|place| place.pointer("/region/startLine")?.as_u64()).and_then(|line| u32::try_from(line).ok()),
        span,
        is_flaw: flaw_names(id, rule).is_some(),
    });
}

/// The rule of a result: by its index, else by its id, of the driver or of an extension.
fn rule<'v>(run: &'v Value, result: &Value) -> Option<&'v Value> {
    let index = result
        .get("ruleIndex")
        .or_else(|| result.pointer("/rule/index"))
        .and_then(Value::as_u64)
        .and_then(|index| usize::try_from(index).ok());
    let component = match result.pointer("/rule/toolComponent/index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok())
    {
        Some(extension) => list(run, "/tool/extensions").get(extension)?,
        None => run.pointer("/tool/driver")?,
    };
    let id = text(result, "/ruleId");
    let of_index = index.and_then(|index| list(component, "/rules").get(index));
    of_index.or_else(|| list(component, "/rules").iter().find(|rule| !id.is_empty() && text(rule, "/id") == id))
}

/// The text of a result, with the rule's template filled in where it only names one.
fn message(result: &Value, rule: Option<&Value>) -> String {
    let own = text(result, "/message/text");
    if !own.is_empty() {
        return own.to_owned();
    }
    let id = text(result, "/message/id");
    let template = rule.and_then(|rule| rule.get("messageStrings")?.get(id)).map_or("", |of| text(of, "/text"));
    texts(result, "/message/arguments")
        .enumerate()
        .fold(template.to_owned(), |text, (index, with)| text.replace(&format!("{{{index}}}"), with))
}

fn of_level(level: &str) -> Rating {
    match level {
        "error" => Rating::High,
        "warning" => Rating::Medium,
        "note" => Rating::Low,
        _ => Rating::Unknown,
    }
}

/// Names of a known flaw in a rule's id or tags, the id first; `None` where there is none. Grype writes `CVE-2024-1-openssl`.
fn flaw_names(id: &str, rule: Option<&Value>) -> Option<Vec<String>> {
    let tags = rule.into_iter().flat_map(|rule| texts(rule, "/properties/tags").chain(texts(rule, "/deprecatedIds")));
    let names: Vec<String> = std::iter::once(id).chain(tags).filter_map(flaw_name).collect();
    (!names.is_empty()).then_some(names)
}

/// The name of a flaw that a text begins with.
fn flaw_name(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let n = match parts.as_slice() {
        ["CVE" | "RUSTSEC" | "PYSEC" | "GO", year, number, ..] if digits(year) && digits(number) => 3,
        ["GHSA", a, b, c, ..] if [a, b, c].iter().all(|part| part.len() == 4) => 4,
        ["SNYK", ..] => parts.len(),
        _ => return None,
    };
    Some(parts.get(..n)?.join("-"))
}

fn packages(rule: Option<&Value>, result: &Value, message: &str, span: bartizan_model::Span) -> Vec<Package> {
    let of_rule = rule.into_iter().flat_map(|rule| texts(rule, "/properties/purls"));
    let urls = of_rule.chain([text(result, "/properties/purl")]).filter(|url| !url.is_empty());
    let mut packages: Vec<Package> = urls.filter_map(|url| purl::package(&url.parse().ok()?, span)).collect();
    // Trivy's message, whose location is the lock file that tells the ecosystem.
    if let (true, Some(name), Some(version)) = (packages.is_empty(), line_of(message, "Package"), line_of(message, "Installed Version")) {
        let file = text(result, "/locations/0/physicalLocation/artifactLocation/uri");
        packages.extend(crate::lockfile::Format::of(file).map(|format| Package::new(format.ecosystem(), name, version, span)));
    }
    packages
}

/// The rest of the line `key: …`.
fn line_of<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim).filter(|rest| !rest.is_empty())
}
