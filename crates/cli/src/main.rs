//! The command line: arguments, exit codes and what is shown on a terminal; nothing else.

mod args;
mod catalogue;
mod command;
mod exit;
mod git;
mod images;
mod pipeline;
mod progress;
mod pull;
mod software;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use crate::exit::Outcome;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    // A panic is our bug; it must not look like a finding or like bad input.
    let outcome = std::panic::catch_unwind(|| command::run(arguments));
    let outcome = match outcome {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => {
            terminal::problem(&format!("{error:#}"));
            Outcome::Usage
        }
        Err(_) => {
            terminal::problem(
                "this is a bug of Bartizan: please report the message above with the file that caused it; \
                 https://github.com/bartizan/bartizan/issues",
            );
            Outcome::Bug
        }
    };
    outcome.into()
}
