//! The log reader from outside: bytes in, turns or an error out. What it accepts is in
//! `accepted.rs`, what it refuses and how it says so in `refused.rs`, files cut off or damaged in
//! any way in `damaged.rs`, and files that are no logs in `hostile.rs`.

#![allow(clippy::unwrap_used)]

mod accepted;
mod damaged;
mod hostile;
mod log_text;
mod refused;
