//! `prep` turns Splendor self-play logs into arrays that a network trains on.
pub mod cache;
pub mod cli;
pub mod column_name;
pub mod config;
pub mod encode;
pub mod export;
pub mod gamelog;
pub mod ingest;
pub mod memory;
pub mod progress;
pub mod simulate;
pub mod splendor;
