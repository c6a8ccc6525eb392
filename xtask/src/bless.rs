//! `bless`: runs the tests so that changed snapshots are accepted; the difference is reviewed in the commit.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<String> {
    let status = Command::new("cargo")
        .args(["nextest", "run", "--no-fail-fast"])
        .args(arguments)
        .env("INSTA_UPDATE", "always")
        .env("INSTA_FORCE_PASS", "1")
        // trycmd has a switch of its own.
        .env("TRYCMD", "overwrite")
        .current_dir(root)
        .status()
        .context("cargo-nextest could not be started")?;
    if !status.success() {
        bail!("some tests fail for another reason than their snapshot");
    }
    Ok("snapshots are written; review the difference before you commit it".to_owned())
}
