//! One file per command.

mod access;
pub(crate) mod db;
mod diagram;
mod diff;
mod explain;
mod model;
mod paths;
mod record;
mod register;
mod review;
mod rules;
mod scan;
mod watch;

use bartizan_import::native;
use bartizan_report::{folder, json};

use crate::args::{Arguments, Command};
use crate::exit::Outcome;
use crate::pipeline;

/// Does what the arguments say.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    match arguments.command {
        Command::Review(arguments) => review::run(&arguments),
        Command::Model(arguments) => model::run(&arguments),
        Command::Diagram(arguments) => diagram::run(&arguments),
        Command::Access(arguments) => access::run(&arguments),
        Command::Paths(arguments) => paths::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Db(arguments) => db::run(&arguments),
        Command::Record(arguments) => record::run(&arguments),
        Command::Watch(arguments) => watch::run(&arguments),
        Command::Register(arguments) => register::run(&arguments),
        Command::Rules(arguments) => rules::run(&arguments),
        Command::Schema(arguments) => {
            let schema = match arguments.name.as_str() {
                native::FILE_NAME => Some(native::schema()),
                "register" => Some(bartizan_register::schema()),
                "notice" => Some(bartizan_register::notice_schema()),
                "scan" => Some(bartizan_supply::document::schema()),
                name => json::v1::schema(name),
            };
            let schema = schema.ok_or_else(|| anyhow::anyhow!("there is no format `{}`", arguments.name))?;
            pipeline::write(&folder::pretty(&schema), None)?;
            Ok(Outcome::Clean)
        }
    }
}
