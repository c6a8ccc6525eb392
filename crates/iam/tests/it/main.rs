//! Tests of the whole crate: decisions against vectors, and properties.

#[cfg(test)]
mod properties;
#[cfg(test)]
mod vectors;
