//! Packages of Linux distributions: which release a root file system is of, and what its package manager's records say.
//!
//! Source: `os-release(5)`, `dpkg(1)`, `apk-installed(5)`, `rpm(8)`.

pub(crate) mod apk;
pub(crate) mod dpkg;
pub(crate) mod rpm;

use std::collections::BTreeMap;

use crate::ecosystem::{Ecosystem, EcosystemKind};

/// Which package manager's records are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Manager {
    Dpkg,
    Apk,
    Rpm,
}

/// What `os-release` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Release {
    id: String,
    version: String,
    codename: String,
    /// For people: `Debian GNU/Linux 12 (bookworm)`; made of id and version where it has no name.
    pub(crate) name: String,
}

impl Release {
    /// Reads `os-release`; what is left out stays empty.
    pub(crate) fn read(text: &str) -> Self {
        let mut fields: BTreeMap<&str, String> = BTreeMap::new();
        for line in text.lines() {
            if let Some((key, value)) = line.trim().split_once('=') {
                let value = value.trim();
                let quoted = |quote| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
                fields.insert(key, quoted('"').or_else(|| quoted('\'')).unwrap_or(value).to_owned());
            }
        }
        let mut take = |key: &str| fields.remove(key).unwrap_or_default();
        let (id, version, mut name) = (take("ID").to_lowercase(), take("VERSION_ID"), take("PRETTY_NAME"));
        if name.is_empty() {
            name = format!("{id} {version}").trim().to_owned();
        }
        Self { id, version, codename: take("VERSION_CODENAME"), name }
    }

    /// The ecosystem of the packages that a manager installed. A distribution that is not known has no release, so nothing is judged by another's
    /// advisories.
    pub(crate) fn ecosystem(&self, manager: Manager) -> Ecosystem {
        let (kind, fallback) = match manager {
            Manager::Dpkg => ("deb", EcosystemKind::DEBIAN),
            Manager::Apk => ("apk", EcosystemKind::ALPINE),
            Manager::Rpm => ("rpm", EcosystemKind::RED_HAT),
        };
        let id = match self.id.as_str() {
            "opensuse-leap" | "opensuse-tumbleweed" => "opensuse",
            "mariner" => "azurelinux",
            id => id,
        };
        let Some(kind) = EcosystemKind::from_purl(kind, Some(id)) else { return fallback.into() };
        // Testing and unstable have no version, only a name.
        let version = if self.version.is_empty() { &self.codename } else { &self.version };
        // A release that is still being made (`3.21_alpha20240807`) is the one that it becomes.
        let version = version.split('_').next().unwrap_or(version);
        Ecosystem::of_distribution(kind, &if version.is_empty() { String::new() } else { format!("{}-{version}", self.id) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Manager, Release};

    #[test]
    fn a_release_is_named_as_advisories_name_it() {
        let ecosystem = |text: &str, manager| Release::read(text).ecosystem(manager).to_string();
        assert_eq!(ecosystem("ID=debian\nVERSION_ID=\"12\"\n", Manager::Dpkg), "Debian:12");
        assert_eq!(ecosystem("ID=debian\nVERSION_CODENAME=trixie\n", Manager::Dpkg), "Debian:13");
        assert_eq!(ecosystem("ID=ubuntu\nVERSION_ID=\"22.04\"\n", Manager::Dpkg), "Ubuntu:22.04");
        assert_eq!(ecosystem("ID=alpine\nVERSION_ID=3.20.3\n", Manager::Apk), "Alpine:v3.20");
        assert_eq!(ecosystem("ID=alpine\nVERSION_ID=3.21_alpha20240807\n", Manager::Apk), "Alpine:v3.21");
        assert_eq!(ecosystem("ID=\"rocky\"\nVERSION_ID=\"9.4\"\n", Manager::Rpm), "Rocky Linux:9");
        assert_eq!(ecosystem("ID='amzn'\nVERSION_ID='2023'\n", Manager::Rpm), "Amazon Linux:2023");
        assert_eq!(ecosystem("ID=opensuse-leap\nVERSION_ID=15.6\n", Manager::Rpm), "openSUSE:Leap 15.6");
        assert_eq!(ecosystem("ID=wolfi\nVERSION_ID=20230201\n", Manager::Apk), "Wolfi");
    }

    #[test]
    fn a_distribution_without_a_name_is_called_by_its_id() {
        assert_eq!(Release::read("ID=rocky\nVERSION_ID=9.4\n").name, "rocky 9.4");
        assert_eq!(Release::read("ID=arch\n").name, "arch");
        assert_eq!(Release::read("ID=debian\nPRETTY_NAME='Debian 12'\n").name, "Debian 12");
        assert_eq!(Release::read("").name, "");
    }

    #[test]
    fn an_unknown_distribution_has_no_release() {
        let ecosystem = |text: &str, manager| Release::read(text).ecosystem(manager);
        assert_eq!(ecosystem("ID=mine\nID_LIKE=debian\nVERSION_ID=12\n", Manager::Dpkg).release, None);
        assert_eq!(ecosystem("", Manager::Rpm).release, None);
    }
}
