//! Tests of the review over the real catalogue and real source text.

mod catalogue;
mod loading;
mod pages;
mod risk;
mod small;
mod support;
mod threats;
