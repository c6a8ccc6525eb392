//! How time grows with a plan: each phase and the whole process over generated plans of 1,000, 10,000 and 100,000 resources.
//!
//! `cargo bench -p bartizan` shows resources per second, which stay the same where time grows linearly.
//! The plans remain under `target/tmp/scale/`, for a look at memory with `/usr/bin/time -v bartizan review …`.

#![expect(clippy::expect_used, reason = "a benchmark whose input cannot be prepared has nothing to measure")]

#[path = "scale/plan.rs"]
mod plan;
#[path = "scale/principals.rs"]
mod principals;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use bartizan_import::{Services, Tree};
use bartizan_model::Architecture;
use bartizan_report::folder;
use bartizan_review::{Catalogue, Policy, Review};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

/// As the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

/// The form in which a plan is given.
#[derive(Clone, Copy, Debug)]
enum Form {
    Terraform,
    Plan,
}

struct Knowledge {
    services: Services,
    catalogue: Catalogue,
}

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    let mut files = Vec::new();
    collect(&root, "", &mut files);
    let (services, _) = Services::load(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let (catalogue, _) = Catalogue::load(files);
    Knowledge { services, catalogue }
});

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else {
            files.push((path, std::fs::read_to_string(entry.path()).expect("a file")));
        }
    }
}

fn files(form: Form, n_resources: usize) -> Vec<(String, String)> {
    match form {
        Form::Terraform => plan::terraform(n_resources),
        Form::Plan => vec![("plan.json".to_owned(), plan::plan(n_resources))],
    }
}

fn architecture(n_resources: usize) -> Architecture {
    bartizan_import::import(&Tree::from_memory(files(Form::Terraform, n_resources)), &KNOWLEDGE.services)
}

fn reviewed(n_resources: usize) -> Review {
    bartizan_review::review(architecture(n_resources), &KNOWLEDGE.catalogue, &Policy::default())
}

fn import(bencher: Bencher<'_, '_>, form: Form, n_resources: usize) {
    let bencher = bencher.counter(ItemsCount::new(n_resources)).with_inputs(|| Tree::from_memory(files(form, n_resources)));
    bencher.bench_refs(|tree| bartizan_import::import(tree, &KNOWLEDGE.services));
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn import_terraform(bencher: Bencher<'_, '_>, n_resources: usize) {
    import(bencher, Form::Terraform, n_resources);
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn import_plan(bencher: Bencher<'_, '_>, n_resources: usize) {
    import(bencher, Form::Plan, n_resources);
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn review(bencher: Bencher<'_, '_>, n_resources: usize) {
    let bencher = bencher.counter(ItemsCount::new(n_resources)).with_inputs(|| architecture(n_resources));
    bencher.bench_values(|architecture| bartizan_review::review(architecture, &KNOWLEDGE.catalogue, &Policy::default()));
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn attack_graph(bencher: Bencher<'_, '_>, n_resources: usize) {
    let bencher = bencher.counter(ItemsCount::new(n_resources)).with_inputs(|| architecture(n_resources));
    bencher.bench_values(|architecture| bartizan_review::attack_graph(architecture, &KNOWLEDGE.catalogue, &Policy::default()));
}

/// Flows and attack graph of so many principals, all primitives joined over them, in a plan of so many components; prints how many nodes that is.
#[divan::bench(args = [(1_000, 2_000), (3_000, 6_000), (10_000, 20_000), (100, 20_000), (1_000, 20_000)], sample_count = 5, sample_size = 1)]
#[expect(clippy::print_stderr, reason = "the number of nodes belongs beside the time")]
fn attack_graph_of_principals(bencher: Bencher<'_, '_>, (n_principals, n_components): (usize, usize)) {
    let files = vec![("main.tf".to_owned(), principals::terraform(n_principals, n_components))];
    let read = || bartizan_import::import(&Tree::from_memory(files.clone()), &KNOWLEDGE.services);
    let (_, attack) = bartizan_review::attack_graph(read(), &KNOWLEDGE.catalogue, &Policy::default());
    eprintln!("{n_principals} principals, {n_components} components: {} nodes", attack.graph.n_nodes());
    let bencher = bencher.counter(ItemsCount::new(n_principals)).with_inputs(read);
    bencher.bench_values(|architecture| bartizan_review::attack_graph(architecture, &KNOWLEDGE.catalogue, &Policy::default()));
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn report(bencher: Bencher<'_, '_>, n_resources: usize) {
    let bencher = bencher.counter(ItemsCount::new(n_resources)).with_inputs(|| reviewed(n_resources));
    bencher.bench_refs(|review| {
        let keep = |_: &'static str, content: Vec<u8>| {
            black_box(content);
            Ok::<(), std::convert::Infallible>(())
        };
        folder::folder(review, None, keep)
    });
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn whole_process_terraform(bencher: Bencher<'_, '_>, n_resources: usize) {
    whole_process(bencher, Form::Terraform, n_resources);
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn whole_process_plan(bencher: Bencher<'_, '_>, n_resources: usize) {
    whole_process(bencher, Form::Plan, n_resources);
}

fn whole_process(bencher: Bencher<'_, '_>, form: Form, n_resources: usize) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("scale/{form:?}-{n_resources}").to_lowercase());
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    for (name, content) in files(form, n_resources) {
        std::fs::write(folder.join(name), content).expect("the target folder can be written");
    }
    bencher.counter(ItemsCount::new(n_resources)).bench(|| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bartizan"));
        command.arg("review").arg(&folder).arg("--output").arg(folder.join("bartizan-report"));
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("the binary runs");
        assert_eq!(status.code(), Some(0), "the review ends well");
    });
}

fn main() {
    divan::main();
}
