//! Known flaws of packages reach the components that ship them, and nobody else.

use std::collections::BTreeMap;

use bartizan_model::{Flaw, FlawRating, ScannedImage, Software, Span};
use bartizan_review::Review;

use crate::support::{CATALOGUE, review_with};

/// A function from an archive, one beside its lock file, a task by its image, and one whose code lies elsewhere.
const PLAN: &str = r#"
data "archive_file" "mail" {
  type        = "zip"
  source_dir  = "${path.module}/src/mail"
  output_path = "${path.module}/build/mail.zip"
}
resource "aws_lambda_function" "mail" {
  function_name = "mail"
  role          = "arn:aws:iam::111122223333:role/mail"
  filename      = data.archive_file.mail.output_path
  handler       = "a.b"
  runtime       = "python3.13"
}
resource "aws_lambda_function" "stock" {
  function_name = "stock"
  role          = "arn:aws:iam::111122223333:role/stock"
  filename      = "${path.module}/services/stock/dist/stock.zip"
  handler       = "a.b"
  runtime       = "nodejs24.x"
}
resource "aws_ecr_repository" "orders" {
  name = "shop/orders"
}
resource "aws_ecs_task_definition" "orders" {
  family                = "orders"
  container_definitions = jsonencode([{ name = "orders", image = "${aws_ecr_repository.orders.repository_url}:1" }])
}
resource "aws_ecs_service" "orders" {
  name            = "orders"
  task_definition = aws_ecs_task_definition.orders.arn
}
resource "aws_lambda_function" "elsewhere" {
  function_name = "elsewhere"
  role          = "arn:aws:iam::111122223333:role/elsewhere"
  s3_bucket     = "builds"
  s3_key        = "elsewhere.zip"
  handler       = "a.b"
  runtime       = "python3.13"
}
"#;

const MAIL: &str = "src/mail/requirements.txt";
const STOCK: &str = "services/stock/package-lock.json";
const ORDERS: &str = "containers/orders/go.mod";

fn flaw(rating: FlawRating, exploited: bool, span: Span) -> Flaw {
    Flaw {
        name: "CVE-2024-0001".to_owned(),
        package: "package".to_owned(),
        version: "1.0.0".to_owned(),
        fixed: Some("1.0.1".to_owned()),
        rating,
        exploited,
        probability: None,
        span,
    }
}

/// The review with these files scanned: whether all their packages were judged, and the rating of a flaw in each.
fn scanned(files: &[(&str, bool, Option<FlawRating>)]) -> Review {
    review_with(&CATALOGUE.0, &[("main.tf", PLAN)], |architecture| {
        let mut software = Software { folders: BTreeMap::new(), images: Vec::new(), knows_use: false, flaws: Vec::new() };
        for (path, is_judged, rating) in files {
            let file = architecture.sources.add(*path, "package 1.0.0\n");
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            software.folders.insert(folder.to_owned(), *is_judged);
            software.flaws.extend(rating.map(|rating| flaw(rating, false, Span::new(file, 0..7))));
        }
        architecture.software = Some(software);
    })
}

/// Targets and place of the first evidence of each threat of a rule.
fn raised(review: &Review, rule: &str) -> Vec<(Vec<String>, String)> {
    let found = review.threats.iter().filter(|threat| threat.rule == rule).map(|threat| {
        let targets = threat.targets.iter().map(ToString::to_string).collect();
        (targets, threat.evidence.first().map_or(String::new(), |first| review.architecture.sources.path(first.span).to_owned()))
    });
    let mut found: Vec<_> = found.collect();
    found.sort();
    found
}

fn in_order(review: &Review, rule: &str) -> Vec<String> {
    let found = review.in_order.iter().filter(|good| good.rule == rule).flat_map(|good| &good.checked);
    found.map(ToString::to_string).collect()
}

#[test]
fn a_flaw_is_raised_on_what_ships_its_package_at_the_line_that_names_it() {
    let review =
        scanned(&[(MAIL, true, Some(FlawRating::High)), (STOCK, true, Some(FlawRating::Low)), (ORDERS, true, Some(FlawRating::High))]);
    let one = |address: &str, path: &str| (vec![address.to_owned()], path.to_owned());
    assert_eq!(raised(&review, "dependency-vulnerable"), [one("aws_ecs_service.orders", ORDERS), one("aws_lambda_function.mail", MAIL)],);
    assert_eq!(raised(&review, "dependency-weak"), [one("aws_lambda_function.stock", STOCK)]);
    assert_eq!(in_order(&review, "dependency-vulnerable"), ["aws_lambda_function.stock"]);
    assert_eq!(in_order(&review, "dependency-exploited"), [""; 0], "the scan could not tell which flaws are used");
}

#[test]
fn what_an_image_holds_belongs_to_what_runs_it_and_its_build_context_is_then_not_asked() {
    let of_image = |name: &str, is_judged: bool| {
        review_with(&CATALOGUE.0, &[("main.tf", PLAN)], |architecture| {
            let mut flaws = Vec::new();
            for path in [ORDERS, "orders.tar!/var/lib/dpkg/status"] {
                let file = architecture.sources.add(path, "package 1.0.0\n");
                flaws.push(flaw(FlawRating::High, false, Span::new(file, 0..7)));
            }
            let folders = BTreeMap::from([("containers/orders".to_owned(), true)]);
            let image = ScannedImage { path: "orders.tar".to_owned(), names: vec![name.to_owned()], is_judged, runs_as_root: false };
            architecture.software = Some(Software { folders, images: vec![image], knows_use: true, flaws });
        })
    };
    let places = |review: &Review| -> Vec<String> { raised(review, "dependency-vulnerable").into_iter().map(|(_, place)| place).collect() };
    let judged = of_image("registry.example.com/shop/orders:7", true);
    assert_eq!(places(&judged), ["orders.tar!/var/lib/dpkg/status"]);
    assert_eq!(in_order(&judged, "dependency-exploited"), ["aws_ecs_service.orders"]);
    assert_eq!(in_order(&of_image("orders:7", false), "dependency-exploited"), [""; 0], "not all of the image was judged");
    assert_eq!(places(&of_image("orders-worker:7", true)), [ORDERS], "another image says nothing of this one");
}

#[test]
fn what_was_not_judged_is_not_in_order() {
    let review = scanned(&[(MAIL, false, None), (STOCK, true, None), (ORDERS, false, Some(FlawRating::High))]);
    assert_eq!(in_order(&review, "dependency-vulnerable"), ["aws_lambda_function.stock"]);
    assert_eq!(raised(&review, "dependency-vulnerable").len(), 1, "a flaw is raised although other packages beside it were not judged");
}

#[test]
fn a_flaw_that_attackers_use_makes_a_path_likelier_and_shows_on_it() {
    let url = "resource \"aws_lambda_function_url\" \"mail\" {\n  function_name      = aws_lambda_function.mail.function_name\n  authorization_type = \"NONE\"\n}\n";
    let entry = |exploited: bool| {
        let plan = format!("{PLAN}{url}");
        let review = review_with(&CATALOGUE.0, &[("main.tf", &plan)], |architecture| {
            let file = architecture.sources.add(MAIL, "package 1.0.0\n");
            let flaw = flaw(FlawRating::Critical, exploited, Span::new(file, 0..7));
            let folders = BTreeMap::from([("src/mail".to_owned(), true)]);
            architecture.software = Some(Software { folders, images: Vec::new(), knows_use: true, flaws: vec![flaw] });
        });
        let (edges, _) = review.attack.edges();
        let into = edges.iter().filter(|edge| edge.to == "aws_lambda_function.mail" && edge.technique.ends_with("flaw"));
        into.map(|edge| edge.technique.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(entry(true), ["known-flaw"]);
    assert_eq!(entry(false), ["application-flaw"]);
}
