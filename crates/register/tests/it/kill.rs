//! A recorder that is killed at any moment loses nothing that it acknowledged, and leaves nothing half recorded.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use bartizan_register::{Place, Register, Run, Severity, Threat};
use tempfile::TempDir;

use super::{day, flaw, on_both, package, run, threat, with_flaws};

/// Where the child records; without it, the child's test records a few runs in a file of its own.
const PLACE: &str = "BARTIZAN_TEST_RECORDER_PLACE";
const KILLS: u64 = 20;

/// Everything that run `n` holds follows from `n`.
fn nth(n: i64) -> Run {
    let threats: Vec<Threat> = (0..40).filter(|i| (n + i) % 3 != 0).map(|i| threat(&format!("t{i}"), Severity::High)).collect();
    let packages: Vec<_> = (0..50).map(|i| package(&format!("p{i}"), &format!("1.{n}"))).collect();
    let flaws = (0..10).filter(|i| (n + i) % 2 == 0).map(|i| flaw(&format!("p{i}"), &["CVE-1"], Severity::Low)).collect();
    let mut run = with_flaws(run(day(1), &threats), &format!("database {n}"), &packages, flaws);
    run.channels = vec!["webhook".to_owned()];
    run
}

fn record(place: &Place, runs: usize, acknowledge: &mut dyn FnMut(i64)) {
    let mut register = Register::open(place).expect("a register");
    let first = register.systems().expect("systems").first().map_or(0, |entry| entry.n_runs) + 1;
    for n in (first..).take(runs) {
        let number = register.record(&nth(n)).expect("a run").number.expect("a number");
        assert_eq!(number, n);
        acknowledge(number);
    }
}

/// What run `n` recorded is there in full, and so is all before it; nothing is there of any later one.
fn check(place: &Place, last_acknowledged: i64) -> i64 {
    let mut register = Register::open(place).expect("a register");
    let runs = register.runs("shop").expect("runs");
    let last = i64::try_from(runs.len()).expect("few");
    assert!(last >= last_acknowledged, "acknowledged {last_acknowledged}, recorded {last}");
    assert_eq!(runs.iter().map(|run| run.number).collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>());
    let changes = register.changes("shop", None).expect("changes");
    for run in &runs {
        let n = changes.iter().filter(|change| change.run == run.number).count();
        assert_eq!(i64::try_from(n).expect("few"), run.n_changes, "changes of run {}", run.number);
    }
    let wanted = nth(last);
    let review = wanted.review.expect("a review");
    assert_eq!(register.review("shop", Some(last)).expect("the last review"), review.json);
    assert_eq!(register.packages("shop").expect("packages"), wanted.packages.expect("packages"));
    let mut open: Vec<_> = register.risks("shop").expect("risks").into_iter().filter(|risk| risk.course.state.is_open()).collect();
    open.sort_by(|a, b| a.threat.id.cmp(&b.threat.id));
    let mut ids: Vec<_> = review.threats.iter().map(|threat| threat.id.clone()).collect();
    ids.sort();
    assert_eq!(open.iter().map(|risk| risk.threat.id.clone()).collect::<Vec<_>>(), ids);
    assert!(open.iter().all(|risk| risk.course.last_run == last));
    let known = register.vulnerabilities("shop").expect("vulnerabilities");
    assert_eq!(known.iter().filter(|of| of.course.state.is_open()).count(), wanted.flaws.expect("flaws").found.len());
    assert_eq!(register.system("shop").expect("the system").database, format!("database {last}"));
    let with_news = runs.iter().filter(|run| changes.iter().any(|change| change.run == run.number && change.kind.is_news())).count();
    assert_eq!(register.notices().expect("notices").len(), with_news);
    last
}

#[test]
fn recorder() {
    match std::env::var(PLACE) {
        Ok(place) => {
            let mut out = std::io::stdout();
            record(&Place::parse(&place).expect("a place"), usize::MAX, &mut |number| {
                writeln!(out, "acknowledged {number}").and_then(|()| out.flush()).expect("a reader");
            });
        }
        Err(_) => {
            let folder = TempDir::new().expect("a folder");
            let place = Place::File(folder.path().join("register.sqlite"));
            let mut acknowledged = Vec::new();
            record(&place, 5, &mut |number| acknowledged.push(number));
            assert_eq!(acknowledged, [1, 2, 3, 4, 5]);
            assert_eq!(check(&place, 5), 5);
        }
    }
}

#[test]
fn a_recorder_that_is_killed_loses_nothing_and_leaves_nothing_half() {
    on_both(|place| {
        let address = match place {
            Place::File(path) => path.display().to_string(),
            Place::Postgres(url) => url.clone(),
        };
        let mut acknowledged = 0;
        let mut recorded = 0;
        let mut n_unacknowledged = 0;
        for kill in 0..KILLS {
            let mut child = Command::new(std::env::current_exe().expect("this program"))
                .args(["--exact", "kill::recorder", "--nocapture", "--test-threads=1"])
                .env(PLACE, &address)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("a recorder");
            let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
            let number = |line: &str| line.rsplit_once("acknowledged ").and_then(|(_, number)| number.parse::<i64>().ok());
            let first = lines.by_ref().map_while(Result::ok).find_map(|line| number(&line));
            acknowledged = first.expect("a recorder that records");
            // Another moment each time, spread over more than one run's length.
            std::thread::sleep(Duration::from_micros(kill * 7_919 % 60_000));
            child.kill().expect("a kill");
            child.wait().expect("an end");
            acknowledged = lines.map_while(Result::ok).filter_map(|line| number(&line)).last().unwrap_or(acknowledged);
            recorded = check(place, acknowledged);
            n_unacknowledged += recorded - acknowledged;
        }
        assert!(recorded >= acknowledged && acknowledged >= i64::try_from(KILLS).expect("few"));
        // A kill may fall between the end of a transaction and its acknowledgement; more than one run at a time cannot.
        assert!(n_unacknowledged <= i64::try_from(KILLS).expect("few"));
        eprintln!("{KILLS} kills, {acknowledged} runs acknowledged, {recorded} recorded, none half");
    });
}
