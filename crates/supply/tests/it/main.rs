//! Tests of packages, versions and advisories as a whole.

mod lockfiles;
mod package_urls;
mod truth;
mod versions;
