//! What package managers leave behind where they install, one module for each: the packages that are there, not those that were asked for.
//!
//! Readers take text, like those of lock files. What lies inside of another file (a jar's properties, a section of a binary) is a text of its own,
//! whose path goes on after `!/`; [`crate::unpack`] takes it out.

mod composer;
mod dotnet;
mod gem;
mod go_binary;
mod java;
mod node;
mod python;
mod rust_binary;

use crate::ecosystem::EcosystemKind;
use crate::lockfile::File;
use crate::package::Found;

/// A kind of text that names installed packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Installed {
    /// `package.json` of a Node package.
    NodePackage,
    /// `METADATA` of a `.dist-info`, `PKG-INFO` of an `.egg-info`, or an `.egg-info` that is a file.
    PythonMetadata,
    /// A specification of a Ruby gem.
    Gemspec,
    /// `vendor/composer/installed.json`.
    ComposerInstalled,
    /// `pom.properties` in a jar.
    MavenProperties,
    /// `META-INF/MANIFEST.MF` of a jar without `pom.properties`.
    JarManifest,
    /// What Go writes into a binary.
    GoBinary,
    /// What cargo-auditable writes into a binary.
    RustBinary,
    /// `.deps.json` of a .NET program.
    DotnetDependencies,
}

impl Installed {
    /// The kind of a text by its path; `None` where it names no installed package.
    pub fn of(path: &str) -> Option<Self> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        Some(match name {
            "package.json" => Self::NodePackage,
            "METADATA" if folder.ends_with(".dist-info") => Self::PythonMetadata,
            "PKG-INFO" if folder.ends_with(".egg-info") || folder.ends_with("EGG-INFO") => Self::PythonMetadata,
            "installed.json" if folder.ends_with("vendor/composer") => Self::ComposerInstalled,
            "pom.properties" if folder.contains("!/META-INF/maven/") => Self::MavenProperties,
            "MANIFEST.MF" if folder.ends_with("!/META-INF") => Self::JarManifest,
            ".go.buildinfo" if folder.ends_with('!') => Self::GoBinary,
            ".dep-v0" if folder.ends_with('!') => Self::RustBinary,
            _ if name.ends_with(".egg-info") => Self::PythonMetadata,
            _ if name.ends_with(".deps.json") => Self::DotnetDependencies,
            _ if name.ends_with(".gemspec") && (folder.ends_with("specifications") || folder.ends_with("specifications/default")) => {
                Self::Gemspec
            }
            _ => return None,
        })
    }

    /// The ecosystem of the packages that it names.
    pub fn ecosystem(self) -> EcosystemKind {
        match self {
            Self::NodePackage => EcosystemKind::NPM,
            Self::PythonMetadata => EcosystemKind::PYPI,
            Self::Gemspec => EcosystemKind::RUBYGEMS,
            Self::ComposerInstalled => EcosystemKind::PACKAGIST,
            Self::MavenProperties | Self::JarManifest => EcosystemKind::MAVEN,
            Self::GoBinary => EcosystemKind::GO,
            Self::RustBinary => EcosystemKind::CRATES,
            Self::DotnetDependencies => EcosystemKind::NUGET,
        }
    }

    /// Reads a text of this kind.
    pub fn read(self, file: &File<'_>) -> Found {
        let mut found = match self {
            Self::NodePackage => node::read(file),
            Self::PythonMetadata => python::read(file),
            Self::Gemspec => gem::read(file),
            Self::ComposerInstalled => composer::read(file),
            Self::MavenProperties => java::read_properties(file),
            Self::JarManifest => java::read_manifest(file),
            Self::GoBinary => go_binary::read(file),
            Self::RustBinary => rust_binary::read(file),
            Self::DotnetDependencies => dotnet::read(file),
        };
        found.merge_repeated();
        found
    }
}
