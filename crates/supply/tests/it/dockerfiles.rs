//! Dockerfiles: real syntax in, stages and weaknesses with their lines out.

use bartizan_model::Sources;
use bartizan_supply::dockerfile::{self, Base, Dockerfile, is_dockerfile};

fn read(text: &str) -> (Dockerfile, Sources, Vec<String>) {
    let mut sources = Sources::default();
    let id = sources.add("Dockerfile", text);
    let (file, diagnostics) = dockerfile::read("Dockerfile", id, text);
    let diagnostics = diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect();
    (file, sources, diagnostics)
}

/// `line base user` of each stage.
fn stages(text: &str) -> Vec<String> {
    let (file, sources, _) = read(text);
    let shown = |stage: &dockerfile::Stage| {
        let base = match &stage.base {
            Base::Image(image) => format!("{} {:?} {:?}", image.name, image.tag, image.digest.is_some()),
            Base::Stage(index) => format!("stage {index}"),
            Base::Scratch => "scratch".to_owned(),
            Base::Unresolved(text) => format!("unresolved {text}"),
        };
        format!("{} {base} {:?}", sources.start(stage.span).line, stage.user)
    };
    file.stages.iter().map(shown).collect()
}

/// `line id excerpt` of each weakness.
fn weaknesses(text: &str) -> Vec<String> {
    let (file, sources, _) = read(text);
    let shown = |weakness: &dockerfile::Weakness| {
        format!("{} {} {}", sources.start(weakness.span).line, weakness.kind.id(), sources.excerpt(weakness.span))
    };
    file.weaknesses.iter().map(shown).collect()
}

#[test]
fn an_image_keeps_what_its_own_stages_hold() {
    let text = "FROM golang AS build\nENV API_TOKEN=abc\nFROM alpine:3 AS base\nENV DB_PASSWORD=abc\nUSER root\nFROM build AS check\nRUN test\nFROM base\nCOPY --from=build /app /app\n";
    let (file, sources, _) = read(text);
    let kept: Vec<String> =
        file.of_image().map(|weakness| format!("{} {}", sources.start(weakness.span).line, weakness.kind.id())).collect();
    assert_eq!(kept, ["4 secret-in-environment", "5 runs-as-root"]);
}

#[test]
fn bases_are_resolved_through_arguments_and_stages() {
    let text = "ARG REGISTRY=registry.example.com:5000/team\nARG TAG\nARG V=3.12\n\
                FROM --platform=$BUILDPLATFORM ${REGISTRY}/python:${V:-3.11} AS Build\nUSER app\n\
                FROM build\nFROM node:$TAG AS web\nfrom ${TAG:-scratch}\n\
                FROM debian@sha256:aa\nUSER 1000:1000\n";
    assert_eq!(
        stages(text),
        [
            r#"4 registry.example.com:5000/team/python Some("3.12") false Some("app")"#,
            r#"6 stage 0 Some("app")"#,
            "7 unresolved node:$TAG None",
            "8 scratch None",
            r#"9 debian None true Some("1000:1000")"#,
        ]
    );
    assert_eq!(weaknesses(text), Vec::<String>::new());
}

#[test]
fn the_last_stage_decides_whom_the_image_runs_as() {
    assert_eq!(weaknesses("FROM a:1 AS b\nUSER root\nFROM c:1\nUSER app\n"), Vec::<String>::new());
    assert_eq!(weaknesses("FROM a:1\nUSER app\nRUN x\nUSER root:root\n"), ["4 runs-as-root root:root"]);
    assert_eq!(weaknesses("FROM a:1 AS b\nFROM b\n"), ["2 runs-as-root FROM b"]);
    assert_eq!(weaknesses("FROM gcr.io/distroless/static:nonroot\n"), Vec::<String>::new());
}

#[test]
fn bases_that_move_are_told() {
    let text =
        "FROM node AS a\nFROM node:latest AS b\nFROM node:latest@sha256:aa AS c\nFROM localhost:5000/node AS d\nFROM node:20\nUSER node\n";
    assert_eq!(weaknesses(text), ["1 base-moves node", "2 base-moves node:latest", "4 base-moves localhost:5000/node"]);
}

#[test]
fn secrets_are_named_and_never_shown() {
    let text = "ARG NPM_TOKEN\nFROM a:1\nARG DB_PASSWORD=hunter2\nENV DB_PASSWORD=hunter2 \\\n  # why\n\n  LOG=x API_KEY=\"a b\"\nENV AWS_SECRET_ACCESS_KEY abc\n\
                ENV PASSWORD=$DB_PASSWORD PASSWORD_FILE=/run/x EMPTY_SECRET= ID=AKIAIOSFODNN7EXAMPLE\nUSER app\n";
    let found = weaknesses(text);
    let places: Vec<&str> = found.iter().map(|line| line.split_once('=').map_or(line.as_str(), |(before, _)| before)).collect();
    assert_eq!(
        places,
        [
            "1 secret-in-argument NPM_TOKEN",
            "3 secret-in-argument DB_PASSWORD",
            "4 secret-in-environment DB_PASSWORD",
            "7 secret-in-environment API_KEY",
            "8 secret-in-environment AWS_SECRET_ACCESS_KEY",
            "9 secret-in-environment ID",
        ]
    );
    let (file, ..) = read(text);
    assert!(file.weaknesses.iter().all(|weakness| !weakness.kind.message().contains("hunter2")));
}

#[test]
fn downloads_without_a_checksum_are_told() {
    let text = "FROM a:1\nADD https://user:pass@example.com/a.tgz?sig=1 /tmp/\nADD --checksum=sha256:aa https://example.com/b /b\nADD . /app\nUSER app\n";
    assert_eq!(weaknesses(text).len(), 1);
    let (file, ..) = read(text);
    assert_eq!(file.weaknesses[0].kind.message(), "what `https://example.com/a.tgz` gives is not checked; use `ADD --checksum`");
}

#[test]
fn continued_lines_documents_and_the_escape_directive_are_followed() {
    let text = "# syntax=docker/dockerfile:1\n# escape=`\nFROM windows:1\nRUN <<EOF\nUSER root\nFROM evil\nEOF\nRUN a `\n  b\nUSER app\n";
    assert_eq!(stages(text), [r#"3 windows Some("1") false Some("app")"#]);
    let (_, _, diagnostics) = read("FROM a:1\n{{ template }}\n");
    assert_eq!(diagnostics, ["`{{` is no instruction of a Dockerfile"]);
    assert_eq!(read("").2, ["`Dockerfile` has no `FROM`"]);
}

#[test]
fn files_are_known_by_their_names() {
    for name in ["Dockerfile", "a/Dockerfile.prod", "api.dockerfile", "Containerfile", "Dockerfile-arm64"] {
        assert!(is_dockerfile(name), "{name}");
    }
    for name in ["Dockerfile.dockerignore", "dockerfile.rs", "Dockerfiles/a.txt", "dockerfile_parse.py"] {
        assert!(!is_dockerfile(name), "{name}");
    }
}
