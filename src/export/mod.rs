//! Exports: the cache's rows as arrays that a network trains on.
//!
//! An export is a function of the cache's content and the settings, to the byte: which games go
//! where comes from their ids ([`assign`]), the scaler from whole numbers that add up the same in
//! any order ([`Scaler`]), and files carry no time stamp ([`pack_npz`]). Arrays are written row by
//! row ([`NpyWriter`]), so memory stays flat however many rows there are, and a finished folder
//! takes the place of the last one at once ([`Staging`]).

mod npy;
mod publish;
mod scaler;
mod split;

pub use npy::{NpyError, NpyWriter, pack_npz};
pub use publish::{PublishError, Staging, check_replaceable};
pub use scaler::{Scaler, ScalerError};
pub use split::{Split, SplitError, SplitMethod, assign};
