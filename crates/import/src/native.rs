//! `bartizan.yaml`: what people declare beside the plan.
//!
//! The file is checked against the JSON Schema that [`schema`] gives to editors, so the two cannot disagree.
//! A mistake is an error at its line; the rest of the file still counts.

use bartizan_model::{
    Actor, Answer, Classification, DataClass, Decision, DecisionKind, Declarations, DeclaredFlow, Diagnostic, FileId, Node, RiskAppetite,
    Severity, Sources, Span, Value, Workload,
};

mod check;
mod schema;
#[cfg(test)]
mod tests;

pub use schema::schema;

use crate::tree::Tree;
use crate::yaml::{self, Marks};

/// The name of the file.
pub const FILE_NAME: &str = "bartizan.yaml";

/// Level of a data class where the file gives none: neither harmless nor grave.
const DEFAULT_LEVEL: u8 = 3;

/// Reads a `bartizan.yaml`.
pub fn read(file: FileId, text: &str) -> (Declarations, Vec<Diagnostic>) {
    let yaml = yaml::read(file, text);
    let mut reader = Reader { diagnostics: yaml.diagnostics };
    let mut documents = yaml.documents.into_iter();
    let Some(document) = documents.next() else { return (Declarations::default(), reader.diagnostics) };
    if let Some(second) = documents.next() {
        let message = "only the first document of the file is read";
        reader.diagnostics.push(Diagnostic::new("native/documents", Severity::Warning, message, second.root.span));
    }
    if document.root.value.is_null() {
        return (Declarations::default(), reader.diagnostics);
    }
    check::check(&document.root, &document.marks, &mut reader.diagnostics);
    let declarations = reader.declarations(&document.root, &document.marks);
    (declarations, reader.diagnostics)
}

/// Reads every `bartizan.yaml` of a tree: the lists add up, the first file that names the system or an appetite is heard.
pub(crate) fn read_all(tree: &Tree, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) -> Declarations {
    let mut out = Declarations::default();
    for path in tree.paths().filter(|path| tree.is_reviewed(path)).filter(|path| path.rsplit('/').next() == Some(FILE_NAME)) {
        let text = match tree.text(path) {
            Ok(text) => text,
            Err(why) => {
                diagnostics.push(Diagnostic::new("native/unreadable", Severity::Error, why, None));
                continue;
            }
        };
        let file = sources.add(path, text.as_str());
        let (read, problems) = read(file, &text);
        diagnostics.extend(problems);
        out.system = out.system.or(read.system);
        out.description = out.description.or(read.description);
        out.owners.extend(read.owners);
        out.data.extend(read.data);
        out.actors.extend(read.actors);
        out.flows.extend(read.flows);
        out.workload.extend(read.workload);
        out.appetite.tolerated = out.appetite.tolerated.or(read.appetite.tolerated);
        out.appetite.budget_usd_per_month = out.appetite.budget_usd_per_month.or(read.appetite.budget_usd_per_month);
        out.appetite.latency_budget_ms = out.appetite.latency_budget_ms.or(read.appetite.latency_budget_ms);
        out.answers.extend(read.answers);
        out.decisions.extend(read.decisions);
    }
    out
}

struct Reader {
    diagnostics: Vec<Diagnostic>,
}

impl Reader {
    fn declarations(&mut self, root: &Node, marks: &Marks) -> Declarations {
        let mut out = Declarations {
            system: text(root, "system"),
            description: text(root, "description"),
            owners: texts(root, "owners").into_iter().map(|(owner, _)| owner).collect(),
            ..Declarations::default()
        };
        out.data = items(root, "data").filter_map(|item| data_class(item, marks)).collect();
        out.actors = items(root, "actors").filter_map(actor).collect();
        out.flows = items(root, "flows").filter_map(flow).collect();
        out.workload = items(root, "workload").filter_map(workload).collect();
        if let Some(appetite) = root.get("appetite") {
            out.appetite = RiskAppetite {
                tolerated: text(appetite, "tolerated"),
                budget_usd_per_month: number(appetite, "budget_usd_per_month"),
                latency_budget_ms: number(appetite, "latency_budget_ms"),
            };
        }
        out.answers = items(root, "answers").filter_map(answer).collect();
        out.decisions = items(root, "decisions").filter_map(|item| self.decision(item)).collect();
        self.unique("data class", out.data.iter().map(|class| (class.name.as_str(), class.span)));
        self.unique("actor", out.actors.iter().map(|actor| (actor.name.as_str(), actor.span)));
        self.data_of_flows(&out, root);
        out
    }

    fn unique<'a>(&mut self, what: &str, names: impl Iterator<Item = (&'a str, Span)>) {
        let mut seen = std::collections::BTreeSet::new();
        for (name, span) in names {
            if !seen.insert(name) {
                let message = format!("the {what} `{name}` is declared twice");
                self.diagnostics.push(Diagnostic::new("native/declared-twice", Severity::Error, message, span));
            }
        }
    }

    /// Flows may carry only data classes that are declared.
    fn data_of_flows(&mut self, declarations: &Declarations, root: &Node) {
        let known: Vec<&str> = declarations.data.iter().map(|class| class.name.as_str()).collect();
        for (name, span) in items(root, "flows").flat_map(|flow| texts(flow, "data")) {
            if !known.contains(&name.as_str()) {
                let diagnostic = Diagnostic::new("native/unknown-data", Severity::Error, format!("there is no data class `{name}`"), span);
                self.diagnostics.push(check::with_suggestion(diagnostic, &name, known.iter().copied()));
            }
        }
    }

    fn decision(&mut self, item: &Node) -> Option<Decision> {
        let kind = match text(item, "decision")?.as_str() {
            "accept" => DecisionKind::Accept,
            "mitigate" => DecisionKind::Mitigate,
            "transfer" => DecisionKind::Transfer,
            "avoid" => DecisionKind::Avoid,
            "false-positive" => DecisionKind::FalsePositive,
            _ => return None,
        };
        let until = item.get("until").and_then(|node| node.value.as_str().map(|text| (text.into_owned(), node.span)));
        if let Some((day, span)) = &until
            && !is_day(day)
        {
            let message = format!("`{day}` is no day");
            let help = "write it as `2027-03-31`";
            self.diagnostics.push(Diagnostic::new("native/day", Severity::Error, message, *span).with_help(help));
            // A decision whose end cannot be read must not hold for ever.
            return None;
        }
        Some(Decision {
            threat: text(item, "threat")?,
            kind,
            by: text(item, "by")?,
            why: text(item, "why")?,
            until: until.map(|(day, _)| day),
            span: item.span,
        })
    }
}

fn items<'a>(node: &'a Node, key: &str) -> impl Iterator<Item = &'a Node> {
    node.get(key).and_then(|list| list.value.as_list()).unwrap_or(&[]).iter()
}

fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key)?.value.as_str().map(std::borrow::Cow::into_owned)
}

/// A text or a list of texts, each with its place.
fn texts(node: &Node, key: &str) -> Vec<(String, Span)> {
    let Some(node) = node.get(key) else { return Vec::new() };
    let one = |node: &Node| node.value.as_str().map(|text| (text.into_owned(), node.span));
    match &node.value {
        Value::List(items) => items.iter().filter_map(one).collect(),
        _ => one(node).into_iter().collect(),
    }
}

fn placed(node: &Node, key: &str) -> Option<(String, Span)> {
    let node = node.get(key)?;
    Some((node.value.as_str()?.into_owned(), node.span))
}

fn number(node: &Node, key: &str) -> Option<f64> {
    match node.get(key)?.value {
        Value::Number(number) if number >= 0.0 => Some(number),
        _ => None,
    }
}

fn data_class(item: &Node, _marks: &Marks) -> Option<DataClass> {
    Some(DataClass {
        name: text(item, "name")?,
        description: text(item, "description").unwrap_or_default(),
        classification: Classification {
            confidentiality: level(item, "confidentiality"),
            integrity: level(item, "integrity"),
            availability: level(item, "availability"),
        },
        stored_in: texts(item, "stored_in"),
        span: item.span,
    })
}

fn level(item: &Node, key: &str) -> u8 {
    let Some(node) = item.get(key) else { return DEFAULT_LEVEL };
    let known = match &node.value {
        Value::Number(number) => [1u8, 2, 3, 4, 5].into_iter().find(|level| f64::from(*level) == *number),
        value => value.as_str().and_then(|word| schema::level(key, &word)),
    };
    known.unwrap_or(DEFAULT_LEVEL)
}

fn actor(item: &Node) -> Option<Actor> {
    Some(Actor {
        name: text(item, "name")?,
        description: text(item, "description").unwrap_or_default(),
        trusted: item.get("trusted").and_then(|node| node.value.as_bool()).unwrap_or(false),
        span: item.span,
    })
}

fn flow(item: &Node) -> Option<DeclaredFlow> {
    let port = number(item, "port").filter(|port| port.fract() == 0.0 && (1.0..=65535.0).contains(port));
    Some(DeclaredFlow {
        from: placed(item, "from")?,
        to: placed(item, "to")?,
        protocol: text(item, "protocol").map(|protocol| protocol.to_ascii_lowercase()),
        port: port.map(|port| port as u16),
        encrypted: item.get("encrypted").and_then(|node| node.value.as_bool()),
        authentication: text(item, "authentication"),
        data: texts(item, "data").into_iter().map(|(name, _)| name).collect(),
        span: item.span,
    })
}

fn workload(item: &Node) -> Option<Workload> {
    Some(Workload {
        component: placed(item, "component")?,
        requests_per_second: number(item, "requests_per_second"),
        records: number(item, "records"),
        gigabytes: number(item, "gigabytes"),
        growth: number(item, "growth"),
        rto_minutes: number(item, "rto_minutes"),
        rpo_minutes: number(item, "rpo_minutes"),
    })
}

fn answer(item: &Node) -> Option<Answer> {
    Some(Answer { question: text(item, "question")?, value: item.get("value")?.clone(), by: text(item, "by"), span: item.span })
}

/// True for a day of the calendar as ISO 8601 writes it.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let digits = |part: &str, length: usize| {
        (part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2)) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=last).contains(&day)
}
