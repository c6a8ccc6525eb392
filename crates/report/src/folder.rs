//! The files of `bartizan-report/`. Whoever calls this writes them.

use bartizan_review::Review;
use serde::Serialize;

use crate::baseline::Standing;
use crate::{dfd, html, json, markdown, sarif};

/// Gives name and content of every file to `write`, each as soon as it is made and in no fixed order: two are made at a time.
///
/// # Errors
/// What `write` gives.
pub fn folder<E: Send>(
    review: &Review,
    baseline: Option<&Standing>,
    write: impl Fn(&'static str, Vec<u8>) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let (drawn, told) = std::thread::scope(|scope| {
        let drawn = scope.spawn(|| {
            let diagram = dfd::svg(&review.architecture, &dfd::Options::of_review(review));
            write("index.html", html::html(review, &diagram).into_bytes())?;
            write("diagram.svg", diagram.into_bytes())
        });
        let told = write("threat-model.md", markdown::markdown(review).into_bytes())
            .and_then(|()| write("review.json", pretty(&json::v1::review(review))))
            .and_then(|()| write("review.sarif", pretty(&sarif::sarif(review, baseline))));
        (drawn.join(), told)
    });
    // A panic is our bug: it goes on where it can be told as one.
    drawn.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    told
}

/// JSON for files: indented, with a last line break.
pub fn pretty(value: &impl Serialize) -> Vec<u8> {
    // INVARIANT: what is written has only strings as keys and no float that is not finite, so this cannot fail.
    let mut out = serde_json::to_vec_pretty(value).unwrap_or_default();
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::folder;
    use crate::fixture;

    #[test]
    fn two_runs_give_the_same_bytes() {
        let files = || {
            let files = Mutex::new(BTreeMap::new());
            let write = |name, content| files.lock().map(|mut files| files.insert(name, content)).map(|_| ()).map_err(|_| "a panic");
            folder(&fixture::shop(), None, write).expect("nothing fails");
            files.into_inner().expect("no panic")
        };
        let first = files();
        assert_eq!(first, files());
        let names: Vec<&str> = first.keys().copied().collect();
        assert_eq!(names, ["diagram.svg", "index.html", "review.json", "review.sarif", "threat-model.md"]);
        assert!(first.values().all(|content| !content.is_empty()));
    }
}
