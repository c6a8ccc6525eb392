//! Tests of packages, versions and advisories as a whole.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod advisories;
mod dockerfiles;
mod images;
mod lockfiles;
mod package_urls;
mod properties;
mod results;
mod rpm;
mod sbom;
mod truth;
mod versions;
mod vex;
