//! Files that say which packages a system uses, one module for each package manager.
//!
//! A reader takes text and gives what it found; it never fails. What it cannot read is a diagnostic with its place and is counted as skipped, and
//! the rest of the file is read where the format lets it.
//! Readers resolve nothing over the network: a version that is settled elsewhere is skipped, never guessed.

mod bundler;
mod cargo;
mod composer;
mod go;
mod gradle;
pub(crate) mod json;
mod maven;
mod npm;
mod nuget;
mod pipenv;
mod pnpm;
mod python_locks;
mod requirements;
mod toml_text;
pub(crate) mod xml;
mod yaml;
mod yarn;

use std::sync::Arc;

use bartizan_model::{FileId, Span};

use crate::ecosystem::EcosystemKind;
use crate::package::Found;

/// Gives text and id of a file of the tree by its path below the root; `None` where there is none.
pub type Other<'a> = dyn Fn(&str) -> Option<(FileId, Arc<str>)> + 'a;

/// A file to read, and the files around it.
pub struct File<'a> {
    /// Its id, for spans.
    pub id: FileId,
    /// Path below the root, with `/`.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Text and id of another file of the tree by its path below the root; `None` where there is none.
    pub other: &'a Other<'a>,
}

impl File<'_> {
    /// Span of the bytes from `start` to `end`.
    pub(crate) fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span::new(self.id, range)
    }

    /// Span of a piece of this file's text; of its first byte where the piece is none of it.
    pub(crate) fn span_of(&self, piece: &str) -> Span {
        let start = piece.as_ptr().addr().checked_sub(self.text.as_ptr().addr()).filter(|start| start + piece.len() <= self.text.len());
        start.map_or_else(|| self.span(0..0), |start| self.span(start..start + piece.len()))
    }

    /// Span of a place that a parser tells as line and column, both from 1.
    pub(crate) fn span_at(&self, line: usize, column: usize) -> Span {
        let start: usize = self.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let at = (start + column.saturating_sub(1)).min(self.text.len());
        self.span(at..(at + 1).min(self.text.len()))
    }

    /// Path of a file named relative to this one; `None` where it leads out of the root.
    fn beside(&self, relative: &str) -> Option<String> {
        let mut parts: Vec<&str> = self.path.split('/').collect();
        parts.pop();
        for part in relative.split(['/', '\\']) {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        Some(parts.join("/"))
    }

    /// Text and id of a file named relative to this one.
    fn read_beside(&self, relative: &str) -> Option<(FileId, Arc<str>)> {
        (self.other)(&self.beside(relative)?)
    }
}

/// A kind of file that names packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// `Cargo.lock`.
    CargoLock,
    /// `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.
    PackageLock,
    /// `pnpm-lock.yaml`, versions 5 to 9.
    PnpmLock,
    /// `yarn.lock`, of Yarn 1 and later.
    YarnLock,
    /// `requirements.txt` and what is named like it.
    Requirements,
    /// `poetry.lock`.
    PoetryLock,
    /// `uv.lock`.
    UvLock,
    /// `Pipfile.lock`.
    PipfileLock,
    /// `pdm.lock`.
    PdmLock,
    /// `go.mod`, with the `go.sum` beside it.
    GoMod,
    /// `pom.xml`.
    Pom,
    /// `gradle.lockfile` and `buildscript-gradle.lockfile`.
    GradleLock,
    /// `Gemfile.lock` and `gems.locked`.
    GemfileLock,
    /// `composer.lock`.
    ComposerLock,
    /// `packages.lock.json`.
    NugetLock,
    /// `packages.config`.
    PackagesConfig,
    /// `.csproj`, `.fsproj` and `.vbproj`.
    DotnetProject,
}

impl Format {
    /// The format of a file by its path; `None` where it names no packages.
    pub fn of(path: &str) -> Option<Self> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        Some(match name {
            "Cargo.lock" => Self::CargoLock,
            "package-lock.json" | "npm-shrinkwrap.json" => Self::PackageLock,
            "pnpm-lock.yaml" => Self::PnpmLock,
            "yarn.lock" => Self::YarnLock,
            "poetry.lock" => Self::PoetryLock,
            "uv.lock" => Self::UvLock,
            "Pipfile.lock" => Self::PipfileLock,
            "pdm.lock" => Self::PdmLock,
            "go.mod" => Self::GoMod,
            "pom.xml" => Self::Pom,
            "gradle.lockfile" | "buildscript-gradle.lockfile" => Self::GradleLock,
            "Gemfile.lock" | "gems.locked" => Self::GemfileLock,
            "composer.lock" => Self::ComposerLock,
            "packages.lock.json" => Self::NugetLock,
            "packages.config" => Self::PackagesConfig,
            _ => {
                let (stem, ending) = name.rsplit_once('.')?;
                match ending {
                    "csproj" | "fsproj" | "vbproj" => Self::DotnetProject,
                    "txt" if stem.starts_with("requirements") || stem.ends_with("requirements") || folder.ends_with("requirements") => {
                        Self::Requirements
                    }
                    _ => return None,
                }
            }
        })
    }

    /// The ecosystem of the packages that it names.
    pub fn ecosystem(self) -> EcosystemKind {
        match self {
            Self::CargoLock => EcosystemKind::CRATES,
            Self::PackageLock | Self::PnpmLock | Self::YarnLock => EcosystemKind::NPM,
            Self::Requirements | Self::PoetryLock | Self::UvLock | Self::PipfileLock | Self::PdmLock => EcosystemKind::PYPI,
            Self::GoMod => EcosystemKind::GO,
            Self::Pom | Self::GradleLock => EcosystemKind::MAVEN,
            Self::GemfileLock => EcosystemKind::RUBYGEMS,
            Self::ComposerLock => EcosystemKind::PACKAGIST,
            Self::NugetLock | Self::PackagesConfig | Self::DotnetProject => EcosystemKind::NUGET,
        }
    }

    /// Reads a file of this format.
    pub fn read(self, file: &File<'_>) -> Found {
        let mut found = match self {
            Self::CargoLock => cargo::read(file),
            Self::PackageLock => npm::read(file),
            Self::PnpmLock => pnpm::read(file),
            Self::YarnLock => yarn::read(file),
            Self::Requirements => requirements::read(file),
            Self::PoetryLock => python_locks::read_poetry(file),
            Self::UvLock => python_locks::read_uv(file),
            Self::PipfileLock => pipenv::read(file),
            Self::PdmLock => python_locks::read_pdm(file),
            Self::GoMod => go::read(file),
            Self::Pom => maven::read(file),
            Self::GradleLock => gradle::read(file),
            Self::GemfileLock => bundler::read(file),
            Self::ComposerLock => composer::read(file),
            Self::NugetLock => nuget::read_lock(file),
            Self::PackagesConfig => nuget::read_packages_config(file),
            Self::DotnetProject => nuget::read_project(file),
        };
        found.merge_repeated();
        found
    }
}

/// Files that declare dependencies, and the files beside them or above that would settle the versions.
///
/// A declaration without any of its lock files is counted as skipped.
pub(crate) const DECLARATIONS: &[(&str, &[&str])] = &[
    ("Cargo.toml", &["Cargo.lock"]),
    ("package.json", &["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"]),
    ("pyproject.toml", &["poetry.lock", "uv.lock", "pdm.lock", "requirements.txt", "Pipfile.lock"]),
    ("Pipfile", &["Pipfile.lock"]),
    ("Gemfile", &["Gemfile.lock"]),
    ("gems.rb", &["gems.locked"]),
    ("composer.json", &["composer.lock"]),
    ("build.gradle", &["gradle.lockfile"]),
    ("build.gradle.kts", &["gradle.lockfile"]),
];
