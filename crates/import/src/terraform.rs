//! Terraform files → resources with evaluated bodies.
//!
//! `parse` text to syntax trees, `config` what each directory declares, `resolve` and `module` instances of modules and resources,
//! `evaluate` and `functions` expressions, `policy_document` the one data source that computes.
//! Joining resources to components is not done here: see `lower`.

mod budget;
mod call;
mod config;
mod convert;
mod evaluate;
mod functions;
mod instance;
mod json_syntax;
mod module;
mod moved;
mod parse;
mod policy_document;
mod provider;
mod resolve;
mod source;
mod syntax;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use bartizan_model::{Diagnostic, Moved, Sources, SwitchedOff, Text};

use crate::built::Built;
use crate::resource::Resource;
use crate::tree::Tree;

/// Code of what Terraform would refuse to evaluate, or could evaluate only with what is not among the files.
pub(crate) const UNRESOLVED: &str = "terraform/unresolved-reference";

/// Start of the message of a variable that is used and not declared; its name and a backtick follow.
pub(crate) const UNDECLARED: &str = "no variable `";

/// What the Terraform files of a tree declare.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) resources: Vec<Resource>,
    /// What `moved` blocks say.
    pub(crate) moved: Vec<Moved>,
    /// Blocks of which there is none.
    pub(crate) switched_off: Vec<SwitchedOff>,
    /// JSON documents that the configuration built (`jsonencode`, `aws_iam_policy_document`), by their text, with the spans of what they were built of.
    pub(crate) documents: HashMap<Text, Vec<Built>>,
}

/// Reads and evaluates every root module of the tree.
pub(crate) fn read(tree: &Tree, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) -> Plan {
    let config = config::Config::read(tree, sources, diagnostics);
    if config.n_files == 0 {
        return Plan::default();
    }
    let resolver = resolve::Resolver::new(&config, tree, std::mem::take(sources));
    let (resources, moved, switched_off) = resolver.resources();
    let (found, documents, read) = resolver.finish();
    diagnostics.extend(found);
    *sources = read;
    Plan { resources, moved, switched_off, documents }
}

/// A number as Terraform prints it: no decimal point where it is whole.
pub(crate) fn number_text(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.0}") } else { format!("{number}") }
}
