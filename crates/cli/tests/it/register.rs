//! The register on the command line: what is new is told once, whoever looks and however many look.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::postgres::Postgres;
use super::{PLAN, bartizan, folder, text};

const UNRELATED: &str = r#"{"id": "GHSA-0000-0000-0000", "modified": "2026-01-01T00:00:00Z", "summary": "Of nobody here",
 "affected": [{"package": {"ecosystem": "PyPI", "name": "nobody-has-this"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}"#;
const ADVISORY: &str = r#"{"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-02-01T00:00:00Z", "aliases": ["CVE-2026-1"], "summary": "A request may read any file",
 "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}],
 "affected": [{"package": {"ecosystem": "PyPI", "name": "webframe"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]}]}]}"#;
/// What a worker is killed without having finished; more than it does in a moment.
const SYSTEMS: usize = 12;

/// Exit code, standard output and standard error.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = bartizan(folder, arguments);
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn write(path: PathBuf, content: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
    std::fs::write(path, content).expect("the file can be written");
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let (code, shown, errors) = run(folder, arguments);
    assert_eq!(code, Some(0), "{errors}");
    serde_json::from_str(&shown).expect("JSON")
}

/// A receiver of web hooks: keys and bodies in the order of their arrival.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Vec<(String, Value)>>>);

impl Receiver {
    /// Starts one; gives its address.
    fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let receiver = Self::default();
        let received = receiver.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let received = received.clone();
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(&stream);
                    let (mut key, mut length) = (String::new(), 0);
                    loop {
                        let mut line = String::new();
                        // A sender that is killed in the middle has said nothing.
                        if reader.read_line(&mut line).unwrap_or(0) == 0 {
                            return;
                        }
                        let Some((name, value)) = line.trim_end().split_once(':') else {
                            if line == "\r\n" {
                                break;
                            }
                            continue;
                        };
                        match name.to_ascii_lowercase().as_str() {
                            "webhook-id" => value.trim().clone_into(&mut key),
                            "content-length" => length = value.trim().parse().expect("a length"),
                            _ => {}
                        }
                    }
                    let mut body = vec![0; length];
                    if reader.read_exact(&mut body).is_err() {
                        return;
                    }
                    received.0.lock().expect("no panic").push((key, serde_json::from_slice(&body).expect("JSON")));
                    let _ = (&stream).write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                });
            }
        });
        (receiver, address)
    }

    fn received(&self) -> Vec<(String, Value)> {
        self.0.lock().expect("no panic").clone()
    }

    /// Systems of which was told, and how many different notices there were.
    fn told(&self) -> (BTreeSet<String>, usize) {
        let received = self.received();
        let keys: BTreeSet<&String> = received.iter().map(|(key, _)| key).collect();
        let system = |body: &Value| body.get("system").and_then(Value::as_str).unwrap_or_default().to_owned();
        (received.iter().map(|(_, body)| system(body)).collect(), keys.len())
    }
}

#[test]
fn a_run_tells_what_is_new_since_the_last_one_and_the_gate_judges_only_that() {
    let here = folder("register");
    write(here.join("shop/main.tf"), PLAN);
    let record = |more: &[&str]| run(&here, &[&["record", "shop", "--register", "r.sqlite"], more].concat());
    let (code, shown, errors) = record(&["--fail-on", "low", "--at", "2026-01-01"]);
    assert_eq!(code, Some(1), "everything is new on the first run: {shown}{errors}");
    assert!(shown.contains("new       ") && shown.contains("\nshop: run 1 in r.sqlite: "), "{shown}");
    let (code, shown, _) = record(&["--fail-on", "low", "--at", "2026-01-02"]);
    assert_eq!((code, shown.contains("shop: run 2 in r.sqlite: nothing has changed")), (Some(0), true), "{shown}");

    let systems = json(&here, &["register", "risks", "--register", "r.sqlite", "--format", "json"]);
    let risks = systems.pointer("/systems/0/risks").and_then(Value::as_array).expect("risks").clone();
    let id = risks.first().and_then(|risk| risk.get("id")).and_then(Value::as_str).expect("an id").to_owned();
    let (code, shown, _) =
        run(&here, &["register", "decide", &id, "--as", "accept", "--by", "ann", "--why", "=public data", "--register", "r.sqlite"]);
    assert_eq!((code, shown.contains("decided") && shown.contains("by ann")), (Some(0), true), "{shown}");
    let (code, _, errors) = run(&here, &["register", "decide", &id, "--as", "accept", "--by", "ann", "--register", "r.sqlite"]);
    assert_eq!((code, errors.contains("needs a reason")), (Some(2), true), "{errors}");

    // The bucket goes, and comes back: the decision still speaks for its risk, the others are there again.
    write(here.join("shop/main.tf"), "resource \"aws_sqs_queue\" \"orders\" {\n  name = \"orders\"\n}\n");
    let (code, shown, _) = record(&["--fail-on", "low", "--at", "2026-01-03"]);
    assert_eq!((code, shown.contains("gone")), (Some(0), true), "{shown}");
    write(here.join("shop/main.tf"), PLAN);
    let (_, shown, _) = record(&["--at", "2026-01-04"]);
    let line = shown.lines().find(|line| line.contains(&format!("({id})"))).expect("a line for the decided risk");
    assert!(line.starts_with("decided") && line.contains("the decision of ann holds") && shown.contains("1 decided"), "{shown}");
    let (code, _, errors) = record(&["--at", "2026-01-02"]);
    assert_eq!((code, errors.contains("comes too late")), (Some(2), true), "{errors}");

    let runs = json(&here, &["register", "runs", "--register", "r.sqlite", "--format", "json"]);
    let schema = json(&here, &["schema", "register"]);
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    for document in [&systems, &runs] {
        assert_eq!(validator.iter_errors(document).map(|error| error.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
    }
    let of_runs = runs.pointer("/systems/0/runs").and_then(Value::as_array).expect("runs");
    let digests: Vec<&str> = of_runs.iter().filter_map(|run| run.get("review").and_then(Value::as_str)).collect();
    assert_eq!((digests.len(), digests.first() == digests.get(3)), (4, true), "the same plan is the same review");
    let (_, csv, _) = run(&here, &["register", "export", "--all", "--register", "r.sqlite"]);
    assert!(csv.contains(&format!("shop,risk,{id},")) && csv.contains(",accept,ann,'=public data,"), "{csv}");
    let (_, history, _) = run(&here, &["register", "history", &id, "--register", "r.sqlite"]);
    let kinds: Vec<&str> = history.lines().filter_map(|line| line.split_whitespace().nth(4)).collect();
    assert_eq!(kinds, ["new", "decided", "gone", "decided"], "{history}");
    // Without the decision it is open again, and that is news.
    let (code, _, errors) = run(&here, &["register", "decide", &id, "--as", "open", "--by", "ben", "--register", "r.sqlite"]);
    assert_eq!(code, Some(0), "{errors}");
    let (_, shown, _) = run(&here, &["register", "risks", "--register", "r.sqlite"]);
    assert!(shown.contains("shop  reopened"), "{shown}");
}

#[test]
fn a_finished_review_is_recorded_as_it_is() {
    let here = folder("register-review");
    write(here.join("main.tf"), PLAN);
    assert_eq!(run(&here, &["review", "main.tf", "--format", "json", "-o", "review.json"]).0, Some(0));
    let (code, _, errors) = run(&here, &["record", "--review", "review.json", "--register", "r.sqlite"]);
    assert_eq!((code, errors.contains("--system")), (Some(2), true), "{errors}");
    let (code, shown, errors) = run(&here, &["record", "--review", "review.json", "--system", "shop", "--register", "r.sqlite"]);
    assert_eq!((code, shown.contains("shop: run 1")), (Some(0), true), "{shown}{errors}");
    assert_eq!(run(&here, &["register", "review", "--register", "r.sqlite", "-o", "kept.json"]).0, Some(0));
    let read = |name: &str| std::fs::read(here.join(name)).expect("a file");
    assert_eq!(read("review.json"), read("kept.json"));
    let (code, _, errors) = run(&here, &["record", "--review", "main.tf", "--system", "shop", "--register", "r.sqlite"]);
    assert_eq!((code, errors.contains("is no review.json")), (Some(2), true), "{errors}");
    let (code, _, errors) = run(&here, &["register", "systems", "--register", "none.sqlite"]);
    assert_eq!((code, errors.contains("there is no register")), (Some(2), true), "{errors}");
}

/// Records systems, every third of which does not have the package; gives the names of the others. Some have a plan, some packages alone.
fn fill(here: &Path, register: &str) -> BTreeSet<String> {
    write(here.join("unrelated.json"), UNRELATED);
    write(here.join("advisory.json"), ADVISORY);
    assert_eq!(run(here, &["db", "update", "unrelated.json", "--database", "a.db"]).0, Some(0));
    let mut affected = BTreeSet::new();
    for n in 0..SYSTEMS {
        let name = format!("system-{n}");
        let version = if n % 3 == 0 { "2.1" } else { "2.0" };
        // Two files and two spellings: still one vulnerability of the system.
        write(here.join(&name).join("requirements.txt"), &format!("WebFrame=={version}\nother==1.0\n"));
        write(here.join(&name).join("worker/requirements.txt"), &format!("webframe=={version}\n"));
        if n % 4 == 1 {
            write(here.join(&name).join("main.tf"), PLAN);
        }
        let (code, shown, errors) = run(here, &["record", &name, "--register", register, "--database", "a.db", "--at", "2026-01-01"]);
        assert_eq!(code, Some(0), "{shown}{errors}");
        if version == "2.0" {
            affected.insert(name);
        }
    }
    affected
}

/// Each affected system has exactly one vulnerability, the others none, and no run is there twice.
fn check(here: &Path, register: &str, affected: &BTreeSet<String>) {
    let known = json(here, &["register", "vulnerabilities", "--all", "--register", register, "--format", "json"]);
    let systems = known.get("systems").and_then(Value::as_array).expect("systems");
    assert_eq!(systems.len(), SYSTEMS);
    for system in systems {
        let name = system.get("name").and_then(Value::as_str).expect("a name");
        let flaws = system.get("vulnerabilities").and_then(Value::as_array).expect("a list");
        assert_eq!(flaws.len(), usize::from(affected.contains(name)), "{name}: {flaws:?}");
        let runs = if affected.contains(name) { 2 } else { 1 };
        assert_eq!(system.get("last_run").and_then(Value::as_i64), Some(runs), "{name}");
        for flaw in flaws {
            assert_eq!(flaw.get("name").and_then(Value::as_str), Some("CVE-2026-1"));
            assert_eq!(flaw.get("places").and_then(Value::as_array).map(Vec::len), Some(2));
        }
    }
    let changes = json(here, &["register", "history", "--register", register, "--format", "json"]);
    let all = changes.get("systems").and_then(Value::as_array).into_iter().flatten();
    let all = all.filter_map(|system| system.get("changes").and_then(Value::as_array)).flatten();
    let new = all.filter(|change| change.get("about").and_then(Value::as_str) == Some("vulnerability"));
    assert_eq!(new.count(), affected.len());
}

#[test]
fn one_advisory_is_one_new_vulnerability_of_each_affected_system_and_is_told_once() {
    let here = folder("watch");
    let affected = fill(&here, "r.sqlite");
    assert_eq!(run(&here, &["db", "update", "advisory.json", "--database", "a.db"]).0, Some(0));
    // A system whose source is gone is judged by the packages that were recorded.
    std::fs::remove_dir_all(here.join("system-1")).expect("it was there");
    let (receiver, address) = Receiver::start();
    let hook = format!("webhook={address}");
    let events = "eventbridge=file:events.jsonl";
    let watch = ["watch", "--once", "--register", "r.sqlite", "--database", "a.db", "--notify", &hook, "--notify", events];
    let (code, shown, errors) = run(&here, &watch);
    assert_eq!(code, Some(0), "{shown}{errors}");
    check(&here, "r.sqlite", &affected);
    assert_eq!((receiver.told(), receiver.received().len()), ((affected.clone(), affected.len()), affected.len()));
    let (_, notice) = receiver.received().pop().expect("a notice");
    let schema = json(&here, &["schema", "notice"]);
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).expect("a valid schema").iter_errors(&notice).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    let lines = || std::fs::read_to_string(here.join("events.jsonl")).expect("events").lines().count();
    assert_eq!(lines(), affected.len());

    let (code, shown, errors) = run(&here, &watch);
    assert_eq!((code, shown.matches("nothing has changed").count()), (Some(0), SYSTEMS), "{shown}{errors}");
    check(&here, "r.sqlite", &affected);
    assert_eq!((receiver.received().len(), lines()), (affected.len(), affected.len()));
    // A receiver that is away keeps nothing from being recorded; its notice waits.
    write(here.join("late/requirements.txt"), "webframe==1.0\n");
    let away = ["record", "late", "--register", "r.sqlite", "--database", "a.db", "--notify", "slack=http://127.0.0.1:9/s3cret"];
    let (code, shown, errors) = run(&here, &away);
    assert_eq!((code, shown.contains("late: run 1")), (Some(4), true), "{shown}{errors}");
    assert!(errors.contains("is not sent") && !errors.contains("s3cret"), "{errors}");
    let (_, notices, _) = run(&here, &["register", "notices", "--register", "r.sqlite"]);
    assert_eq!(notices.lines().filter(|line| line.contains("waiting") && line.contains("slack:")).count(), 1, "{notices}");
}

#[test]
fn four_workers_of_whom_one_is_killed_find_and_tell_the_same() {
    let Some(server) = Postgres::start() else { return };
    let here = folder("watch-postgres");
    let affected = fill(&here, &server.url);
    assert_eq!(run(&here, &["db", "update", "advisory.json", "--database", "a.db"]).0, Some(0));
    let (receiver, address) = Receiver::start();
    let hook = format!("webhook={address}");
    let watch = ["watch", "--once", "--register", &server.url, "--database", "a.db", "--notify", &hook, "--lease", "2s"];
    let start = |_| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bartizan"));
        command.args(watch).current_dir(&here).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a worker")
    };
    let mut workers: Vec<_> = (0..4).map(start).collect();
    let began = Instant::now();
    while receiver.received().is_empty() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let n_before = receiver.told().1;
    // One that found nothing left to take may have ended by itself; whoever is still at work is killed.
    let is_killed = |worker: &mut std::process::Child| {
        let _ = worker.kill();
        worker.wait().expect("an end").code().is_none()
    };
    let n_ended = workers.iter_mut().position(is_killed).expect("a worker that was killed at work");
    assert!(n_before > 0 && n_before < affected.len(), "the kill falls into the middle: {n_before} of {}", affected.len());
    for worker in &mut workers[n_ended + 1..] {
        assert_eq!(worker.wait().expect("an end").code(), Some(0));
    }
    check(&here, &server.url, &affected);
    assert_eq!(receiver.told(), (affected.clone(), affected.len()));
    let n_received = receiver.received().len();
    // Whoever was killed after sending, before writing it down, is followed by the same notice with the same key.
    assert!(n_received <= affected.len() + 1, "{n_received} deliveries");

    let (code, shown, errors) = run(&here, &watch);
    assert_eq!((code, shown.matches("nothing has changed").count()), (Some(0), SYSTEMS), "{shown}{errors}");
    check(&here, &server.url, &affected);
    assert_eq!(receiver.received().len(), n_received);
}
