use std::rc::Rc;

use bartizan_model::{Architecture, Relation, Value};
use proptest::prelude::*;

use super::eval::Eval;
use super::parse::{Named, parse};
use super::value::Val;
use crate::{Services, Tree, import};

/// Renders one template with values given as YAML.
fn render(template: &str, values: &str) -> Result<String, String> {
    let root = Val::map([("Values".to_owned(), super::functions::call("fromYaml", &[Val::str(values)]).unwrap())]);
    let mut named = Named::new();
    let parsed = parse(&Rc::from(template), &mut named).map_err(|error| error.message)?;
    Eval::new(&named).run(&parsed, &root).map(|rendered| rendered.text).map_err(|error| error.message)
}

#[test]
fn blocks_variables_and_trimming_follow_go_templates() {
    assert_eq!(
        render("a: {{ .Values.x }}\n{{- if .Values.y }}\nb: 1\n{{- else if eq .Values.x 1 }}\nc: 2\n{{- end }}\n", "x: 1").unwrap(),
        "a: 1\nc: 2\n"
    );
    assert_eq!(render("{{- range $i, $v := .Values.l }}{{ $i }}={{ $v }};{{ end }}", "l: [a, b]").unwrap(), "0=a;1=b;");
    assert_eq!(
        render("{{ range $k, $v := .Values.m }}{{ $k }}{{ end }}{{ range .Values.none }}x{{ else }}empty{{ end }}", "m: {b: 1, a: 2}")
            .unwrap(),
        "abempty"
    );
    assert_eq!(render("{{ with .Values.m }}{{ .a }}{{ $.Values.z }}{{ end }}", "m: {a: 1}\nz: 2").unwrap(), "12");
    assert_eq!(render("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "").unwrap(), "2");
    assert_eq!(render("{{/* a }} b */}}x{{ `}}` }}", "").unwrap(), "x}}");
    assert_eq!(render("{{ default $.Values.a .Values.b }}", "a: first\nb: \"\"").unwrap(), "first");
}

#[test]
fn named_templates_and_functions_of_charts_work() {
    let text = r#"{{- define "n" -}}{{ printf "%s-%s" .Values.r "web" | trunc 6 | trimSuffix "-" }}{{- end -}}
name: {{ include "n" . }}
labels:
  {{- toYaml .Values.labels | nindent 2 }}
q: {{ .Values.r | quote }} {{ ternary "a" "b" .Values.on }} {{ .Values.list | join "," }} {{ index .Values.labels "x/y" }}
{{ tpl "t: {{ .Values.r }}" . }}"#;
    let values = "r: shop\non: true\nlist: [1, 2]\nlabels: {x/y: \"1\", z: {k: [a, {b: c}]}}";
    assert_eq!(
        render(text, values).unwrap(),
        "name: shop-w\nlabels:\n  x/y: \"1\"\n  z:\n    k:\n    - \"a\"\n    - b: \"c\"\nq: \"shop\" a 1,2 1\nt: shop"
    );
}

#[test]
fn mistakes_and_endless_templates_are_errors() {
    assert_eq!(render("{{ if .x }}", "").unwrap_err(), "`if` is never ended");
    assert_eq!(render("{{ frobnicate 1 }}", "").unwrap_err(), "the function `frobnicate` is not known");
    assert_eq!(render("{{ end }}", "").unwrap_err(), "`end` closes nothing");
    assert!(render("{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}", "").unwrap_err().contains("without end"));
    assert!(render("{{ range until 9999 }}{{ range until 9999 }}x{{ end }}{{ end }}", "").unwrap_err().contains("does not come to an end"));
}

fn read(files: &[(&str, &str)]) -> Architecture {
    let catalogue = concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalogue/services/aws");
    let file = |name: &str| (format!("services/aws/{name}"), std::fs::read_to_string(format!("{catalogue}/{name}")).unwrap());
    let catalogue = [file("kubernetes.yaml"), file("rds.yaml")];
    let (services, errors) = Services::load(catalogue.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    assert!(errors.is_empty(), "{errors:?}");
    import(&Tree::from_memory(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))), &services)
}

const RELEASE: &str = r#"
data "aws_availability_zones" "all" {}
resource "aws_db_instance" "orders" { identifier = "orders" }
resource "helm_release" "shop" {
  name      = "shop"
  namespace = "web"
  chart     = "${path.module}/../charts/shop"
  values    = ["database: ${aws_db_instance.orders.endpoint}\nreplicas: 3\n"]
  set {
    name  = "image.tag"
    value = "2.0"
  }
  set_list {
    name  = "zones"
    value = data.aws_availability_zones.all.names
  }
}
"#;

const TEMPLATE: &str = r#"{{- $name := include "shop.name" . -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
spec:
  replicas: {{ .Values.replicas }}
  template:
    spec:
      containers:
      - name: app
        image: "{{ .Values.image.name }}:{{ .Values.image.tag }}"
        securityContext:
          privileged: true
        env:
        - name: DATABASE
          value: {{ .Values.database | quote }}
        args: {{- toYaml .Values.zones | nindent 8 }}
"#;

#[test]
fn a_release_is_rendered_with_references_and_lines_of_its_template() {
    let architecture = read(&[
        ("terraform/main.tf", RELEASE),
        ("charts/shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("charts/shop/values.yaml", "replicas: 1\nzones: []\nimage: {name: shop, tag: \"1.0\"}\n"),
        ("charts/shop/templates/_helpers.tpl", "{{- define \"shop.name\" -}}{{ .Release.Name }}-{{ .Chart.Name }}{{- end -}}\n"),
        ("charts/shop/templates/deployment.yaml", TEMPLATE),
        ("charts/shop/templates/tests/t.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations: {helm.sh/hook: test}\n"),
    ]);
    let pods: Vec<&str> =
        architecture.components.keys().map(|address| address.as_str()).filter(|address| address.starts_with("web/")).collect();
    assert_eq!(pods, ["web/Deployment/shop-shop"]);
    let workload = architecture.components.values().find(|component| component.component_type == "kubernetes.workload").unwrap();
    assert_eq!(workload.settings["replicas"].value, Value::Number(3.0));
    assert_eq!(workload.settings["images"].value.as_list().unwrap()[0].value.as_str().as_deref(), Some("shop:2.0"));
    let line = |name: &str| architecture.sources.start(workload.settings[name].span).line;
    assert_eq!((line("replicas"), line("privileged")), (7, 14));
    assert_eq!(architecture.sources.path(workload.settings["privileged"].span), "charts/shop/templates/deployment.yaml");
    let mention = architecture.links.iter().find(|link| link.relation == Relation::Mentions).unwrap();
    assert_eq!((mention.to.as_str(), mention.attribute.as_str()), ("aws_db_instance.orders", "env.DATABASE"));
    assert!(
        architecture.links.iter().any(|link| link.from.as_str() == "helm_release.shop" && link.to.as_str() == "web/Deployment/shop-shop")
    );
    assert!(!architecture.diagnostics.iter().any(|diagnostic| diagnostic.code.starts_with("kubernetes")), "{:?}", architecture.diagnostics);
}

proptest! {
    #[test]
    fn any_template_is_run_without_panic_and_places_lie_inside(
        text in "(\\{\\{-? ?|-?\\}\\} ?|if |else |end|range |with |define \"a\"|include \"a\" |\\.|\\.Values\\.x|\\$|\\$x|:= |\\||\\(|\\)|\"é\"|`|1|eq |printf \"%s\" |toYaml |nindent 2|trunc 1|\n| |é|a: 1){0,30}"
    ) {
        let source: Rc<str> = Rc::from(text.as_str());
        let mut named = Named::new();
        match parse(&source, &mut named) {
            Ok(template) => {
                if let Ok(rendered) = Eval::new(&named).run(&template, &Val::map([("x".to_owned(), Val::str("y"))])) {
                    for end in 0..=rendered.text.len() {
                        let place = rendered.locate(0..end);
                        prop_assert!(place.start <= place.end && place.end <= text.len());
                    }
                }
            }
            Err(error) => prop_assert!(text.get(error.at.clone()).is_some()),
        }
    }
}
