//! `index.html`: one self-contained page for people, managers first.
//!
//! The summary, the diagram and the matrix are written here; the long lists are drawn by the page's own script from embedded data,
//! a screenful at a time, so that a large system stays fluent.
//! The page loads nothing: style, script, diagram and data are inside it, and its content security policy forbids the rest.

mod data;
mod page;
mod rich;

use askama::Template as _;
use bartizan_review::Review;

/// The page; `diagram` is the SVG of the threat model, whose elements carry `data-address`.
pub fn html(review: &Review, diagram: &str) -> String {
    // INVARIANT: rendering writes to a string and the template calls nothing that fails.
    page::Page::of(review, diagram).render().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::html;
    use crate::fixture;

    const DIAGRAM: &str = r#"<svg xmlns="http://www.w3.org/2000/svg"><g data-address="aws_s3_bucket.uploads"></g></svg>"#;

    /// The data that the script reads.
    fn data(page: &str) -> Value {
        let start = page.find(r#"<script type="application/json" id="data">"#).expect("the data") + 42;
        let end = page[start..].find("</script>").expect("its end") + start;
        serde_json::from_str(&page[start..end]).expect("JSON")
    }

    #[test]
    fn the_worst_risk_its_evidence_and_its_remedy_come_before_everything_else() {
        let page = html(&fixture::shop(), DIAGRAM);
        let summary = page.split("id=\"diagram\"").next().expect("a summary");
        for piece in [
            "<code>shop-uploads</code> can be read by anyone on the internet",
            "main.tf:4",
            "public-read",
            "Block public access",
            "aws_s3_bucket_public_access_block",
        ] {
            assert!(summary.contains(piece), "{piece} is not in the summary");
        }
    }

    #[test]
    fn the_weightiest_path_is_in_the_summary_and_all_of_it_in_the_data() {
        let page = html(&fixture::attacked(), DIAGRAM);
        let summary = page.split("id=\"diagram\"").next().expect("a summary");
        for piece in ["An attacker on the internet reads <code>orders</code>", "about 7 %", "application flaw (assumed)", "main.tf:4"] {
            assert!(summary.contains(piece), "{piece} is not in the summary");
        }
        let data = data(&page);
        let path = &data["paths"][0];
        assert_eq!(path["chain"][3]["name"], "orders");
        assert_eq!(path["chain"][1]["assumed"], true);
        assert_eq!(path["steps"][2]["conditions"][0], "the caller has a second factor");
        assert_eq!(path["steps"][2]["evidence"][0]["at"], "main.tf:10");
        assert_eq!((&path["cuts"][0]["left"], &path["cuts"][0]["at"]), (&"ends it".into(), &"main.tf:4".into()));
        assert_eq!(data["threats"][0]["paths"][0], path["id"]);
        let without = html(&fixture::shop(), DIAGRAM);
        assert!(!without.contains("The weightiest attack path"));
    }

    #[test]
    fn names_cannot_inject() {
        let page = html(&fixture::hostile(), DIAGRAM);
        assert!(!page.contains("<script>alert"), "a name became a script");
        assert!(!page.contains("<img src=x"), "a name became an element");
        assert!(!page.contains("\"javascript:") && !page.contains("'javascript:"), "a name became a link");
        let data = data(&page);
        assert!(
            data["components"][0]["name"].as_str().is_some_and(|name| name.contains("<script>alert(1)")),
            "the data has the name as it is"
        );
        assert!(data["threats"][0]["message"].as_str().is_some_and(|message| message.contains("&lt;script&gt;")));
    }

    #[test]
    fn the_page_loads_nothing_and_hides_secrets() {
        let page = html(&fixture::shop(), DIAGRAM);
        for loader in ["src=\"http", "<link ", "@import", "url(http", "fetch(", "XMLHttpRequest"] {
            assert!(!page.contains(loader), "{loader} is in the page");
        }
        assert!(page.contains("default-src 'none'"));
        assert!(!page.contains("hunter2"));
    }

    #[test]
    fn all_threats_flows_and_components_are_in_the_data() {
        let page = html(&fixture::large(2000, 500), DIAGRAM);
        let data = data(&page);
        assert_eq!(data["threats"].as_array().map(Vec::len), Some(504));
        assert_eq!(data["components"].as_array().map(Vec::len), Some(2004));
        assert_eq!(data["flows"].as_array().map(Vec::len), Some(2001));
        assert!(page.len() < 8_000_000, "{} bytes", page.len());
    }
}
