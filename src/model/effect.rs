//! A rendered step: what goes out, and what came back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::retry::Retry;
use super::run::AttemptOutcome;

/// A step with everything of the recipe filled in, and nothing of the connection: no credential, no host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// The kind of action: `http`, `email`, …
    pub kind: String,
    /// The connection it goes over.
    pub connection: String,
    /// What the kind made of it; only the kind reads it again.
    pub request: Value,
    /// The known names without a value that it used, for the warning on the step.
    #[serde(default)]
    pub missing: Vec<String>,
}

/// How a step is to be tried, as the recipe says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// When to try again.
    pub retry: Retry,
    /// Park instead of sending again where an attempt may have had an effect.
    pub at_most_once: bool,
    /// Go on with the next step where this one fails for good.
    pub go_on: bool,
}

/// What came back from one attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What it means for the run.
    pub outcome: AttemptOutcome,
    /// One line for a person: `503 Service Unavailable`, `connection refused`.
    pub summary: String,
    /// The beginning of the answer, at most 2,000 characters.
    pub excerpt: Option<String>,
    /// The step's output for later steps.
    pub output: Value,
    /// How many seconds the target asks to wait.
    pub retry_after_s: Option<i64>,
    /// Whether the target did not accept our credentials; three in a row pause the connection.
    pub denied: bool,
}

impl Answer {
    /// An answer without excerpt or output.
    pub fn plain(outcome: AttemptOutcome, summary: impl Into<String>) -> Answer {
        Answer {
            outcome,
            summary: summary.into(),
            excerpt: None,
            output: Value::Null,
            retry_after_s: None,
            denied: false,
        }
    }
}
