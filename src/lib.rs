//! `prep` turns Splendor self-play logs into arrays that a network trains on.
pub mod export;
pub mod gamelog;
pub mod splendor;
