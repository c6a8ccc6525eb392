//! `bartizan db`: the database of advisories that scans ask.

use std::path::{Path, PathBuf};
use std::sync::Once;

use anyhow::Context as _;
use bartizan_supply::database::Report;
use bartizan_supply::load::import_path;
use bartizan_supply::{Builder, Database, Description};

use crate::args::{DatabaseArgs, Db, DbAction};
use crate::exit::Outcome;
use crate::{pipeline, terminal};

/// Days after which an import is old: OSV's exports and EPSS change daily.
const STALE_DAYS: i64 = 7;
/// Messages of each kind of trouble that are shown.
const SHOWN: usize = 5;

pub(super) fn run(arguments: &Db) -> anyhow::Result<Outcome> {
    match &arguments.action {
        DbAction::Update { paths, fresh, database } => update(paths, *fresh, &place(database)?),
        DbAction::Show { database } => show(&place(database)?),
    }
}

/// Where the database lies.
pub(crate) fn place(arguments: &DatabaseArgs) -> anyhow::Result<PathBuf> {
    if let Some(path) = &arguments.database {
        return Ok(path.clone());
    }
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = || set("XDG_DATA_HOME").or_else(|| set("LOCALAPPDATA")).or_else(|| set("HOME").map(|home| home.join(".local/share")));
    set("BARTIZAN_DATABASE")
        .or_else(|| data().map(|data| data.join("bartizan").join("advisories.db")))
        .context("there is no folder for the database: name its file with --database")
}

/// Where the database lies, if there is one: a review does without, unless somebody names it.
pub(crate) fn present(arguments: &DatabaseArgs) -> anyhow::Result<Option<PathBuf>> {
    match place(arguments) {
        Ok(file) if file.is_file() || arguments.database.is_some() => Ok(Some(file)),
        Ok(_) => Ok(None),
        Err(error) if arguments.database.is_some() => Err(error),
        Err(_) => Ok(None),
    }
}

/// Opens the database and warns where it is old.
pub(crate) fn open(path: &Path) -> anyhow::Result<Database> {
    if !path.is_file() {
        anyhow::bail!("there is no database `{}`: import advisories with `bartizan db update PATH…`", path.display());
    }
    let database = Database::open(path)?;
    // Several readers of one run need not hear it each.
    static TOLD: Once = Once::new();
    if let Some(text) = stale(database.description()) {
        TOLD.call_once(|| terminal::warning(&text));
    }
    Ok(database)
}

fn stale(description: &Description) -> Option<String> {
    let age = pipeline::days(&pipeline::today()?)? - pipeline::days(&description.imported)?;
    (age > STALE_DAYS).then(|| format!("the advisories were imported {age} days ago; what was found since is not in them"))
}

fn update(paths: &[PathBuf], fresh: bool, file: &Path) -> anyhow::Result<Outcome> {
    let mut builder = if !fresh && file.is_file() { Builder::from_database(&mut Database::open(file)?)? } else { Builder::default() };
    let today = pipeline::today().unwrap_or_default();
    for path in paths {
        builder.source(&path.display().to_string(), &today);
        import_path(path, &mut builder)?;
    }
    let report = builder.report.clone();
    tell(&report);
    anyhow::ensure!(
        builder.n_advisories() > 0,
        "there is no advisory of a package in what was named: {} files are none, {} cannot be read, {} advisories name no package, {} are withdrawn",
        report.n_ignored,
        report.n_malformed,
        report.n_without_package,
        report.n_withdrawn
    );
    let description = builder.write(file)?;
    let text = format!(
        "{} advisories imported, {} unchanged, {} withdrawn, {} without a package; {} files are no advisories\n",
        report.n_imported, report.n_unchanged, report.n_withdrawn, report.n_without_package, report.n_ignored
    );
    terminal::output((text + &described(&description, file)).as_bytes())?;
    let is_whole = report.n_malformed == 0 && report.n_unread == 0;
    Ok(if is_whole { Outcome::Clean } else { Outcome::Incomplete })
}

fn tell(report: &Report) {
    for (n, messages, words) in [
        (report.n_malformed, &report.malformed, "files cannot be read"),
        (report.n_unread, &report.unread, "parts of advisories cannot be compared"),
    ] {
        for message in messages.iter().take(SHOWN) {
            terminal::warning(message);
        }
        if n > SHOWN {
            terminal::warning(&format!("{n} {words}"));
        }
    }
    if !report.unknown_ecosystems.is_empty() {
        let parts: Vec<String> = report.unknown_ecosystems.iter().map(|(name, n)| format!("{name} ({n})")).collect();
        terminal::warning(&format!("advisories of ecosystems that are not known here are left out: {}", parts.join(", ")));
    }
}

fn show(file: &Path) -> anyhow::Result<Outcome> {
    let database = open(file)?;
    let mut text = described(database.description(), file);
    for (name, n) in &database.description().by_ecosystem {
        text.push_str(&format!("{n:>9}  {name}\n"));
    }
    terminal::output(text.as_bytes())?;
    Ok(Outcome::Clean)
}

/// What a database holds, in words.
fn described(description: &Description, file: &Path) -> String {
    let mut text = format!("{}: {}\n", file.display(), summary(description));
    if description.n_kev > 0 {
        text.push_str(&format!("{} known exploited vulnerabilities of {}\n", description.n_kev, description.kev_released));
    }
    if description.n_epss > 0 {
        text.push_str(&format!("{} probabilities of {}\n", description.n_epss, description.epss_day));
    }
    text
}

/// One line on a database.
pub(super) fn summary(description: &Description) -> String {
    let newest = description.newest.split('T').next().unwrap_or_default();
    format!("{} advisories, the newest of {newest}, imported {}", description.n_advisories, description.imported)
}

#[cfg(test)]
mod tests {
    use bartizan_supply::Description;

    use super::stale;

    #[test]
    fn an_old_import_is_told_and_one_of_today_is_not() {
        let imported = |day: &str| stale(&Description { imported: day.to_owned(), ..Description::default() });
        assert!(imported("2020-02-29").is_some_and(|text| text.starts_with("the advisories were imported ")));
        assert_eq!(imported(&crate::pipeline::today().unwrap_or_default()), None);
        assert_eq!(imported(""), None);
    }
}
