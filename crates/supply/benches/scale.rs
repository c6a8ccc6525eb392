//! How long a whole database takes: 100,000 advisories imported, 5,000 packages matched.
#![expect(clippy::unwrap_used, reason = "a benchmark fails as a test does")]

use std::path::PathBuf;

use bartizan_model::{FileId, Span};
use bartizan_supply::matching::find;
use bartizan_supply::{Builder, Database, EcosystemKind, Package};

/// Advisories imported.
const N_ADVISORIES: usize = 100_000;
/// Packages matched; every twentieth has advisories.
const N_PACKAGES: usize = 5_000;

fn main() {
    divan::main();
}

/// One record of the size that exports have: prose, a few pages, ranges and a list of versions.
fn record(index: usize) -> String {
    let (ecosystem, name) = match index % 3 {
        0 => ("npm", format!("package-{}", index / 7)),
        1 => ("PyPI", format!("package-{}", index / 7)),
        _ => ("Go", format!("example.com/package-{}", index / 7)),
    };
    let details = "A request with a crafted header makes the parser read past the end of what it was given. ".repeat(8);
    let versions: Vec<String> = (0..20).map(|minor| format!("\"1.{minor}.{}\"", index % 9)).collect();
    format!(
        r#"{{"schema_version": "1.6.0", "id": "GHSA-{index:06}", "modified": "2026-01-01T00:00:00Z", "published": "2025-01-01T00:00:00Z",
        "aliases": ["CVE-2025-{index}"], "summary": "Out-of-bounds read in the parser of package {index}", "details": "{details}",
        "severity": [{{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:H"}}],
        "affected": [{{"package": {{"ecosystem": "{ecosystem}", "name": "{name}"}},
          "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "1.{}.0"}}]}}], "versions": [{}]}}],
        "references": [{{"type": "ADVISORY", "url": "https://example.org/advisories/{index}"}}, {{"type": "WEB", "url": "https://example.org/commit/{index}"}}],
        "database_specific": {{"severity": "HIGH", "cwe_ids": ["CWE-125"]}}}}"#,
        index % 40,
        versions.join(", ")
    )
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("scale.advisories")
}

fn import(records: &[String]) -> Builder {
    let mut builder = Builder::default();
    for record in records {
        builder.text("a.json", record);
    }
    builder.write(&file()).unwrap();
    builder
}

/// Reading, encoding and writing; the records are in memory already.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn import_100_000_advisories(bencher: divan::Bencher<'_, '_>) {
    let records: Vec<String> = (0..N_ADVISORIES).map(record).collect();
    bencher.bench_local(|| import(&records).n_advisories());
}

/// Opening the file included.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn match_5_000_packages(bencher: divan::Bencher<'_, '_>) {
    import(&(0..N_ADVISORIES).map(record).collect::<Vec<_>>());
    let packages: Vec<Package> = (0..N_PACKAGES)
        .map(|index| {
            let name = if index % 20 == 0 { format!("package-{index}") } else { format!("sound-{index}") };
            Package::new(EcosystemKind::NPM, name, "1.5.0", Span::new(FileId(0), 0..0))
        })
        .collect();
    bencher.bench_local(|| find(&mut Database::open(&file()).unwrap(), &packages).unwrap().vulnerabilities.len());
}
