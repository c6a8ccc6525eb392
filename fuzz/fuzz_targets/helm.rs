//! Any files are rendered as a chart that Terraform releases.
#![no_main]

use bartizan_fuzz::{SERVICES, check, files};
use bartizan_import::Tree;
use libfuzzer_sys::fuzz_target;

const RELEASE: &str = r#"
resource "aws_db_instance" "d" { engine = "mysql" }
resource "helm_release" "app" {
  name   = "app"
  chart  = "./chart"
  values = [yamlencode({ database = { host = aws_db_instance.d.address }, replicas = 2 })]
  set {
    name  = "image.tag"
    value = "1"
  }
}
"#;

fuzz_target!(init: bartizan_fuzz::load(), |text: &str| {
    let mut chart = vec![
        ("main.tf".to_owned(), RELEASE.to_owned()),
        ("chart/Chart.yaml".to_owned(), "apiVersion: v2\nname: app\nversion: 1.0.0\n".to_owned()),
    ];
    chart.extend(files(text, "chart/templates/all.yaml"));
    let architecture = bartizan_import::import(&Tree::from_memory(chart.clone()), &SERVICES);
    check(&architecture);
    let again = bartizan_import::import(&Tree::from_memory(chart), &SERVICES);
    assert_eq!(format!("{architecture:?}"), format!("{again:?}"));
});
