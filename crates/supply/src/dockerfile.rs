//! Dockerfiles: what each stage is built on, whom its processes run as, and what a reviewer has to look at.
//!
//! Facts only: nothing is built, and a base whose name is settled when the image is built stays unresolved.
//!
//! Source: docs.docker.com/reference/dockerfile.

mod parse;

use std::collections::BTreeMap;

use bartizan_model::{Diagnostic, FileId, Severity, Span, names_secret};

use parse::{Instruction, Word};

/// A Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dockerfile {
    /// Path below the root that was scanned.
    pub path: String,
    /// Stages in their order; the last one is the image.
    pub stages: Vec<Stage>,
    /// What a reviewer has to look at, by place.
    pub weaknesses: Vec<Weakness>,
}

impl Dockerfile {
    /// The weaknesses that the image keeps: those of the last stage and of the stages that it starts from.
    pub fn of_image(&self) -> impl Iterator<Item = &Weakness> {
        let mut kept = Vec::new();
        let mut at = self.stages.len().checked_sub(1);
        while let Some((index, stage)) = at.and_then(|index| Some((index, self.stages.get(index)?))) {
            let end = self.stages.get(index + 1).map_or(u32::MAX, |next| next.span.start);
            kept.push(stage.span.start..end);
            // INVARIANT: a stage starts from an earlier one.
            at = if let Base::Stage(base) = stage.base { Some(base) } else { None };
        }
        self.weaknesses.iter().filter(move |weakness| kept.iter().any(|range| range.contains(&weakness.span.start)))
    }
}

/// From one `FROM` to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The name after `AS`, in lower case.
    pub name: Option<String>,
    /// What it starts from.
    pub base: Base,
    /// Whom its processes run as, as the last `USER` of it or of the stages that it starts from says; `None` where that is left to the base image.
    pub user: Option<String>,
    /// Where that is said.
    pub user_span: Option<Span>,
    /// Its `FROM`.
    pub span: Span,
}

/// What a stage starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// An image of a registry.
    Image(Reference),
    /// An earlier stage; its index.
    Stage(usize),
    /// Nothing: `scratch`.
    Scratch,
    /// As written, with an argument that has no default.
    Unresolved(String),
}

/// The name of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Registry and repository as written, such as `node` or `public.ecr.aws/lambda/python`.
    pub name: String,
    /// Tag; `None` is `latest`, unless there is a digest.
    pub tag: Option<String>,
    /// Digest, which alone says which image it is.
    pub digest: Option<String>,
}

/// Something in a Dockerfile that a reviewer has to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakness {
    /// What it is.
    pub kind: WeaknessKind,
    /// Where.
    pub span: Span,
}

/// Kinds of weaknesses, each with what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeaknessKind {
    /// The image's processes run as root; `true` where the file says so, `false` where no `USER` says otherwise.
    RunsAsRoot(bool),
    /// A base that is another one tomorrow: `latest`, or no tag. Its name.
    BaseMoves(String),
    /// A variable whose value is a secret and stays in the image. Its name.
    SecretInEnvironment(String),
    /// An argument of the build that is a secret and stays in the history. Its name.
    SecretInArgument(String),
    /// A file that is fetched from an address and not checked. The address without user and password.
    UncheckedDownload(String),
}

impl WeaknessKind {
    /// Stable name.
    pub fn id(&self) -> &'static str {
        match self {
            Self::RunsAsRoot(_) => "runs-as-root",
            Self::BaseMoves(_) => "base-moves",
            Self::SecretInEnvironment(_) => "secret-in-environment",
            Self::SecretInArgument(_) => "secret-in-argument",
            Self::UncheckedDownload(_) => "unchecked-download",
        }
    }

    /// One sentence, with what to do.
    pub fn message(&self) -> String {
        match self {
            Self::RunsAsRoot(true) => "the image runs as root; name another user in `USER`".to_owned(),
            Self::RunsAsRoot(false) => "no `USER` is set, so the image runs as its base does, which mostly is root".to_owned(),
            Self::BaseMoves(name) => format!("`{name}` is another image tomorrow; name a version, or better a digest"),
            Self::SecretInEnvironment(name) => {
                format!("`{name}` stays in the image for all who can pull it; pass it when the container starts, or mount it as a secret")
            }
            Self::SecretInArgument(name) => {
                format!("`{name}` stays in the history of the image; use `RUN --mount=type=secret` for what only the build needs")
            }
            Self::UncheckedDownload(address) => format!("what `{address}` gives is not checked; use `ADD --checksum`"),
        }
    }
}

/// Whether a file is a Dockerfile by its name.
pub fn is_dockerfile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let stem = ["dockerfile", "containerfile"].iter().find_map(|stem| name.strip_prefix(stem));
    let is_variant = |rest: &str| {
        rest.starts_with(['.', '-', '_'])
            && ![".dockerignore", ".md", ".rs", ".go", ".py", ".ts", ".js", ".sh"].iter().any(|ending| rest.ends_with(ending))
    };
    stem.is_some_and(|rest| rest.is_empty() || is_variant(rest)) || name.ends_with(".dockerfile")
}

/// Reads a Dockerfile.
pub fn read(path: &str, id: FileId, text: &str) -> (Dockerfile, Vec<Diagnostic>) {
    let mut reader = Reader {
        id,
        file: Dockerfile { path: path.to_owned(), stages: Vec::new(), weaknesses: Vec::new() },
        arguments: BTreeMap::new(),
        diagnostics: Vec::new(),
    };
    for instruction in parse::instructions(text) {
        reader.instruction(&instruction);
    }
    reader.users();
    reader.file.weaknesses.sort_by_key(|weakness| weakness.span);
    if reader.file.stages.is_empty() {
        let diagnostic = Diagnostic::new("supply/dockerfile", Severity::Warning, format!("`{path}` has no `FROM`"), Span::new(id, 0..0));
        reader.diagnostics.push(diagnostic);
    }
    (reader.file, reader.diagnostics)
}

struct Reader {
    id: FileId,
    file: Dockerfile,
    /// Arguments before the first `FROM`, with their defaults.
    arguments: BTreeMap<String, Option<String>>,
    diagnostics: Vec<Diagnostic>,
}

impl Reader {
    fn weakness(&mut self, kind: WeaknessKind, word: &Word) {
        let span = Span::new(self.id, word.range.clone());
        self.file.weaknesses.push(Weakness { kind, span });
    }

    fn instruction(&mut self, instruction: &Instruction) {
        let words = instruction.words.as_slice();
        match instruction.keyword.as_str() {
            "FROM" => self.from(instruction),
            "ARG" => self.argument(words),
            "ENV" => self.environment(words),
            "ADD" => self.add(words),
            "USER" => {
                if let (Some(stage), Some(user)) = (self.file.stages.last_mut(), words.first()) {
                    stage.user = Some(user.text.clone());
                    stage.user_span = Some(Span::new(self.id, user.range.clone()));
                }
            }
            // What it says happens in another build.
            "ONBUILD" | "RUN" | "CMD" | "LABEL" | "EXPOSE" | "COPY" | "ENTRYPOINT" | "VOLUME" | "WORKDIR" | "STOPSIGNAL"
            | "HEALTHCHECK" | "SHELL" | "MAINTAINER" => {}
            keyword => {
                let span = Span::new(self.id, instruction.range.clone());
                let message = format!("`{keyword}` is no instruction of a Dockerfile");
                self.diagnostics.push(Diagnostic::new("supply/dockerfile", Severity::Warning, message, span));
            }
        }
    }

    fn from(&mut self, instruction: &Instruction) {
        let words: Vec<&Word> = instruction.words.iter().filter(|word| !word.text.starts_with("--")).collect();
        let Some(written) = words.first() else { return };
        let name = match words.as_slice() {
            [_, word, name] if word.text.eq_ignore_ascii_case("as") => Some(name.text.to_lowercase()),
            _ => None,
        };
        let base = match self.expanded(&written.text) {
            None => Base::Unresolved(written.text.clone()),
            Some(text) if text == "scratch" => Base::Scratch,
            Some(text) => match self.stage(&text) {
                Some(index) => Base::Stage(index),
                None => Base::Image(Reference::read(&text)),
            },
        };
        if let Base::Image(reference) = &base
            && reference.digest.is_none()
            && reference.tag.as_deref().is_none_or(|tag| tag == "latest")
        {
            self.weakness(WeaknessKind::BaseMoves(reference.name.clone()), written);
        }
        let inherited = match base {
            Base::Stage(index) => self.file.stages.get(index).map(|stage| (stage.user.clone(), stage.user_span)),
            _ => None,
        };
        let (user, user_span) = inherited.unwrap_or_default();
        self.file.stages.push(Stage { name, base, user, user_span, span: Span::new(self.id, instruction.range.clone()) });
    }

    /// An earlier stage by its name; later ones win.
    fn stage(&self, name: &str) -> Option<usize> {
        let name = name.to_lowercase();
        self.file.stages.iter().rposition(|stage| stage.name.as_deref() == Some(&name))
    }

    fn argument(&mut self, words: &[Word]) {
        for word in words {
            let (name, default) = word.text.split_once('=').map_or((word.text.as_str(), None), |(name, value)| (name, Some(value)));
            if self.file.stages.is_empty() {
                let default = default.and_then(|default| self.expanded(default));
                self.arguments.insert(name.to_owned(), default);
            }
            if is_secret(name) {
                self.weakness(WeaknessKind::SecretInArgument(name.to_owned()), word);
            }
        }
    }

    /// `ENV a=b c=d`, or the old `ENV a b`.
    fn environment(&mut self, words: &[Word]) {
        let is_old = words.first().is_some_and(|word| !word.text.contains('='));
        let mut set = |name: &str, value: &str, word: &Word| {
            // A value that is a reference alone is somebody else's: an argument's, which is told where it is declared.
            if is_secret(name) && !value.is_empty() && !value.starts_with('$') || is_key(value) {
                self.weakness(WeaknessKind::SecretInEnvironment(name.to_owned()), word);
            }
        };
        if is_old {
            if let [name, value, ..] = words {
                set(&name.text, &value.text, name);
            }
            return;
        }
        for word in words {
            if let Some((name, value)) = word.text.split_once('=') {
                set(name, value, word);
            }
        }
    }

    fn add(&mut self, words: &[Word]) {
        let is_checked = words.iter().any(|word| word.text.starts_with("--checksum="));
        for word in words.iter().filter(|word| !is_checked && !word.text.starts_with("--")) {
            let Some((scheme, rest)) = word.text.trim_matches(['[', ']', ',', '"']).split_once("://") else { continue };
            if matches!(scheme, "http" | "https") {
                // User and password are secrets, and so are signed questions.
                let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
                let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
                let path = path.split('?').next().unwrap_or_default();
                self.weakness(WeaknessKind::UncheckedDownload(format!("{scheme}://{host}/{path}")), word);
            }
        }
    }

    /// Whom the image runs as, which the last stage decides.
    fn users(&mut self) {
        let Some(last) = self.file.stages.last() else { return };
        let user = last.user.as_deref().map(|user| user.split(':').next().unwrap_or(user));
        let mut start = last;
        while let Base::Stage(index) = start.base
            && let Some(earlier) = self.file.stages.get(index)
        {
            start = earlier;
        }
        let is_for_others = matches!(&start.base, Base::Image(Reference { tag: Some(tag), .. }) if tag.contains("nonroot"));
        let kind = match user {
            Some("root" | "0") => WeaknessKind::RunsAsRoot(true),
            None if !is_for_others => WeaknessKind::RunsAsRoot(false),
            _ => return,
        };
        let span = last.user_span.filter(|_| user.is_some()).unwrap_or(last.span);
        self.file.weaknesses.push(Weakness { kind, span });
    }

    /// A text with its `$a`, `${a}`, `${a:-b}` and `${a:+b}` replaced by the defaults of arguments; `None` where one has none.
    fn expanded(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let (inner, following) = match after.strip_prefix('{') {
                Some(braced) => braced.split_once('}')?,
                None => after.split_at(after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len())),
            };
            let (name, otherwise) = inner.split_once(':').map_or((inner, None), |(name, otherwise)| (name, Some(otherwise)));
            let value = self.arguments.get(name).cloned().flatten();
            let value = match (otherwise, value) {
                (Some(otherwise), value) => {
                    let is_set = value.as_deref().is_some_and(|value| !value.is_empty());
                    match (otherwise.strip_prefix('-'), otherwise.strip_prefix('+')) {
                        (Some(otherwise), _) => value.filter(|_| is_set).unwrap_or_else(|| otherwise.to_owned()),
                        (_, Some(instead)) => if is_set { instead } else { "" }.to_owned(),
                        _ => return None,
                    }
                }
                (None, value) => value?,
            };
            out.push_str(&value);
            rest = following;
        }
        out.push_str(rest);
        Some(out).filter(|out| !out.is_empty())
    }
}

impl Reference {
    /// Reads `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`.
    pub fn read(text: &str) -> Self {
        let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest.to_owned())));
        // A colon before the last slash is a port's.
        let at = rest.rfind(':').filter(|at| rest.rfind('/').is_none_or(|slash| slash < *at));
        let (name, tag) = at.map_or((rest, None), |at| (rest.get(..at).unwrap_or(rest), rest.get(at + 1..)));
        Self { name: name.to_owned(), tag: tag.map(str::to_owned), digest }
    }
}

fn is_secret(name: &str) -> bool {
    names_secret(name) || name.to_ascii_uppercase().ends_with("_TOKEN")
}

/// Values that are keys whatever they are called. Source: the AWS IAM documentation on unique identifiers; RFC 7468.
fn is_key(value: &str) -> bool {
    let access_key = ["AKIA", "ASIA"]
        .iter()
        .filter_map(|prefix| value.find(prefix))
        .any(|at| value.get(at..at + 20).is_some_and(|key| key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())));
    access_key || value.contains("-----BEGIN ")
}
