//! Zip archives (also jars, wars and layers of functions) → the texts in them that name packages, and those of archives inside.

use std::io::{Cursor, Read, Seek, SeekFrom};

use zip::ZipArchive;

use super::{Inner, Problem, below_root, elf};
use crate::installed::Installed;
use crate::lockfile::Format;
use crate::package::SkipReason;

/// Archives inside of archives inside of …; real ones stop at three (a jar in a war in an ear).
const MAX_DEPTH: usize = 5;
/// Archives in one archive, at all depths.
const MAX_ARCHIVES: usize = 10_000;
/// Files of one archive.
const MAX_ENTRIES: usize = 500_000;
/// How much larger than the archive what is read of it may be.
const MAX_EXPANSION: u64 = 100;
/// What any archive may grow to, however small it is.
const MIN_EXPANSION_BYTES: u64 = 64 << 20;
/// What is held of nested archives and binaries at once.
const MAX_HELD_BYTES: u64 = 192 << 20;
/// A longer text names no packages that a person could look at.
const MAX_TEXT_BYTES: u64 = 32 << 20;

/// What is read of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A Java archive: which artifact it is, and the archives inside.
    Jar,
    /// Any other: all that names packages.
    Zip,
}

impl Kind {
    /// The kind of a file by its name; `None` where it is no archive.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "jar" | "war" | "ear" | "par" | "sar" | "nar" | "jpi" | "hpi" => Some(Self::Jar),
            "zip" | "whl" | "egg" | "nupkg" => Some(Self::Zip),
            _ => None,
        }
    }
}

/// What came out of an archive.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// Texts, in the order of the archive.
    pub(crate) texts: Vec<Inner>,
    /// What was refused; paths start with `!/`.
    pub(crate) problems: Vec<Problem>,
}

/// What may still be read.
struct Budget {
    bytes: u64,
    archives: usize,
}

/// Reads an archive. A damaged or hostile one gives what could be read before that, and a problem.
pub(crate) fn read(mut reader: impl Read + Seek, kind: Kind) -> Contents {
    let size = reader.seek(SeekFrom::End(0)).unwrap_or(0);
    let mut budget = Budget { bytes: size.saturating_mul(MAX_EXPANSION).max(MIN_EXPANSION_BYTES), archives: MAX_ARCHIVES };
    let mut contents = Contents::default();
    if let Err(reason) = level(reader, kind, "", 0, &mut budget, &mut contents) {
        contents.problems.push(Problem { path: String::new(), reason });
    }
    contents
}

fn unreadable(error: impl std::fmt::Display) -> SkipReason {
    SkipReason::Unreadable(error.to_string())
}

/// Reads one archive; `Err` where nothing more of the whole may be read.
fn level(
    reader: impl Read + Seek,
    kind: Kind,
    prefix: &str,
    held: u64,
    budget: &mut Budget,
    contents: &mut Contents,
) -> Result<(), SkipReason> {
    let mut archive = match ZipArchive::new(reader) {
        Ok(archive) => archive,
        Err(error) => {
            contents.problems.push(Problem { path: prefix.to_owned(), reason: unreadable(error) });
            return Ok(());
        }
    };
    if archive.len() > MAX_ENTRIES {
        contents.problems.push(Problem { path: prefix.to_owned(), reason: unreadable("it holds too many files") });
        return Ok(());
    }
    let (mut manifest, mut n_properties) = (None, 0);
    for index in 0..archive.len() {
        let entry = match archive.by_index(index) {
            Ok(entry) => entry,
            Err(error) => {
                contents.problems.push(Problem { path: format!("{prefix}!/{index}"), reason: unreadable(error) });
                continue;
            }
        };
        if !entry.is_file() {
            continue;
        }
        let Some(path) = entry.name().ok().and_then(|name| below_root(name.as_bytes())) else {
            contents.problems.push(Problem { path: format!("{prefix}!/{index}"), reason: unreadable("its path leads out of the archive") });
            continue;
        };
        let path = format!("{prefix}!/{path}");
        let Some(wanted) = wanted(&path, kind) else { continue };
        let limit = match wanted {
            Wanted::Text => MAX_TEXT_BYTES,
            Wanted::Archive(_) | Wanted::MaybeBinary => MAX_HELD_BYTES.saturating_sub(held),
        };
        let bytes = match take(entry, wanted, limit, budget)? {
            Ok(Some(bytes)) => bytes,
            Ok(None) => continue,
            Err(reason) => {
                contents.problems.push(Problem { path, reason });
                continue;
            }
        };
        match wanted {
            Wanted::Archive(_) if prefix.matches("!/").count() + 1 >= MAX_DEPTH => {
                contents.problems.push(Problem { path, reason: unreadable("archives lie too deep in archives") });
            }
            Wanted::Archive(kind) => {
                budget.archives = budget.archives.checked_sub(1).ok_or_else(|| unreadable("it holds too many archives"))?;
                let held = held + bytes.len() as u64;
                level(Cursor::new(bytes), kind, &path, held, budget, contents)?;
            }
            Wanted::MaybeBinary => match elf::texts(&bytes) {
                Ok(texts) => contents.texts.extend(texts.into_iter().map(|text| Inner { path: format!("{path}{}", text.path), ..text })),
                Err(error) => contents.problems.push(Problem::new(path, error)),
            },
            Wanted::Text => match Installed::of(&path) {
                Some(Installed::JarManifest) => manifest = Some(Inner { path, text: bytes }),
                Some(Installed::MavenProperties) => {
                    n_properties += 1;
                    contents.texts.push(Inner { path, text: bytes });
                }
                _ => contents.texts.push(Inner { path, text: bytes }),
            },
        }
    }
    // The manifest only guesses what the properties know.
    if kind == Kind::Jar && n_properties == 0 {
        let empty = || Inner { path: format!("{prefix}!/META-INF/MANIFEST.MF"), text: Vec::new() };
        contents.texts.push(manifest.unwrap_or_else(empty));
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Text,
    Archive(Kind),
    /// A program, as its first bytes will tell.
    MaybeBinary,
}

fn wanted(path: &str, kind: Kind) -> Option<Wanted> {
    if let Some(inner) = Kind::of(path)
        && (kind == Kind::Zip || inner == Kind::Jar)
    {
        return Some(Wanted::Archive(inner));
    }
    let installed = Installed::of(path);
    if kind == Kind::Jar {
        return installed.is_some_and(|of| matches!(of, Installed::MavenProperties | Installed::JarManifest)).then_some(Wanted::Text);
    }
    if installed.is_some_and(|of| of != Installed::JarManifest) || Format::of(path).is_some() || path.ends_with("/go.sum") {
        return Some(Wanted::Text);
    }
    // Programs have no ending, or that of a library.
    let name = path.rsplit('/').next().unwrap_or(path);
    (!name.contains('.') || name.ends_with(".so") || name.contains(".so.")).then_some(Wanted::MaybeBinary)
}

/// Bytes of an entry, `None` where it is no program after all. The outer error ends the whole archive, the inner one is the entry's.
fn take(mut entry: impl Read, wanted: Wanted, limit: u64, budget: &mut Budget) -> Result<Result<Option<Vec<u8>>, SkipReason>, SkipReason> {
    let mut bytes = Vec::new();
    if wanted == Wanted::MaybeBinary {
        match (&mut entry).take(elf::MAGIC.len() as u64).read_to_end(&mut bytes) {
            Ok(_) if bytes == elf::MAGIC => {}
            Ok(_) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(unreadable(error))),
        }
    }
    // What an entry says of its size is not believed; what comes out counts.
    let result = entry.take(limit.min(budget.bytes) + 1).read_to_end(&mut bytes);
    let n = bytes.len() as u64;
    if n > budget.bytes {
        return Err(unreadable("it grows out of proportion; the rest of it is not read"));
    }
    budget.bytes -= n;
    Ok(match result {
        Err(error) => Err(unreadable(error)),
        Ok(_) if n > limit => Err(SkipReason::TooLarge),
        Ok(_) => Ok(Some(bytes)),
    })
}
