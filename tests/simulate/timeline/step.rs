//! What was done before a look at what is planned.

use crate::calendar::Stay;

/// What was done before a look.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Step {
    /// Nothing that moves what is planned.
    #[default]
    Other,
    /// Deliveries were decided: the stays with news, each as it was after the last of them.
    Decided(Vec<(String, Stay)>),
    /// The clock was looked at, and gone by.
    Turned {
        /// Whether it had been put back since.
        put_back: bool,
    },
    /// It was looked at, and not believed.
    Doubted,
    /// Recipes were taken over.
    Adopted,
    /// The process died in any of these, and what was committed of it stands; the news of what was decided.
    Torn {
        news: Vec<(String, Stay)>,
        /// Whether it died while it decided.
        decided: bool,
    },
}

impl Step {
    pub fn turned(&self) -> bool {
        matches!(self, Step::Turned { .. })
    }

    pub fn news(&self) -> &[(String, Stay)] {
        match self {
            Step::Decided(news) | Step::Torn { news, .. } => news,
            _ => &[],
        }
    }
}
