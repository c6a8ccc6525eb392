//! The files of `bartizan-report/`. Whoever calls this writes them.

use bartizan_review::Review;

use crate::{dfd, html, json, markdown, sarif};

/// Name and content of every file, in the order a reader meets them.
pub fn folder(review: &Review) -> Vec<(&'static str, Vec<u8>)> {
    let diagram = dfd::svg(&review.architecture, &dfd::Options::of_review(review));
    vec![
        ("index.html", html::html(review, &diagram).into_bytes()),
        ("threat-model.md", markdown::markdown(review).into_bytes()),
        ("diagram.svg", diagram.into_bytes()),
        ("review.json", pretty(&json::v1::review(review))),
        ("review.sarif", pretty(&sarif::sarif(review))),
    ]
}

/// JSON for files: indented, with a last line break.
pub fn pretty(value: &serde_json::Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::folder;
    use crate::fixture;

    #[test]
    fn two_runs_give_the_same_bytes() {
        let (first, second) = (folder(&fixture::shop()), folder(&fixture::shop()));
        assert_eq!(first, second);
        let names: Vec<&str> = first.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["index.html", "threat-model.md", "diagram.svg", "review.json", "review.sarif"]);
        assert!(first.iter().all(|(_, content)| !content.is_empty()));
    }
}
