//! Any text is read as `bartizan.yaml` beside a small plan, and what it declares, answers and decides is reviewed.
#![no_main]

use bartizan_fuzz::{CATALOGUE, SERVICES, check};
use bartizan_import::Tree;
use bartizan_review::Policy;
use libfuzzer_sys::fuzz_target;

const PLAN: &str = r#"
variable "open" {}
resource "aws_s3_bucket" "b" { bucket = "uploads" }
resource "aws_sqs_queue" "q" { name = "jobs" }
resource "aws_lambda_function" "f" {
  function_name = "worker"
  environment { variables = { QUEUE = aws_sqs_queue.q.url, PASSWORD = var.open } }
}
resource "aws_db_instance" "d" {
  engine              = "mysql"
  publicly_accessible = var.open
}
"#;

fuzz_target!(init: bartizan_fuzz::load(), |text: &str| {
    let files = [("main.tf", PLAN), ("bartizan.yaml", text)];
    let tree = Tree::from_memory(files.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let architecture = bartizan_import::import(&tree, &SERVICES);
    check(&architecture);
    let policy = Policy { today: Some("2026-11-24".to_owned()), ..Policy::default() };
    let review = bartizan_review::review(architecture, &CATALOGUE, &policy);
    bartizan_report::json::v1::review(&review);
});
