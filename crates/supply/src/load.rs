//! Files of the file system, for scans and imports. With the database's file, the only IO of this crate.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use bartizan_model::{Diagnostic, Severity, Sources};
use walkdir::WalkDir;
use zip::ZipArchive;

use crate::database::Builder;
use crate::package::{Found, SkipReason, Skipped};
use crate::scan::{decode, scan};

/// Larger files name no packages that a person could look at.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// More files than this are refused: the path is probably not meant.
const MAX_FILES: usize = 2_000_000;
/// No advisory is larger; the list of probabilities has 20 MB.
const MAX_ADVISORY_BYTES: u64 = 64 << 20;
/// Files of one archive; OSV's whole export has less than half a million.
const MAX_ARCHIVE_FILES: usize = 2_000_000;
/// How much larger than its archive the content may be; OSV's exports grow to ten times their size.
const MAX_EXPANSION: u64 = 100;
/// What any archive may grow to, however small it is.
const MIN_EXPANSION_BYTES: u64 = 64 << 20;
/// Folders that hold copies of packages or nothing of the system's own.
const SKIPPED: &[&str] =
    &[".git", "node_modules", "target", ".venv", "venv", "__pycache__", ".tox", ".terraform", ".idea", "bartizan-report"];

/// A path that cannot be scanned. The user's fault, or the file system's.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It does not exist or cannot be listed.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It holds too much.
    #[error("`{path}` holds more than {MAX_FILES} files; name the folder of the system")]
    TooMany {
        /// The path.
        path: String,
    },
}

/// Scans a folder, or one file. Symbolic links are not followed: what they lead to is scanned where it lies.
///
/// # Errors
/// The path does not exist, cannot be listed, or holds too many files. A file that cannot be read is counted as skipped.
pub fn scan_path(path: &Path, sources: &mut Sources) -> Result<Found, LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.display().to_string(), source };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    let (root, paths) = if metadata.is_file() {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        (path.parent().unwrap_or(Path::new("")), BTreeSet::from([name]))
    } else {
        (path, list(path)?)
    };
    let read = |below: &str| {
        let path = root.join(below);
        let unreadable = |error: std::io::Error| SkipReason::Unreadable(error.to_string());
        if fs::metadata(&path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
            return Err(SkipReason::TooLarge);
        }
        fs::read(&path).map_err(unreadable)
    };
    Ok(scan(&paths, &read, sources))
}

/// Reads one file that was named, such as statements of people or results of another tool, and hands it to its reader.
///
/// A file that cannot be read is counted as skipped.
pub fn read_named(path: &Path, sources: &mut Sources, found: &mut Found, read: impl FnOnce(&crate::lockfile::File<'_>, &mut Found)) {
    let shown = path.display().to_string();
    let unreadable = |error: std::io::Error| SkipReason::Unreadable(error.to_string());
    let bytes = match fs::metadata(path) {
        Ok(metadata) if metadata.len() > MAX_FILE_BYTES => Err(SkipReason::TooLarge),
        Ok(_) => fs::read(path).map_err(unreadable),
        Err(error) => Err(unreadable(error)),
    };
    match bytes.and_then(decode) {
        Ok(text) => {
            let text: std::sync::Arc<str> = text.into();
            let id = sources.add(shown.clone(), std::sync::Arc::clone(&text));
            read(&crate::lockfile::File { id, path: &shown, text: &text, other: &|_| None }, found);
        }
        Err(reason) => {
            let message = format!("`{shown}` is not read: {reason}");
            found.diagnostics.push(Diagnostic::new("supply/unread", Severity::Error, message, None));
            found.skipped.push(Skipped { what: shown, span: None, reason });
        }
    }
}

/// Paths of the files below a folder, with `/`.
fn list(root: &Path) -> Result<BTreeSet<String>, LoadError> {
    let mut paths = BTreeSet::new();
    let walk = WalkDir::new(root).into_iter().filter_entry(|entry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(entry.file_type().is_dir() && SKIPPED.contains(&name.as_ref()))
    });
    for entry in walk {
        let entry = entry.map_err(|error| LoadError::Unreadable { path: root.display().to_string(), source: error.into() })?;
        if !entry.file_type().is_file() {
            continue;
        }
        if paths.len() >= MAX_FILES {
            return Err(LoadError::TooMany { path: root.display().to_string() });
        }
        if let Ok(below) = entry.path().strip_prefix(root) {
            paths.insert(below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"));
        }
    }
    Ok(paths)
}

/// Imports a file, a folder or an archive (`.zip`, `.gz`) of advisories.
///
/// Texts that are no advisories are counted, and so is what cannot be read.
///
/// # Errors
/// The path does not exist or cannot be listed.
pub fn import_path(path: &Path, builder: &mut Builder) -> Result<(), LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.display().to_string(), source };
    if fs::metadata(path).map_err(unreadable)?.is_file() {
        import_file(path, &path.display().to_string(), builder);
        return Ok(());
    }
    for entry in WalkDir::new(path).sort_by_file_name().into_iter().filter_entry(|entry| entry.file_name() != ".git") {
        let entry = entry.map_err(|error| LoadError::Unreadable { path: path.display().to_string(), source: error.into() })?;
        if entry.file_type().is_file() {
            let below = entry.path().strip_prefix(path).unwrap_or(entry.path()).display().to_string();
            import_file(entry.path(), &below, builder);
        }
    }
    Ok(())
}

fn import_file(path: &Path, shown: &str, builder: &mut Builder) {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return builder.malformed(shown, &error.to_string()),
    };
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "zip" => import_zip(BufReader::new(file), shown, builder),
        "gz" => import_text(shown.trim_end_matches(".gz"), flate2::read::GzDecoder::new(BufReader::new(file)), builder),
        "json" | "yaml" | "yml" | "md" | "csv" => import_text(shown, file, builder),
        _ => {
            builder.report.n_texts += 1;
            builder.report.n_ignored += 1;
        }
    }
}

fn import_text(shown: &str, reader: impl Read, builder: &mut Builder) {
    let mut text = String::new();
    match reader.take(MAX_ADVISORY_BYTES + 1).read_to_string(&mut text) {
        Ok(_) if text.len() as u64 > MAX_ADVISORY_BYTES => builder.malformed(shown, "it is too large"),
        Ok(_) => builder.text(shown, &text),
        Err(error) => builder.malformed(shown, &error.to_string()),
    }
}

/// Imports the files of an archive; one that grows out of proportion is left where it does.
fn import_zip(reader: impl Read + Seek, shown: &str, builder: &mut Builder) {
    let mut reader = reader;
    let size = reader.seek(std::io::SeekFrom::End(0)).unwrap_or(0);
    let mut left = (size.saturating_mul(MAX_EXPANSION)).max(MIN_EXPANSION_BYTES);
    let mut archive = match ZipArchive::new(reader) {
        Ok(archive) => archive,
        Err(error) => return builder.malformed(shown, &error.to_string()),
    };
    if archive.len() > MAX_ARCHIVE_FILES {
        return builder.malformed(shown, "it holds too many files");
    }
    let mut text = String::new();
    for index in 0..archive.len() {
        let entry = match archive.by_index(index) {
            Ok(entry) => entry,
            Err(error) => {
                builder.malformed(&format!("{shown}: file {index}"), &error.to_string());
                continue;
            }
        };
        if !entry.is_file() {
            continue;
        }
        let name = format!("{shown}!/{}", entry.name().map(std::borrow::Cow::into_owned).unwrap_or_else(|_| format!("file {index}")));
        text.clear();
        // What an entry says of its size is not believed; what comes out counts.
        match entry.take(left.min(MAX_ADVISORY_BYTES) + 1).read_to_string(&mut text) {
            Ok(n) if n as u64 > left => return builder.malformed(&name, "the archive grows out of proportion; the rest of it is not read"),
            Ok(n) if n as u64 > MAX_ADVISORY_BYTES => {
                left -= MAX_ADVISORY_BYTES;
                builder.malformed(&name, "it is too large");
            }
            Ok(n) => {
                left -= n as u64;
                builder.text(&name, &text);
            }
            Err(error) => builder.malformed(&name, &error.to_string()),
        }
    }
}
