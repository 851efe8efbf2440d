//! What a test spoils to see that it is seen.

/// A fault of ours that a test puts in, to prove that it is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flaw {
    #[default]
    None,
    /// A crash takes back what was committed before it, as on a disk that lies.
    Forgets,
    /// Every attempt goes out under a key of its own.
    KeyPerAttempt,
    /// What goes over `books` never arrives, and is answered all the same.
    NothingSent,
    /// What a cancelled stay had planned stands there again.
    NotCancelled,
    /// What has moved is due when it was due before.
    NotMoved,
    /// What has fired is planned once more.
    FiredTwice,
    /// Something planned is lost.
    PlanLost,
    /// Every recipe may be as late as it likes.
    Late,
    /// Every property is on the same clock.
    OneZone,
    /// What is tried again never ends.
    NoEnd,
    /// A clock that has just leapt is believed.
    Believed,
    /// What a clock that was ahead has passed over stays passed over.
    PassedOver,
    /// What is to be tried again waits for a time that no policy means.
    WaitsLong,
    /// Stays count as planned under rules that were just taken over.
    Mixed,
}
