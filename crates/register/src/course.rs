//! How a risk or a vulnerability goes on from run to run: seen, gone, seen again, decided.

use crate::run::{Severity, Status};
use crate::time::Time;

/// Where something in the register stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It is there, and nobody has decided on it.
    Open,
    /// It is there again after it was gone, mitigated or decided.
    Reopened,
    /// It is there, and a decision that has not expired lets it be.
    Decided,
    /// It is there, and controls hold it down.
    Mitigated,
    /// Whether it is there depends on an answer.
    Question,
    /// The last look did not find it.
    Gone,
}

impl State {
    /// All, in the order that lists use.
    pub const ALL: [Self; 6] = [Self::Open, Self::Reopened, Self::Decided, Self::Mitigated, Self::Question, Self::Gone];

    /// Lower-case word.
    pub fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Reopened => "reopened",
            Self::Decided => "decided",
            Self::Mitigated => "mitigated",
            Self::Question => "question",
            Self::Gone => "gone",
        }
    }

    /// Reads the word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.id() == word)
    }

    /// Whether somebody has to do something.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Reopened)
    }
}

/// What happened to something in the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It was never there before, or was a question before.
    New,
    /// It is there again.
    Reopened,
    /// It is worse than at the last look.
    Worse,
    /// It is milder than at the last look.
    Milder,
    /// One more advisory speaks of it.
    Advisory,
    /// Whether it is there depends on an answer now.
    Question,
    /// Somebody decided on it.
    Decided,
    /// Somebody took a decision back.
    Revoked,
    /// Controls hold it down now.
    Mitigated,
    /// It is no longer there.
    Gone,
}

impl ChangeKind {
    /// All.
    pub const ALL: [Self; 10] = [
        Self::New,
        Self::Reopened,
        Self::Worse,
        Self::Milder,
        Self::Advisory,
        Self::Question,
        Self::Decided,
        Self::Revoked,
        Self::Mitigated,
        Self::Gone,
    ];

    /// Lower-case word.
    pub fn id(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reopened => "reopened",
            Self::Worse => "worse",
            Self::Milder => "milder",
            Self::Advisory => "advisory",
            Self::Question => "question",
            Self::Decided => "decided",
            Self::Revoked => "revoked",
            Self::Mitigated => "mitigated",
            Self::Gone => "gone",
        }
    }

    /// Reads the word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == word)
    }

    /// Whether people want to hear of it: new, there again, or worse.
    pub fn is_news(self) -> bool {
        matches!(self, Self::New | Self::Reopened | Self::Worse)
    }
}

/// A decision that was taken in the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// `accept`, `mitigate`, `transfer`, `avoid` or `false-positive`.
    pub kind: String,
    /// Who decided.
    pub by: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Time,
    /// Last day it holds, ISO 8601; `None`: no end.
    pub until: Option<String>,
}

impl Decision {
    /// What can be decided.
    pub const KINDS: [&'static str; 5] = ["accept", "mitigate", "transfer", "avoid", "false-positive"];

    /// Whether it holds on a day. ISO 8601 days order as texts.
    pub fn holds(&self, day: &str) -> bool {
        self.until.as_deref().is_none_or(|until| until >= day)
    }
}

/// A run, as far as what goes on in it is concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) run: i64,
    pub(crate) at: Time,
}

/// How one thing has gone on so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Where it stands.
    pub state: State,
    /// Number of the run that saw it first.
    pub first_run: i64,
    /// When that was.
    pub first_seen: Time,
    /// Number of the run that saw it last.
    pub last_run: i64,
    /// When that was.
    pub last_seen: Time,
    /// The decision that was last taken in the register.
    pub decision: Option<Decision>,
}

impl Course {
    /// It is seen for the first time.
    pub(crate) fn begin(status: Status, moment: Moment) -> (Self, Option<(ChangeKind, String)>) {
        let state = match status {
            Status::Open => State::Open,
            Status::Mitigated => State::Mitigated,
            Status::Accepted => State::Decided,
            Status::Question => State::Question,
        };
        let Moment { run, at } = moment;
        let course = Self { state, first_run: run, first_seen: at, last_run: run, last_seen: at, decision: None };
        (course, (state == State::Open).then(|| (ChangeKind::New, String::new())))
    }

    /// It is seen again. Tells what that changes, with words for it.
    pub(crate) fn see(&mut self, status: Status, moment: Moment) -> Option<(ChangeKind, String)> {
        self.last_run = moment.run;
        self.last_seen = moment.at;
        let day = moment.at.day();
        let before = self.state;
        let holds = self.decision.as_ref().is_some_and(|decision| decision.holds(&day));
        self.state = match status {
            Status::Open if holds => State::Decided,
            Status::Open => match before {
                State::Open | State::Question => State::Open,
                State::Reopened | State::Decided | State::Mitigated | State::Gone => State::Reopened,
            },
            Status::Mitigated => State::Mitigated,
            Status::Accepted => State::Decided,
            Status::Question => State::Question,
        };
        if self.state == before {
            return None;
        }
        match self.state {
            State::Open => Some((ChangeKind::New, "it was a question before".to_owned())),
            State::Reopened => Some((ChangeKind::Reopened, self.why_again(before))),
            // A standing decision speaks for what comes back, too: that is worth a line, and no news.
            State::Decided if holds && before == State::Gone => {
                let by = self.decision.as_ref().map_or("", |decision| decision.by.as_str());
                Some((ChangeKind::Decided, format!("it is there again, and the decision of {by} holds")))
            }
            State::Decided => Some((ChangeKind::Decided, String::new())),
            State::Mitigated => Some((ChangeKind::Mitigated, String::new())),
            State::Question => Some((ChangeKind::Question, String::new())),
            State::Gone => None,
        }
    }

    /// It was looked for and is not there.
    pub(crate) fn miss(&mut self) -> Option<(ChangeKind, String)> {
        if self.state == State::Gone {
            return None;
        }
        // A question that nobody asks any more was never a risk.
        let was_question = self.state == State::Question;
        self.state = State::Gone;
        (!was_question).then(|| (ChangeKind::Gone, String::new()))
    }

    fn why_again(&self, before: State) -> String {
        match (before, &self.decision) {
            (State::Gone, _) => "it was gone".to_owned(),
            (State::Mitigated, _) => "it was mitigated".to_owned(),
            (State::Decided, Some(Decision { kind, by, until: Some(until), .. })) => {
                format!("the decision of {by} ({kind}) ended with {until}")
            }
            _ => "the decision on it is no longer there".to_owned(),
        }
    }
}

/// Tells that something which is there has become worse or milder.
pub(crate) fn shifted(state: State, before: Severity, now: Severity) -> Option<(ChangeKind, String)> {
    let kind = match before.cmp(&now) {
        std::cmp::Ordering::Less => ChangeKind::Worse,
        std::cmp::Ordering::Greater => ChangeKind::Milder,
        std::cmp::Ordering::Equal => return None,
    };
    // Nobody needs to hear that what is decided or held down has become worse on paper.
    state.is_open().then(|| (kind, format!("{} → {}", before.id(), now.id())))
}

#[cfg(test)]
mod tests {
    use super::{ChangeKind, Course, Decision, Moment, State};
    use crate::run::Status;
    use crate::time::Time;

    fn moment(run: i64) -> Moment {
        Moment { run, at: Time(run * 86_400) }
    }

    fn kind(change: Option<(ChangeKind, String)>) -> Option<ChangeKind> {
        change.map(|(kind, _)| kind)
    }

    #[test]
    fn what_comes_and_goes_is_told_once_each_time() {
        let (mut course, change) = Course::begin(Status::Open, moment(1));
        assert_eq!(kind(change), Some(ChangeKind::New));
        assert_eq!(kind(course.see(Status::Open, moment(2))), None);
        assert_eq!(kind(course.miss()), Some(ChangeKind::Gone));
        assert_eq!(kind(course.miss()), None);
        assert_eq!(course.see(Status::Open, moment(5)), Some((ChangeKind::Reopened, "it was gone".to_owned())));
        assert_eq!((course.state, course.first_run, course.last_run), (State::Reopened, 1, 5));
        assert_eq!(kind(course.see(Status::Open, moment(6))), None);
    }

    #[test]
    fn a_decision_holds_until_its_last_day_and_then_the_risk_is_open_again() {
        let (mut course, _) = Course::begin(Status::Open, moment(1));
        let until = Some(Time(3 * 86_400).day());
        course.decision = Some(Decision { kind: "accept".into(), by: "ann".into(), why: "soon gone".into(), at: Time(0), until });
        course.state = State::Decided;
        assert_eq!(kind(course.see(Status::Open, moment(3))), None);
        assert_eq!(kind(course.miss()), Some(ChangeKind::Gone));
        let back = course.see(Status::Open, moment(3));
        assert_eq!(back, Some((ChangeKind::Decided, "it is there again, and the decision of ann holds".to_owned())));
        let change = course.see(Status::Open, moment(4));
        assert_eq!(change, Some((ChangeKind::Reopened, "the decision of ann (accept) ended with 1970-01-04".to_owned())));
    }

    #[test]
    fn a_question_is_new_once_it_is_answered_and_no_loss_when_nobody_asks_it() {
        let (mut course, change) = Course::begin(Status::Question, moment(1));
        assert_eq!(kind(change), None);
        let mut other = course.clone();
        assert_eq!(kind(course.see(Status::Open, moment(2))), Some(ChangeKind::New));
        assert_eq!((kind(other.miss()), other.state), (None, State::Gone));
    }
}
