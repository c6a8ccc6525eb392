//! Files → review, as all commands need it.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use bartizan_model::calendar::{self, civil};
use bartizan_model::{Address, Architecture, Component};
use bartizan_review::{Attack, Policy, Review};

use crate::args::Input;
use crate::catalogue::{Knowledge, Loading};
use crate::command::db;
use crate::progress::Progress;
use crate::{catalogue, software, terminal};

/// No file that is named is one of a plan; a system may consist of packages alone.
#[derive(Debug)]
pub(crate) struct NothingToReview(String);

impl std::fmt::Display for NothingToReview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "there is nothing to review in {}: no Terraform, plan or Kubernetes file", self.0)
    }
}

impl std::error::Error for NothingToReview {}

/// Reads and reviews what the user names.
pub(crate) fn review(input: &Input) -> anyhow::Result<Review> {
    review_with_knowledge(input).map(|(review, _)| review)
}

/// The same, with the catalogue that the review was made by.
pub(crate) fn review_with_knowledge(input: &Input) -> anyhow::Result<(Review, Knowledge)> {
    let policy = Policy { today: today(), ..Policy::default() };
    read(input, |architecture, knowledge| bartizan_review::review(architecture, &knowledge.catalogue, &policy))
}

/// Reads what the user names, and who can do what there.
pub(crate) fn attack(input: &Input, policy: &Policy) -> anyhow::Result<(Architecture, Attack, Knowledge)> {
    let ((architecture, attack), knowledge) =
        read(input, |architecture, knowledge| bartizan_review::attack_graph(architecture, &knowledge.catalogue, policy))?;
    Ok((architecture, attack, knowledge))
}

fn read<T>(input: &Input, look: impl FnOnce(Architecture, &Knowledge) -> T) -> anyhow::Result<(T, Knowledge)> {
    let loading = catalogue::begin(input.catalogue.catalogue.as_deref())?;
    let here = [PathBuf::from(".")];
    let paths: &[PathBuf] = if input.paths.is_empty() { &here } else { &input.paths };
    let progress = Progress::start();
    progress.say("listing files");
    let tree = bartizan_import::load(paths)?;
    progress.say(format!("reading {} files", tree.paths().count()));
    let mut architecture = bartizan_import::import(&tree, &loading.services);
    if has_nothing(&architecture) {
        let names: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        return Err(NothingToReview(names.join(", ")).into());
    }
    if let Some(file) = db::present(&input.database)? {
        progress.say("looking up packages");
        software::add(&mut architecture, &tree, &file)?;
    }
    let knowledge = told(loading);
    progress.say(format!("reviewing {} components", architecture.components.len()));
    let seen = look(architecture, &knowledge);
    Ok((seen, knowledge))
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
