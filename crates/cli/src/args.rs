//! What can be typed.

pub(crate) mod register;

use std::path::PathBuf;

use bartizan_report::json::v1::SCHEMAS;
use bartizan_supply::image::Platform;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Reviews an AWS architecture plan for threats: reads Terraform and Kubernetes files, finds what can go wrong, and writes the report.
#[derive(Debug, Parser)]
#[command(name = "bartizan", version, max_term_width = 110, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 nothing at or above the gate, 1 findings at or above it, 2 input or usage, 3 a bug of ours, 4 something to be scanned could not be.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Review a plan: top threats on the terminal, everything in a folder that opens at index.html.
    Review(Review),
    /// Write the architecture alone: components, flows, boundaries, assets.
    Model(Model),
    /// Draw the threat model diagram.
    Diagram(Diagram),
    /// Tell who holds what: which users, roles and groups are administrators or can become one.
    Access(Access),
    /// Find attack paths over network and permissions.
    Paths(Paths),
    /// Tell all reasons of one threat, flow, question, rule or component.
    Explain(Explain),
    /// Tell what changed between two states of a plan, in terms of architecture.
    Diff(Diff),
    /// Find the packages of a system and the advisories that speak of them.
    Scan(Scan),
    /// Keep the database of advisories that scans ask.
    Db(Db),
    /// Keep a review, its packages and their vulnerabilities in the register, and tell what is new since the last run.
    Record(register::Record),
    /// Look at recorded systems again: on a schedule, and when new advisories are there.
    Watch(register::Watch),
    /// Ask the register, decide on what it holds, and export it.
    Register(register::Register),
    /// Work with the rules of the catalogue.
    Rules(Rules),
    /// Print the JSON Schema of a format.
    Schema(Schema),
}

/// What is reviewed.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Input {
    /// Files and folders of the plan; the current folder where none is named.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) catalogue: CatalogueArgs,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) images: ImageArgs,
    /// Pull the container images that the plan names from their registries, and look at their packages too.
    #[arg(long)]
    pub(crate) pull: bool,
}

/// Container images besides the files of a system.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ImageArgs {
    /// A container image whose packages are looked at: an archive as `docker save` writes it, an OCI layout, or a reference such as registry.example.com/app:1.2 (credentials are those of docker or podman).
    #[arg(long = "image", value_name = "FILE|REFERENCE")]
    pub(crate) images: Vec<String>,
    /// Which of an image's platforms is read, such as linux/arm64; linux/amd64 where it is left out, or the only one there is.
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<Platform>,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CatalogueArgs {
    /// Use this catalogue instead of the built-in one.
    #[arg(long, value_name = "DIR")]
    pub(crate) catalogue: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Review {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Folder of the report, or the file where a format is chosen.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Write this one format to standard output (or to the file of --output) instead of the folder.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<ReviewFormat>,
    /// End with exit code 1 when a threat of this severity or a worse one is open; otherwise what bartizan.yaml tolerates decides.
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<SeverityArg>,
    /// Threats that are known: a review.json or what --write-baseline wrote; --fail-on judges only what is new or worse.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write the open threats as a baseline for later reviews.
    #[arg(long, value_name = "FILE")]
    pub(crate) write_baseline: Option<PathBuf>,
    /// How many threats are shown on the terminal.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReviewFormat {
    /// bartizan/review/1
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// The document for reviewers.
    Markdown,
    /// The page for people.
    Html,
    /// JUnit XML, for Jenkins and others.
    Junit,
    /// gl-sast-report.json, for GitLab.
    GitlabSast,
    /// A Code Quality report, for GitLab.
    Codequality,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SeverityArg {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl From<SeverityArg> for bartizan_review::Severity {
    fn from(severity: SeverityArg) -> Self {
        match severity {
            SeverityArg::Info => Self::Info,
            SeverityArg::Low => Self::Low,
            SeverityArg::Medium => Self::Medium,
            SeverityArg::High => Self::High,
            SeverityArg::Critical => Self::Critical,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Model {
    #[command(flatten)]
    pub(crate) input: Input,
    /// How it is written.
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub(crate) format: ModelFormat,
    /// File to write; standard output where it is left out.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModelFormat {
    /// bartizan/model/1
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Diagram {
    #[command(flatten)]
    pub(crate) input: Input,
    /// How it is written.
    #[arg(long, value_name = "FORMAT", default_value = "svg")]
    pub(crate) format: DiagramFormat,
    /// Draw every component and flow one to one instead of folding what is alike.
    #[arg(long)]
    pub(crate) full: bool,
    /// File to write; standard output where it is left out.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiagramFormat {
    /// A picture that stands alone.
    Svg,
    /// For Markdown; the viewer places it.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// For diagrams.net.
    Drawio,
}

#[derive(Debug, Args)]
pub(crate) struct Access {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Ask for one right: a principal, an action and a resource, by address or ARN; the deciding statements are told.
    #[arg(long, num_args = 3, value_names = ["PRINCIPAL", "ACTION", "RESOURCE"])]
    pub(crate) can: Option<Vec<String>>,
    /// How it is written.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ListFormat,
    /// File to write; standard output where it is left out.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Paths {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Where the attacker starts: `internet`, an address or an ARN; every entry from outside where it is left out.
    #[arg(long, value_name = "FROM")]
    pub(crate) from: Option<String>,
    /// Where the attacker wants to: `admin`, `data:CLASS` or an address; administrator rights and sensitive data where it is left out.
    #[arg(long, value_name = "TO")]
    pub(crate) to: Option<String>,
    /// How it is written.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ListFormat,
    /// File to write; standard output where it is left out.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people.
    Text,
    /// bartizan/access/1 or bartizan/paths/1
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// Before: a git revision, a folder, a plan in JSON or a review.json.
    pub(crate) base: String,
    /// After: the same; `.` is the working tree.
    pub(crate) head: String,
    /// Files and folders of the plan inside of both; everything where none is named.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Repository of the revisions; the one around the current folder where it is left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) repo: Option<PathBuf>,
    /// How it is written.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: DiffFormat,
    /// End with exit code 1 when a threat or an attack path of this severity or a worse one is new or got worse.
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<SeverityArg>,
    /// File to write; standard output where it is left out.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) catalogue: CatalogueArgs,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For people.
    Text,
    /// bartizan/diff/1
    Json,
    /// A comment on a pull request.
    Markdown,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Id of a threat, flow, question or rule, or the address of a component.
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) input: Input,
}

#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// Folders and files of the system, container images (OCI layouts, and archives as `docker save` writes them); the current folder where none is named.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) images: ImageArgs,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// What other tools found: JSON of Trivy, Grype, Snyk, Amazon ECR and Inspector, pip-audit, npm audit and cargo-audit, and SARIF of any tool.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) results: Vec<PathBuf>,
    /// Statements of people who looked (OpenVEX or CycloneDX): what is not affected, or fixed, is no longer open.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) vex: Vec<PathBuf>,
    /// When a bill of materials or OpenVEX document was made (RFC 3339); SOURCE_DATE_EPOCH where it is left out, else none or the day of the advisories.
    #[arg(long, value_name = "TIME")]
    pub(crate) timestamp: Option<String>,
    /// How it is written.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ScanFormat,
    /// End with exit code 1 only for vulnerabilities of this severity or a worse one, and for those whose severity nobody tells; otherwise for any.
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<SeverityArg>,
    /// File to write; standard output where it is left out.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScanFormat {
    /// For people.
    Text,
    /// bartizan/scan/1
    Json,
    /// Bill of materials with vulnerabilities, CycloneDX 1.6 in JSON.
    Cyclonedx,
    /// Bill of materials, SPDX 2.3 in JSON.
    Spdx,
    /// Bill of materials with vulnerabilities, SPDX 3.0.1 in JSON-LD.
    Spdx3,
    /// Statements about all vulnerabilities, to be edited and handed to --vex.
    Openvex,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DatabaseArgs {
    /// The database of advisories; BARTIZAN_DATABASE, or a file in the user's folder of data, where it is left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Db {
    #[command(subcommand)]
    pub(crate) action: DbAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbAction {
    /// Import advisories: OSV records and exports, advisory repositories, CISA's known exploited vulnerabilities, EPSS scores.
    Update {
        /// Files, folders and archives (.zip, .gz).
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
        /// Forget what the database holds.
        #[arg(long)]
        fresh: bool,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Tell what the database holds and how old it is.
    Show {
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Rules {
    #[command(subcommand)]
    pub(crate) action: RulesAction,
    #[command(flatten)]
    pub(crate) catalogue: CatalogueArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesAction {
    /// List the rules.
    List,
    /// Check the catalogue: exit code 1 when something in it is wrong.
    Check,
    /// Run the examples of the rules' pages: exit code 1 when one gives something else than it says.
    Test {
        /// Only rules whose id contains this.
        #[arg(value_name = "RULE")]
        only: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Name of the format: what the tool writes, or the file that people write.
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(SCHEMAS.into_iter().chain(["scan", "register", "notice", bartizan_import::native::FILE_NAME])))]
    pub(crate) name: String,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_consistent() {
        super::Arguments::command().debug_assert();
    }
}
