//! The page beside a rule: explanation, remedy and the examples that run as tests.

use std::collections::BTreeMap;

use bartizan_model::{Architecture, Flaw, FlawRating, Recipe, Software, Span};

/// A rule's page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What stands before the first heading of level two: why it matters and how it is attacked.
    pub explanation: String,
    /// The section `## Remedy`.
    pub remedy: String,
    /// The code blocks of `## Examples`.
    pub examples: Vec<Example>,
}

/// A code block that is run as a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// What must come out.
    pub expectation: Expectation,
    /// `hcl` or `yaml`.
    pub language: String,
    /// The code.
    pub code: String,
    /// Line of the page where the code starts, from 1.
    pub line: u64,
}

impl Example {
    /// Adds what the comments of the example say that a scan finds beside it: `# flaw: exploited`, `high`, `medium` or `none` for the packages, and
    /// `# dockerfile: NAME/secret`, `NAME/root` or `NAME/moving` for the Dockerfile of the image NAME. They stand where the finding is to point.
    pub fn found_beside(&self, architecture: &mut Architecture) {
        let Some(file) = architecture.sources.iter().next().map(|(id, _)| id) else { return };
        let marks = |mark: &'static str| {
            let word = move |(at, _): (usize, &str)| {
                let word = self.code.get(at + mark.len()..)?.split_whitespace().next()?;
                Some((Span::new(file, at..at + 1), word))
            };
            self.code.match_indices(mark).filter_map(word)
        };
        let mut software: Option<Software> = None;
        for (span, word) in marks("# flaw: ") {
            let software = software.get_or_insert_with(|| Software {
                folders: BTreeMap::from([(String::new(), true)]),
                knows_use: true,
                ..Software::default()
            });
            let rating = match word {
                "exploited" => FlawRating::Critical,
                "high" => FlawRating::High,
                "medium" => FlawRating::Medium,
                _ => continue,
            };
            software.flaws.push(Flaw {
                name: "CVE-2024-0001".to_owned(),
                package: "left-pad".to_owned(),
                version: "1.0.0".to_owned(),
                fixed: Some("1.0.1".to_owned()),
                rating,
                exploited: word == "exploited",
                probability: None,
                span,
            });
        }
        architecture.software = software;
        for (span, word) in marks("# dockerfile: ") {
            let Some((name, what)) = word.split_once('/') else { continue };
            let mut recipe = Recipe { path: format!("{name}/Dockerfile"), ..Recipe::default() };
            match what {
                "secret" => recipe.secrets.push(("DB_PASSWORD".to_owned(), span)),
                "moving" => recipe.moving_bases.push(("node".to_owned(), span)),
                "root" => recipe.root = Some(span),
                _ => continue,
            }
            architecture.recipes.push(recipe);
        }
    }
}

/// What an example must give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expectation {
    /// The rule is raised, with its first evidence on the marked line.
    Threatened,
    /// The rule is in order or does not apply.
    Safe,
    /// The rule asks and raises nothing.
    Unknown,
}

impl Expectation {
    /// The heading it stands under.
    pub fn heading(self) -> &'static str {
        match self {
            Expectation::Threatened => "Threatened",
            Expectation::Safe => "Safe",
            Expectation::Unknown => "Unknown",
        }
    }
}

impl Page {
    /// Parses a page; gives what is wrong with it as line and message.
    ///
    /// A heading may go on after its word: `### Safe: denied by the bucket's policy`.
    pub(super) fn parse(text: &str) -> Result<Self, (u64, String)> {
        let mut page = Page::default();
        let mut section = String::new();
        let mut expectation = None;
        let mut never_unknown = false;
        let mut open: Option<Example> = None;
        for (line, number) in text.lines().zip(1u64..) {
            if let Some(example) = &mut open {
                if line.trim_end() == "```" {
                    page.examples.extend(open.take());
                } else {
                    example.code.push_str(line);
                    example.code.push('\n');
                }
                continue;
            }
            if let Some(title) = line.strip_prefix("### ") {
                expectation = [Expectation::Threatened, Expectation::Safe, Expectation::Unknown]
                    .into_iter()
                    .find(|expectation| title.starts_with(expectation.heading()));
                if section == "Examples" && expectation.is_none() {
                    return Err((number, format!("an example is headed Threatened, Safe or Unknown, and not `{title}`")));
                }
                continue;
            }
            if let Some(title) = line.strip_prefix("## ") {
                title.trim().clone_into(&mut section);
                continue;
            }
            match section.as_str() {
                "" if line.starts_with("# ") => {}
                "" => push_line(&mut page.explanation, line),
                "Remedy" => push_line(&mut page.remedy, line),
                "Examples" => {
                    let Some(language) = line.strip_prefix("```") else {
                        never_unknown |= expectation == Some(Expectation::Unknown) && !line.trim().is_empty();
                        continue;
                    };
                    let Some(expectation) = expectation else {
                        return Err((number, "a code block of the examples stands under no heading".to_owned()));
                    };
                    let language = language.trim().to_owned();
                    if !matches!(language.as_str(), "hcl" | "yaml") {
                        return Err((number, format!("an example is `hcl` or `yaml`, and not `{language}`")));
                    }
                    open = Some(Example { expectation, language, code: String::new(), line: number + 1 });
                }
                _ => {}
            }
        }
        if open.is_some() {
            return Err((0, "the last code block is not closed".to_owned()));
        }
        page.explanation = page.explanation.trim().to_owned();
        page.remedy = page.remedy.trim().to_owned();
        for (missing, what) in
            [(page.explanation.is_empty(), "an explanation before its first section"), (page.remedy.is_empty(), "a section `## Remedy`")]
        {
            if missing {
                return Err((0, format!("the page has no {what}")));
            }
        }
        for expectation in [Expectation::Threatened, Expectation::Safe, Expectation::Unknown] {
            // Where nothing that the rule reads can be unknown, a sentence under the heading says so.
            let excused = expectation == Expectation::Unknown && never_unknown;
            if !excused && !page.examples.iter().any(|example| example.expectation == expectation) {
                return Err((0, format!("the page has no example `### {}`", expectation.heading())));
            }
        }
        Ok(page)
    }

    /// The first paragraph of the explanation, as one line.
    pub fn first_paragraph(&self) -> String {
        let paragraph = self.explanation.split("\n\n").next().unwrap_or_default();
        paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ")
    }
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::{Expectation, Page};

    const PAGE: &str = "# Title\n\nWhy.\nAnd how.\n\n## Remedy\nDo it.\n\n## Examples\n\n### Threatened\n```hcl\na # threat: x\n```\n### Safe: by default\n```hcl\nb\n```\n### Unknown\n```hcl\nc\n```\n";

    #[test]
    fn a_page_gives_its_sections_and_examples_with_lines() {
        let page = Page::parse(PAGE).unwrap();
        assert_eq!(page.first_paragraph(), "Why. And how.");
        assert_eq!(page.remedy, "Do it.");
        let safe = page.examples.iter().find(|example| example.expectation == Expectation::Safe).unwrap();
        assert_eq!((safe.code.as_str(), safe.line), ("b\n", 17));
    }

    #[test]
    fn a_page_without_an_unknown_example_is_refused() {
        let error = Page::parse(PAGE.split("### Unknown").next().unwrap()).unwrap_err();
        assert!(error.1.contains("### Unknown"), "{error:?}");
    }
}
