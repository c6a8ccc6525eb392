//! Tests of the review over the real catalogue and real source text.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy's exception for tests does not reach the functions that tests of this binary share"
)]

mod all_clear;
mod attack;
mod attack_kubernetes;
mod catalogue;
mod flows;
mod loading;
mod network;
mod pages;
mod risk;
mod small;
mod software;
mod support;
mod threats;
