//! Helm releases that Terraform declares: their charts, where they are among the files, rendered to objects.
//!
//! Values that only the apply decides stay references inside the rendered text, so that a pod that is told a database's endpoint still
//! shows which database. Every value of an object leads back to the line of the template that made it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bartizan_model::path::join;
use bartizan_model::{Diagnostic, FileId, Node, Part, Severity, Sources, Span, Text};

use super::object::{Object, list_at, text_at};
use super::parse::{Manifests, unfold};
use crate::resource::{Mode, Resource};
use crate::tree::Tree;
use crate::yaml::{self, Source};

mod eval;
mod functions;
mod parse;
#[cfg(test)]
mod tests;
mod value;

use eval::Eval;
use parse::{Named, TemplateError};
use value::{Val, merged, set_path};

/// A chart is the chart of a chart of …, this deep.
const MAX_SUBCHARTS: usize = 4;

/// What the releases of a tree amount to.
#[derive(Default)]
pub(super) struct Releases {
    /// Objects that the charts make, each with the address of its release.
    pub(super) objects: Vec<(Object, String)>,
    /// Folders of charts that were rendered; what lies in their `templates` needs no other reading.
    pub(super) charts: BTreeSet<String>,
}

/// Renders the releases among the resources.
pub(super) fn releases(resources: &[Resource], tree: &Tree, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) -> Releases {
    let mut out = Releases::default();
    let mut renderer = Renderer { tree, sources, diagnostics, marks: Marks::default(), files: BTreeMap::new() };
    for resource in resources.iter().filter(|resource| resource.source_type == "helm_release" && resource.mode == Mode::Managed) {
        let Some(release) = renderer.release(resource) else { continue };
        let mut charts = BTreeSet::new();
        let objects = renderer.chart(&release, &release.chart, &release.values, &mut charts, 0);
        out.objects.extend(objects.into_iter().map(|object| (object, resource.address.clone())));
        out.charts.extend(charts);
    }
    out
}

/// The documents of YAML text that may hold references; every node stands at `span`.
pub(crate) fn documents_of(text: &Text, span: Span) -> (Vec<Node>, Vec<Diagnostic>) {
    let mut marks = Marks::default();
    let hidden = marks.hide(text);
    let place = span.start as usize..span.end as usize;
    let yaml = yaml::read_with(span.file, &hidden, &Source { locate: &|_| place.clone(), decode: &|scalar| marks.show(scalar) });
    (yaml.documents.into_iter().map(|document| document.root).collect(), yaml.diagnostics)
}

/// The texts in the values of a release, each with its path: `app.endpoints.catalog`.
pub(super) fn texts_of_values(values: &Text, span: Span) -> Vec<(String, Node)> {
    let mut out = Vec::new();
    for document in &documents_of(values, span).0 {
        leaves(document, String::new(), &mut out);
    }
    out
}

fn leaves(node: &Node, path: String, out: &mut Vec<(String, Node)>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match &node.value {
        bartizan_model::Value::Map(map) => map.iter().for_each(|(key, value)| leaves(value, below(key), out)),
        bartizan_model::Value::List(items) => items.iter().for_each(|item| leaves(item, path.clone(), out)),
        bartizan_model::Value::Text(_) => out.push((path, node.clone())),
        _ => {}
    }
}

/// One release: a chart with its values.
struct Release {
    name: String,
    namespace: String,
    /// Folder of the chart.
    chart: String,
    /// What the release sets over the chart's own values.
    values: Val,
    stack: String,
}

struct Renderer<'a> {
    tree: &'a Tree,
    sources: &'a mut Sources,
    diagnostics: &'a mut Vec<Diagnostic>,
    marks: Marks,
    /// Files that were registered.
    files: BTreeMap<String, FileId>,
}

impl Renderer<'_> {
    /// The release of a resource; `None` where its chart is not among the files.
    fn release(&mut self, resource: &Resource) -> Option<Release> {
        let known = |key: &str| resource.body.get(key).and_then(|node| node.value.as_str()).map(std::borrow::Cow::into_owned);
        let chart = known("chart")?;
        let has_chart = |folder: &String| self.tree.contains(&format!("{folder}/Chart.yaml"));
        let remote = known("repository").is_some() || chart.contains("://");
        let folder = join(&resource.stack, &chart).filter(has_chart).or_else(|| join("", &chart).filter(has_chart)).filter(|_| !remote)?;
        let mut values = Val::map([]);
        for node in list_at(&resource.body, "values") {
            match node.value.as_text() {
                Some(text) => values = merged(&values, &self.values(text, node.span)),
                None => {
                    let message = format!("values of the release `{}` are not known, the chart's own are taken", resource.label);
                    self.diagnostics.push(Diagnostic::new("kubernetes/helm-values", Severity::Warning, message, node.span));
                }
            }
        }
        for block in ["set", "set_sensitive"] {
            for set in list_at(&resource.body, block) {
                let (Some(path), Some(value)) = (text_at(set, "name"), set.get("value")) else { continue };
                values = set_path(&values, &path_of(&path), self.marks.value(value));
            }
        }
        for set in list_at(&resource.body, "set_list") {
            let (Some(path), Some(value)) = (text_at(set, "name"), set.get("value")) else { continue };
            let items = match value.value.as_list() {
                Some(items) => items.iter().map(|item| self.marks.value(item)).collect(),
                // How many there are is not known; templates must not take that for none.
                None => vec![Val::str(self.marks.hide(&Text::unknown("the list is decided when the plan is applied")))],
            };
            values = set_path(&values, &path_of(&path), Val::list(items));
        }
        Some(Release {
            name: known("name").unwrap_or_else(|| resource.label.clone()),
            namespace: known("namespace").unwrap_or_else(|| super::object::DEFAULT_NAMESPACE.to_owned()),
            chart: folder,
            values,
            stack: resource.stack.clone(),
        })
    }

    /// Values from YAML text that may hold references.
    fn values(&mut self, text: &Text, span: Span) -> Val {
        let hidden = self.marks.hide(text);
        let source = Source { locate: &|_| span.start as usize..span.end as usize, decode: &|scalar| Text::from_encoded(scalar) };
        let yaml = yaml::read_with(span.file, &hidden, &source);
        self.diagnostics.extend(yaml.diagnostics);
        yaml.documents.first().map_or(Val::Nil, |document| Val::from_node(&document.root))
    }

    /// A file of a chart as YAML values.
    fn file(&mut self, path: &str) -> Option<Node> {
        let text = self.tree.text(path).ok()?;
        let file = self.register(path, &text);
        let decode = |scalar: &str| Text::literal(scalar);
        let yaml = yaml::read_with(file, &text, &Source { locate: &|range| range, decode: &decode });
        self.diagnostics.extend(yaml.diagnostics.into_iter().filter(|diagnostic| diagnostic.severity == Severity::Error));
        yaml.documents.into_iter().next().map(|document| document.root)
    }

    fn register(&mut self, path: &str, text: &str) -> FileId {
        if let Some(file) = self.files.get(path) {
            return *file;
        }
        let file = self.sources.add(path, text);
        self.files.insert(path.to_owned(), file);
        file
    }

    /// The objects of a chart and of the charts it depends on.
    fn chart(&mut self, release: &Release, folder: &str, over: &Val, charts: &mut BTreeSet<String>, depth: usize) -> Vec<Object> {
        charts.insert(folder.to_owned());
        let chart = self.file(&format!("{folder}/Chart.yaml"));
        let own = self.file(&format!("{folder}/values.yaml"));
        let values = merged(&own.as_ref().map_or_else(|| Val::map([]), Val::from_node), over);
        let mut out = Vec::new();
        for dependency in chart.as_ref().map(|chart| list_at(chart, "dependencies")).unwrap_or(&[]) {
            if depth < MAX_SUBCHARTS {
                out.extend(self.dependency(release, dependency, folder, &values, charts, depth));
            }
        }
        let named_chart = |key: &str| chart.as_ref().and_then(|chart| text_at(chart, key)).unwrap_or_default();
        let text = |value: &str| Val::str(value);
        let pairs = |members: &[(&str, Val)]| Val::map(members.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let version = pairs(&[
            ("Version", text(CLUSTER_VERSION)),
            ("GitVersion", text(CLUSTER_VERSION)),
            ("Major", text("1")),
            ("Minor", text("33")),
        ]);
        let root = |template: &str| {
            pairs(&[
                ("Values", values.clone()),
                (
                    "Release",
                    pairs(&[
                        ("Name", text(&release.name)),
                        ("Namespace", text(&release.namespace)),
                        ("Service", text("Helm")),
                        ("IsInstall", Val::Bool(true)),
                        ("IsUpgrade", Val::Bool(false)),
                        ("Revision", Val::Int(1)),
                    ]),
                ),
                (
                    "Chart",
                    pairs(&[
                        ("Name", text(&named_chart("name"))),
                        ("Version", text(&named_chart("version"))),
                        ("AppVersion", text(&named_chart("appVersion"))),
                    ]),
                ),
                ("Capabilities", pairs(&[("KubeVersion", version.clone())])),
                ("Template", pairs(&[("Name", text(template)), ("BasePath", text(&format!("{}/templates", named_chart("name"))))])),
            ])
        };
        out.extend(self.templates(release, folder, &root));
        out
    }

    /// The objects of a chart that this one depends on, unless its condition switches it off.
    fn dependency(
        &mut self,
        release: &Release,
        dependency: &Node,
        folder: &str,
        values: &Val,
        charts: &mut BTreeSet<String>,
        depth: usize,
    ) -> Vec<Object> {
        let Some(name) = text_at(dependency, "name") else { return Vec::new() };
        let alias = text_at(dependency, "alias").unwrap_or_else(|| name.clone());
        let condition = text_at(dependency, "condition").map(|path| path.split('.').fold(values.clone(), |value, key| value.get(key)));
        if condition == Some(Val::Bool(false)) {
            return Vec::new();
        }
        let local = text_at(dependency, "repository").and_then(|url| join(folder, url.strip_prefix("file://")?));
        let inside = Some(format!("{folder}/charts/{name}"));
        let found = [inside, local].into_iter().flatten().find(|candidate| self.tree.contains(&format!("{candidate}/Chart.yaml")));
        let Some(found) = found.filter(|found| found != folder) else {
            let message = format!("the chart `{name}` that `{folder}` depends on is not among the files");
            self.diagnostics.push(Diagnostic::new("kubernetes/helm-dependency", Severity::Warning, message, dependency.span));
            return Vec::new();
        };
        let over = merged(&Val::map([("global".to_owned(), values.get("global"))]), &values.get(&alias));
        let over = if over == Val::Nil { Val::map([]) } else { over };
        self.chart(release, &found, &over, charts, depth + 1)
    }

    fn templates(&mut self, release: &Release, folder: &str, root: &dyn Fn(&str) -> Val) -> Vec<Object> {
        let prefix = format!("{folder}/templates/");
        let tree = self.tree;
        let paths: Vec<&str> = tree.paths().filter(|path| path.starts_with(&prefix) && !path.ends_with("/NOTES.txt")).collect();
        let mut named = Named::new();
        let mut parsed = Vec::new();
        for path in paths {
            let Ok(text) = tree.text(path) else { continue };
            let file = self.register(path, &text);
            match parse::parse(&Rc::from(text.as_str()), &mut named) {
                Ok(template) => parsed.push((path, file, template)),
                Err(error) => self.problem(file, error),
            }
        }
        let mut eval = Eval::new(&named);
        let mut out = Vec::new();
        for (path, file, template) in parsed.iter().filter(|(path, ..)| path.ends_with(".yaml") || path.ends_with(".yml")) {
            match eval.run(template, &root(path)) {
                Ok(rendered) => out.extend(self.objects(release, *file, &rendered)),
                Err(error) => self.problem(*file, error),
            }
        }
        out
    }

    fn objects(&mut self, release: &Release, file: FileId, rendered: &eval::Rendered) -> Vec<Object> {
        let marks = &self.marks;
        let source = Source { locate: &|range| rendered.locate(range), decode: &|scalar| marks.show(scalar) };
        let yaml = yaml::read_with(file, &rendered.text, &source);
        self.diagnostics.extend(yaml.diagnostics);
        let mut manifests = Manifests::default();
        for document in yaml.documents {
            unfold(document.root, &release.stack, Some(&release.namespace), &mut manifests);
        }
        // Tests of a release are run by hand and are no part of the system.
        let is_test = |object: &Object| {
            object.annotation("helm.sh/hook").and_then(|hook| hook.value.as_str()).is_some_and(|hook| hook.contains("test"))
        };
        manifests.objects.into_iter().filter(|object| !is_test(object)).collect()
    }

    fn problem(&mut self, file: FileId, error: TemplateError) {
        let message = format!("the template is not rendered: {}", error.message);
        let help = "what it makes is missing from the review; render the chart with `helm template` and review the result as well";
        self.diagnostics
            .push(Diagnostic::new("kubernetes/helm-render", Severity::Warning, message, Span::new(file, error.at)).with_help(help));
    }
}

/// The version of Kubernetes that charts are told.
const CLUSTER_VERSION: &str = "v1.33.0";

/// `a.b\.c.d` → a, b.c, d.
fn path_of(path: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match character {
            '.' => out.push(String::new()),
            '\\' => {
                if let Some(last) = out.last_mut() {
                    last.extend(characters.next());
                }
            }
            other => {
                if let Some(last) = out.last_mut() {
                    last.push(other);
                }
            }
        }
    }
    out
}

const OPEN: char = '\u{F8E0}';
const CLOSE: char = '\u{F8E1}';

/// References on their way through YAML and templates: each stands there as a number between two private-use characters, because the
/// address inside a reference may hold quotes and colons.
#[derive(Default)]
struct Marks {
    hidden: Vec<Text>,
}

impl Marks {
    fn hide(&mut self, text: &Text) -> String {
        let mut out = String::new();
        for part in text.parts() {
            let reference = match part {
                Part::Literal(literal) => {
                    out.extend(literal.chars().filter(|character| !matches!(*character, OPEN | CLOSE)));
                    continue;
                }
                Part::Reference { address, attribute, value } => Text::reference(address, attribute, value),
                Part::Unknown(why) => Text::unknown(why),
            };
            out.push_str(&format!("{OPEN}{}{CLOSE}", self.hidden.len()));
            self.hidden.push(reference);
        }
        out
    }

    fn value(&mut self, node: &Node) -> Val {
        match node.value.as_text() {
            // `--set` reads its values as YAML scalars.
            Some(text) => match self.hide(text).as_str() {
                "true" => Val::Bool(true),
                "false" => Val::Bool(false),
                other => other.parse().map_or_else(|_| Val::str(other), Val::Int),
            },
            None => Val::from_node(node),
        }
    }

    fn show(&self, text: &str) -> Text {
        if !text.contains(OPEN) {
            return Text::literal(text);
        }
        let mut out = Text::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            out.push(&Text::literal(before));
            let (number, behind) = after.split_once(CLOSE).unwrap_or((after, ""));
            let hidden = number.parse().ok().and_then(|index: usize| self.hidden.get(index));
            out.push(&hidden.cloned().unwrap_or_else(|| Text::unknown("a reference was cut by the template")));
            rest = behind;
        }
        out.push(&Text::literal(rest));
        out
    }
}
