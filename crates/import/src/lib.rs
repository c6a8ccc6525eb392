//! Step 1 of a review: files → [`bartizan_model::Architecture`].

mod json;
mod resource;
mod terraform;
mod tree;

pub use tree::{MAX_FILE_BYTES, Read, Tree};
