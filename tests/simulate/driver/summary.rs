//! How much happened in a simulation, for its end.

/// How much happened.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub steps: u64,
    pub messages: usize,
    pub deliveries: u64,
    pub duplicates: u64,
    pub requests: u64,
    pub effects: usize,
    pub crashes: u64,
    /// How many times of the clock came to what.
    pub clock: std::collections::BTreeMap<&'static str, usize>,
    /// How often recipes were taken over.
    pub edits: u64,
    /// How many runs ended how.
    pub runs: std::collections::BTreeMap<String, usize>,
}

impl Summary {
    pub fn add(&mut self, other: &Summary) {
        self.steps += other.steps;
        self.messages += other.messages;
        self.deliveries += other.deliveries;
        self.duplicates += other.duplicates;
        self.requests += other.requests;
        self.effects += other.effects;
        self.crashes += other.crashes;
        self.edits += other.edits;
        for (what, count) in &other.clock {
            *self.clock.entry(what).or_default() += count;
        }
        for (state, count) in &other.runs {
            *self.runs.entry(state.clone()).or_default() += count;
        }
    }
}
