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
    like: String,
    version: String,
    codename: String,
    /// For people: `Debian GNU/Linux 12 (bookworm)`.
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
        Self {
            id: take("ID").to_lowercase(),
            like: take("ID_LIKE").to_lowercase(),
            version: take("VERSION_ID"),
            codename: take("VERSION_CODENAME"),
            name: take("PRETTY_NAME"),
        }
    }

    /// The ecosystem of the packages that a manager installed. A distribution that is not known has no release, so nothing is judged by another's
    /// advisories.
    pub(crate) fn ecosystem(&self, manager: Manager) -> Ecosystem {
        let (major, minor) = self.version.split_once('.').unwrap_or((&self.version, ""));
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let of = |name: &str, release: Option<&str>| Ecosystem {
            kind: name.parse::<Ecosystem>().map_or(EcosystemKind::RED_HAT, |of| of.kind),
            release: release.filter(|release| !release.is_empty()).map(str::to_owned),
        };
        match (manager, self.id.as_str()) {
            (Manager::Dpkg, "ubuntu") => of("Ubuntu", Some(&self.version)),
            (Manager::Dpkg, "debian") if major.is_empty() => of("Debian", debian_release(&self.codename)),
            (Manager::Dpkg, "debian") => of("Debian", Some(major)),
            (Manager::Dpkg, _) => of("Debian", None),
            (Manager::Apk, "alpine") => {
                let minor = minor.get(..digits(minor)).unwrap_or_default();
                of("Alpine", (!minor.is_empty()).then(|| format!("v{major}.{minor}")).as_deref())
            }
            (Manager::Apk, "wolfi") => of("Wolfi", None),
            (Manager::Apk, "chainguard") => of("Chainguard", None),
            (Manager::Apk, _) => of("Alpine", None),
            (Manager::Rpm, "rhel") => of("Red Hat", Some(major)),
            (Manager::Rpm, "almalinux") => of("AlmaLinux", Some(major)),
            (Manager::Rpm, "rocky") => of("Rocky Linux", Some(major)),
            (Manager::Rpm, "amzn") => of("Amazon Linux", Some(&self.version)),
            (Manager::Rpm, "fedora") => of("Fedora", Some(&self.version)),
            (Manager::Rpm, "ol") => of("Oracle Linux", Some(major)),
            (Manager::Rpm, "centos") => of("CentOS", Some(major)),
            (Manager::Rpm, "azurelinux" | "mariner") => of("Azure Linux", Some(major)),
            (Manager::Rpm, "mageia") => of("Mageia", Some(&self.version)),
            (Manager::Rpm, "opensuse-leap") => of("openSUSE", Some(&format!("Leap {}", self.version))),
            (Manager::Rpm, "opensuse-tumbleweed") => of("openSUSE", Some("Tumbleweed")),
            (Manager::Rpm, "sles") => of("SUSE", Some(&format!("Linux Enterprise Server {}", self.version.replacen('.', " SP", 1)))),
            (Manager::Rpm, _) => of("Red Hat", None),
        }
    }
}

/// Source: debian.org/releases; testing and unstable have no `VERSION_ID`.
fn debian_release(codename: &str) -> Option<&'static str> {
    Some(match codename {
        "forky" => "14",
        "trixie" => "13",
        "bookworm" => "12",
        "bullseye" => "11",
        "buster" => "10",
        _ => return None,
    })
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
    }

    #[test]
    fn an_unknown_distribution_has_no_release() {
        let ecosystem = |text: &str, manager| Release::read(text).ecosystem(manager);
        assert_eq!(ecosystem("ID=mine\nID_LIKE=debian\nVERSION_ID=12\n", Manager::Dpkg).release, None);
        assert_eq!(ecosystem("", Manager::Rpm).release, None);
    }
}
