//! What holds for every input: readers never panic and their spans lie in the text, orders are orders, complements leave nothing out.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use bartizan_model::Sources;
use bartizan_supply::import::import;
use bartizan_supply::range::{Edge, Range, complement};
use bartizan_supply::scan::scan;
use bartizan_supply::{Scheme, Version};
use proptest::prelude::*;

/// A name of every format, with a little of what such a file holds.
const FILES: &[(&str, &str)] = &[
    ("Cargo.lock", "[[package]]\nname = \"a\"\nversion = \"1\"\ndependencies = [\"b\"]\n"),
    ("package-lock.json", r#"{"lockfileVersion":3,"packages":{"":{"dependencies":{"a":"1"}},"node_modules/a":{"version":"1.0.0"}}}"#),
    ("npm-shrinkwrap.json", r#"{"dependencies":{"a":{"version":"npm:b@1","dependencies":{"c":{"version":"2"}}}}}"#),
    ("pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  '@s/a@1.0.0(b@2)':\n    resolution: {tarball: x}\n"),
    ("yarn.lock", "\"@s/a@npm:^1, b@1\":\n  version: 1.0.0\n  resolution: \"@s/a@npm:1.0.0\"\n"),
    ("requirements.txt", "a[b]==1.0 ; x\n-r other.txt\n-e .\nb @ https://x\nc==1 \\\n --hash=x\n"),
    ("poetry.lock", "[[package]]\nname = \"a\"\nversion = \"1\"\n[package.source]\ntype = \"git\"\n"),
    ("uv.lock", "[[package]]\nname = \"a\"\nsource = { virtual = \".\" }\ndependencies = [{ name = \"b\" }]\n"),
    ("Pipfile.lock", r#"{"default":{"a":{"version":"==1"}},"develop":{}}"#),
    ("go.mod", "module a\ngo 1.16\nrequire (\n\tb v1.0.0 // indirect\n)\nreplace b => c v2.0.0\n"),
    ("go.sum", "d v1.0.0 h1:x=\nd v1.1.0/go.mod h1:x=\n"),
    (
        "pom.xml",
        "<project><properties><v>${v}</v></properties><dependencies><dependency><groupId>a</groupId><artifactId>b</artifactId><version>${v}</version></dependency></dependencies></project>",
    ),
    ("gradle.lockfile", "a:b:1=test\nempty=\n"),
    ("Gemfile.lock", "GEM\n  remote: x\n  specs:\n    a (1.0-java)\nDEPENDENCIES\n  a!\n"),
    ("composer.lock", r#"{"packages":[{"name":"a/b","version":"v1","dist":{"type":"path"}}],"packages-dev":[]}"#),
    ("packages.lock.json", r#"{"version":1,"dependencies":{"net":{"A":{"type":"Direct","resolved":"1"}}}}"#),
    ("packages.config", "<packages><package id=\"A\" version=\"1\"/></packages>"),
    ("a-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: a\nVersion: 1\n\ntext\n"),
    (
        "Dockerfile",
        "# escape=`\nARG A=b\nFROM a:${A:-b}@sha256:c AS d `\n  # x\nENV A_TOKEN=\"x y\" B c\nRUN <<E\nE\nADD https://x/y /\nUSER root\n",
    ),
    ("a.csproj", "<Project><ItemGroup><PackageReference Include=\"A\" Version=\"$(B)\"/></ItemGroup></Project>"),
];

/// A text with pieces cut out, doubled or replaced.
fn damaged(text: &str, edits: &[(usize, usize, String)]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for (at, length, with) in edits {
        let at = at % (text.len() + 1);
        let end = (at + length % 8).min(text.len());
        text.splice(at..end, with.chars());
    }
    text.into_iter().collect()
}

fn edits() -> impl Strategy<Value = Vec<(usize, usize, String)>> {
    prop::collection::vec((any::<usize>(), any::<usize>(), "[\\PC\n\r\"{}\\[\\]:@/()$<>=' ä]{0,4}"), 0..6)
}

fn versions() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,3}(\\.[0-9]{1,3}){0,4}",
        "v?[0-9]{1,2}\\.[0-9]{1,2}[.-]?(alpha|beta|rc|dev|pre|p|sp|ga|final|a|b|m)[.-]?[0-9]{0,2}",
        "[0-9a-z.~^+_-]{1,12}",
        "[0-9]:[0-9.]{1,6}-[0-9a-z.]{1,4}"
    ]
}

const SCHEMES: &[Scheme] = &[
    Scheme::SemVer,
    Scheme::Pub,
    Scheme::Pep440,
    Scheme::Debian,
    Scheme::RubyGems,
    Scheme::Rpm,
    Scheme::Apk,
    Scheme::Composer,
    Scheme::NuGet,
    Scheme::Maven,
    Scheme::Cran,
    Scheme::Hackage,
];

proptest! {
    #[test]
    fn readers_never_panic_and_spans_lie_in_the_text(which in 0..FILES.len(), edits in edits()) {
        let paths: BTreeSet<String> = [FILES[which].0, "go.sum"].map(str::to_owned).into();
        let text = |name: &str| FILES.iter().enumerate().find(|(_, (known, _))| *known == name).map(|(index, (_, text))| if index == which { damaged(text, &edits) } else { (*text).to_owned() });
        let mut sources = Sources::default();
        let found = scan(&paths, &|name| Ok(text(name).unwrap_or_default().into_bytes()), &mut sources);
        let spans = found.packages.iter().map(|package| package.span).chain(found.skipped.iter().filter_map(|skipped| skipped.span)).chain(found.diagnostics.iter().filter_map(|diagnostic| diagnostic.span));
        for span in spans {
            let length = sources.get(span.file).map_or(0, |file| file.text.len());
            prop_assert!(span.start <= span.end && span.end as usize <= length, "{span:?} in {length}");
        }
    }

    #[test]
    fn imports_never_panic(edits in edits(), which in 0..4usize) {
        let (name, text) = [
            ("a.json", r#"{"id":"A","modified":"x","affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.0.0"}]}]}]}"#),
            ("a.md", "```toml\n[advisory]\nid = \"R\"\npackage = \"a\"\ndate = \"x\"\n[versions]\npatched = [\">= 1, < 2\", \"^0.1\"]\n```\n# T\n"),
            ("a.yml", "gem: a\ncve: 1-2\ntitle: T\ndate: x\npatched_versions:\n- '~> 1.2'\n"),
            ("a.csv", "#x,score_date:y\ncve,epss,percentile\nCVE-2024-1,0.1,0.2\n"),
        ][which];
        let _ = import(name, &damaged(text, &edits));
    }

    #[test]
    fn orders_are_reflexive_antisymmetric_and_whole(a in versions(), b in versions()) {
        for scheme in SCHEMES {
            let (Ok(left), Ok(right)) = (Version::parse(*scheme, &a), Version::parse(*scheme, &b)) else { continue };
            prop_assert_eq!(left.cmp(&left), Ordering::Equal, "{:?} {}", scheme, a);
            prop_assert_eq!(left.cmp(&right), right.cmp(&left).reverse(), "{:?} {} {}", scheme, a, b);
        }
    }

    #[test]
    fn a_version_is_in_a_set_or_in_its_complement(of in prop::collection::vec((0u8..9, 0u8..9, any::<bool>(), any::<bool>()), 0..4), at in 0u8..9) {
        let ranges: Vec<Range> = of.iter().filter(|(from, to, ..)| from < to).map(|(from, to, first, last)| Range {
            from: Some(Edge { version: format!("{from}.0.0"), inclusive: *first }),
            to: Some(Edge { version: format!("{to}.0.0"), inclusive: *last }),
        }).collect();
        let version = Version::parse(Scheme::SemVer, &format!("{at}.0.0")).unwrap();
        let within = |ranges: &[Range]| ranges.iter().any(|range| range.contains(&version).unwrap());
        prop_assert_ne!(within(&ranges), within(&complement(&ranges, Scheme::SemVer).unwrap()));
    }
}
