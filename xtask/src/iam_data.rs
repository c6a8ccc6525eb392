//! `iam-data`: writes the facts about AWS in `crates/iam/data/aws` from published packages.
//!
//! The packages come through the ordinary clients of their registries, or from a folder where somebody has put them.
//! `crates/iam/src/aws/` reads what is written here and describes its form.

mod container;
mod managed;
mod packages;
mod services;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use packages::Packages;

/// Uncompressed size from which a block is closed. Smaller blocks are quicker to read, larger ones compress better.
const SERVICE_BLOCK_BYTES: usize = 16 * 1024;
const POLICY_BLOCK_BYTES: usize = 32 * 1024;

/// Writes the files; `folder` holds the packages, or they are fetched.
pub(crate) fn write(root: &Path, folder: Option<&Path>) -> Result<String> {
    let packages = Packages::open(folder)?;
    let facts = services::read(&packages)?;
    let policies = managed::read(&packages)?;
    let data = root.join("crates/iam/data/aws");
    fs::create_dir_all(&data).context("cannot create crates/iam/data/aws")?;
    let write = |name: &str, bytes: &[u8]| fs::write(data.join(name), bytes).with_context(|| format!("cannot write {name}"));
    write("services.bin", &container::pack(&facts.services, SERVICE_BLOCK_BYTES)?)?;
    write("global-keys.txt", facts.global_keys.as_bytes())?;
    write("managed-policies.bin", &container::pack(&policies.lines, POLICY_BLOCK_BYTES)?)?;
    let sources = format!("{}{}{}", packages.provenance()?, facts.counts, policies.counts);
    write("sources.txt", sources.as_bytes())?;
    Ok(format!("wrote crates/iam/data/aws:\n{sources}"))
}
