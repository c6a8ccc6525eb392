//! Version orders against lists of comparisons: our own beside this file, and whole folders of others' on request.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use bartizan_supply::{Scheme, Version};

/// Reads a line `a < b`, `a = b` or `a > b`; `None` for anything else.
fn comparison(line: &str) -> Option<(&str, Ordering, &str)> {
    let mut words = line.split(' ');
    let (a, sign, b) = (words.next()?, words.next()?, words.next()?);
    let order = match sign {
        "<" => Ordering::Less,
        "=" => Ordering::Equal,
        ">" => Ordering::Greater,
        _ => return None,
    };
    words.next().is_none().then_some((a, order, b))
}

/// Number of comparisons and those that come out otherwise, both ways round.
fn check(scheme: Scheme, text: &str) -> (usize, Vec<String>) {
    let mut wrong = Vec::new();
    let mut n = 0;
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("# ") && !line.starts_with("// "));
    for line in lines {
        n += 1;
        let Some((a, expected, b)) = comparison(line) else {
            wrong.push(format!("{line}: no comparison"));
            continue;
        };
        let found = Version::parse(scheme, a).and_then(|left| Version::parse(scheme, b).map(|right| (left.cmp(&right), right.cmp(&left))));
        match found {
            Ok((order, back)) if order == expected && back == expected.reverse() => {}
            Ok((order, back)) => wrong.push(format!("{line}: found {order:?} and back {back:?}")),
            Err(error) => wrong.push(format!("{line}: {error}")),
        }
    }
    (n, wrong)
}

const OWN: &[(&str, Scheme)] = &[
    ("semver", Scheme::SemVer),
    ("pub", Scheme::Pub),
    ("pypi", Scheme::Pep440),
    ("debian", Scheme::Debian),
    ("rubygems", Scheme::RubyGems),
    ("maven", Scheme::Maven),
    ("rpm", Scheme::Rpm),
    ("apk", Scheme::Apk),
    ("composer", Scheme::Composer),
    ("nuget", Scheme::NuGet),
    ("cran", Scheme::Cran),
    ("hackage", Scheme::Hackage),
];

#[test]
fn every_scheme_orders_its_own_list() {
    for (name, scheme) in OWN {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/data/versions/{name}.txt"));
        let (n, wrong) = check(*scheme, &fs::read_to_string(path).unwrap());
        assert!(n >= 12, "{name} has only {n} comparisons");
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    }
}

#[test]
fn a_text_without_a_place_in_the_order_is_an_error() {
    let reason = |scheme, text| Version::parse(scheme, text).map_err(|error| error.to_string()).err();
    assert_eq!(reason(Scheme::SemVer, " ").as_deref(), Some("`` is no version that can be compared: it is empty"));
    assert_eq!(reason(Scheme::Cran, "1.x").as_deref(), Some("`1.x` is no version that can be compared: it holds more than numbers"));
    assert!(reason(Scheme::Debian, "1.0 2").is_some());
}

/// Comparisons of osv-scalibr that come out otherwise here, on purpose, with the reason.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("alpine", "0..8 > 0...8", "empty numbers occur in no Alpine version"),
    ("packagist", "1.0.0 > 1.0", "Composer pads to four numbers, PHP's function does not"),
    ("packagist", "1.2.3.# = 1.2.3.1", "Composer pads to four numbers; `#` occurs in no version"),
    ("packagist", "v3.0 < v3.0.0-beta", "Composer pads to four numbers, so the pre-release comes first"),
    ("packagist", "v3.4 < v3.4.0-alpha", "as above"),
    ("packagist", "v4-beta4 < v4.0-alpha", "as above: alpha comes before beta"),
    ("packagist", "v4.4 < v4.4.0-beta", "as above"),
    ("packagist", "v6.5 < v6.5.0-beta-0", "as above"),
    ("packagist", "v6.6 < v6.6.0-beta", "as above"),
];

/// Reads every `*-versions.txt` and `*-versions-generated.txt` of the folder that `BARTIZAN_VERSION_VECTORS` names (osv-scalibr's `semantic/testdata`).
#[test]
#[ignore = "needs a folder of other people's vectors: set BARTIZAN_VERSION_VECTORS"]
fn the_vectors_of_a_folder_hold_but_for_those_listed() {
    let folder = std::env::var("BARTIZAN_VERSION_VECTORS").expect("BARTIZAN_VERSION_VECTORS names no folder");
    let names = [
        ("alpine", Scheme::Apk),
        ("cran", Scheme::Cran),
        ("debian", Scheme::Debian),
        ("hackage", Scheme::Hackage),
        ("maven", Scheme::Maven),
        ("nuget", Scheme::NuGet),
        ("packagist", Scheme::Composer),
        ("pub", Scheme::Pub),
        ("pypi", Scheme::Pep440),
        ("redhat", Scheme::Rpm),
        ("rubygems", Scheme::RubyGems),
        ("semver", Scheme::SemVer),
    ];
    let mut report = String::new();
    let (mut n_all, mut n_wrong) = (0, 0);
    let mut unexplained = Vec::new();
    for (name, scheme) in names {
        let (mut n, mut wrong) = (0, Vec::new());
        for ending in ["-versions.txt", "-versions-generated.txt"] {
            let Ok(text) = fs::read_to_string(Path::new(&folder).join(format!("{name}{ending}"))) else { continue };
            let (n_file, wrong_file) = check(scheme, &text);
            n += n_file;
            wrong.extend(wrong_file);
        }
        assert!(n > 0, "no vectors of {name} in {folder}");
        writeln!(report, "{name}: {} of {n} differ", wrong.len()).unwrap();
        for line in &wrong {
            writeln!(report, "  {line}").unwrap();
        }
        n_all += n;
        n_wrong += wrong.len();
        unexplained.extend(
            wrong.into_iter().filter(|line| !DIFFERENT.iter().any(|(of, known, _)| *of == name && line.starts_with(&format!("{known}: ")))),
        );
    }
    println!("{report}{n_wrong} of {n_all} differ");
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    assert!(n_wrong * 1000 <= n_all, "{n_wrong} of {n_all} differ:\n{report}");
}
