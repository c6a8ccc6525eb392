//! SPDX 2 as lines of tags and values.
//!
//! Source: SPDX 2.3, section 5.2 and the tags of each field.

use bartizan_model::Span;

use super::lower::{Component, lower};
use super::spdx2::{Spdx, is_known, is_purl, property};
use crate::lockfile::File;
use crate::package::{Found, SkipReason};

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let mut spdx = Spdx::default();
    let mut comments: Vec<(String, String)> = Vec::new();
    let mut annotated: Option<String> = None;
    let mut is_in_package = false;
    for (tag, value, span) in tags(file, &mut found) {
        let last = spdx.components.last_mut().filter(|_| is_in_package);
        match (tag, last) {
            ("SPDXVersion", _) if !is_known(&value) => {
                found.skip(file.path, span, SkipReason::FormatVersion(value));
                return found;
            }
            ("PackageName", _) => {
                is_in_package = true;
                spdx.components.push((Component { name: value, ..Component::default() }, span));
            }
            // Other elements have ids of their own, which are no package's.
            ("FileName" | "SnippetSPDXID" | "LicenseID", _) => is_in_package = false,
            ("SPDXID", Some((component, _))) if component.id.is_empty() => component.id = value,
            ("PackageVersion", Some((component, _))) => component.version = value,
            ("PrimaryPackagePurpose", Some((component, _))) => component.kind = value.to_lowercase(),
            ("ExternalRef", Some((component, _))) => {
                let mut words = value.split_whitespace();
                if let (Some(_), Some(kind), Some(locator)) = (words.next(), words.next(), words.next())
                    && is_purl(kind)
                    && component.purl.is_none()
                {
                    component.purl = Some(locator.to_owned());
                }
            }
            ("SPDXREF", _) => annotated = Some(value),
            ("AnnotationComment", _) => comments.extend(annotated.take().map(|id| (id, value))),
            ("Relationship", _) => {
                if let [from, kind, to] = value.split_whitespace().collect::<Vec<_>>().as_slice() {
                    spdx.relate(from, kind, to);
                }
            }
            _ => {}
        }
    }
    for (id, comment) in comments {
        for (component, _) in spdx.components.iter_mut().filter(|(component, _)| component.id == id) {
            component.properties.extend(property(&comment));
        }
    }
    lower(spdx.bill(), &mut found);
    found
}

/// Tags with their values; a value in `<text>` may hold several lines.
fn tags<'a>(file: &File<'a>, found: &mut Found) -> Vec<(&'a str, String, Span)> {
    let mut all = Vec::new();
    let mut rest = file.text;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let span = file.span_of(line.trim());
        let from = rest;
        rest = after;
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let Some((tag, value)) = line.split_once(':') else {
            found.malformed(file.path, span, format!("`{}` is no tag with a value", line.trim()));
            continue;
        };
        if value.trim_start().starts_with("<text>") {
            let open = from.find("<text>").and_then(|at| from.get(at + 6..)).unwrap_or_default();
            let Some((text, after)) = open.split_once("</text>") else {
                found.malformed(file.path, span, "`<text>` has no end");
                break;
            };
            all.push((tag.trim(), text.to_owned(), span));
            rest = after.split_once('\n').map_or("", |(_, after)| after);
        } else {
            all.push((tag.trim(), value.trim().to_owned(), span));
        }
    }
    all
}
