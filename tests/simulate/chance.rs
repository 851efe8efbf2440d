//! Chance from a seed, the same for ever: a seed that is written down has to mean the same years later, so it is no
//! library's generator (SplitMix64).

use stayhook::model::clock::Time;

/// Numbers that follow from a seed.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn of(seed: u64) -> Chance {
        Chance(seed ^ 0x5eed_5eed_5eed_5eed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `from` to `to`, both included.
    pub fn range(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from + 1)
    }

    /// The same as a place in a list of `len`, which is not empty.
    pub fn place(&mut self, len: usize) -> usize {
        usize::try_from(self.range(0, len as u64 - 1)).unwrap()
    }

    /// A time span in milliseconds.
    pub fn ms(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.range(0, u64::try_from(to - from).unwrap())).unwrap()
    }

    /// So many times out of a hundred.
    pub fn percent(&mut self, n: u64) -> bool {
        self.range(1, 100) <= n
    }

    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.place(all.len())]
    }

    /// One of these words, each as often as its weight says.
    pub fn weighted<T: Clone>(&mut self, all: &[(u64, T)]) -> T {
        let mut at = self.range(1, all.iter().map(|(weight, _)| weight).sum());
        for (weight, one) in all {
            if at <= *weight {
                return one.clone();
            }
            at -= weight;
        }
        unreachable!("the weights add up")
    }
}

/// A time, RFC 3339.
pub fn at(text: &str) -> Time {
    text.parse().unwrap()
}
