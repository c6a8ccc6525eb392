//! Tests of the whole crate: decisions against vectors, properties, and the facts about AWS.

#[cfg(test)]
mod aws;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod vectors;
