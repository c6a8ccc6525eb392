//! Patterns over resource ARNs, segment by segment, in three values.
//!
//! Source: IAM User Guide, elements_resource: a wildcard in one of the first five segments does not cross a colon, in the last it crosses
//! colons and slashes; the service segment is literal; case counts.

use std::sync::OnceLock;

use crate::context::Context;
use crate::pattern::{Pattern, Syntax, Token};
use crate::text::Part;
use crate::{Origin, PolicyText, Truth, glob};

/// The name of a resource in a request.
///
/// One resource may be named in several ways: by a reference (`${aws_s3_bucket.a.arn}`) and by its ARN as far as the plan knows it
/// (`arn:aws:s3:::` and a reference to the name). Give both, and a policy may use either.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceName {
    texts: Vec<PolicyText>,
    forms: Vec<Pattern>,
    plain: Vec<Option<String>>,
    any: bool,
}

impl ResourceName {
    /// A resource by its ARN; `*` stands for an action that works on no particular resource.
    pub fn new(text: impl Into<PolicyText>) -> Self {
        let text = text.into();
        let any = text.known().as_deref() == Some("*");
        Self { texts: Vec::new(), forms: Vec::new(), plain: Vec::new(), any }.also(text)
    }

    /// Adds another name of the same resource.
    #[must_use]
    pub fn also(mut self, text: impl Into<PolicyText>) -> Self {
        let text = text.into();
        let symbolic = without_values(&text);
        for form in [Some(text), symbolic].into_iter().flatten() {
            if !self.texts.contains(&form) {
                self.plain.push(form.known().map(std::borrow::Cow::into_owned));
                self.forms.push(Pattern::subject(&form, false));
                self.texts.push(form);
            }
        }
        self
    }

    /// The first name that was given.
    pub fn text(&self) -> &PolicyText {
        static EMPTY: PolicyText = PolicyText::EMPTY;
        self.texts.first().unwrap_or(&EMPTY)
    }

    /// All names.
    pub fn texts(&self) -> &[PolicyText] {
        &self.texts
    }

    /// The service segment (`kms`), where one of the names spells it out.
    pub fn service(&self) -> Option<String> {
        self.segment(2)
    }

    /// Whether `text` is one of its names.
    pub fn is(&self, text: &PolicyText) -> Truth {
        let own = Pattern::subject(text, false);
        let bare = without_values(text).map(|bare| Pattern::subject(&bare, false));
        let mut denied = false;
        for name in std::iter::once(&own).chain(&bare) {
            for form in &self.forms {
                match name.matches(form) {
                    Truth::Yes => return Truth::Yes,
                    Truth::No => denied = true,
                    Truth::Maybe => {}
                }
            }
        }
        if denied { Truth::No } else { Truth::Maybe }
    }

    fn segment(&self, at: usize) -> Option<String> {
        self.texts.iter().find_map(|text| Some(text.arn_segments()?.get(at)?.known()?.into_owned()))
    }
}

/// The text with its valued references turned back into bare ones; `None` when it has none.
fn without_values(text: &PolicyText) -> Option<PolicyText> {
    if !text.parts().iter().any(|part| matches!(part, Part::Reference { value: Some(_), .. })) {
        return None;
    }
    let mut out = PolicyText::default();
    for part in text.parts() {
        out.push(match part {
            Part::Reference { address, attribute, .. } => {
                Part::Reference { address: address.clone(), attribute: attribute.clone(), value: None }
            }
            other => other.clone(),
        });
    }
    Some(out)
}

/// One element of `Resource` or `NotResource`.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourcePattern {
    /// As written.
    pub text: PolicyText,
    /// Where it is written.
    pub origin: Origin,
    /// True for an ARN with fewer than six segments that is saved by its trailing wildcard (`arn:aws:s3*`).
    pub sloppy: bool,
    variables: bool,
    matchers: Vec<Matcher>,
}

#[derive(Clone, Debug, PartialEq)]
enum Matcher {
    Everything,
    /// Not an ARN: AWS would refuse it or it matches nothing.
    Nothing,
    /// Globs of the six segments; the pattern is made when it meets a name that is not plain.
    Plain(Box<[String; 6]>, OnceLock<Pattern>),
    Symbolic(Pattern),
}

impl ResourcePattern {
    /// Compiles a pattern; `variables` says whether `${…}` is a policy variable (version 2012-10-17) or plain text.
    pub fn new(text: PolicyText, variables: bool, origin: Origin) -> Self {
        let mut sloppy = false;
        let mut matchers = vec![Matcher::new(&text, variables, &mut sloppy)];
        matchers.extend(without_values(&text).map(|bare| Matcher::new(&bare, variables, &mut sloppy)));
        Self { text, origin, sloppy, variables, matchers }
    }

    /// True for `*`.
    pub fn is_everything(&self) -> bool {
        self.matchers.contains(&Matcher::Everything)
    }

    /// True where the other pattern is the same, wherever it is written.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        self.text == other.text && self.variables == other.variables
    }

    /// True for text that is no ARN.
    pub(crate) fn matches_nothing(&self) -> bool {
        self.matchers.iter().all(|matcher| *matcher == Matcher::Nothing)
    }

    /// Whether it matches a resource; variables take their values from the context.
    pub fn matches(&self, name: &ResourceName, context: &Context) -> Truth {
        if self.is_everything() {
            return Truth::Yes;
        }
        if name.any {
            return Truth::No;
        }
        let mut denied = false;
        for matcher in &self.matchers {
            for (form, plain) in name.forms.iter().zip(&name.plain) {
                match matcher.matches(form, plain.as_deref(), context) {
                    Truth::Yes => return Truth::Yes,
                    Truth::No => denied = true,
                    Truth::Maybe => {}
                }
            }
        }
        if denied { Truth::No } else { Truth::Maybe }
    }

    /// Whether every resource that `other` matches is matched by this one; *no* means "not for certain".
    pub fn covers(&self, other: &Self) -> Truth {
        if self.is_everything() {
            return Truth::Yes;
        }
        if other.is_everything() {
            return Truth::No;
        }
        let certain = self.as_patterns().any(|own| other.as_patterns().any(|other| own.matches(&other.as_any()).is_yes()));
        match certain {
            true => Truth::Yes,
            false if self.text.has_unknown() || other.text.has_unknown() => Truth::Maybe,
            false => Truth::No,
        }
    }

    pub(crate) fn as_patterns(&self) -> impl Iterator<Item = Pattern> {
        self.matchers.iter().filter_map(|matcher| match matcher {
            Matcher::Everything => Some(Pattern { tokens: vec![Token::Run], ..Pattern::default() }),
            Matcher::Nothing => None,
            Matcher::Plain(segments, pattern) => Some(pattern.get_or_init(|| segment_pattern(segments)).clone()),
            Matcher::Symbolic(pattern) => Some(pattern.clone()),
        })
    }
}

impl Matcher {
    fn new(text: &PolicyText, variables: bool, sloppy: &mut bool) -> Self {
        if let Some(whole) = unabbreviated(text) {
            return Self::new(&whole, variables, sloppy);
        }
        let mut pattern = Pattern::compile(text, Syntax { wildcards: true, variables, fold_case: false });
        if !pattern.tokens.is_empty() && pattern.tokens.iter().all(|token| *token == Token::Run) {
            return Matcher::Everything;
        }
        let starts_plain = matches!(pattern.tokens.first(), Some(Token::Char(_) | Token::Run | Token::One));
        let opaque = pattern.tokens.iter().any(|token| matches!(token, Token::Symbol(_) | Token::Unknown | Token::Variable(_)));
        let colons = pattern.tokens.iter().filter(|token| **token == Token::Char(':')).count();
        if starts_plain && colons < 5 && !(opaque && hides_colons(&pattern)) {
            if pattern.tokens.last() != Some(&Token::Run) {
                return Matcher::Nothing;
            }
            *sloppy = true;
            for _ in colons..5 {
                pattern.tokens.extend([Token::Char(':'), Token::Run]);
            }
        }
        let known = text.known().filter(|_| !opaque && pattern.variables.is_empty() && !(variables && text_has_variable(text)));
        match known {
            Some(known) => Self::plain(&known, *sloppy),
            None => Matcher::Symbolic(pattern.in_segments()),
        }
    }

    fn plain(text: &str, sloppy: bool) -> Self {
        let mut segments: Vec<String> = text.splitn(6, ':').map(str::to_owned).collect();
        while sloppy && segments.len() < 6 {
            segments.push("*".to_owned());
        }
        // The service is never a pattern; AWS refuses the policy or matches nothing.
        if !sloppy && segments.get(2).is_some_and(|service| service.contains(['*', '?'])) {
            return Matcher::Nothing;
        }
        segments.try_into().map_or(Matcher::Nothing, |segments| Matcher::Plain(Box::new(segments), OnceLock::new()))
    }

    fn matches(&self, form: &Pattern, plain: Option<&str>, context: &Context) -> Truth {
        match (self, plain) {
            (Matcher::Everything, _) => Truth::Yes,
            (Matcher::Nothing, _) => Truth::No,
            (Matcher::Plain(globs, _), Some(text)) => {
                let mut segments = text.splitn(6, ':');
                Truth::from(globs.iter().all(|glob| segments.next().is_some_and(|segment| glob::matches(glob, segment))))
            }
            (Matcher::Plain(globs, pattern), None) => pattern.get_or_init(|| segment_pattern(globs)).matches(form),
            (Matcher::Symbolic(pattern), _) => pattern.resolve(context).map_or(Truth::No, |pattern| pattern.matches(form)),
        }
    }
}

fn segment_pattern(segments: &[String; 6]) -> Pattern {
    let text = PolicyText::literal(segments.join(":"));
    Pattern::compile(&text, Syntax { wildcards: true, ..Syntax::default() }).in_segments()
}

/// API Gateway writes the ARN of the API itself short: `execute-api:/stage/METHOD/path` (API Gateway Developer Guide, resource policies).
///
/// Such a policy is attached to the API, so that region, account and API need not be told apart.
fn unabbreviated(text: &PolicyText) -> Option<PolicyText> {
    let mut parts = text.parts().iter();
    let Some(Part::Literal(first)) = parts.next() else { return None };
    let path = first.strip_prefix("execute-api:/")?;
    let mut out = PolicyText::literal(format!("arn:*:execute-api:*:*:*/{path}"));
    parts.for_each(|part| out.push(part.clone()));
    Some(out)
}

fn text_has_variable(text: &PolicyText) -> bool {
    text.known().is_some_and(|text| text.contains("${"))
}

/// True where a reference or something unknown may hold the colons that the text does not show.
fn hides_colons(pattern: &Pattern) -> bool {
    pattern.tokens.iter().any(|token| match token {
        Token::Unknown | Token::Variable(_) => true,
        Token::Symbol(at) => pattern.symbols.get(*at as usize).is_some_and(crate::symbol::Symbol::may_hold_colons),
        _ => false,
    })
}

/// The `Resource` or `NotResource` of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Resources {
    /// `Resource`: any of these.
    Only(Vec<ResourcePattern>),
    /// `NotResource`: anything but these.
    Except(Vec<ResourcePattern>),
    /// Neither is written: the policy speaks of what it is attached to (trust policies, some resource policies).
    Attached,
}

impl Resources {
    /// Whether the statement speaks of a resource.
    pub fn matches(&self, name: &ResourceName, context: &Context) -> Truth {
        let listed = Truth::any(self.patterns().iter().map(|pattern| pattern.matches(name, context)));
        match self {
            Resources::Only(_) => listed,
            Resources::Except(_) => listed.negated(),
            Resources::Attached => Truth::Yes,
        }
    }

    /// The patterns as listed.
    pub fn patterns(&self) -> &[ResourcePattern] {
        match self {
            Resources::Only(patterns) | Resources::Except(patterns) => patterns,
            Resources::Attached => &[],
        }
    }

    /// True when `Resource` lists `*`.
    pub fn is_everything(&self) -> bool {
        matches!(self, Resources::Only(patterns) if patterns.iter().any(ResourcePattern::is_everything))
    }

    /// Whether every resource that `other` speaks of is spoken of here; *no* means "not for certain".
    pub fn covers(&self, other: &Self) -> Truth {
        match (self, other) {
            (Resources::Attached, _) => Truth::Yes,
            (own, _) if own.is_everything() => Truth::Yes,
            (Resources::Only(own), Resources::Only(others)) => {
                Truth::all(others.iter().map(|other| Truth::any(own.iter().map(|own| own.covers(other)))))
            }
            (Resources::Except(own), Resources::Except(others)) => {
                Truth::all(own.iter().map(|own| Truth::any(others.iter().map(|other| other.covers(own)))))
            }
            (Resources::Except(_) | Resources::Only(_), _) => Truth::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ResourceName, ResourcePattern};
    use crate::context::Context;
    use crate::text::Part;
    use crate::{Origin, PolicyText, Truth};

    fn pattern(text: impl Into<PolicyText>) -> ResourcePattern {
        ResourcePattern::new(text.into(), true, Origin::default())
    }

    fn matches(text: &str, name: &str) -> Truth {
        pattern(text).matches(&ResourceName::new(name), &Context::complete())
    }

    fn reference(address: &str, attribute: &str, value: Option<&str>, rest: &str) -> PolicyText {
        let mut out = PolicyText::reference(address, attribute, value.map(str::to_owned));
        out.push(Part::Literal(rest.to_owned()));
        out
    }

    #[test]
    fn stars_stay_in_their_segment_except_in_the_last() {
        assert_eq!(matches("arn:aws:sqs:*:1:q", "arn:aws:sqs:eu-west-1:1:q"), Truth::Yes);
        assert_eq!(matches("arn:aws:sqs:*:q", "arn:aws:sqs:eu-west-1:1:q"), Truth::No);
        assert_eq!(matches("arn:aws:s3:::b/*", "arn:aws:s3:::b/x/y:z"), Truth::Yes);
        assert_eq!(matches("arn:aws:s3:::B/*", "arn:aws:s3:::b/x"), Truth::No);
        assert_eq!(matches("arn:aws:s3:::b", "arn:aws:s3:::b/x"), Truth::No);
    }

    #[test]
    fn short_arns_are_saved_by_a_trailing_star_only() {
        assert_eq!(matches("arn:aws:s3*", "arn:aws:s3:::b/x"), Truth::Yes);
        assert!(pattern("arn:aws:s3*").sloppy);
        assert!(!pattern("arn:aws:s3:::*").sloppy);
        assert_eq!(matches("arn:aws:s3", "arn:aws:s3:::b/x"), Truth::No);
    }

    #[test]
    fn api_gateway_abbreviates_its_own_arn() {
        let arn = "arn:aws:execute-api:eu-west-1:111111111111:a1b2c3/prod/GET/pets";
        assert_eq!(matches("execute-api:/*", arn), Truth::Yes);
        assert_eq!(matches("execute-api:/prod/*/pets", arn), Truth::Yes);
        assert_eq!(matches("execute-api:/test/*", arn), Truth::No);
        assert!(!pattern("execute-api:/*").sloppy);
    }

    #[test]
    fn an_action_without_resource_needs_the_star() {
        assert_eq!(matches("*", "*"), Truth::Yes);
        assert_eq!(matches("arn:aws:s3:::*", "*"), Truth::No);
    }

    #[test]
    fn references_decide_before_text_does() {
        let bucket = ResourceName::new(reference("aws_s3_bucket.a", "arn", None, "/k")).also("arn:aws:s3:::a-bucket/k");
        let on = |text: PolicyText| pattern(text).matches(&bucket, &Context::open());
        assert_eq!(on(reference("aws_s3_bucket.a", "arn", None, "/*")), Truth::Yes);
        assert_eq!(on(reference("aws_s3_bucket.b", "arn", None, "/*")), Truth::No);
        assert_eq!(on("arn:aws:s3:::a-*".into()), Truth::Yes);
        assert_eq!(on("arn:aws:s3:::b-*".into()), Truth::No);
        assert_eq!(on(PolicyText::unknown("variable")), Truth::Maybe);
        assert_eq!(on(reference("aws_s3_bucket.a", "arn", Some("arn:aws:s3:::a-bucket"), "/*")), Truth::Yes);
    }

    #[test]
    fn an_unknown_account_is_no_obstacle_to_a_wildcard() {
        let mut arn = PolicyText::literal("arn:aws:sqs:eu-west-1:");
        arn.append(PolicyText::reference("data.aws_caller_identity.current", "account_id", None));
        arn.push(Part::Literal(":orders".to_owned()));
        let queue = ResourceName::new(arn);
        let on = |text: &str| pattern(text).matches(&queue, &Context::open());
        assert_eq!(on("arn:aws:sqs:*:*:orders"), Truth::Yes);
        assert_eq!(on("arn:aws:sqs:eu-west-1:111111111111:orders"), Truth::Maybe);
        assert_eq!(on("arn:aws:sqs:us-east-1:111111111111:orders"), Truth::No);
    }

    #[test]
    fn covering_compares_patterns() {
        let covers = |one: &str, two: &str| pattern(one).covers(&pattern(two));
        assert_eq!(covers("arn:aws:s3:::b/*", "arn:aws:s3:::b/x/*"), Truth::Yes);
        assert_eq!(covers("arn:aws:s3:::b/x/*", "arn:aws:s3:::b/*"), Truth::No);
        assert_eq!(covers("*", "arn:aws:s3:::b"), Truth::Yes);
        assert_eq!(covers("arn:aws:s3:::b", "*"), Truth::No);
    }
}
