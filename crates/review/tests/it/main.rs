//! Tests of the review over the real catalogue and real source text.

mod catalogue;
mod pages;
mod support;
