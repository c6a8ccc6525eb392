//! Container images that are named or that a plan names: files, folders and references of registries.

use std::path::Path;
use std::sync::Arc;

use bartizan_model::Sources;
use bartizan_supply::Found;
use bartizan_supply::image::{self, ImageError, Platform};

use crate::args::ImageArgs;
use crate::progress::Progress;
use crate::pull::Pulled;

/// Reads the images that were named.
///
/// # Errors
/// One is neither a file nor a reference. An image that cannot be read is counted as skipped.
pub(crate) fn scan(arguments: &ImageArgs, sources: &mut Sources, progress: &Progress) -> anyhow::Result<Found> {
    let mut found = Found::default();
    for name in &arguments.images {
        let path = Path::new(name);
        let platform = arguments.platform.as_ref();
        progress.say(format!("reading {name}"));
        // Whoever names a file that is no image is to hear what is wrong with the file.
        found.append(if path.exists() { of_path(path, platform, sources) } else { pull(name, platform, sources)? });
    }
    Ok(found)
}

/// Reads an image that lies in a file or a folder.
pub(crate) fn of_path(path: &Path, platform: Option<&Platform>, sources: &mut Sources) -> Found {
    told(&path.display().to_string(), image::scan_image(path, platform, sources))
}

/// Reads an image of a registry.
///
/// # Errors
/// The name is no reference.
pub(crate) fn pull(name: &str, platform: Option<&Platform>, sources: &mut Sources) -> anyhow::Result<Found> {
    let pulled: Arc<Pulled> = Pulled::new(name)?;
    Ok(told(name, image::scan_remote(pulled, platform, sources)))
}

fn told(name: &str, read: Result<Found, ImageError>) -> Found {
    read.unwrap_or_else(|error| image::unread(name, &error))
}
