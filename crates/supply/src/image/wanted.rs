//! Which files of an image name packages, by their paths.

use crate::distribution::Manager;
use crate::installed::Installed;
use crate::lockfile::Format;
use crate::unpack::archive::Kind;

/// What is kept of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Its text.
    Text,
    /// What a Java archive says of itself and of those inside.
    Jar,
    /// rpm's packages.
    RpmDatabase,
    /// Its bytes: rpm's database is not whole without them.
    RpmJournal,
    /// Paths of the files that a package of dpkg owns, one each line.
    DpkgList,
    /// The same with a digest before each path.
    DpkgDigests,
}

/// Where `os-release` lies.
pub(super) const RELEASES: &[&str] = &["etc/os-release", "usr/lib/os-release"];
/// dpkg's single entries, in images without a package manager.
pub(super) const DPKG_ENTRIES: &str = "var/lib/dpkg/status.d/";
/// dpkg's lists of files.
pub(super) const DPKG_LISTS: &str = "var/lib/dpkg/info/";
/// Records of the package managers.
pub(super) const RECORDS: &[(&str, Manager)] = &[
    ("var/lib/dpkg/status", Manager::Dpkg),
    ("lib/apk/db/installed", Manager::Apk),
    ("usr/lib/apk/db/installed", Manager::Apk),
    ("var/lib/rpm/rpmdb.sqlite", Manager::Rpm),
    ("usr/lib/sysimage/rpm/rpmdb.sqlite", Manager::Rpm),
    ("usr/share/rpm/rpmdb.sqlite", Manager::Rpm),
    ("var/lib/rpm/Packages.db", Manager::Rpm),
    ("usr/lib/sysimage/rpm/Packages.db", Manager::Rpm),
    ("var/lib/rpm/Packages", Manager::Rpm),
    ("usr/lib/sysimage/rpm/Packages", Manager::Rpm),
];

/// Folders whose lock files belong to packages and not to the system.
const OF_PACKAGES: &[&str] =
    &["node_modules", "site-packages", "dist-packages", "gems", "vendor", ".cargo", ".m2", ".gradle", ".npm", ".cache", "testdata"];
const OF_DISTRIBUTION: &[&str] = &["usr/lib/", "usr/share/", "usr/local/lib/", "usr/local/go/", "usr/src/", "go/pkg/", "root/go/pkg/"];

/// What is kept of a file; `None` where its path says nothing (it may be a program).
pub(super) fn wanted(path: &str) -> Option<Wanted> {
    if let Some((_, manager)) = RECORDS.iter().find(|(record, _)| *record == path) {
        return Some(if *manager == Manager::Rpm { Wanted::RpmDatabase } else { Wanted::Text });
    }
    // Anywhere, because the folder of the records may be a link.
    if path.ends_with("/rpmdb.sqlite-wal") {
        return Some(Wanted::RpmJournal);
    }
    if let Some(entry) = path.strip_prefix(DPKG_ENTRIES) {
        return Some(if entry.ends_with(".md5sums") { Wanted::DpkgDigests } else { Wanted::Text });
    }
    if path.starts_with(DPKG_LISTS) {
        return path.ends_with(".list").then_some(Wanted::DpkgList);
    }
    if RELEASES.contains(&path) || Installed::of(path).is_some() {
        return Some(Wanted::Text);
    }
    if Kind::of(path) == Some(Kind::Jar) {
        return Some(Wanted::Jar);
    }
    is_lock(path).then_some(Wanted::Text)
}

/// Whether a file is a lock file of the system, or what one needs beside it.
fn is_lock(path: &str) -> bool {
    (Format::of(path).is_some() || path.rsplit('/').next() == Some("go.sum"))
        && !OF_DISTRIBUTION.iter().any(|prefix| path.starts_with(prefix))
        && !path.split('/').any(|part| OF_PACKAGES.contains(&part) || part == "META-INF")
}

/// Whether it matters that the distribution owns a file: it may name packages or be a program.
pub(super) fn is_worth_owning(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    !name.contains('.') || name.contains(".so") || wanted(path.trim_start_matches('/')).is_some()
}
