//! The steps of the GitHub Action and the script of the GitLab template, run here with what those services would give them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::supply::ADVISORY;
use crate::{PLAN, bartizan, folder, text};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The `run:` of every step of the action, by name; a reader of YAML would know no more of it than its indentation tells.
fn steps(action: &str) -> BTreeMap<String, String> {
    let mut steps = BTreeMap::new();
    let (mut name, mut inside) = (String::new(), false);
    for line in action.lines() {
        if let Some(found) = line.strip_prefix("    - name: ") {
            (name, inside) = (found.to_owned(), false);
        } else if line == "      run: |" {
            inside = true;
        } else if inside && (line.is_empty() || line.starts_with("        ")) {
            let script: &mut String = steps.entry(name.clone()).or_default();
            script.push_str(line.trim_start_matches("        "));
            script.push('\n');
        } else {
            inside = false;
        }
    }
    steps
}

struct Runner {
    here: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl Runner {
    fn run(&self, script: &str, more: &[(&str, &str)]) -> Output {
        Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(&self.here)
            .envs(self.variables.iter().map(|(name, value)| (*name, value.as_str())))
            .envs(more.iter().copied())
            .output()
            .expect("bash runs")
    }

    /// What a step wrote for the next ones.
    fn outputs(&self) -> BTreeMap<String, String> {
        let written = std::fs::read_to_string(self.here.join("runner/output")).unwrap_or_default();
        written.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// A repository of two commits, of which the second opens a bucket.
fn repository(name: &str) -> Runner {
    let here = folder(name);
    std::fs::create_dir_all(here.join("runner")).expect("the folder can be made");
    std::fs::create_dir_all(here.join("plan")).expect("the folder can be made");
    let git = |arguments: &[&str]| {
        let settings =
            ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"];
        let output = Command::new("git").args(settings).args(arguments).current_dir(&here).output().expect("git runs");
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    git(&["init", "--quiet"]);
    for content in ["resource \"aws_sqs_queue\" \"orders\" {\n  name = \"orders\"\n}\n", PLAN] {
        std::fs::write(here.join("plan/main.tf"), content).expect("the plan can be written");
        git(&["add", "plan"]);
        git(&["commit", "--quiet", "-m", "a step"]);
    }
    let runner = here.join("runner");
    let path = |name: &str| runner.join(name).display().to_string();
    let variables = vec![
        ("RUNNER_TEMP", path("")),
        ("GITHUB_OUTPUT", path("output")),
        ("GITHUB_STEP_SUMMARY", path("summary.md")),
        ("GITHUB_REPOSITORY", "shop/plan".to_owned()),
    ];
    Runner { here, variables }
}

#[test]
fn the_steps_of_the_action_compare_review_comment_and_stop() {
    let action = std::fs::read_to_string(root().join("action.yml")).expect("the action");
    let steps = steps(&action);
    assert_eq!(steps.keys().map(String::as_str).collect::<Vec<_>>(), ["Comment", "Compare", "Gate", "Install bartizan", "Review", "Scan"]);
    let runner = repository("action");
    let binary = env!("CARGO_BIN_EXE_bartizan");
    let done = |name: &str, more: &[(&str, &str)]| {
        let output = runner.run(&steps[name], more);
        assert!(output.status.success(), "{name}: {}{}", text(&output.stdout), text(&output.stderr));
        runner.outputs()
    };
    let outputs = done("Install bartizan", &[("BINARY", binary), ("ACTION_PATH", ".")]);
    assert_eq!(outputs["binary"], binary);
    let outputs = done("Compare", &[("BARTIZAN", binary), ("PLAN", "plan"), ("BASE", "HEAD^"), ("FAIL_ON", "low")]);
    assert_eq!(outputs["exit-code"], "1");
    let told: serde_json::Value = serde_json::from_slice(&std::fs::read(&outputs["diff"]).expect("the comparison")).expect("JSON");
    assert_eq!(told["schema"], "bartizan/diff/1");
    let summary = std::fs::read_to_string(runner.here.join("runner/summary.md")).expect("the summary");
    assert!(summary.starts_with("<!-- bartizan-diff -->") && summary.contains("plan/main.tf"), "{summary}");
    let outputs = done("Review", &[("BARTIZAN", binary), ("PLAN", "plan"), ("BASELINE", ""), ("IMAGES", "")]);
    let log: serde_json::Value = serde_json::from_slice(&std::fs::read(&outputs["sarif"]).expect("a log")).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    std::fs::write(runner.here.join("advisory.json"), ADVISORY).expect("a file");
    std::fs::write(runner.here.join("plan/requirements.txt"), "webframe==2.0\n").expect("a file");
    let database = runner.here.join("advisories.db").display().to_string();
    assert!(bartizan(&runner.here, &["db", "update", "advisory.json", "--database", &database]).status.success());
    let scan = [("BARTIZAN", binary), ("PLAN", "plan"), ("BARTIZAN_DATABASE", &database), ("IMAGES", "\nmissing.example/app:1\n")];
    let shown = runner.run(&steps["Scan"], &scan);
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    let bill: serde_json::Value = serde_json::from_slice(&std::fs::read(&runner.outputs()["sbom"]).expect("a bill")).expect("JSON");
    assert_eq!(bill.pointer("/vulnerabilities/0/id").and_then(serde_json::Value::as_str), Some("CVE-2026-1"));
    let summary = std::fs::read_to_string(runner.here.join("runner/summary.md")).expect("the summary");
    assert!(summary.contains("webframe 2.0, mended in 2.1") && summary.contains("missing.example/app:1: cannot read"), "{summary}");
    assert_eq!(runner.run(&steps["Gate"], &[("CODE", "1")]).status.code(), Some(1));
    assert_eq!(runner.run(&steps["Gate"], &[("CODE", "0")]).status.code(), Some(0));
    let wrong = runner.run(&steps["Compare"], &[("BARTIZAN", binary), ("PLAN", "plan"), ("BASE", "nowhere"), ("FAIL_ON", "")]);
    assert!(!wrong.status.success());
}

#[test]
fn a_comment_of_an_earlier_run_is_written_anew() {
    let action = std::fs::read_to_string(root().join("action.yml")).expect("the action");
    let script = steps(&action).remove("Comment").expect("the step");
    let runner = repository("comment");
    let tools = runner.here.join("tools");
    std::fs::create_dir_all(&tools).expect("the folder can be made");
    // Writes down what it is asked, and knows the comment of an earlier run where there is one.
    let gh = "#!/bin/bash\necho \"$*\" >> \"$CALLS\"\nif [[ \"$*\" == *--paginate* ]]; then echo -n \"$EARLIER\"; fi\n";
    std::fs::write(tools.join("gh"), gh).expect("the tool can be written");
    assert!(Command::new("chmod").arg("+x").arg(tools.join("gh")).status().expect("chmod runs").success());
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default());
    for (earlier, asked) in
        [("", "--method POST repos/shop/plan/issues/7/comments"), ("42\n", "--method PATCH repos/shop/plan/issues/comments/42")]
    {
        let calls = runner.here.join(format!("calls-{}", earlier.len()));
        let more = [
            ("PATH", path.as_str()),
            ("CALLS", calls.to_str().expect("a path")),
            ("EARLIER", earlier),
            ("COMMENT", "c.md"),
            ("NUMBER", "7"),
        ];
        let output = runner.run(&script, &more);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let calls = std::fs::read_to_string(calls).expect("the calls");
        assert!(calls.lines().count() == 2 && calls.contains(asked) && calls.contains("body=@c.md"), "{calls}");
    }
}

/// What of a document is against a schema.
fn violations(schema: &str, document: &serde_json::Value) -> Vec<String> {
    let schema: serde_json::Value = serde_json::from_str(schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_script_of_the_gitlab_template_writes_its_reports() {
    let template = std::fs::read_to_string(root().join("integrations/gitlab/bartizan.gitlab-ci.yml")).expect("the template");
    let block: String = template
        .lines()
        .skip_while(|line| *line != "    - |")
        .skip(1)
        .take_while(|line| line.starts_with("      "))
        .map(|line| format!("{}\n", line.trim_start_matches("      ")))
        .collect();
    assert!(block.contains("--format"), "{template}");
    let compare: Vec<&str> = template.lines().filter_map(|line| line.strip_prefix("    - bartizan diff ")).collect();
    assert_eq!(compare.len(), 2);
    let runner = repository("gitlab");
    let binary = Path::new(env!("CARGO_BIN_EXE_bartizan")).parent().expect("its folder").display().to_string();
    let path = format!("{binary}:{}", std::env::var("PATH").unwrap_or_default());
    let more = [
        ("PATH", path.as_str()),
        ("BARTIZAN_PATH", "plan"),
        ("BARTIZAN_BASELINE", ""),
        ("BARTIZAN_FAIL_ON", "low"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "HEAD^"),
    ];
    let output = runner.run(&block, &more);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for (name, schema) in [
        ("gl-sast-report.json", Some(include_str!("../../../../corpora/schemas/gitlab-sast-15.0.4.json"))),
        ("gl-code-quality-report.json", Some(include_str!("../../../../corpora/schemas/gitlab-codequality.json"))),
        ("bartizan-junit.xml", None),
    ] {
        let report = std::fs::read_to_string(runner.here.join(name)).expect(name);
        assert!(template.contains(&format!(": {name}\n")), "{name} is no artifact");
        if let Some(schema) = schema {
            let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
            let found = report["vulnerabilities"].as_array().or(report.as_array()).expect("findings");
            assert!(!found.is_empty(), "{name}");
            assert_eq!(violations(schema, &report), Vec::<String>::new(), "{name}");
        }
    }
    assert_eq!(runner.run(&format!("bartizan diff {}", compare[0]), &more).status.code(), Some(0));
    assert!(runner.here.join("bartizan-diff.md").is_file());
    assert_eq!(runner.run(&format!("bartizan diff {}", compare[1]), &more).status.code(), Some(1));
}
