//! A PostgreSQL for tests: the one that `BARTIZAN_TEST_POSTGRES` names, or a private cluster over a Unix socket in a temporary folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A database of its own; the cluster ends with it.
pub(crate) struct Postgres {
    pub(crate) url: String,
    cluster: Option<Cluster>,
}

struct Cluster {
    folder: TempDir,
    programs: PathBuf,
}

impl Postgres {
    /// Starts one; `None` (and why, on standard error) where there is none and nobody says that there has to be one.
    pub(crate) fn start() -> Option<Self> {
        if let Ok(url) = std::env::var("BARTIZAN_TEST_POSTGRES") {
            return Some(Self { url: with_schema(&url), cluster: None });
        }
        let Some(programs) = programs() else {
            let words = "no initdb of PostgreSQL in PATH or below /usr/lib/postgresql, and BARTIZAN_TEST_POSTGRES is not set";
            assert!(std::env::var_os("CI").is_none(), "{words}: install Debian's package `postgresql`");
            eprintln!("skipped against PostgreSQL: {words}");
            return None;
        };
        // Paths of sockets are short; folders of builds are not.
        let folder = tempfile::Builder::new().prefix("bz-pg-").tempdir_in("/tmp").expect("a folder in /tmp");
        let cluster = Cluster { folder, programs };
        let path = cluster.folder.path().display().to_string();
        if is_root() {
            // The server refuses to run as root.
            assert!(run(Command::new("chown").args(["postgres", &path])), "chown postgres {path}");
        }
        let data = format!("{path}/data");
        assert!(cluster.program("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"]), "initdb");
        // Clients are killed in these tests, never the server: it need not wait for the disk.
        let options = format!("-k {path} -F -c listen_addresses='' -c max_connections=60");
        assert!(cluster.program("pg_ctl", &["-D", &data, "-o", &options, "-l", &format!("{path}/log"), "-w", "start"]), "pg_ctl start");
        Some(Self { url: format!("postgres://postgres@localhost/postgres?host={path}"), cluster: Some(cluster) })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(cluster) = &self.cluster {
            let data = format!("{}/data", cluster.folder.path().display());
            cluster.program("pg_ctl", &["-D", &data, "-m", "immediate", "-w", "stop"]);
        }
    }
}

impl Cluster {
    fn program(&self, name: &str, arguments: &[&str]) -> bool {
        let program = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        run(command.args(arguments).current_dir("/tmp"))
    }
}

/// Tests share the server that was named, so each makes a schema for itself. It stays there: whoever lends a server cleans it.
fn with_schema(url: &str) -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_nanos();
    let schema = format!("bartizan_test_{}_{since}", std::process::id());
    assert!(run(Command::new("psql").args([url, "-q", "-c", &format!("CREATE SCHEMA {schema}")])), "psql makes a schema in {url}");
    format!("{url}{}options[search_path]={schema}", if url.contains('?') { '&' } else { '?' })
}

/// The server inherits the streams: a pipe would keep its reader waiting for as long as the server runs.
fn run(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// The folder of the server's programs, newest version first.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |folder: &PathBuf| ["initdb", "pg_ctl"].iter().all(|name| Path::new(folder).join(name).is_file());
    versions.into_iter().rev().chain(std::env::split_paths(&path)).find(has)
}
