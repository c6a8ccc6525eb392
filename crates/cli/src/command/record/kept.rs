//! What `record` was told and the register keeps, so that `watch` looks at the same again.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::args::{CatalogueArgs, DatabaseArgs, ImageArgs, Input};

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Kept {
    #[serde(skip_serializing_if = "Option::is_none")]
    catalogue: Option<PathBuf>,
    /// Files as absolute paths, and references.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pull: bool,
}

/// All but the paths and the database, as the register keeps it.
pub(super) fn text(input: &Input) -> anyhow::Result<String> {
    let absolute = |path: &Path| std::fs::canonicalize(path).with_context(|| format!("cannot read `{}`", path.display()));
    let mut kept = Kept { platform: input.images.platform.as_ref().map(ToString::to_string), pull: input.pull, ..Kept::default() };
    kept.catalogue = input.catalogue.catalogue.as_deref().map(absolute).transpose()?;
    for name in &input.images.images {
        let path = Path::new(name);
        kept.images.push(if path.exists() { absolute(path)?.display().to_string() } else { name.clone() });
    }
    Ok(serde_json::to_string(&kept)?)
}

/// What is looked at again: the same as when it was recorded.
pub(in crate::command) fn input(paths: Vec<PathBuf>, text: &str, database: Option<PathBuf>) -> anyhow::Result<Input> {
    let kept: Kept = if text.is_empty() {
        Kept::default()
    } else {
        serde_json::from_str(text).context("the register holds arguments that are not understood")?
    };
    let platform = kept.platform.as_deref().map(str::parse).transpose()?;
    Ok(Input {
        paths,
        catalogue: CatalogueArgs { catalogue: kept.catalogue },
        database: DatabaseArgs { database },
        images: ImageArgs { images: kept.images, platform },
        pull: kept.pull,
    })
}
