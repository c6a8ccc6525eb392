//! `bartizan model`: the architecture alone.

use bartizan_report::{folder, json};

use crate::args::{Model, ModelFormat};
use crate::exit::Outcome;
use crate::{pipeline, terminal};

pub(super) fn run(arguments: &Model) -> anyhow::Result<Outcome> {
    let review = pipeline::review(&arguments.input)?;
    terminal::diagnostics(&review.architecture, &[])?;
    let content = match arguments.format {
        ModelFormat::Json => folder::pretty(&json::v1::model(&review.architecture)),
    };
    pipeline::write(&content, arguments.output.as_deref())?;
    Ok(Outcome::Clean)
}
