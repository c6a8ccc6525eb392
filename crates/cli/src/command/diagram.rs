//! `bartizan diagram`: the threat model as a picture.

use bartizan_report::dfd;

use crate::args::{Diagram, DiagramFormat};
use crate::exit::Outcome;
use crate::pipeline;

pub(super) fn run(arguments: &Diagram) -> anyhow::Result<Outcome> {
    let review = pipeline::review(&arguments.input)?;
    let options = dfd::Options { collapse: !arguments.full, show_ancillary: arguments.full, ..dfd::Options::of_review(&review) };
    let draw = match arguments.format {
        DiagramFormat::Svg => dfd::svg,
        DiagramFormat::Mermaid => dfd::mermaid,
        DiagramFormat::Dot => dfd::dot,
        DiagramFormat::Drawio => dfd::drawio,
    };
    pipeline::write(draw(&review.architecture, &options).as_bytes(), arguments.output.as_deref())?;
    Ok(Outcome::Clean)
}
