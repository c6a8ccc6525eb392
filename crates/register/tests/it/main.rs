//! The register as its users see it, against SQLite and PostgreSQL alike.
#![expect(clippy::expect_used, clippy::print_stderr, clippy::panic, reason = "helpers of tests fail and speak as tests do")]

mod kill;
mod outgoing;
mod postgres;
mod workers;

use std::collections::BTreeMap;

use bartizan_register::{
    ChangeKind, Decision, Flaw, Flaws, Package, Place, Recorded, Register, Review, Run, Severity, State, Status, System, Threat, Time,
};
use postgres::Postgres;
use tempfile::TempDir;

/// Does the same against both databases, each new and empty.
fn on_both(check: impl Fn(&Place)) {
    let folder = TempDir::new().expect("a folder");
    check(&Place::File(folder.path().join("new folder").join("register.sqlite")));
    if let Some(server) = Postgres::start() {
        let place = Place::parse(&server.url).expect("an address");
        check(&place);
    }
}

/// Day `n` of a year.
fn day(n: i64) -> Time {
    Time(1_767_225_600 + n * 86_400)
}

fn threat(id: &str, severity: Severity) -> Threat {
    Threat {
        id: id.to_owned(),
        rule: "s3-public-read".to_owned(),
        title: "Anyone reads the bucket".to_owned(),
        message: format!("`{id}` can be read by anyone"),
        severity,
        status: Status::Open,
        decision: String::new(),
        inherent: 12,
        residual: 9,
        targets: vec![format!("aws_s3_bucket.{id}")],
        places: vec!["main.tf:3".to_owned()],
    }
}

fn package(name: &str, version: &str) -> Package {
    Package {
        ecosystem: "PyPI".to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        place: "requirements.txt:1".to_owned(),
        origin: "registry".to_owned(),
        relation: "direct".to_owned(),
        is_development: false,
        workload: String::new(),
    }
}

fn flaw(package: &str, names: &[&str], severity: Severity) -> Flaw {
    Flaw {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        version: "2.0".to_owned(),
        place: "requirements.txt:1".to_owned(),
        severity,
        score: Some(7.5),
        epss: Some(0.012_345),
        fixed: "2.1".to_owned(),
        summary: "A request may read any file".to_owned(),
        advisories: vec![(names.first().copied().unwrap_or_default().to_owned(), "2026-01-01".to_owned())],
        ..Flaw::named("PyPI", package, names.first().copied().unwrap_or_default())
    }
}

/// A run of a system `shop` with these threats; its review is made of them.
fn run(at: Time, threats: &[Threat]) -> Run {
    let ids: Vec<&str> = threats.iter().map(|threat| threat.id.as_str()).collect();
    Run {
        system: System { name: "shop".to_owned(), paths: vec!["/src/shop".to_owned()], arguments: "{}".to_owned(), ..System::default() },
        at,
        cause: "record".to_owned(),
        tool: "0.1.0".to_owned(),
        revision: String::new(),
        review: Some(Review { json: format!("{{\"threats\":{ids:?}}}").into_bytes(), threats: threats.to_vec() }),
        packages: None,
        flaws: None,
        unread: Vec::new(),
        channels: Vec::new(),
        keep_unchanged: true,
    }
}

fn with_flaws(mut of: Run, database: &str, packages: &[Package], found: Vec<Flaw>) -> Run {
    of.packages = Some(packages.to_vec());
    of.flaws = Some(Flaws { database: database.to_owned(), database_day: "2026-01-02".to_owned(), found, unjudged: Vec::new() });
    of
}

/// Subject and kind of each change.
fn kinds(recorded: &Recorded) -> Vec<(&str, ChangeKind)> {
    recorded.changes.iter().map(|change| (change.subject.as_str(), change.kind)).collect()
}

fn states(register: &mut Register) -> BTreeMap<String, State> {
    let risks = register.risks("shop").expect("risks");
    risks.into_iter().map(|risk| (risk.threat.id, risk.course.state)).collect()
}

#[test]
fn risks_are_followed_from_run_to_run() {
    on_both(|place| {
        let mut register = Register::open(place).expect("a register");
        let (a, b) = (threat("a", Severity::High), threat("b", Severity::Medium));
        let first = register.record(&run(day(1), &[a.clone(), b.clone()])).expect("a run");
        assert_eq!((first.number, first.is_first), (Some(1), true));
        assert_eq!(kinds(&first), [("a", ChangeKind::New), ("b", ChangeKind::New)]);
        let second = register.record(&run(day(2), std::slice::from_ref(&a))).expect("a run");
        assert_eq!(kinds(&second), [("b", ChangeKind::Gone)]);
        let third = register.record(&run(day(3), &[a, Threat { severity: Severity::Critical, ..b }])).expect("a run");
        assert_eq!(kinds(&third), [("b", ChangeKind::Reopened)]);
        // What was written is there for those who come later.
        register.close();
        let mut register = Register::open(place).expect("the same register");
        let risks = register.risks("shop").expect("risks");
        let shown: Vec<_> = risks.iter().map(|risk| (risk.threat.id.as_str(), risk.course.first_run, risk.course.last_run)).collect();
        assert_eq!(shown, [("b", 1, 3), ("a", 1, 3)]);
        assert_eq!(risks.first().map(|risk| (risk.threat.severity, risk.course.state)), Some((Severity::Critical, State::Reopened)));
        let runs = register.runs("shop").expect("runs");
        let open: Vec<i64> = runs.iter().map(|run| run.open.values().sum()).collect();
        assert_eq!((open, runs.iter().map(|run| run.residual).collect::<Vec<_>>()), (vec![2, 1, 2], vec![18, 9, 18]));
        assert_eq!(register.review("shop", Some(2)).expect("a review"), b"{\"threats\":[\"a\"]}");
        let history = register.changes("shop", Some("b")).expect("changes");
        let shown: Vec<_> = history.iter().map(|change| (change.number, change.run, change.kind)).collect();
        assert_eq!(shown, [(2, 1, ChangeKind::New), (3, 2, ChangeKind::Gone), (4, 3, ChangeKind::Reopened)]);
        let error = register.record(&run(day(1), &[])).map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("comes too late")));
        let error = register.risks("shops").map_err(|error| error.to_string());
        assert_eq!(error.err().as_deref(), Some("the register has no system `shops`; did you mean `shop`?"));
    });
}

#[test]
fn a_decision_holds_for_its_days_and_says_who_took_it() {
    on_both(|place| {
        let mut register = Register::open(place).expect("a register");
        let threats = [threat("a", Severity::High)];
        register.record(&run(day(1), &threats)).expect("a run");
        let until = Some(day(3).day());
        let decision = Decision { kind: "accept".into(), by: "ann".into(), why: "it's \"public\" data".into(), at: day(1), until };
        register.decide("shop", "a", Some(&decision), "ann", day(1)).expect("a decision");
        assert_eq!(states(&mut register).get("a"), Some(&State::Decided));
        assert_eq!(kinds(&register.record(&run(day(3), &threats)).expect("a run")), []);
        let expired = register.record(&run(day(4), &threats)).expect("a run");
        assert_eq!(kinds(&expired), [("a", ChangeKind::Reopened)]);
        assert!(expired.changes.iter().all(|change| change.text.contains("ann")), "{expired:?}");
        let risk = register.risks("shop").expect("risks").remove(0);
        assert_eq!(risk.course.decision, Some(decision));
        assert!(register.decide("shop", "z", None, "ann", day(4)).is_err());
        let history = register.changes("shop", None).expect("changes");
        let shown: Vec<_> = history.iter().map(|change| (change.kind, change.who.as_str())).collect();
        assert_eq!(shown, [(ChangeKind::New, ""), (ChangeKind::Decided, "ann"), (ChangeKind::Reopened, "")]);
    });
}

#[test]
fn an_advisory_that_arrives_is_one_new_vulnerability_and_a_second_look_finds_nothing_new() {
    on_both(|place| {
        let mut register = Register::open(place).expect("a register");
        let packages = [package("webframe", "2.0"), package("other", "1.0")];
        let first = register.record(&with_flaws(run(day(1), &[]), "one", &packages, Vec::new())).expect("a run");
        assert_eq!(kinds(&first), []);
        // A look at the packages alone: the source is not there any more.
        let look = |database: &str, at: Time, found: Vec<Flaw>| {
            let mut look = with_flaws(run(at, &[]), database, &[], found);
            (look.review, look.packages, look.keep_unchanged) = (None, None, false);
            look
        };
        let found = vec![flaw("webframe", &["GHSA-1", "CVE-1"], Severity::High)];
        let second = register.record(&look("two", day(2), found.clone())).expect("a run");
        assert_eq!(second.number, Some(2));
        let change = second.changes.first().expect("a change");
        assert_eq!(
            (second.changes.len(), change.kind, change.title.as_str()),
            (1, ChangeKind::New, "GHSA-1 in webframe 2.0, mended in 2.1")
        );
        let third = register.record(&look("two", day(3), found)).expect("a look");
        assert_eq!((third.number, third.changes.len()), (None, 0));
        // Yesterday's advisories do not speak of it yet; they undo nothing.
        let mut stale = look("one", day(3), Vec::new());
        stale.flaws = stale.flaws.map(|flaws| Flaws { database_day: "2026-01-01".to_owned(), ..flaws });
        let stale = register.record(&stale).expect("a look");
        assert_eq!((stale.is_stale, stale.number, stale.changes.len()), (true, None, 0));
        let entry = register.system("shop").expect("the system");
        assert_eq!((entry.n_runs, entry.looked_at, entry.database.as_str()), (2, day(3), "two"));
        let known = register.vulnerabilities("shop").expect("vulnerabilities");
        let of = known.first().expect("one");
        assert_eq!((known.len(), of.course.first_run, of.flaw.score, of.flaw.epss), (1, 2, Some(7.5), Some(0.012_345)));
        let arrivals: Vec<_> = of.arrivals.iter().map(|arrival| (arrival.advisory.as_str(), arrival.at)).collect();
        assert_eq!(arrivals, [("GHSA-1", day(2))]);
        assert_eq!(register.packages("shop").expect("packages"), packages);
        // The review of the first run still stands.
        assert_eq!(register.review("shop", None).expect("a review"), b"{\"threats\":[]}");
    });
}

#[test]
fn runs_of_one_system_wait_for_each_other() {
    const WRITERS: i64 = 4;
    const RUNS: i64 = 6;
    on_both(|place| {
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                scope.spawn(move || {
                    // All open at once a register that is not yet there.
                    let mut register = Register::open(place).expect("a register");
                    for _ in 0..RUNS {
                        register.record(&run(day(1), &[threat(&format!("of-{writer}"), Severity::Low)])).expect("a run");
                    }
                });
            }
        });
        let mut register = Register::open(place).expect("a register");
        let numbers: Vec<i64> = register.runs("shop").expect("runs").iter().map(|run| run.number).collect();
        assert_eq!(numbers, (1..=WRITERS * RUNS).collect::<Vec<_>>());
        let changes = register.changes("shop", None).expect("changes");
        let numbers: Vec<i64> = changes.iter().map(|change| change.number).collect();
        assert_eq!(numbers, (1..=i64::try_from(changes.len()).expect("few")).collect::<Vec<_>>());
        assert_eq!(states(&mut register).values().filter(|state| state.is_open()).count(), 1);
    });
}

#[test]
fn thousands_of_packages_and_odd_texts_come_back_as_they_went_in() {
    on_both(|place| {
        let mut register = Register::open(place).expect("a register");
        let mut packages: Vec<Package> = (0..3000).map(|n| package(&format!("p{n}"), "1.0")).collect();
        packages.push(package("näme'; DROP TABLE runs; --", "1.0\u{1f980}"));
        register.record(&with_flaws(run(day(1), &[]), "one", &packages, Vec::new())).expect("a run");
        assert_eq!(register.packages("shop").expect("packages"), packages);
        let odd = Threat { message: "a\0b".to_owned(), ..threat("a", Severity::Low) };
        register.record(&run(day(2), &[odd])).expect("a run");
        assert_eq!(register.risks("shop").expect("risks").remove(0).threat.message, "a\u{fffd}b");
    });
}

#[test]
fn a_register_of_a_newer_version_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let error = Register::open(&Place::File(folder.path().to_owned())).err().expect("a folder is no register").to_string();
    assert!(error.contains("is no register"), "{error}");
    std::fs::write(folder.path().join("text"), "not a database at all, but long enough to be looked at".repeat(100)).expect("a file");
    let error = Register::open(&Place::File(folder.path().join("text"))).err().expect("a text is no register").to_string();
    assert!(error.contains("is no register"), "{error}");
    let error =
        Register::open(&Place::parse("postgres://nobody:s3cret@localhost:1/none").expect("an address")).err().expect("nobody there");
    assert!(!error.to_string().contains("s3cret"), "{error}");
}
