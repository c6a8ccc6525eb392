//! Work that is shared: every system is looked at once, and a worker that falls silent loses its job to another.

use std::time::Duration;

use bartizan_register::{Claim, Heartbeat, Job, Place, Register, RegisterError, Run, Severity};

use super::{day, flaw, on_both, package, run, with_flaws};

const LEASE: Duration = Duration::from_secs(60);

fn system(name: &str, database: &str) -> Run {
    let mut run = with_flaws(run(day(1), &[]), database, &[package("webframe", "2.0")], Vec::new());
    run.system.name = name.to_owned();
    run
}

fn fill(place: &Place, names: &[&str]) -> Register {
    let mut register = Register::open(place).expect("a register");
    for name in names {
        register.record(&system(name, "one")).expect("a run");
    }
    register
}

fn ask(register: &mut Register, database: &str) -> u64 {
    let moment = register.moment().expect("a moment");
    register.ask(Some((database, "2026-01-02")), moment, Duration::from_secs(3600)).expect("jobs")
}

fn job(register: &mut Register, worker: &str, lease: Duration) -> Job {
    match register.claim(worker, lease).expect("an answer") {
        Claim::Job(job) => job,
        other => panic!("no job but {other:?}"),
    }
}

fn look(name: &str) -> Run {
    let mut look = with_flaws(system(name, "two"), "two", &[], vec![flaw("webframe", &["CVE-1"], Severity::High)]);
    (look.review, look.packages, look.keep_unchanged, look.at) = (None, None, false, day(2));
    look.channels = vec!["webhook".to_owned()];
    look
}

#[test]
fn each_job_is_done_once_by_whoever_comes_first() {
    on_both(|place| {
        let names: Vec<String> = (0..12).map(|n| format!("system {n}")).collect();
        let mut register = fill(place, &names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(ask(&mut register, "one"), 0, "nothing has changed and the day is not over");
        assert_eq!(ask(&mut register, "two"), 12);
        assert_eq!(ask(&mut register, "two"), 0, "a system has one job at a time");
        std::thread::scope(|scope| {
            for worker in 0..4 {
                scope.spawn(move || {
                    let mut register = Register::open(place).expect("a register");
                    loop {
                        match register.claim(&format!("worker {worker}"), LEASE).expect("an answer") {
                            Claim::Job(job) => {
                                assert_eq!((job.cause.as_str(), job.attempt), ("advisories", 1));
                                register.finish(&job, &look(&job.system)).expect("a result");
                            }
                            Claim::Wait => std::thread::sleep(Duration::from_millis(20)),
                            Claim::Nothing => return,
                        }
                    }
                });
            }
        });
        for name in &names {
            assert_eq!(register.vulnerabilities(name).expect("vulnerabilities").len(), 1, "{name}");
            assert_eq!(register.runs(name).expect("runs").len(), 2, "{name}");
        }
        assert_eq!(register.notices().expect("notices").len(), 12);
        assert_eq!(ask(&mut register, "two"), 0, "all have been matched against these advisories");
    });
}

#[test]
fn a_silent_worker_loses_its_job_and_its_late_result_is_refused() {
    on_both(|place| {
        let mut register = fill(place, &["shop"]);
        ask(&mut register, "two");
        let lost = job(&mut register, "silent", Duration::from_secs(1));
        assert_eq!(register.claim("other", LEASE).expect("an answer"), Claim::Wait);
        let taken = loop {
            match register.claim("other", LEASE).expect("an answer") {
                Claim::Job(job) => break job,
                _ => std::thread::sleep(Duration::from_millis(100)),
            }
        };
        assert_eq!(taken.attempt, 2);
        let late = register.finish(&lost, &look("shop"));
        assert!(matches!(late, Err(RegisterError::LostLease(_))), "{late:?}");
        assert_eq!(register.vulnerabilities("shop").expect("vulnerabilities").len(), 0, "nothing of a refused result stays");
        assert_eq!(register.finish(&taken, &look("shop")).expect("a result").changes.len(), 1);
        assert_eq!(register.claim("other", LEASE).expect("an answer"), Claim::Nothing);
    });
}

#[test]
fn signs_of_life_keep_a_job_and_three_failures_end_it() {
    on_both(|place| {
        let mut register = fill(place, &["shop"]);
        ask(&mut register, "two");
        let lease = Duration::from_secs(2);
        let held = job(&mut register, "slow", lease);
        let heartbeat = Heartbeat::start(place, &held, lease);
        std::thread::sleep(Duration::from_secs(4));
        assert_eq!(register.claim("other", lease).expect("an answer"), Claim::Wait);
        drop(heartbeat);
        register.give_back(&held, "no disk").expect("given back");
        for _ in 0..2 {
            let job = job(&mut register, "other", lease);
            register.give_back(&job, "no disk either").expect("given back");
        }
        assert_eq!(register.claim("other", lease).expect("an answer"), Claim::Nothing);
        assert_eq!(register.failures().expect("failures"), [("shop".to_owned(), "no disk either".to_owned())]);
        assert_eq!(ask(&mut register, "two"), 1, "the next round tries again");
    });
}
