//! Files → review, as all commands need it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use bartizan_import::Tree;
use bartizan_model::calendar::{self, civil};
use bartizan_model::{Address, Architecture, Component, Sources};
use bartizan_review::{Attack, Policy, Review};
use bartizan_supply::Found;

use crate::args::Input;
use crate::catalogue::{Knowledge, Loading};
use crate::command::db;
use crate::progress::Progress;
use crate::{catalogue, git, software, terminal};

/// Reads and reviews what the user names.
pub(crate) fn review(input: &Input) -> anyhow::Result<Review> {
    review_with_knowledge(input).map(|(review, _)| review)
}

/// The same, with the catalogue that the review was made by.
pub(crate) fn review_with_knowledge(input: &Input) -> anyhow::Result<(Review, Knowledge)> {
    read(input, |architecture, knowledge| bartizan_review::review(architecture, &knowledge.catalogue, &policy()))
}

/// Reads what the user names, and who can do what there.
pub(crate) fn attack(input: &Input, policy: &Policy) -> anyhow::Result<(Architecture, Attack, Knowledge)> {
    let ((architecture, attack), knowledge) =
        read(input, |architecture, knowledge| bartizan_review::attack_graph(architecture, &knowledge.catalogue, policy))?;
    Ok((architecture, attack, knowledge))
}

/// A review with the packages of its system.
pub(crate) struct Looked {
    /// None of packages alone.
    pub(crate) review: Option<Review>,
    pub(crate) found: Found,
    /// What the spans of the packages point into.
    pub(crate) sources: Sources,
    /// By file of packages, what ships them.
    pub(crate) shippers: BTreeMap<String, Vec<Address>>,
}

/// Reviews what the user names and keeps the packages that were found on the way; they are looked for without a database, too.
pub(crate) fn review_and_packages(input: &Input) -> anyhow::Result<Looked> {
    let progress = Progress::start();
    let mut reading = Reading::start(input, &progress)?;
    let is_plan = !has_nothing(&reading.architecture);
    let found = reading.scan(input, &progress)?;
    if !is_plan {
        return Ok(Looked { review: None, found, sources: reading.architecture.sources, shippers: BTreeMap::new() });
    }
    software::add(&mut reading.architecture, &found, database(input)?.as_deref())?;
    let sources = reading.architecture.sources.clone();
    let files: BTreeSet<&str> = found.packages.iter().map(|package| sources.path(package.span)).collect();
    let ((review, shippers), _) = reading.end(&progress, |architecture, knowledge| {
        let review = bartizan_review::review(architecture, &knowledge.catalogue, &policy());
        let shippers = bartizan_review::shippers(&review.architecture, &knowledge.catalogue.services, &files);
        (review, shippers)
    });
    Ok(Looked { review: Some(review), found, sources, shippers })
}

fn read<T>(input: &Input, look: impl FnOnce(Architecture, &Knowledge) -> T) -> anyhow::Result<(T, Knowledge)> {
    let progress = Progress::start();
    let mut reading = Reading::start(input, &progress)?;
    if has_nothing(&reading.architecture) {
        anyhow::bail!("there is nothing to review in {}: no Terraform, plan or Kubernetes file", names(input));
    }
    match database(input)? {
        Some(file) => {
            let found = reading.scan(input, &progress)?;
            software::add(&mut reading.architecture, &found, Some(&file))?;
        }
        None => software::read_recipes(&mut reading.architecture, &reading.tree),
    }
    Ok(reading.end(&progress, look))
}

/// Files that were imported and are not yet looked at.
struct Reading {
    loading: Loading,
    tree: Tree,
    architecture: Architecture,
}

impl Reading {
    fn start(input: &Input, progress: &Progress) -> anyhow::Result<Self> {
        let loading = catalogue::begin(input.catalogue.catalogue.as_deref())?;
        progress.say("listing files");
        let tree = bartizan_import::load(paths(input))?;
        progress.say(format!("reading {} files", tree.paths().count()));
        let mut architecture = bartizan_import::import(&tree, &loading.services);
        if let Some(below) = tree.root().and_then(git::place_in_repository) {
            architecture.sources.lie_below(&below);
        }
        Ok(Self { loading, tree, architecture })
    }

    fn scan(&mut self, input: &Input, progress: &Progress) -> anyhow::Result<Found> {
        progress.say("looking up packages");
        software::scan(&mut self.architecture, &self.tree, input, progress)
    }

    fn end<T>(self, progress: &Progress, look: impl FnOnce(Architecture, &Knowledge) -> T) -> (T, Knowledge) {
        let knowledge = told(self.loading);
        progress.say(format!("reviewing {} components", self.architecture.components.len()));
        let seen = look(self.architecture, &knowledge);
        (seen, knowledge)
    }
}

fn paths(input: &Input) -> &[PathBuf] {
    static HERE: LazyLock<[PathBuf; 1]> = LazyLock::new(|| [PathBuf::from(".")]);
    if input.paths.is_empty() { &*HERE } else { &input.paths }
}

/// The database that packages are looked up in: one that is there, and where images are to be looked at, one that has to be.
fn database(input: &Input) -> anyhow::Result<Option<PathBuf>> {
    match db::present(&input.database)? {
        None if input.pull || !input.images.images.is_empty() => db::place(&input.database).map(Some),
        present => Ok(present),
    }
}

/// What was named, for messages.
pub(crate) fn names(input: &Input) -> String {
    let names: Vec<String> = paths(input).iter().map(|path| format!("`{}`", path.display())).collect();
    names.join(", ")
}

fn policy() -> Policy {
    Policy { today: today(), ..Policy::default() }
}

/// True where no file of a tree is any of a plan.
pub(crate) fn has_nothing(architecture: &Architecture) -> bool {
    architecture.sources.iter().next().is_none()
}

/// The catalogue, with its mistakes told but not fatal: the rules without mistakes still hold.
pub(crate) fn knowledge(folder: Option<&Path>) -> anyhow::Result<Knowledge> {
    catalogue::begin(folder).map(told)
}

fn told(loading: Loading) -> Knowledge {
    const TOLD: usize = 5;
    let knowledge = loading.finish();
    for mistake in knowledge.mistakes.iter().take(TOLD) {
        terminal::warning(&format!("in the catalogue: {mistake}"));
    }
    if knowledge.mistakes.len() > TOLD {
        terminal::warning(&format!("and {} more mistakes; `bartizan rules check` lists them", knowledge.mistakes.len() - TOLD));
    }
    knowledge
}

/// The component of an address or of a name that only one has; all instances where the address leaves out their keys.
pub(crate) fn addresses(architecture: &Architecture, name: &str) -> Vec<Address> {
    let exact = Address::new(name);
    if architecture.components.contains_key(&exact) {
        return vec![exact];
    }
    let of_block = architecture.components.keys().filter(|address| address.without_instance_keys() == exact);
    let of_block: Vec<Address> = of_block.cloned().collect();
    if !of_block.is_empty() {
        return of_block;
    }
    let mut named = architecture.components.values().filter(|component| component.name == name).map(|component| component.address.clone());
    match (named.next(), named.next()) {
        (Some(only), None) => vec![only],
        _ => Vec::new(),
    }
}

/// `; did you mean …?` with components whose address or name holds what was typed.
pub(crate) fn near(architecture: &Architecture, typed: &str) -> String {
    let holds = |component: &&Component| component.address.as_str().contains(typed) || component.name == typed;
    let close = architecture.components.values().filter(holds).map(|component| component.address.as_str());
    did_you_mean(close).unwrap_or_else(|| "; `bartizan model` lists them".to_owned())
}

/// `; did you mean …?` with the first few of what comes close; nothing where nothing does.
pub(crate) fn did_you_mean<'n>(close: impl Iterator<Item = &'n str>) -> Option<String> {
    const MOST: usize = 5;
    let close: Vec<String> = close.take(MOST).map(|name| format!("`{name}`")).collect();
    (!close.is_empty()).then(|| format!("; did you mean {}?", close.join(", ")))
}

/// Writes to a file, or to standard output.
pub(crate) fn write(content: &[u8], output: Option<&Path>) -> anyhow::Result<()> {
    match output {
        Some(path) => std::fs::write(path, content).with_context(|| format!("cannot write `{}`", path.display())),
        None => terminal::output(content),
    }
}

/// The day of the system's clock in UTC, ISO 8601.
pub(crate) fn today() -> Option<String> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let (year, month, day) = civil(i64::try_from(seconds / 86_400).ok()?);
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

/// Number of a day since 1970-01-01; `None` where the text does not begin with a day.
pub(crate) fn days(day: &str) -> Option<i64> {
    let mut parts = day.get(..10)?.split('-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    Some(calendar::days(year, month, day))
}

#[cfg(test)]
mod tests {
    use bartizan_model::calendar::civil;

    use super::days;

    #[test]
    fn dates_become_days() {
        for day in [0, 58, 59, 60, 11_016, 11_017, 20_781] {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(&format!("{year:04}-{month:02}-{of_month:02}T00:00:00Z")), Some(day));
        }
        assert_eq!(days("soon"), None);
    }
}
