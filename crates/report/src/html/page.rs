//! What the template needs: the summary, the matrix, and the data of the lists.

use askama::Template;
use bartizan_review::{AttackPath, Category, Review, Severity, Status, Threat};

use super::data::{self, Data, EvidenceData, FixData, LinkData};
use super::rich;
use crate::{Place, paths, summary, words};

/// Runners-up shown beside the worst risk.
const NEXT: usize = 5;

#[derive(Template)]
#[template(path = "index.html")]
pub(super) struct Page<'a> {
    title: String,
    description: Option<&'a str>,
    owners: String,
    worst: Option<WorstCard<'a>>,
    next: Vec<NextRow<'a>>,
    weightiest: Option<PathCard<'a>>,
    severities: Vec<SeverityTile>,
    categories: Vec<CategoryRow>,
    matrix: Vec<MatrixRow>,
    facts: Vec<Fact>,
    diagram: &'a str,
    data: String,
    style: &'static str,
    script: &'static str,
    version: &'static str,
}

struct WorstCard<'a> {
    id: &'a str,
    severity: &'static str,
    severity_id: &'static str,
    message: String,
    risk: u8,
    likelihood: u8,
    impact: u8,
    evidence: Option<ExcerptCard>,
    remedy: Option<RemedyCard<'a>>,
}

struct ExcerptCard {
    at: String,
    text: String,
    lines: Vec<Line>,
}

struct Line {
    number: u32,
    text: String,
    marked: bool,
}

struct RemedyCard<'a> {
    title: &'a str,
    effect: String,
    cost: String,
    fix: Option<FixData>,
}

struct NextRow<'a> {
    id: &'a str,
    severity: &'static str,
    severity_id: &'static str,
    message: String,
    risk: u8,
}

struct PathCard<'a> {
    id: &'a str,
    /// HTML.
    sentence: String,
    chain: Vec<LinkData>,
    /// Where to change something first, and as HTML what is there and what that does.
    cut: Option<(String, String)>,
    others: usize,
}

struct SeverityTile {
    name: &'static str,
    id: &'static str,
    count: usize,
}

struct CategoryRow {
    name: &'static str,
    id: &'static str,
    count: usize,
    /// Counts per severity as shares of the largest category, for a bar; ratio in percent.
    parts: Vec<(&'static str, usize, u32)>,
}

struct MatrixRow {
    likelihood: u8,
    cells: Vec<MatrixCell>,
}

struct MatrixCell {
    likelihood: u8,
    impact: u8,
    count: usize,
    /// Of the threats in it; empty for an empty cell.
    severity: &'static str,
}

struct Fact {
    value: usize,
    name: &'static str,
    target: &'static str,
}

impl<'a> Page<'a> {
    pub(super) fn of(review: &'a Review, diagram: &'a str) -> Self {
        let counts = summary::counts(review);
        let architecture = &review.architecture;
        let worst = summary::worst(review);
        let open = || review.threats.iter().filter(|threat| threat.status == Status::Open);
        Self {
            title: architecture.declarations.system.clone().unwrap_or_else(|| "this system".to_owned()),
            description: architecture.declarations.description.as_deref(),
            owners: architecture.declarations.owners.join(", "),
            next: open().skip(1).take(NEXT).map(next_row).collect(),
            weightiest: paths::weightiest(review).map(|path| path_card(review, path)),
            worst: worst.map(|worst| worst_card(review, worst)),
            severities: counts
                .by_severity
                .iter()
                .map(|(severity, count)| SeverityTile { name: words::severity(*severity), id: severity.id(), count: *count })
                .collect(),
            categories: categories(review),
            matrix: matrix(review),
            facts: vec![
                Fact {
                    value: architecture.components.values().filter(|component| component.is_element()).count(),
                    name: "components",
                    target: "components",
                },
                Fact { value: architecture.flows.len(), name: "data flows", target: "flows" },
                Fact { value: review.attack_paths.len(), name: "attack paths", target: "paths" },
                Fact { value: review.questions.len(), name: "open questions", target: "questions" },
                Fact { value: review.in_order.len(), name: "checks in order", target: "in-order" },
            ],
            diagram,
            data: embedded(&Data::of(review)),
            style: include_str!("../../templates/page.css"),
            script: include_str!("../../templates/page.js"),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// JSON that cannot end its script element: no `<` is left in it.
fn embedded(data: &Data) -> String {
    // INVARIANT: strings as keys and finite numbers only, so this cannot fail.
    let json = serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned());
    // U+2028 and U+2029 end a line in older script engines.
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn worst_card<'a>(review: &Review, worst: summary::Worst<'a>) -> WorstCard<'a> {
    let threat = worst.threat;
    let sources = &review.architecture.sources;
    WorstCard {
        id: &threat.id,
        severity: words::severity(threat.severity),
        severity_id: threat.severity.id(),
        message: rich::prose(&words::capitalised(&threat.message)),
        risk: threat.residual_risk(),
        likelihood: threat.residual_likelihood.value,
        impact: threat.residual_impact.value,
        evidence: threat.evidence.first().and_then(|item| data::evidence_data(item, sources)).map(excerpt_card),
        remedy: worst.remedy.map(|remedy| RemedyCard {
            title: &remedy.title,
            effect: rich::prose(&words::sentence(&remedy.effect)),
            cost: rich::prose(&remedy.cost),
            fix: remedy.fix.as_ref().map(|fix| data::fix_data(fix, sources)),
        }),
    }
}

fn path_card<'a>(review: &Review, path: &'a AttackPath) -> PathCard<'a> {
    let cut = path.cuts.first().map(|cut| {
        let place = cut.evidence.first().and_then(|item| Place::of(&review.architecture.sources, item.span));
        let change = format!("{}: a change there {}.", cut.text, paths::left(cut.likelihood));
        (place.map_or_else(String::new, |place| place.short()), rich::prose(&change))
    });
    PathCard {
        id: &path.id,
        sentence: rich::prose(&words::sentence(&words::capitalised(&paths::sentence(review, path)))),
        chain: LinkData::chain(review, path),
        cut,
        others: review.attack_paths.len().saturating_sub(1),
    }
}

fn excerpt_card(evidence: EvidenceData) -> ExcerptCard {
    let lines = evidence
        .lines
        .into_iter()
        .zip(evidence.first_line..)
        .map(|(text, number)| Line { number, text, marked: (evidence.marked_from..=evidence.marked_to).contains(&number) })
        .collect();
    ExcerptCard { at: evidence.at, text: evidence.text, lines }
}

fn next_row(threat: &Threat) -> NextRow<'_> {
    NextRow {
        id: &threat.id,
        severity: words::severity(threat.severity),
        severity_id: threat.severity.id(),
        message: rich::prose(&threat.message),
        risk: threat.residual_risk(),
    }
}

fn categories(review: &Review) -> Vec<CategoryRow> {
    let count = |category: Category, severity: Severity| {
        review.threats.iter().filter(|t| t.status == Status::Open && t.category == category && t.severity == severity).count()
    };
    let total = |category: Category| words::SEVERITIES.iter().map(|severity| count(category, *severity)).sum::<usize>();
    let largest = Category::ALL.into_iter().map(total).max().unwrap_or(0).max(1);
    let percent = |count: usize| u32::try_from(count * 100 / largest).unwrap_or(100).max(u32::from(count > 0));
    Category::ALL
        .into_iter()
        .map(|category| CategoryRow {
            name: words::category(category),
            id: category.id(),
            count: total(category),
            parts: words::SEVERITIES
                .iter()
                .map(|severity| (severity.id(), count(category, *severity)))
                .filter(|(_, count)| *count > 0)
                .map(|(id, count)| (id, count, percent(count)))
                .collect(),
        })
        .collect()
}

/// Likelihood downwards from 5, impact to the right from 1, residual values of open threats.
fn matrix(review: &Review) -> Vec<MatrixRow> {
    let open = || review.threats.iter().filter(|threat| threat.status == Status::Open);
    let at = |threat: &Threat, likelihood, impact| threat.residual_likelihood.value == likelihood && threat.residual_impact.value == impact;
    let cell = |likelihood: u8, impact: u8| MatrixCell {
        likelihood,
        impact,
        count: open().filter(|t| at(t, likelihood, impact)).count(),
        severity: open().find(|t| at(t, likelihood, impact)).map_or("", |t| t.severity.id()),
    };
    (1..=5u8).rev().map(|likelihood| MatrixRow { likelihood, cells: (1..=5).map(|impact| cell(likelihood, impact)).collect() }).collect()
}
