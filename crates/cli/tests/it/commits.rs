//! Comparisons of real commits: one page per commit in `tests/commits`, whose shape is written there anew and minimal.
//!
//! A page names the commit that it is taken from, holds the files before and after it, and says what `bartizan diff` has to tell a reviewer and
//! what it must not tell. With `BARTIZAN_CASE=<name>` one page is run and its comparison is shown.

use std::path::{Path, PathBuf};

use crate::{bartizan, folder, text};

/// What a page says.
#[derive(Default)]
struct Page {
    /// `before/main.tf` and its text.
    files: Vec<(String, String)>,
    says: Vec<String>,
    silent: Vec<String>,
}

fn read(page: &str) -> Page {
    let mut out = Page::default();
    let (mut heading, mut fence) = (String::new(), false);
    for line in page.lines() {
        if line.starts_with("```") {
            fence = !fence;
            continue;
        }
        if fence {
            let (_, content) = out.files.last_mut().expect("code belongs to a file");
            content.push_str(line);
            content.push('\n');
        } else if let Some(title) = line.strip_prefix("## ") {
            heading = title.to_owned();
            if let Some((side, path)) = title.split_once(": ") {
                assert!(side == "before" || side == "after", "`{title}`");
                out.files.push((format!("{side}/{path}"), String::new()));
            }
        } else if let Some(fragment) = line.strip_prefix("- ") {
            match heading.as_str() {
                "Says" => out.says.push(fragment.to_owned()),
                "Is silent about" => out.silent.push(fragment.to_owned()),
                other => panic!("a list below `{other}`"),
            }
        }
    }
    out
}

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commits");
    let mut pages: Vec<PathBuf> = std::fs::read_dir(folder).expect("the pages").map(|entry| entry.expect("a page").path()).collect();
    pages.sort();
    pages
}

/// What is wrong with a comparison.
fn run(path: &Path) -> Vec<String> {
    let page = std::fs::read_to_string(path).expect("a page");
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    assert!(page.contains("\nSource: `") && page.contains("commit `"), "{name} does not say where it is from");
    let page = read(&page);
    assert!(!page.says.is_empty(), "{name} asserts nothing");
    let here = folder(&format!("commit-{name}"));
    for (file, content) in &page.files {
        let file = here.join(file);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder can be made");
        std::fs::write(file, content).expect("the file can be written");
    }
    let output = bartizan(&here, &["diff", "./before", "./after"]);
    let told = text(&output.stdout);
    if std::env::var("BARTIZAN_CASE").is_ok_and(|only| only == name) {
        panic!("{told}{}", text(&output.stderr));
    }
    // Columns are a matter of looks.
    let flat: String = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut wrong = Vec::new();
    if output.status.code() != Some(0) {
        wrong.push(format!("exit code {:?}: {}", output.status.code(), text(&output.stderr)));
    }
    wrong.extend(page.says.iter().filter(|fragment| !flat.contains(fragment.trim())).map(|fragment| format!("does not say: {fragment}")));
    wrong.extend(page.silent.iter().filter(|fragment| flat.contains(fragment.trim())).map(|fragment| format!("says: {fragment}")));
    if wrong.is_empty() { wrong } else { wrong.into_iter().chain([told]).map(|line| format!("{name}: {line}")).collect() }
}

#[test]
fn real_commits_are_told_as_a_reviewer_would() {
    let pages = pages();
    assert!(pages.len() >= 20, "{} pages", pages.len());
    let wrong: Vec<String> = pages.iter().flat_map(|page| run(page)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
