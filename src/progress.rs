//! How the long commands say how far they are.

/// Hears of progress. Called from one thread at a time; must return quickly.
pub trait Progress {
    /// A phase begins, with as many steps as are known of it.
    fn begin(&self, phase: &'static str, steps: u64);
    /// As many more steps are done.
    fn advance(&self, steps: u64);
    /// The phase is over.
    fn end(&self);
}

/// Tells nobody.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _phase: &'static str, _steps: u64) {}
    fn advance(&self, _steps: u64) {}
    fn end(&self) {}
}
