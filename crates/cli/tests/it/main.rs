//! The command line as its users see it: files, streams and exit codes.
#![expect(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "helpers of tests fail and speak as tests do")]

mod actions;
mod commits;
mod diff;
#[path = "../../../register/tests/it/postgres.rs"]
mod postgres;
mod register;
mod registry;
mod supply;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A bucket that anyone may read, and a queue.
const PLAN: &str = r#"
resource "aws_s3_bucket" "uploads" {
  bucket = "shop-uploads"
}

resource "aws_s3_bucket_policy" "uploads" {
  bucket = aws_s3_bucket.uploads.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.uploads.arn}/*"
    }]
  })
}

resource "aws_s3_bucket_public_access_block" "uploads" {
  bucket                  = aws_s3_bucket.uploads.id
  block_public_policy     = false
  restrict_public_buckets = false
}

resource "aws_sqs_queue" "orders" {
  name = "orders"
}
"#;

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // A folder of an earlier run may hold files of an earlier version.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

fn plan(name: &str) -> PathBuf {
    let folder = folder(name);
    std::fs::write(folder.join("main.tf"), PLAN).expect("the plan can be written");
    folder
}

fn bartizan(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bartizan")).args(arguments).current_dir(folder).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_review_writes_the_folder_and_tells_where_it_lies() {
    let plan = plan("review");
    let output = bartizan(&plan, &["review", "."]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    assert!(shown.contains("report: bartizan-report/index.html"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "colour although nobody watches:\n{shown}");
    for name in ["index.html", "threat-model.md", "diagram.svg", "review.json", "review.sarif"] {
        assert!(plan.join("bartizan-report").join(name).is_file(), "{name} is missing");
    }
}

#[test]
fn the_gate_says_why_it_fails() {
    let plan = plan("gate");
    let output = bartizan(&plan, &["review", ".", "--fail-on", "high"]);
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), told.contains("gate: 1 threat is of `high` or worse: exit code 1")), (Some(1), true), "{told}");
    std::fs::write(plan.join("bartizan.yaml"), "appetite:\n  tolerated: medium\n").expect("the file can be written");
    let output = bartizan(&plan, &["review", "."]);
    let told = text(&output.stderr);
    let why = "gate: 1 threat is of `high` or worse, and `bartizan.yaml` tolerates nothing worse than `medium`: exit code 1";
    assert_eq!((output.status.code(), told.contains(why)), (Some(1), true), "{told}");
}

#[test]
fn two_runs_give_the_same_bytes() {
    let plan = plan("twice");
    for target in ["first", "second"] {
        assert_eq!(bartizan(&plan, &["review", "main.tf", "-o", target]).status.code(), Some(0));
    }
    for entry in std::fs::read_dir(plan.join("first")).expect("the report") {
        let name = entry.expect("a file").file_name();
        let read = |folder: &str| std::fs::read(plan.join(folder).join(&name)).expect("a report");
        assert_eq!(read("first"), read("second"), "{name:?} differs");
    }
}

#[test]
fn formats_go_to_standard_output_and_follow_their_schemas() {
    let plan = plan("formats");
    for (arguments, name) in [(vec!["review", "main.tf", "--format", "json"], "review"), (vec!["model", "main.tf"], "model")] {
        let output = bartizan(&plan, &arguments);
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(document["schema"], format!("bartizan/{name}/1"));
        let schema: serde_json::Value = serde_json::from_slice(&bartizan(&plan, &["schema", name]).stdout).expect("a schema");
        let validator = jsonschema::validator_for(&schema).expect("a valid schema");
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
    let declarations: serde_json::Value = serde_json::from_slice(&bartizan(&plan, &["schema", "bartizan.yaml"]).stdout).expect("a schema");
    assert!(jsonschema::validator_for(&declarations).is_ok());
    assert!(!plan.join("bartizan-report").exists(), "a format was asked for, and not the folder");
}

#[test]
fn sarif_follows_the_schema_of_oasis() {
    let plan = plan("sarif");
    let output = bartizan(&plan, &["review", "main.tf", "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../../../corpora/schemas/sarif-2.1.0.json")).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let errors: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn diagrams_come_in_every_format() {
    let plan = plan("diagram");
    for (format, start) in [("svg", "<svg"), ("mermaid", "%%"), ("dot", "digraph"), ("drawio", "<mxfile")] {
        let output = bartizan(&plan, &["diagram", "main.tf", "--format", format]);
        assert_eq!(output.status.code(), Some(0));
        let drawn = text(&output.stdout);
        assert!(drawn.trim_start().starts_with(start) || drawn.contains(start) || format == "mermaid", "{format}: {drawn}");
        assert!(drawn.contains("uploads"), "{format}: {drawn}");
    }
}

#[test]
fn wrong_input_is_told_on_standard_error_with_code_2() {
    let empty = folder("empty");
    for arguments in [&["review", "nowhere"][..], &["review"], &["explain", "nothing", "."], &["review", ".", "--fail-on", "terrible"]] {
        let output = bartizan(&empty, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    assert!(text(&bartizan(&empty, &["review"]).stderr).contains("there is nothing to review in `.`"));
}

#[test]
fn a_syntax_error_does_not_stop_the_run() {
    let plan = plan("broken");
    std::fs::write(plan.join("broken.tf"), "resource \"aws_s3_bucket\" {{{\n").expect("the file can be written");
    let output = bartizan(&plan, &["review", "."]);
    // What was not read is not taken for sound.
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stdout).contains("1 place could not be read"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("broken.tf:1"), "{}", text(&output.stderr));
    let written = std::fs::read_to_string(plan.join("bartizan-report/review.json")).expect("a report");
    assert!(written.contains("aws_sqs_queue.orders"), "the other file was read");
}

#[test]
fn a_component_is_explained_by_its_address() {
    let plan = plan("explain");
    let output = bartizan(&plan, &["explain", "aws_s3_bucket.uploads", "main.tf"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("declared in main.tf:2"), "{}", text(&output.stdout));
    let unknown = bartizan(&plan, &["explain", "uploads", "main.tf"]);
    assert!(text(&unknown.stderr).contains("did you mean"), "{}", text(&unknown.stderr));
}

#[test]
fn the_embedded_catalogue_is_without_mistakes() {
    let here = folder("rules");
    let output = bartizan(&here, &["rules", "check"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&bartizan(&here, &["rules", "list"]).stdout).starts_with("RULE"));
}

/// A function that answers anybody and reads the orders.
const ATTACKED: &str = r#"
resource "aws_dynamodb_table" "orders" {
  name     = "orders"
  hash_key = "id"
  tags     = { DataClassification = "restricted" }
}

resource "aws_iam_role" "api" {
  name               = "api"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "api" {
  role   = aws_iam_role.api.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "dynamodb:GetItem", Resource = aws_dynamodb_table.orders.arn }]
  })
}

resource "aws_lambda_function" "api" {
  function_name = "api"
  role          = aws_iam_role.api.arn
}

resource "aws_lambda_function_url" "api" {
  function_name      = aws_lambda_function.api.function_name
  authorization_type = "NONE"
}
"#;

#[test]
fn an_attack_path_is_told_and_explained_in_words() {
    let folder = folder("attacked");
    std::fs::write(folder.join("main.tf"), ATTACKED).expect("the plan can be written");
    let shown = text(&bartizan(&folder, &["review", "."]).stdout);
    let line = shown.lines().find(|line| line.contains("attack path") && line.ends_with(')')).expect("a line about attack paths");
    assert!(line.contains("an attacker on the internet reads `orders` over `api`"), "{line}");
    let id = line.rsplit_once("(path-").map(|(_, id)| format!("path-{}", id.trim_end_matches(')'))).expect("its id");
    let explained = bartizan(&folder, &["explain", &id, "."]);
    assert_eq!(explained.status.code(), Some(0));
    let explained = text(&explained.stdout);
    for piece in [
        "### 1. Exploits a flaw of the application that answers there (assumed: no plan shows this flaw)",
        "### 2. Acts as the role that the code runs as",
        "with dynamodb:GetItem",
        "`dynamodb:GetItem` is allowed:",
        "- nothing denies it",
        "## What would cut it",
        "main.tf:",
    ] {
        assert!(explained.contains(piece), "{piece} is missing:\n{explained}");
    }
}

#[test]
fn a_name_that_the_plan_does_not_have_is_no_all_clear() {
    let folder = folder("mistyped");
    std::fs::write(folder.join("main.tf"), ATTACKED).expect("the plan can be written");
    for (arguments, told) in [
        (&["paths", ".", "--to", "aws_dynamodb_table.order"][..], "there is no component `aws_dynamodb_table.order`"),
        (&["paths", ".", "--from", "nobody"], "there is no component and no entry `nobody`"),
        (&["access", ".", "--can", "nobody", "s3:GetObject", "*"], "`nobody`: there is no such user, role or group in the plan"),
        (&["access", ".", "--can", "aws_iam_role.api", "s3:Nonsense", "*"], "`s3:Nonsense`: AWS has no such action"),
        (&["access", ".", "--can", "aws_iam_role.api", "s3:GetObject", "aws_s3_bucket.nope"], "`aws_s3_bucket.nope`: it is neither"),
    ] {
        let output = bartizan(&folder, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        assert!(text(&output.stderr).contains(told), "{arguments:?}: {}", text(&output.stderr));
    }
}
