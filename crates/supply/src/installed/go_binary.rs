//! The modules of a Go binary, as `go version -m` prints them.

use crate::ecosystem::EcosystemKind;
use crate::lockfile::File;
use crate::package::{Found, Origin, Package, Relation, SkipReason};

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let mut modules: Vec<Package> = Vec::new();
    for line in file.text.lines() {
        let span = file.span_of(line);
        let mut words = line.split('\t');
        match (words.next(), words.next(), words.next().unwrap_or_default()) {
            // Experiments follow the version: `go1.22.1 X:loopvar`.
            (Some("go"), Some(version), _) => match version.split(' ').next().and_then(|word| word.strip_prefix("go")) {
                Some(version) => found.packages.push(Package::new(EcosystemKind::GO, "stdlib", version, span)),
                None => found.skip("stdlib", span, SkipReason::NoExactVersion(version.to_owned())),
            },
            // A binary that was built in its own tree has no version, and its module is the system's own.
            (Some("mod"), Some(name), "" | "(devel)") => {
                modules.push(Package::new(EcosystemKind::GO, name, "", span).from(Origin::Own).related(Relation::Direct));
            }
            (Some("mod"), Some(name), version) => {
                modules.push(Package::new(EcosystemKind::GO, name, version, span).related(Relation::Direct))
            }
            (Some("dep"), Some(name), "(devel)") => modules.push(Package::new(EcosystemKind::GO, name, "", span).from(Origin::Own)),
            (Some("dep"), Some(name), version) => modules.push(Package::new(EcosystemKind::GO, name, version, span)),
            // It stands for the module above; a folder has no version.
            (Some("=>"), Some(name), version) => {
                if let Some(replaced) = modules.pop() {
                    modules.push(if version.is_empty() || version == "(devel)" {
                        Package { version: String::new(), ..replaced }.from(Origin::Own)
                    } else {
                        Package::new(EcosystemKind::GO, name, version, span).related(replaced.relation)
                    });
                }
            }
            _ => {}
        }
    }
    found.packages.append(&mut modules);
    found
}
