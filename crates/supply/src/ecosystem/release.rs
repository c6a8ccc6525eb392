//! Releases of distributions: what images and package URLs call them, and what OSV calls them.

use super::{Ecosystem, EcosystemKind};

/// Debian's releases by code name. Source: debian.org/releases.
const DEBIAN: &[(&str, &str)] = &[
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
];

/// Ubuntu's releases with long-term support by code name. Source: wiki.ubuntu.com/Releases.
const UBUNTU: &[(&str, &str)] = &[
    ("trusty", "14.04"),
    ("xenial", "16.04"),
    ("bionic", "18.04"),
    ("focal", "20.04"),
    ("jammy", "22.04"),
    ("noble", "24.04"),
    ("resolute", "26.04"),
];

impl Ecosystem {
    /// The ecosystem of a distribution's release as images (`ID` and `VERSION_ID` of os-release, joined by `-`) and package URLs (`distro`) name it.
    ///
    /// `debian-12`, `12.5` and `bookworm` are Debian's release `12`; `alpine-3.20.3` is Alpine's `v3.20`.
    pub fn of_distribution(kind: EcosystemKind, distro: &str) -> Self {
        Self { kind, release: if kind.has_releases() { release(kind, distro) } else { None } }
    }

    /// The release as package URLs name it (`distro`).
    pub fn distro(&self) -> Option<String> {
        let release = self.release.as_deref()?;
        let release = if self.kind == EcosystemKind::ALPINE { release.strip_prefix('v').unwrap_or(release) } else { release };
        Some(format!("{}-{release}", ids(self.kind).first()?))
    }

    /// Whether what an advisory says of this ecosystem holds for packages of another one.
    ///
    /// Red Hat and SUSE publish by product (`enterprise_linux:9::appstream`, `Linux Enterprise Module for Basesystem 15 SP5`), and packages tell
    /// only the release that the products are parts of.
    pub fn covers(&self, packages: &Self) -> bool {
        if self.kind != packages.kind {
            return false;
        }
        let (Some(product), Some(release)) = (&self.release, &packages.release) else { return self.release.is_none() };
        product == release
            || match self.kind.name() {
                "Red Hat" => {
                    product.strip_prefix("enterprise_linux:").and_then(|rest| rest.split([':', '.']).next()) == Some(release.as_str())
                }
                "SUSE" => product
                    .split_once(&format!(" {release}"))
                    .is_some_and(|(_, rest)| !rest.starts_with(|next: char| next.is_ascii_digit())),
                _ => false,
            }
    }
}

/// What a distribution is called in `ID` of os-release and in package URLs; ours first.
fn ids(kind: EcosystemKind) -> &'static [&'static str] {
    match kind.name() {
        "Debian" => &["debian"],
        "Ubuntu" => &["ubuntu"],
        "Alpine" => &["alpine"],
        "Red Hat" => &["redhat", "rhel"],
        "AlmaLinux" => &["almalinux", "alma"],
        "Rocky Linux" => &["rocky", "rockylinux", "rocky-linux"],
        "openSUSE" => &["opensuse"],
        "SUSE" => &["sles", "suse", "sled"],
        "openEuler" => &["openEuler", "openeuler"],
        "Mageia" => &["mageia"],
        "Azure Linux" => &["azurelinux", "mariner"],
        "Alpaquita" => &["alpaquita"],
        "Amazon Linux" => &["amzn"],
        "Fedora" => &["fedora"],
        "Oracle Linux" => &["oracle", "ol"],
        "CentOS" => &["centos"],
        _ => &[],
    }
}

fn release(kind: EcosystemKind, distro: &str) -> Option<String> {
    let rest = ids(kind).iter().find_map(|id| distro.strip_prefix(id)?.strip_prefix('-')).unwrap_or(distro);
    let named = |names: &[(&str, &str)]| names.iter().find(|(name, _)| *name == rest).map_or(rest, |(_, number)| number).to_owned();
    let numbers = || rest.split('.').map_while(|part| part.parse::<u32>().ok()).collect::<Vec<u32>>();
    let read = match (kind.name(), numbers().as_slice()) {
        ("Debian" | "Red Hat" | "AlmaLinux" | "Rocky Linux" | "Mageia" | "Azure Linux" | "Oracle Linux" | "CentOS", [major, ..]) => {
            major.to_string()
        }
        ("Debian", []) => named(DEBIAN),
        ("Ubuntu", []) => named(UBUNTU),
        ("Ubuntu", [year, month, ..]) => format!("{year}.{month:02}"),
        ("Alpine", []) if rest.starts_with('v') => return release(kind, rest.strip_prefix('v')?),
        ("Alpine", [major, minor, ..]) => format!("v{major}.{minor}"),
        ("SUSE", [major, 0]) => major.to_string(),
        ("SUSE", [major, pack]) => format!("{major} SP{pack}"),
        ("openSUSE", _) if rest.starts_with("tumbleweed") => "Tumbleweed".to_owned(),
        ("openSUSE", _) => rest.strip_prefix("leap-").map_or_else(|| rest.to_owned(), |number| format!("Leap {number}")),
        _ => rest.to_owned(),
    };
    Some(read).filter(|read| !read.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::Ecosystem;

    fn read(kind: &str, distro: &str) -> String {
        Ecosystem::of_distribution(kind.parse::<Ecosystem>().unwrap().kind, distro).to_string()
    }

    #[test]
    fn each_way_to_name_a_release_is_the_one_of_the_advisories() {
        let cases = [
            ("Debian", "debian-12", "Debian:12"),
            ("Debian", "12.5", "Debian:12"),
            ("Debian", "bookworm", "Debian:12"),
            ("Debian", "debian-sid", "Debian:sid"),
            ("Debian", "", "Debian"),
            ("Ubuntu", "ubuntu-22.04", "Ubuntu:22.04"),
            ("Ubuntu", "jammy", "Ubuntu:22.04"),
            ("Ubuntu", "ubuntu-Pro:18.04", "Ubuntu:Pro:18.04"),
            ("Alpine", "alpine-3.20.3", "Alpine:v3.20"),
            ("Alpine", "3.9", "Alpine:v3.9"),
            ("Alpine", "v3.18", "Alpine:v3.18"),
            ("Alpine", "edge", "Alpine:edge"),
            ("Red Hat", "rhel-9.4", "Red Hat:9"),
            ("Rocky Linux", "rocky-8.10", "Rocky Linux:8"),
            ("AlmaLinux", "alma-9.3", "AlmaLinux:9"),
            ("SUSE", "sles-15.5", "SUSE:15 SP5"),
            ("openSUSE", "opensuse-leap-15.6", "openSUSE:Leap 15.6"),
            ("openSUSE", "opensuse-tumbleweed-20240101", "openSUSE:Tumbleweed"),
            ("openEuler", "openEuler-22.03-LTS-SP3", "openEuler:22.03-LTS-SP3"),
            ("Wolfi", "wolfi-20230201", "Wolfi"),
        ];
        for (kind, distro, expected) in cases {
            assert_eq!(read(kind, distro), expected, "{distro}");
            let ecosystem: Ecosystem = expected.parse().unwrap();
            let again = ecosystem.distro().map(|distro| read(kind, &distro));
            assert_eq!(again, ecosystem.release.is_some().then(|| expected.to_owned()), "{ecosystem} as a qualifier and back");
        }
    }

    #[test]
    fn products_cover_the_release_that_they_are_parts_of() {
        let covers = |product: &str, packages: &str| product.parse::<Ecosystem>().unwrap().covers(&packages.parse().unwrap());
        assert!(covers("Red Hat:enterprise_linux:9::appstream", "Red Hat:9"));
        assert!(covers("Red Hat:enterprise_linux:10.0", "Red Hat:10"));
        assert!(!covers("Red Hat:rhel_eus:9.2::baseos", "Red Hat:9"));
        assert!(covers("SUSE:Linux Enterprise Module for Basesystem 15 SP5", "SUSE:15 SP5"));
        assert!(!covers("SUSE:Linux Enterprise Server 15 SP5", "SUSE:15 SP"));
        assert!(covers("Debian", "Debian:12") && !covers("Debian:11", "Debian:12") && !covers("Debian:12", "Debian"));
        assert!(!covers("npm", "PyPI"));
    }
}
