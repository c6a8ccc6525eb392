//! One rule: its file, checked and compiled.

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::{Catalogue, Dimension, Page, Problems, stem, suggest, vocabularies};
use crate::Category;
use crate::expression::{Expression, ExpressionError, Template, Vocabulary};

const STRIDE: &[&str] = &["spoofing", "tampering", "repudiation", "information-disclosure", "denial-of-service", "elevation-of-privilege"];
const AUDIENCES: &[&str] = &["development", "operations", "data owner"];
/// What a rule may say that its base likelihood already counts.
const PRESUMPTIONS: &[&str] = &["internet", "exposure"];

/// A rule: when which threat is there.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Kebab-case id, equal to the file's name.
    pub id: String,
    /// Its path in the catalogue.
    pub path: String,
    /// Former ids.
    pub aliases: Vec<String>,
    /// Title.
    pub title: String,
    /// Main group.
    pub group: Category,
    /// Further groups.
    pub also: Vec<Category>,
    /// STRIDE words.
    pub stride: Vec<String>,
    /// ATT&CK technique ids.
    pub attack: Vec<String>,
    /// CWE ids.
    pub cwe: Vec<String>,
    /// What it looks at.
    pub on: On,
    /// Which components; for flows, which targets.
    pub target: Selector,
    /// For flows: which sources.
    pub source: Selector,
    /// Where it applies at all.
    pub given: Option<Expression>,
    /// When it is raised.
    pub when: Expression,
    /// Base likelihood.
    pub likelihood: Likelihood,
    /// Base impact.
    pub impact: Likelihood,
    /// The dimension of the assets that counts for the impact.
    pub dimension: Dimension,
    /// True when the base likelihood already counts reachability from the internet.
    pub presumes_internet: bool,
    /// True when exposure of any kind makes no difference.
    pub presumes_exposure: bool,
    /// Controls that reduce it, by id.
    pub controls: Vec<String>,
    /// What shows it; the first is the place to fix.
    pub evidence: Vec<Expression>,
    /// One instance in one sentence.
    pub message: Template,
    /// Why it is not raised, in one sentence.
    pub in_order: String,
    /// How to ask for what is unknown; `None`: the default text.
    pub question: Option<QuestionText>,
    /// Pages to read.
    pub references: Vec<String>,
    /// How it is noticed.
    pub detect: Detect,
    /// The page beside it.
    pub page: Page,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// Each component.
    Component,
    /// Each data flow.
    Flow,
    /// The system, once.
    System,
}

/// Which components.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Component types; `rds.*` for all of a service.
    pub types: Vec<String>,
    /// Traits, any of which is enough.
    pub traits: Vec<String>,
}

impl Selector {
    /// True when it names nothing and so takes everything.
    pub fn is_any(&self) -> bool {
        self.types.is_empty() && self.traits.is_empty()
    }

    /// Whether a component of this type with these traits is meant.
    pub fn selects(&self, component_type: &str, traits: &[String]) -> bool {
        self.is_any()
            || self.types.iter().any(|wanted| match wanted.strip_suffix(".*") {
                Some(service) => component_type.strip_prefix(service).is_some_and(|rest| rest.starts_with('.')),
                None => wanted == component_type,
            })
            || self.traits.iter().any(|wanted| traits.contains(wanted))
    }
}

/// A base score with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likelihood {
    /// 1..=5.
    pub base: u8,
    /// Why.
    pub because: String,
}

/// How a rule asks.
#[derive(Clone, Debug)]
pub struct QuestionText {
    /// Who knows.
    pub to: String,
    /// The question; `{setting}` is what is asked for.
    pub text: Option<Template>,
}

/// How a threat is noticed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Detect {
    /// CloudTrail event names.
    pub trail: Vec<String>,
    /// GuardDuty finding types.
    pub guardduty: Vec<String>,
    /// CloudWatch metrics, or `cis-5.x` for a metric filter of the CIS benchmark.
    pub metrics: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    id: Spanned<String>,
    #[serde(default)]
    aliases: Vec<String>,
    title: String,
    group: Spanned<String>,
    #[serde(default)]
    also: Vec<Spanned<String>>,
    stride: Vec<Spanned<String>>,
    #[serde(default)]
    attack: Vec<Spanned<String>>,
    #[serde(default)]
    cwe: Vec<Spanned<String>>,
    on: On,
    #[serde(default)]
    types: Vec<Spanned<String>>,
    #[serde(default)]
    traits: Vec<Spanned<String>>,
    #[serde(default)]
    from_types: Vec<Spanned<String>>,
    #[serde(default)]
    from_traits: Vec<Spanned<String>>,
    given: Option<Spanned<String>>,
    when: Spanned<String>,
    probability: ProbabilityEntry,
    impact: ImpactEntry,
    #[serde(default)]
    presumes: Vec<Spanned<String>>,
    controls: Vec<Spanned<String>>,
    #[serde(default)]
    evidence: Vec<Spanned<String>>,
    message: Spanned<String>,
    in_order: Spanned<String>,
    question: Option<QuestionEntry>,
    references: Vec<Spanned<String>>,
    #[serde(default)]
    detect: Detect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProbabilityEntry {
    base: Spanned<u8>,
    because: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImpactEntry {
    base: Spanned<u8>,
    because: String,
    #[serde(default = "any_dimension")]
    of: Dimension,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuestionEntry {
    to: Spanned<String>,
    text: Option<Spanned<String>>,
}

fn any_dimension() -> Dimension {
    Dimension::Any
}

pub(super) fn load(path: &str, text: &str, page: Option<&str>, catalogue: &Catalogue, problems: &mut Problems) -> Option<Rule> {
    let before = problems.count();
    let file: RuleFile = problems.parse(path, text)?;
    let mut check = Check { path, catalogue, problems };
    check.head(&file);
    let target = Selector { types: check.types(&file.types), traits: check.traits(&file.traits) };
    let source = Selector { types: check.types(&file.from_types), traits: check.traits(&file.from_traits) };
    check.selectors(&file);
    let vocabulary = vocabularies::of_rule(catalogue, file.on, &target, &source);
    let given = file.given.as_ref().and_then(|given| check.condition(given, &vocabulary));
    let when = check.condition(&file.when, &vocabulary);
    let evidence = file.evidence.iter().filter_map(|source| check.evidence(source, &vocabulary)).collect();
    let message = check.template(&file.message, &vocabulary);
    if file.in_order.value.contains('{') {
        check.fail(&file.in_order, "`in_order` speaks of all components at once and has no names in braces");
    }
    let question = file.question.as_ref().map(|question| check.question(question, file.on, &vocabulary));
    let group = check.group(&file.group);
    let also = file.also.iter().filter_map(|group| check.group(group)).collect();
    let page = check.page(page);
    let presumes = |what: &str| file.presumes.iter().any(|word| word.value == what);
    if problems.count() > before {
        return None;
    }
    Some(Rule {
        path: path.to_owned(),
        aliases: file.aliases,
        title: file.title,
        group: group?,
        also,
        stride: values(&file.stride),
        attack: values(&file.attack),
        cwe: values(&file.cwe),
        on: file.on,
        target,
        source,
        given,
        when: when?,
        likelihood: Likelihood { base: file.probability.base.value, because: file.probability.because },
        impact: Likelihood { base: file.impact.base.value, because: file.impact.because },
        dimension: file.impact.of,
        presumes_internet: presumes("internet"),
        presumes_exposure: presumes("exposure"),
        controls: values(&file.controls),
        evidence,
        message: message?,
        in_order: file.in_order.value,
        question,
        references: values(&file.references),
        detect: file.detect,
        page: page?,
        id: file.id.value,
    })
}

fn values(spanned: &[Spanned<String>]) -> Vec<String> {
    spanned.iter().map(|entry| entry.value.clone()).collect()
}

/// Checks against the rest of the catalogue, with the place of each mistake.
pub(super) struct Check<'a> {
    pub(super) path: &'a str,
    pub(super) catalogue: &'a Catalogue,
    pub(super) problems: &'a mut Problems,
}

impl Check<'_> {
    pub(super) fn fail<T>(&mut self, at: &Spanned<T>, message: impl Into<String>) {
        self.problems.push(self.path, Some(at.referenced), message);
    }

    fn head(&mut self, file: &RuleFile) {
        self.id(&file.id);
        let folder = self.path.rsplit('/').nth(1).unwrap_or_default();
        if folder != file.group.value {
            self.fail(&file.group, format!("the file lies in the folder `{folder}` and its group is `{}`", file.group.value));
        }
        for word in &file.stride {
            self.known(word, STRIDE.iter().copied(), "STRIDE word");
        }
        for word in &file.presumes {
            self.known(word, PRESUMPTIONS.iter().copied(), "presumption");
        }
        for id in &file.attack {
            self.framework(id, "attack", "an ATT&CK technique is written `T1530` or `T1078.004`", is_attack);
        }
        for id in &file.cwe {
            self.framework(id, "cwe", "a CWE is written `CWE-732`", is_cwe);
        }
        for score in [&file.probability.base, &file.impact.base] {
            if !(1..=5).contains(&score.value) {
                self.fail(score, format!("a base score is 1 to 5, and not {}", score.value));
            }
        }
        let catalogue = self.catalogue;
        // A catalogue without any controls is one that is only tried out.
        for control in file.controls.iter().filter(|_| !catalogue.controls.is_empty()) {
            self.known(control, catalogue.controls.keys().map(String::as_str), "control");
        }
        if file.references.is_empty() {
            self.problems.push(self.path, None, "a rule names at least one page to read in `references`");
        }
        for reference in &file.references {
            if !reference.value.starts_with("https://") {
                self.fail(reference, "a reference is an `https://` address");
            }
        }
    }

    fn selectors(&mut self, file: &RuleFile) {
        match file.on {
            On::Component => {
                for entry in file.from_types.iter().chain(&file.from_traits) {
                    self.fail(entry, "`from_types` and `from_traits` are for `on: flow`");
                }
                if file.types.is_empty() && file.traits.is_empty() {
                    self.problems.push(self.path, None, "a rule on components names their `types` or `traits`");
                }
            }
            On::Flow => {}
            On::System => {
                for entry in [&file.types, &file.traits, &file.from_types, &file.from_traits].into_iter().flatten() {
                    self.fail(entry, "a rule on the system names no types; use `system.types`");
                }
            }
        }
    }

    pub(super) fn id(&mut self, id: &Spanned<String>) {
        let expected = stem(self.path);
        if id.value != expected {
            self.fail(id, format!("the id `{}` and the file's name `{expected}` differ", id.value));
        }
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.value.is_empty() || !id.value.chars().all(kebab) {
            self.fail(id, "an id has lower-case letters, digits and hyphens");
        }
    }

    pub(super) fn known<'k>(&mut self, word: &Spanned<String>, mut known: impl Iterator<Item = &'k str> + Clone, what: &str) {
        if known.clone().any(|candidate| candidate == word.value) {
            return;
        }
        let hint = suggest::did_you_mean(&word.value, known.by_ref()).unwrap_or_default();
        self.fail(word, format!("there is no {what} `{}`{hint}", word.value));
    }

    fn framework(&mut self, id: &Spanned<String>, framework: &str, shape: &str, is_shaped: fn(&str) -> bool) {
        if !is_shaped(&id.value) {
            self.fail(id, format!("{shape}, and not `{}`", id.value));
            return;
        }
        if let Some(known) = self.catalogue.frameworks.get(framework)
            && !known.entries.contains_key(&id.value)
        {
            self.fail(id, format!("`{}` is not in `frameworks/{framework}.yaml` ({}); add it with its title", id.value, known.edition));
        }
    }

    fn group(&mut self, group: &Spanned<String>) -> Option<Category> {
        self.known(group, Category::ALL.iter().map(|category| category.id()), "group");
        Category::ALL.into_iter().find(|category| category.id() == group.value)
    }

    pub(super) fn types(&mut self, types: &[Spanned<String>]) -> Vec<String> {
        for wanted in types {
            let selector = Selector { types: vec![wanted.value.clone()], traits: Vec::new() };
            if !self.catalogue.types.keys().any(|known| selector.selects(known, &[])) {
                let catalogue = self.catalogue;
                self.known(wanted, catalogue.types.keys().map(String::as_str), "component type");
            }
        }
        values(types)
    }

    pub(super) fn traits(&mut self, traits: &[Spanned<String>]) -> Vec<String> {
        for wanted in traits {
            let catalogue = self.catalogue;
            let known = catalogue.types.values().flat_map(|known| known.traits.iter().map(String::as_str));
            self.known(wanted, known, "type with the trait");
        }
        values(traits)
    }

    pub(super) fn condition(&mut self, source: &Spanned<String>, vocabulary: &Vocabulary) -> Option<Expression> {
        let compiled = Expression::compile_condition(&source.value, vocabulary);
        self.compiled(source, compiled)
    }

    fn evidence(&mut self, source: &Spanned<String>, vocabulary: &Vocabulary) -> Option<Expression> {
        let compiled = Expression::compile(&source.value, vocabulary);
        self.compiled(source, compiled)
    }

    fn template(&mut self, source: &Spanned<String>, vocabulary: &Vocabulary) -> Option<Template> {
        let compiled = Template::compile(&source.value, vocabulary);
        self.compiled(source, compiled)
    }

    fn compiled<T>(&mut self, source: &Spanned<String>, compiled: Result<T, ExpressionError>) -> Option<T> {
        match compiled {
            Ok(compiled) => Some(compiled),
            Err(error) => {
                let (line, column) = within(source.referenced, &source.value, error.offset);
                let near: String = source.value.get(error.offset..).unwrap_or_default().chars().take(40).collect();
                let message = if near.is_empty() { error.message } else { format!("{} (at `{near}`)", error.message) };
                self.problems.0.push(super::CatalogueError { path: self.path.to_owned(), line, column, message });
                None
            }
        }
    }

    fn question(&mut self, question: &QuestionEntry, on: On, vocabulary: &Vocabulary) -> QuestionText {
        self.known(&question.to, AUDIENCES.iter().copied(), "audience");
        let vocabulary = vocabularies::of_question(vocabulary.clone(), on);
        let text = question.text.as_ref().and_then(|text| self.template(text, &vocabulary));
        QuestionText { to: question.to.value.clone(), text }
    }

    fn page(&mut self, page: Option<&str>) -> Option<Page> {
        let page_path = format!("{}.md", self.path.trim_end_matches(".yaml"));
        let Some(text) = page else {
            self.problems.push(self.path, None, format!("the rule has no page; write `{page_path}`"));
            return None;
        };
        match Page::parse(text) {
            Ok(page) => Some(page),
            Err((line, message)) => {
                self.problems.0.push(super::CatalogueError { path: page_path, line, column: 1, message });
                None
            }
        }
    }
}

/// Line and column of an offset in a scalar that starts at `start`; exact for a scalar on one line, the line of the scalar for others.
fn within(start: Location, value: &str, offset: usize) -> (u64, u64) {
    let before = value.get(..offset).unwrap_or(value);
    if value.trim_end().contains('\n') {
        return (start.line() + before.matches('\n').count() as u64, 1);
    }
    (start.line(), start.column() + before.chars().count() as u64)
}

fn is_attack(id: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.chars().all(|c| c.is_ascii_digit());
    let Some(number) = id.strip_prefix('T') else { return false };
    match number.split_once('.') {
        Some((technique, part)) => digits(technique, 4) && digits(part, 3),
        None => digits(number, 4),
    }
}

fn is_cwe(id: &str) -> bool {
    id.strip_prefix("CWE-").is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}
