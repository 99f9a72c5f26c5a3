//! Where a party loses its memory.

/// When, within the handling of one message, the party stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing was written, nothing sent.
    BeforePersist,
    /// Records are durable, nothing was sent.
    BeforeSend,
    /// Records are durable (but for those that the agent syncs later), messages have left.
    AfterSend,
}

impl Moment {
    /// All of them.
    pub const ALL: [Moment; 3] = [Moment::BeforePersist, Moment::BeforeSend, Moment::AfterSend];
}

/// One crash: at the n-th call (from 1) that makes any party write something down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// Number of the call.
    pub point: usize,
    /// When within it.
    pub moment: Moment,
}

/// All crashes of a run.
#[derive(Debug)]
pub(super) enum Crashes {
    Never,
    Once(Crash),
    Often { n: usize, left: usize },
}
