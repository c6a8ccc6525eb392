//! What can be typed to keep systems in a register and to look at them again.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};

use super::{DatabaseArgs, Input, SeverityArg};

/// Where the register is.
#[derive(Debug, Args)]
pub(crate) struct RegisterPlace {
    /// The register: a file of SQLite or postgres://…; BARTIZAN_REGISTER, or a file in the user's folder of data, where it is left out.
    #[arg(long, global = true, value_name = "URL|FILE")]
    pub(crate) register: Option<String>,
}

/// Who is told of what is new.
#[derive(Debug, Args)]
pub(crate) struct NotifyArgs {
    /// Tell what is new: webhook=URL, slack=URL, mail=ADDRESS, eventbridge=URL, sns=URL; file:PATH and - in place of a URL write lines of JSON, env:NAME reads the URL from the environment.
    #[arg(long, value_name = "KIND=TARGET")]
    pub(crate) notify: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Record {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Name of the system; that of bartizan.yaml, or of the folder, where it is left out.
    #[arg(long, value_name = "NAME")]
    pub(crate) system: Option<String>,
    #[command(flatten)]
    pub(crate) place: RegisterPlace,
    /// When it was so: a day or RFC 3339; now where it is left out.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Record this review.json instead of reviewing; paths, where they are named, are only scanned for packages.
    #[arg(long, value_name = "FILE")]
    pub(crate) review: Option<PathBuf>,
    /// Revision of the source; GITHUB_SHA or CI_COMMIT_SHA where it is left out.
    #[arg(long, value_name = "REVISION")]
    pub(crate) revision: Option<String>,
    /// End with exit code 1 when something new, reopened or worse has this severity or a worse one. On the first run everything is new.
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<SeverityArg>,
    #[command(flatten)]
    pub(crate) notify: NotifyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// Look at every system once and end.
    #[arg(long)]
    pub(crate) once: bool,
    /// Look at a system again after this time (30s, 15m, 12h, 7d), and at once when the advisories change; 24h where it is left out, with --once 0s.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) every: Option<Duration>,
    #[command(flatten)]
    pub(crate) place: RegisterPlace,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) notify: NotifyArgs,
    /// A worker that gives no sign of life for this time loses its job to another.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s")]
    pub(crate) lease: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Register {
    #[command(subcommand)]
    pub(crate) action: RegisterAction,
    #[command(flatten)]
    pub(crate) place: RegisterPlace,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RegisterAction {
    /// List the systems with their open risks and vulnerabilities.
    Systems {
        #[command(flatten)]
        format: TellArgs,
    },
    /// List the risks of a system, or of all.
    Risks {
        #[command(flatten)]
        system: SystemArgs,
        /// List those too that are gone, decided, mitigated or a question.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        format: TellArgs,
    },
    /// List the vulnerabilities of a system, or of all.
    Vulnerabilities {
        #[command(flatten)]
        system: SystemArgs,
        /// List those too that are gone or decided.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        format: TellArgs,
    },
    /// Tell the runs of a system and how its risk went over time.
    Runs {
        #[command(flatten)]
        system: SystemArgs,
        #[command(flatten)]
        format: TellArgs,
    },
    /// Tell what changed when: of a system, or of one risk or vulnerability.
    History {
        /// Id of a risk or vulnerability.
        id: Option<String>,
        #[command(flatten)]
        system: SystemArgs,
        #[command(flatten)]
        format: TellArgs,
    },
    /// Decide on a risk or vulnerability.
    Decide {
        /// Id of a risk, or id or name (CVE-…) of a vulnerability.
        id: String,
        /// What is decided; `open` takes the last decision back.
        #[arg(long = "as", value_name = "DECISION", value_parser = PossibleValuesParser::new(bartizan_register::Decision::KINDS.into_iter().chain(["open"])))]
        decision: String,
        /// Why; needed unless a decision is taken back.
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
        /// Who decides.
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Last day it holds.
        #[arg(long, value_name = "DAY")]
        until: Option<String>,
        #[command(flatten)]
        system: SystemArgs,
    },
    /// Write a recorded review.json as it was; the last one where no run is named.
    Review {
        #[command(flatten)]
        system: SystemArgs,
        /// Number of the run.
        #[arg(long, value_name = "N")]
        run: Option<i64>,
        /// File to write; standard output where it is left out.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Write risks and vulnerabilities for spreadsheets and issue trackers.
    Export {
        #[command(flatten)]
        system: SystemArgs,
        /// How it is written.
        #[arg(long, value_name = "FORMAT", default_value = "csv")]
        format: ExportArg,
        /// Write those too that are gone, decided, mitigated or a question.
        #[arg(long)]
        all: bool,
        /// File to write; standard output where it is left out.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// List the notices and whether they were sent.
    Notices {
        /// Give those that failed all their tries again; `bartizan watch` sends them.
        #[arg(long)]
        retry: bool,
        #[command(flatten)]
        format: TellArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SystemArgs {
    /// Name of the system; needed only where the register has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) system: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TellArgs {
    /// How it is written.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TellFormat,
    /// File to write; standard output where it is left out.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TellFormat {
    /// For people.
    Text,
    /// bartizan/register/1
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportArg {
    /// All columns, for spreadsheets.
    Csv,
    /// For Jira's import of CSV.
    JiraCsv,
    /// For Jira's import of JSON.
    JiraJson,
    /// Bodies for GitHub's API for issues.
    GithubJson,
    /// For GitLab's import of issues.
    GitlabCsv,
}

/// Reads `90s`, `15m`, `12h`, `7d`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration: write a number and s, m, h or d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(duration("12h"), Ok(Duration::from_secs(43_200)));
        for wrong in ["", "12", "h", "-1s", "1w", "99999999999999999999d", "1é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
