//! The stable machine formats. A breaking change makes a new version; versions live side by side.

pub mod v1;
