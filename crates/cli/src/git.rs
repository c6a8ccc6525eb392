//! Revisions of a git repository as trees, by the user's own `git`.
//!
//! Files are read out of git's database one by one as they are asked for: nothing is checked out, so no path of the repository can become a file
//! elsewhere. Symbolic links and submodules are left out.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use anyhow::Context as _;
use bartizan_import::{MAX_FILE_BYTES, Tree};
use bartizan_model::path;

/// More files than this in one revision are refused: the repository is probably not meant.
const MAX_FILES: usize = 500_000;

/// Directories that hold no plan, as when a folder is read.
const SKIPPED: [&str; 6] = ["node_modules", "target", ".venv", "__pycache__", ".terragrunt-cache", "bartizan-report"];

/// A repository.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    /// Where git is run.
    folder: PathBuf,
}

impl Repository {
    /// The repository around a folder; `None` where there is none, or no git.
    pub(crate) fn around(folder: &Path) -> Option<Self> {
        let repository = Self { folder: folder.to_owned() };
        repository.asked(&["rev-parse", "--git-dir"]).ok().map(|_| repository)
    }

    /// The id of the tree of a revision; `None` where there is no such revision.
    pub(crate) fn tree_of(&self, revision: &str) -> Option<String> {
        // What begins with a hyphen would be an option.
        if revision.is_empty() || revision.starts_with('-') {
            return None;
        }
        self.asked(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{tree}}")]).ok()
    }

    /// Where the folder lies in the repository, with `/` at the end; empty at its root.
    fn prefix(&self) -> anyhow::Result<String> {
        self.asked(&["rev-parse", "--show-prefix"])
    }

    /// The files of a revision; `paths` are relative to the folder and say what is under review.
    pub(crate) fn read(&self, tree: &str, paths: &[String]) -> anyhow::Result<Tree> {
        let prefix = self.prefix()?;
        let mut reviewed: Vec<String> = Vec::new();
        for path in paths {
            let joined = joined(&prefix, path).with_context(|| format!("`{path}` lies outside of the repository"))?;
            reviewed.push(joined);
        }
        if paths.is_empty() && !prefix.is_empty() {
            reviewed.push(prefix.trim_end_matches('/').to_owned());
        }
        let listed = self.output(&["ls-tree", "-r", "-z", "--full-tree", tree])?;
        let files = files(&listed);
        anyhow::ensure!(files.len() <= MAX_FILES, "the revision holds more than {MAX_FILES} files");
        let names: Vec<String> = files.keys().cloned().collect();
        let objects = Mutex::new(Objects::start(&self.folder)?);
        let read = move |name: &str| {
            let id = files.get(name).ok_or_else(|| "no such file".to_owned())?;
            let mut objects = objects.lock().map_err(|_| "git stopped".to_owned())?;
            objects.read(id).map_err(|error| format!("cannot read `{name}`: {error:#}"))
        };
        Ok(Tree::new(names, Box::new(read)).reviewing(reviewed))
    }

    fn asked(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.output(arguments)?;
        Ok(String::from_utf8_lossy(&output).trim_end_matches(['\n', '\r']).to_owned())
    }

    fn output(&self, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
        let output = git(&self.folder).args(arguments).stdin(Stdio::null()).output().context("cannot run `git`")?;
        anyhow::ensure!(output.status.success(), "git says: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(output.stdout)
    }
}

/// Where a folder lies in the work tree around it, with `/`; empty for its root, `None` where there is none. Works without `git`.
pub(crate) fn place_in_repository(folder: &Path) -> Option<String> {
    // A work tree has a folder `.git`, or a file of that name where it is a submodule or one of several.
    let root = folder.ancestors().find(|around| around.join(".git").exists())?;
    let below = folder.strip_prefix(root).ok()?;
    Some(below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
}

fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    // No hook, pager or lock of the repository has a part in reading it.
    command.arg("-C").arg(folder).args(["--no-pager", "--no-optional-locks"]).env("GIT_TERMINAL_PROMPT", "0");
    command
}

/// Plain files of `git ls-tree -r -z` by path, with their ids.
fn files(listed: &[u8]) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for entry in listed.split(|byte| *byte == 0) {
        let Ok(entry) = std::str::from_utf8(entry) else { continue };
        let Some((head, path)) = entry.split_once('\t') else { continue };
        let mut words = head.split(' ');
        let (mode, _, id) = (words.next(), words.next(), words.next());
        let (Some("100644" | "100755" | "100664"), Some(id)) = (mode, id) else { continue };
        let is_skipped = |part: &str| SKIPPED.contains(&part);
        if !path::folder(path).split('/').any(is_skipped) && !path.contains(".terraform/providers/") {
            out.insert(path.to_owned(), id.to_owned());
        }
    }
    out
}

/// A path below a folder of the repository, without `.` and `..`; `None` where it leaves the repository.
fn joined(prefix: &str, path: &str) -> Option<String> {
    (!path.starts_with('/')).then(|| path::join(prefix, path))?
}

/// A running `git cat-file --batch`.
struct Objects {
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut child = git(folder)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run `git`")?;
        let (asks, answers) = (child.stdin.take(), child.stdout.take());
        let answers = BufReader::new(answers.context("git gives no answers")?);
        Ok(Self { child, asks, answers })
    }

    /// The content of an object.
    fn read(&mut self, id: &str) -> anyhow::Result<Vec<u8>> {
        let asks = self.asks.as_mut().context("git stopped")?;
        writeln!(asks, "{id}")?;
        asks.flush()?;
        // `<id> blob <size>`, then that many bytes and a line break.
        let mut head = String::new();
        self.answers.read_line(&mut head)?;
        let size: u64 = head
            .trim_end()
            .rsplit(' ')
            .next()
            .and_then(|size| size.parse().ok())
            .with_context(|| format!("git says: {}", head.trim_end()))?;
        let mut content = Vec::new();
        (&mut self.answers).take(size).read_to_end(&mut content)?;
        let mut line_break = [0];
        self.answers.read_exact(&mut line_break)?;
        anyhow::ensure!(content.len() <= MAX_FILE_BYTES, "it is larger than {} MiB", MAX_FILE_BYTES >> 20);
        Ok(content)
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // Its input ends, and so does it.
        self.asks = None;
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::{files, joined};

    #[test]
    fn only_plain_files_are_listed() {
        let listed = b"100644 blob aa\tmain.tf\x00120000 blob bb\tlink.tf\x00160000 commit cc\tmodule\x00100755 blob dd\ta b/x.tf\x00100644 blob ee\tnode_modules/x.tf\0";
        let found: Vec<(String, String)> = files(listed).into_iter().collect();
        assert_eq!(found, [("a b/x.tf".to_owned(), "dd".to_owned()), ("main.tf".to_owned(), "aa".to_owned())]);
    }

    #[test]
    fn paths_stay_inside_of_the_repository() {
        assert_eq!(joined("infra/", "../modules/./x").as_deref(), Some("modules/x"));
        assert_eq!(joined("", "."), Some(String::new()));
        assert_eq!(joined("infra/", "../../x"), None);
        assert_eq!(joined("", "/etc"), None);
    }
}
