//! What people are told: the news of one run of one system. Neutral of the channel that it goes through.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::course::Moment;
use crate::record::Recorded;
use crate::run::{Severity, System};

/// Name and version of the format.
pub const NOTICE: &str = "bartizan/notice/1";
/// JSON Schema of the format.
pub fn notice_schema() -> serde_json::Value {
    schemars::schema_for!(Notice).to_value()
}

/// News that are listed one by one; the worst ones are.
const LISTED: usize = 50;

/// The news of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "bartizan/notice/1")]
pub struct Notice {
    /// Name and version of the format.
    #[schemars(extend("const" = "bartizan/notice/1"))]
    pub schema: String,
    /// The system.
    pub system: String,
    /// Its repository; empty where it is not known.
    pub repository: String,
    /// Number of the run.
    pub run: i64,
    /// When, RFC 3339.
    pub at: String,
    /// Everything in one line.
    pub summary: String,
    /// Number of news.
    pub n_news: usize,
    /// The news, worst first; at most 50.
    pub news: Vec<News>,
}

/// Something that is new, there again, or worse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct News {
    /// `risk` or `vulnerability`.
    pub about: String,
    /// Its id in the register.
    pub id: String,
    /// `new`, `reopened` or `worse`.
    pub kind: String,
    /// How bad it is.
    pub severity: String,
    /// It in one sentence.
    pub title: String,
    /// More words on what happened; may be empty.
    pub text: String,
}

impl Notice {
    /// What there is to tell of a run; nothing where nothing is new.
    pub(crate) fn of(system: &System, recorded: &Recorded, moment: Moment) -> Option<Self> {
        let mut news: Vec<_> = recorded.changes.iter().filter(|change| change.kind.is_news()).collect();
        if news.is_empty() {
            return None;
        }
        news.sort_by(|a, b| (b.severity, a.about, &a.subject).cmp(&(a.severity, b.about, &b.subject)));
        let counts: Vec<String> = Severity::ALL
            .into_iter()
            .rev()
            .filter_map(|severity| {
                let n = news.iter().filter(|change| change.severity == severity).count();
                (n > 0).then(|| format!("{n} {}", severity.id()))
            })
            .collect();
        let first = if recorded.is_first { "first run: " } else { "" };
        let what = if news.len() == 1 { "1 new finding".to_owned() } else { format!("{} new findings", news.len()) };
        let list = |change: &&crate::change::Change| News {
            about: change.about.id().to_owned(),
            id: change.subject.clone(),
            kind: change.kind.id().to_owned(),
            severity: change.severity.id().to_owned(),
            title: change.title.clone(),
            text: change.text.clone(),
        };
        Some(Self {
            schema: NOTICE.to_owned(),
            system: system.name.clone(),
            repository: system.repository.clone(),
            run: moment.run,
            at: moment.at.to_string(),
            summary: format!("{}: {first}{what} ({})", system.name, counts.join(", ")),
            n_news: news.len(),
            news: news.iter().take(LISTED).map(list).collect(),
        })
    }
}
