//! One look at a system: its review, its packages, and what advisories say of them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use bartizan_model::{Address, Sources};
use bartizan_register::{Flaws, Package, Review};
use bartizan_report::{folder, json};
use bartizan_supply::load::scan_path;
use bartizan_supply::matching::find;
use bartizan_supply::{Database, Description, Found, SkipReason};
use sha2::{Digest as _, Sha256};

use super::convert;
use crate::args::Input;
use crate::progress::Progress;
use crate::{images, pipeline};

/// What a look at a system found.
#[derive(Debug, Default)]
pub(in crate::command) struct Look {
    /// Name that the plan gives itself.
    pub(in crate::command) system: Option<String>,
    pub(in crate::command) review: Option<Review>,
    pub(in crate::command) packages: Option<Vec<Package>>,
    pub(in crate::command) flaws: Option<Flaws>,
    /// Files that could not be read.
    pub(in crate::command) unread: Vec<String>,
    /// What could not be judged, in words for people.
    pub(in crate::command) unjudged: Vec<String>,
}

/// An open database of advisories.
pub(in crate::command) struct Advisories {
    database: Database,
    /// Digest of what it holds, the same wherever and whenever that was imported.
    pub(in crate::command) digest: String,
    /// Day of the latest change of any advisory: of two databases the one with the later day knows more.
    pub(in crate::command) day: String,
}

impl Advisories {
    pub(in crate::command) fn of(database: Database) -> Self {
        let Description { by_ecosystem, newest, kev_released, epss_day, n_kev, n_epss, .. } = database.description();
        let held = format!("{by_ecosystem:?} {newest} {kev_released} {n_kev} {epss_day} {n_epss}");
        let digest = Sha256::digest(held).iter().map(|byte| format!("{byte:02x}")).collect();
        let day = newest.get(..10).unwrap_or_default().to_owned();
        Self { database, digest, day }
    }

    /// Opens a file without a word on its age.
    pub(in crate::command) fn open(file: &Path) -> anyhow::Result<Self> {
        Ok(Self::of(Database::open(file)?))
    }
}

impl Look {
    /// Reviews and scans. A system of packages alone has no review.
    pub(in crate::command) fn at(input: &Input, advisories: Option<Advisories>) -> anyhow::Result<Self> {
        let mut looked = Self::default();
        let pipeline::Looked { review, found, sources, shippers } = pipeline::review_and_packages(input)?;
        anyhow::ensure!(
            review.is_some() || !found.packages.is_empty(),
            "there is nothing to record in {}: no file of a plan, and none that names packages",
            pipeline::names(input)
        );
        if let Some(review) = review {
            looked.read(folder::pretty(&json::v1::review(&review)))?;
        }
        looked.keep(&found, &sources, &shippers, advisories)?;
        Ok(looked)
    }

    /// Takes a finished review, and scans the paths and images where there are any.
    pub(in crate::command) fn of_file(file: &Path, input: &Input, advisories: Option<Advisories>) -> anyhow::Result<Self> {
        let mut looked = Self::default();
        let json = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        looked.read(json).with_context(|| format!("`{}` is no review.json", file.display()))?;
        if !input.paths.is_empty() || !input.images.images.is_empty() {
            let mut sources = Sources::default();
            let mut found = images::scan(&input.images, &mut sources, &Progress::start())?;
            for path in &input.paths {
                found.append(scan_path(path, &mut sources)?);
            }
            looked.keep(&found, &sources, &BTreeMap::new(), advisories)?;
        }
        Ok(looked)
    }

    /// Matches packages that were recorded earlier.
    pub(in crate::command) fn again(packages: &[Package], advisories: Advisories) -> anyhow::Result<Self> {
        let mut looked = Self::default();
        looked.judge(packages, advisories, &[])?;
        Ok(looked)
    }

    fn read(&mut self, json: Vec<u8>) -> anyhow::Result<()> {
        let read = convert::review(json)?;
        self.system = read.system;
        self.unread.extend(read.unread);
        self.review = Some(read.review);
        Ok(())
    }

    fn keep(
        &mut self,
        found: &Found,
        sources: &Sources,
        shippers: &BTreeMap<String, Vec<Address>>,
        advisories: Option<Advisories>,
    ) -> anyhow::Result<()> {
        let packages: Vec<Package> = found.packages.iter().map(|package| convert::package(package, sources, shippers)).collect();
        let mut skipped = Vec::new();
        for of in &found.skipped {
            let place = of.span.map(|span| format!("{}:{}: ", sources.path(span), sources.start(span).line)).unwrap_or_default();
            self.unjudged.push(format!("{place}{}: {}", of.what, of.reason));
            match of.reason {
                SkipReason::Malformed
                | SkipReason::FormatVersion(_)
                | SkipReason::TooLarge
                | SkipReason::Unreadable(_)
                | SkipReason::Image(_) => {
                    self.unread.push(of.span.map_or_else(|| of.what.clone(), |span| sources.path(span).to_owned()));
                }
                _ => skipped.push(of.what.clone()),
            }
        }
        self.unread.sort();
        self.unread.dedup();
        if let Some(advisories) = advisories {
            self.judge(&packages, advisories, &skipped)?;
        }
        self.packages = Some(packages);
        Ok(())
    }

    fn judge(&mut self, packages: &[Package], mut advisories: Advisories, skipped: &[String]) -> anyhow::Result<()> {
        let (asked, unknown) = convert::to_judge(packages);
        let matches = find(&mut advisories.database, &asked.iter().map(|(_, package)| package.clone()).collect::<Vec<_>>())?;
        let mut unjudged: Vec<(String, String)> = skipped.iter().flat_map(|what| convert::names(what)).collect();
        for of in &matches.skipped {
            unjudged.extend(convert::names(&of.what));
            self.unjudged.push(format!("{}: {}", of.what, of.reason));
        }
        for package in unknown {
            unjudged.push((package.ecosystem.clone(), package.name.clone()));
            self.unjudged.push(format!("{}@{}: its ecosystem `{}` is not known", package.name, package.version, package.ecosystem));
        }
        let found = matches.vulnerabilities.iter().filter_map(|flaw| {
            let (index, package) = asked.get(flaw.package)?;
            Some(convert::flaw(flaw, package, packages.get(*index)?))
        });
        self.flaws = Some(Flaws { database: advisories.digest, database_day: advisories.day, found: found.collect(), unjudged });
        Ok(())
    }
}
