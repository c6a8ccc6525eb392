//! Tests of the whole crate: decisions against vectors, and properties.

#[cfg(test)]
mod aws;
mod properties;
#[cfg(test)]
mod vectors;
