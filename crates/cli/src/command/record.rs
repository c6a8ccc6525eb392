//! `bartizan record`: a look at a system, kept in the register.

pub(super) mod convert;
pub(super) mod kept;
pub(super) mod look;
pub(super) mod notify;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bartizan_register::{ChangeKind, Place, Recorded, Register, Run, Severity, System, Time};

use self::look::Look;
use super::db;
use crate::args::register::{Record, RegisterPlace};
use crate::args::{Input, SeverityArg};
use crate::exit::Outcome;
use crate::{pipeline, terminal};

/// Changes that are shown one by one.
const SHOWN: usize = 20;

pub(super) fn run(arguments: &Record) -> anyhow::Result<Outcome> {
    let place = place(&arguments.place)?;
    let channels = notify::channels(&arguments.notify)?;
    let at = match &arguments.at {
        Some(text) => Time::parse(text)?,
        None => now()?,
    };
    let database = advisories(arguments)?;
    let mut input = arguments.input.clone();
    if input.paths.is_empty() && arguments.review.is_none() {
        input.paths.push(PathBuf::from("."));
    }
    let looked = match &arguments.review {
        Some(file) => Look::of_file(file, &input, database)?,
        None => Look::at(&input, database)?,
    };
    let system = system(arguments, &input, &looked)?;
    let run = Run {
        system,
        at,
        cause: "record".to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        revision: arguments.revision.clone().or_else(|| first_set(&["GITHUB_SHA", "CI_COMMIT_SHA"])).unwrap_or_default(),
        review: looked.review,
        packages: looked.packages,
        flaws: looked.flaws,
        unread: looked.unread.clone(),
        channels: notify::names(&channels),
        keep_unchanged: true,
    };
    let mut register = Register::open(&place)?;
    let recorded = register.record(&run)?;
    terminal::output(told(&run.system.name, &recorded, &place).as_bytes())?;
    tell_stale(&run.system.name, &recorded);
    let all_sent = notify::send(&mut register, &channels, notify::LEASE)?;
    register.close();
    for words in &looked.unjudged {
        terminal::warning(words);
    }
    let fails = |gate: SeverityArg| recorded.changes.iter().any(|change| change.kind.is_news() && at_gate(change.severity, gate));
    Ok(match arguments.fail_on.is_some_and(fails) {
        true => Outcome::Findings,
        false if !looked.unread.is_empty() || !looked.unjudged.is_empty() || recorded.is_stale || !all_sent => Outcome::Incomplete,
        false => Outcome::Clean,
    })
}

/// Where the register is.
pub(super) fn place(arguments: &RegisterPlace) -> anyhow::Result<Place> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(text) = arguments.register.clone().or_else(|| set("BARTIZAN_REGISTER")) {
        return Ok(Place::parse(&text)?);
    }
    // Beside the database of advisories: both are of the user, not of one system.
    let data = set("XDG_DATA_HOME").or_else(|| set("LOCALAPPDATA")).map(PathBuf::from);
    let data = data.or_else(|| set("HOME").map(|home| Path::new(&home).join(".local/share")));
    let data = data.context("there is no folder for the register: name its file with --register")?;
    Ok(Place::File(data.join("bartizan").join("register.sqlite")))
}

/// Whoever only asks or watches means a register that is there.
pub(super) fn must_exist(place: &Place) -> anyhow::Result<()> {
    match place {
        Place::File(file) if !file.is_file() => anyhow::bail!("there is no register `{}`: `bartizan record` makes one", file.display()),
        _ => Ok(()),
    }
}

/// The moment of the system's clock.
pub(super) fn now() -> anyhow::Result<Time> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).context("the clock stands before 1970")?;
    Ok(Time(i64::try_from(since.as_secs())?))
}

/// The database of advisories; one that nobody named need not be there.
fn advisories(arguments: &Record) -> anyhow::Result<Option<look::Advisories>> {
    let named = arguments.input.database.database.is_some() || std::env::var_os("BARTIZAN_DATABASE").is_some();
    let file = db::place(&arguments.input.database)?;
    if named || file.is_file() {
        return Ok(Some(look::Advisories::of(db::open(&file)?)));
    }
    terminal::warning("there is no database of advisories: packages are kept, vulnerabilities are not looked for (`bartizan db update`)");
    Ok(None)
}

fn system(arguments: &Record, input: &Input, looked: &Look) -> anyhow::Result<System> {
    let absolute = |path: &PathBuf| std::fs::canonicalize(path).with_context(|| format!("cannot read `{}`", path.display()));
    // What was handed in as a review cannot be reviewed again from what was only scanned.
    let kept = if arguments.review.is_some() { &[][..] } else { &input.paths };
    let absolute_paths = kept.iter().map(absolute).collect::<anyhow::Result<Vec<PathBuf>>>()?;
    let folder = || input.paths.first().and_then(|path| absolute(path).ok()).and_then(|path| name_of(&path));
    let name = arguments.system.clone().or_else(|| looked.system.clone()).or_else(folder);
    let name = name.context("the review does not say which system it is of: name it with --system")?;
    let repository = first_set(&["CI_PROJECT_URL"]).or_else(|| {
        let (server, name) = first_set(&["GITHUB_SERVER_URL"]).zip(first_set(&["GITHUB_REPOSITORY"]))?;
        Some(format!("{server}/{name}"))
    });
    Ok(System {
        name,
        paths: absolute_paths.iter().map(|path| path.display().to_string()).collect(),
        repository: repository.unwrap_or_default(),
        arguments: kept::text(input)?,
    })
}

/// The folder's own name, or that of the folder of a file.
fn name_of(path: &Path) -> Option<String> {
    let folder = if path.is_dir() { path } else { path.parent()? };
    folder.file_name().map(|name| name.to_string_lossy().into_owned())
}

fn first_set(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

/// Whether something is as bad as a gate asks for. What nobody rates may be anything, so it counts.
fn at_gate(severity: Severity, gate: SeverityArg) -> bool {
    severity == Severity::Unknown || Severity::of(bartizan_review::Severity::from(gate).id()).is_some_and(|gate| severity >= gate)
}

/// Older advisories than those that the register has seen change nothing.
pub(super) fn tell_stale(system: &str, recorded: &Recorded) {
    if recorded.is_stale {
        terminal::warning(&format!(
            "the register has judged {system} by newer advisories than those of this database; its vulnerabilities stay as they are"
        ));
    }
}

/// What a run brought, in a few lines.
pub(super) fn told(system: &str, recorded: &Recorded, place: &Place) -> String {
    let mut changes: Vec<_> = recorded.changes.iter().filter(|change| change.kind != ChangeKind::Advisory).collect();
    // What is gone comes last, however bad it was.
    changes.sort_by_key(|change| (!change.kind.is_news(), change.kind, std::cmp::Reverse(change.severity), change.number));
    let mut text = String::new();
    for change in changes.iter().take(SHOWN) {
        let more = if change.text.is_empty() { String::new() } else { format!("  {}", change.text) };
        text.push_str(&format!("{:<9} {:<8} {}  ({}){more}\n", change.kind.id(), change.severity.id(), change.title, change.subject));
    }
    if changes.len() > SHOWN {
        text.push_str(&format!("and {} more: `bartizan register history --system '{system}'`\n", changes.len() - SHOWN));
    }
    let kinds = ChangeKind::ALL.into_iter().filter_map(|kind| {
        let n = recorded.changes.iter().filter(|change| change.kind == kind).count();
        (n > 0).then(|| format!("{n} {}", kind.id()))
    });
    let kinds: Vec<String> = kinds.collect();
    let changed = match (kinds.is_empty(), recorded.is_first) {
        (true, true) => "nothing was found".to_owned(),
        (true, false) => "nothing has changed".to_owned(),
        (false, _) => kinds.join(", "),
    };
    let run = match recorded.number {
        Some(number) => format!("run {number} in {place}"),
        None => format!("no new run in {place}"),
    };
    let counted = |counts: &std::collections::BTreeMap<Severity, i64>| {
        let parts: Vec<String> = counts.iter().rev().map(|(severity, n)| format!("{n} {}", severity.id())).collect();
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    };
    text.push_str(&format!(
        "{system}: {run}: {changed}; open risks: {} ({} points); open vulnerabilities: {}\n",
        counted(&recorded.risks.open),
        recorded.risks.residual,
        counted(&recorded.vulnerabilities)
    ));
    text
}

/// Day of the clock, for decisions that end.
pub(super) fn today() -> anyhow::Result<String> {
    pipeline::today().context("the clock stands before 1970")
}
