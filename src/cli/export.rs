//! `prep export`
use super::*;
/// x
#[derive(Debug, Args)]
pub(super) struct ExportArgs {}
pub(super) fn run(_a: ExportArgs, _c: Context) -> Result<Outcome> {
    Ok(Outcome::Done)
}
