//! `bartizan diff`: what changed between two states of a plan.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use anyhow::Context as _;
use bartizan_import::Tree;
use bartizan_report::difference::{self, Difference, Snapshot};
use bartizan_report::{folder, json};
use bartizan_review::{Policy, Severity};

use super::db;
use crate::args::{Diff, DiffFormat};
use crate::catalogue::Knowledge;
use crate::exit::Outcome;
use crate::git::Repository;
use crate::progress::Progress;
use crate::{pipeline, software, terminal};

/// A state of the plan, as the user named it.
enum State {
    /// A review that was made before.
    Review(Box<Snapshot>),
    /// Files of a folder, or one plan.
    Files(Vec<PathBuf>),
    /// A revision: its repository and the id of its tree.
    Revision(Repository, String),
}

pub(super) fn run(arguments: &Diff) -> anyhow::Result<Outcome> {
    // What cannot be found is told before anything is reviewed.
    let states = (state(&arguments.base, arguments)?, state(&arguments.head, arguments)?);
    let knowledge = pipeline::knowledge(arguments.catalogue.catalogue.as_deref())?;
    let database = db::present(&arguments.database)?;
    let database = database.as_deref();
    let progress = Progress::start();
    progress.say(format!("reviewing {} and {}", arguments.base, arguments.head));
    let (base, head) = std::thread::scope(|scope| {
        let base = scope.spawn(|| snapshot(states.0, arguments, &knowledge, database));
        let head = snapshot(states.1, arguments, &knowledge, database);
        // A panic is our bug: it goes on where it can be told as one.
        (base.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), head)
    });
    let ((base, _), (head, unread)) = (base?, head?);
    drop(progress);
    anyhow::ensure!(
        !(base.is_empty() && head.is_empty()),
        "there is nothing to review in `{}` and `{}`: no Terraform, plan or Kubernetes file",
        arguments.base,
        arguments.head
    );
    let difference = difference::difference((&arguments.base, &base), (&arguments.head, &head));
    show(&difference, arguments)?;
    let gate = arguments.fail_on.map(Severity::from);
    Ok(match gate.map_or(0, |gate| difference.stops(gate)) {
        0 if unread > 0 => Outcome::Incomplete,
        0 => Outcome::Clean,
        _ => Outcome::Findings,
    })
}

fn state(name: &str, arguments: &Diff) -> anyhow::Result<State> {
    let path = Path::new(name);
    let here = arguments.repo.clone().unwrap_or_else(|| PathBuf::from("."));
    let repository = Repository::around(&here);
    let revision = || {
        let repository = repository.clone()?;
        let tree = repository.tree_of(name)?;
        Some(State::Revision(repository, tree))
    };
    if !path.exists() {
        return revision().with_context(|| match (&repository, &arguments.repo) {
            (Some(_), _) => format!("`{name}` is neither a revision of the repository nor a file or folder"),
            (None, Some(folder)) => format!("`{}` lies in no git repository, and there is no file or folder `{name}`", folder.display()),
            (None, None) => format!("there is no file or folder `{name}`, and no git repository here that could have such a revision"),
        });
    }
    let is_plainly_a_path = name.contains('/') || name == "." || name == "..";
    anyhow::ensure!(
        is_plainly_a_path || revision().is_none(),
        "`{name}` is a revision of the repository as well as a file or folder: write `./{name}` or `refs/heads/{name}`"
    );
    if path.is_file() {
        let text = std::fs::read(path).with_context(|| format!("cannot read `{name}`"))?;
        if is_review(&text) {
            let read = Snapshot::from_json(&text).with_context(|| format!("cannot compare `{name}`"))?;
            return Ok(State::Review(Box::new(read)));
        }
        return Ok(State::Files(vec![path.to_owned()]));
    }
    let paths = arguments.paths.iter().map(|inside| path.join(inside)).filter(|path| path.exists()).collect::<Vec<_>>();
    Ok(State::Files(if arguments.paths.is_empty() { vec![path.to_owned()] } else { paths }))
}

/// Whether a file is written by this tool; the mark of a format is its first member.
fn is_review(text: &[u8]) -> bool {
    const NEAR: usize = 200;
    let start = text.get(..NEAR.min(text.len())).unwrap_or_default();
    String::from_utf8_lossy(start).contains("\"bartizan/")
}

/// The review of a state, with how many places of it could not be read.
fn snapshot(state: State, arguments: &Diff, knowledge: &Knowledge, database: Option<&Path>) -> anyhow::Result<(Snapshot, usize)> {
    let tree = match state {
        State::Review(read) => return Ok((*read, 0)),
        State::Files(paths) if paths.is_empty() => return Ok((Snapshot::default(), 0)),
        State::Files(paths) => bartizan_import::load(&paths)?,
        State::Revision(repository, tree) => repository.read(&tree, &arguments.paths)?,
    };
    reviewed(&tree, knowledge, database)
}

fn reviewed(tree: &Tree, knowledge: &Knowledge, database: Option<&Path>) -> anyhow::Result<(Snapshot, usize)> {
    let mut architecture = bartizan_import::import(tree, &knowledge.services);
    // Before the first file of a plan there is a plan without components.
    if pipeline::has_nothing(&architecture) {
        return Ok((Snapshot::default(), 0));
    }
    software::look_up(&mut architecture, tree, database)?;
    let unread = terminal::unread(&architecture);
    let policy = Policy { today: pipeline::today(), ..Policy::default() };
    let review = bartizan_review::review(architecture, &knowledge.catalogue, &policy);
    Ok((Snapshot::of(&json::v1::review(&review))?, unread))
}

fn show(difference: &Difference, arguments: &Diff) -> anyhow::Result<()> {
    match arguments.format {
        DiffFormat::Json => pipeline::write(&folder::pretty(difference), arguments.output.as_deref()),
        DiffFormat::Markdown => pipeline::write(difference::comment(difference).as_bytes(), arguments.output.as_deref()),
        DiffFormat::Text => {
            let text = difference::text(difference);
            match &arguments.output {
                Some(_) => pipeline::write(text.as_bytes(), arguments.output.as_deref()),
                None => coloured(&text),
            }
        }
    }
}

/// Colours the first word of lines that tell a change; the stream drops it where no terminal listens.
fn coloured(text: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    for line in text.lines() {
        let word = line.strip_prefix("  ").and_then(|rest| rest.split(' ').next());
        let colour = match word {
            Some("new" | "worse") => Some(AnsiColor::Red),
            Some("gone" | "better") => Some(AnsiColor::Green),
            Some("changed") => Some(AnsiColor::Yellow),
            _ => None,
        };
        let written = match (colour, word) {
            (Some(colour), Some(word)) => {
                let style = Style::new().fg_color(Some(colour.into()));
                writeln!(out, "  {style}{word}{style:#}{}", line.get(2 + word.len()..).unwrap_or_default())
            }
            _ => writeln!(out, "{line}"),
        };
        match written {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
    Ok(())
}
