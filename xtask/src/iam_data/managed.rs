//! AWS-managed policies: one line each.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::packages::Packages;

pub(crate) struct Policies {
    /// Name and line, sorted by name.
    pub(crate) lines: Vec<(String, String)>,
    /// What `sources.txt` says of them.
    pub(crate) counts: String,
}

pub(crate) fn read(packages: &Packages) -> Result<Policies> {
    let module = packages.managed_policies()?;
    // The module is one string of JSON; nothing in it is escaped, or the JSON could not be read.
    let json = module.split("\"\"\"").nth(1).context("moto's policies are written in another way than before")?;
    ensure!(!json.contains('\\'), "moto's policies hold escapes, which Python would resolve first");
    let all: BTreeMap<String, Value> = serde_json::from_str(json).context("moto's policies are no JSON")?;
    let mut lines = Vec::new();
    let mut newest = String::new();
    for (name, policy) in &all {
        let text = |key: &str| policy[key].as_str().with_context(|| format!("{name} has no {key}"));
        let updated = text("UpdateDate")?.get(..10).with_context(|| format!("{name} has no date"))?;
        newest = newest.max(updated.to_owned());
        let document = serde_json::to_string(&policy["Document"]).context("cannot write a document")?;
        let line = format!("{name}\t{}\t{}\t{updated}\t{document}\n", text("Path")?, text("DefaultVersionId")?);
        lines.push((name.clone(), line));
    }
    let counts = format!("managed-policies {}\nmanaged-policies-newest {newest}\n", lines.len());
    Ok(Policies { lines, counts })
}
