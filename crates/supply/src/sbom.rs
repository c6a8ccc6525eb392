//! Software bills of materials: packages that others listed, read and written.
//!
//! CycloneDX 1.2 to 1.7 (JSON and XML), SPDX 2.2 and 2.3 (JSON and tag-value), SPDX 3.0 (JSON-LD).
//! A file is told by its content, so its name does not matter.
//! A component that names no package of a known ecosystem is counted as skipped; what the bill itself is about is the system's own.

mod cyclonedx;
mod cyclonedx_xml;
mod lower;
mod marks;
mod spdx2;
mod spdx3;
mod spdx_tags;
pub mod write;

use crate::lockfile::File;
use crate::package::Found;

/// A form of bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BillFormat {
    /// CycloneDX in JSON.
    CycloneDx,
    /// CycloneDX in XML.
    CycloneDxXml,
    /// SPDX 2 in JSON.
    Spdx2,
    /// SPDX 2 as lines of tags and values.
    SpdxTags,
    /// SPDX 3 in JSON-LD.
    Spdx3,
}

/// Endings of files that may be bills; others are not opened for it.
const ENDINGS: &[&str] = &["json", "jsonld", "xml", "cdx", "spdx", "tag"];

/// Whether a file's name does not rule out that it is a bill.
pub(crate) fn may_be_bill(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

impl BillFormat {
    /// The form of a text by what its standard requires to stand in it; `None` where it is no bill.
    pub fn of(text: &str) -> Option<Self> {
        let start = text.trim_start();
        match start.chars().next()? {
            '{' if text.contains("\"bomFormat\"") && text.contains("\"CycloneDX\"") => Some(Self::CycloneDx),
            '{' if text.contains("\"spdxVersion\"") && text.contains("\"SPDXID\"") => Some(Self::Spdx2),
            '{' if text.contains("spdx.org/rdf/3.") && text.contains("\"@context\"") => Some(Self::Spdx3),
            '<' if text.contains("http://cyclonedx.org/schema/bom/") && text.contains("<bom") => Some(Self::CycloneDxXml),
            _ if start.starts_with("SPDXVersion:") || text.contains("\nSPDXVersion:") => Some(Self::SpdxTags),
            _ => None,
        }
    }

    /// Reads a bill.
    pub fn read(self, file: &File<'_>) -> Found {
        let mut found = match self {
            Self::CycloneDx => cyclonedx::read(file),
            Self::CycloneDxXml => cyclonedx_xml::read(file),
            Self::Spdx2 => spdx2::read(file),
            Self::SpdxTags => spdx_tags::read(file),
            Self::Spdx3 => spdx3::read(file),
        };
        found.merge_repeated();
        found
    }
}
