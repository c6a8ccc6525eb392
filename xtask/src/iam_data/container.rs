//! Writes the container that `crates/iam/src/aws/blocks.rs` reads.

use std::io::Write;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Packs entries of (key, lines) into blocks of about `block_bytes` before compression. The keys rise.
pub(crate) fn pack(entries: &[(String, String)], block_bytes: usize) -> Result<Vec<u8>> {
    let (mut directory, mut blocks) = (String::new(), Vec::new());
    let mut open: Option<(&str, String)> = None;
    for (key, lines) in entries {
        let (_, text) = open.get_or_insert_with(|| (key, String::new()));
        text.push_str(lines);
        if text.len() >= block_bytes
            && let Some((first, text)) = open.take()
        {
            close(first, &text, &mut directory, &mut blocks)?;
        }
    }
    if let Some((first, text)) = open {
        close(first, &text, &mut directory, &mut blocks)?;
    }
    let mut out = u32::try_from(directory.len()).context("the directory is too long")?.to_le_bytes().to_vec();
    out.extend(directory.into_bytes());
    out.extend(blocks);
    Ok(out)
}

fn close(first: &str, text: &str, directory: &mut String, blocks: &mut Vec<u8>) -> Result<()> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).context("cannot compress")?;
    let bytes = encoder.finish().context("cannot compress")?;
    directory.push_str(&format!("{first}\t{}\n", bytes.len()));
    blocks.extend(bytes);
    Ok(())
}
