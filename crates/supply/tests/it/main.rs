//! Tests of packages, versions and advisories as a whole.

mod versions;
