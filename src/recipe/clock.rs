//! What a recipe waits for on a clock: moments in a stay's life, a status that lasts, times of the calendar. Data and its
//! names; the instants are computed where recipes are decided.

use std::fmt;

use chrono::{NaiveTime, TimeDelta};

use crate::lang::duration;
use crate::model::reservation::Status;

use super::Match;
use super::conditions::StatusWord;
use super::matching;

/// An event of the stay's life that moments are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anchor {
    /// When the guest arrives.
    CheckIn,
    /// When the guest leaves.
    CheckOut,
    /// When it was booked: the sender's `created_at`, else when it was first heard of.
    Created,
}

impl Anchor {
    /// Every anchor.
    pub const ALL: [Anchor; 3] = [Anchor::CheckIn, Anchor::CheckOut, Anchor::Created];

    /// The word in recipes.
    pub const fn word(self) -> &'static str {
        match self {
            Anchor::CheckIn => "check_in",
            Anchor::CheckOut => "check_out",
            Anchor::Created => "created",
        }
    }

    /// The anchor with this word.
    pub fn from_word(word: &str) -> Option<Anchor> {
        Anchor::ALL.into_iter().find(|anchor| anchor.word() == word)
    }
}

/// How far from its anchor a moment lies; negative before it. Days are days of the calendar, all else is time that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shift {
    /// So many days of the calendar, at the same time of day.
    Days(i64),
    /// So many seconds.
    Seconds(i64),
}

impl Shift {
    /// None at all.
    pub const NONE: Shift = Shift::Days(0);

    /// A duration as it is written: `2d` means days of the calendar, `48h` hours that pass.
    pub fn read(text: &str) -> Option<Shift> {
        let span = duration::parse(text)?;
        Some(match text.trim().ends_with('d') {
            true => Shift::Days(span.num_days()),
            false => Shift::Seconds(span.num_seconds()),
        })
    }

    /// So much before instead of after.
    pub fn before(self) -> Shift {
        self.times(-1)
    }

    /// So many times as much.
    pub fn times(self, n: i64) -> Shift {
        match self {
            Shift::Days(days) => Shift::Days(days.saturating_mul(n)),
            Shift::Seconds(seconds) => Shift::Seconds(seconds.saturating_mul(n)),
        }
    }

    /// Whether it is nothing.
    pub fn is_none(self) -> bool {
        matches!(self, Shift::Days(0) | Shift::Seconds(0))
    }

    /// Whether it lies before the anchor.
    pub fn is_before(self) -> bool {
        matches!(self, Shift::Days(n) | Shift::Seconds(n) if n < 0)
    }

    /// About how long it is, a day being 24 hours.
    pub fn span(self) -> TimeDelta {
        match self {
            Shift::Days(days) => TimeDelta::try_days(days),
            Shift::Seconds(seconds) => TimeDelta::try_seconds(seconds),
        }
        .unwrap_or_default()
    }
}

/// `+2d`, `-36h`, `+0`.
impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str("+0");
        }
        let sign = if self.is_before() { '-' } else { '+' };
        match self {
            Shift::Days(days) => write!(f, "{sign}{}d", days.abs()),
            // Seconds that make whole days are no days of the calendar: 48h stay 48h.
            Shift::Seconds(seconds) => match seconds.abs() {
                n if n % 3600 == 0 => write!(f, "{sign}{}h", n / 3600),
                n if n % 60 == 0 => write!(f, "{sign}{}m", n / 60),
                n => write!(f, "{sign}{n}s"),
            },
        }
    }
}

/// A moment in a stay's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// What it is counted from.
    pub anchor: Anchor,
    /// How far from there.
    pub shift: Shift,
    /// The time of day, with days only; the anchor's own where nothing is said.
    pub at: Option<NaiveTime>,
}

impl Mark {
    /// The anchor itself.
    pub const fn of(anchor: Anchor) -> Mark {
        Mark {
            anchor,
            shift: Shift::NONE,
            at: None,
        }
    }
}

/// `check_in-2d@10:00`, `check_out+0`.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.anchor.word(), self.shift)?;
        match self.at {
            Some(at) => write!(f, "@{}", at.format("%H:%M")),
            None => Ok(()),
        }
    }
}

/// `stay: …`: once, or again and again, at moments of a stay's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StayClock {
    /// The moment; with `every` the one that the first repetition follows a period later.
    pub mark: Mark,
    /// The period of repetitions.
    pub every: Option<Shift>,
    /// Nothing happens after this moment.
    pub until: Option<Mark>,
}

impl StayClock {
    /// What the entry is called in run keys, whatever else its recipe says: the same words, the same entry.
    pub fn label(&self) -> String {
        match self.every {
            None => self.mark.to_string(),
            Some(every) => {
                let every = every.to_string();
                format!("{}*{}", self.mark, every.trim_start_matches('+'))
            }
        }
    }
}

/// `status: …, for: …`: a status that has lasted.
#[derive(Clone, Debug)]
pub struct StatusClock {
    /// The words as they are written.
    pub(super) words: Vec<StatusWord>,
    /// The same as text, for keys and sentences: `awaiting_payment`.
    pub says: String,
    /// For how long; never negative.
    pub lasts: Shift,
}

impl StatusClock {
    /// What the entry is called in run keys.
    pub fn label(&self) -> String {
        format!("status:{}{}", self.says, self.lasts)
    }

    /// Whether a stay with this status and this word of the sender's is one of them.
    pub fn holds(&self, status: Option<Status>, own: Option<&str>) -> bool {
        matching::is_status(&self.words, status.map(Status::word), own)
    }
}

/// What to do with a time that has passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Late {
    /// Nothing is said: what lies before its anchor may run until the anchor, everything else for 12 hours.
    #[default]
    Usual,
    /// `late: run within …`.
    Within(TimeDelta),
    /// `late: skip`.
    Skip,
}

/// One list of `gather`: the stays whose arrival, departure or booking lies within some time from now on.
#[derive(Clone, Debug)]
pub struct Gather {
    /// What templates call it, below `gathered`.
    pub name: String,
    /// What has to lie within.
    pub anchor: Anchor,
    /// How far ahead: days are days of the calendar, today the first of them.
    pub within: Shift,
    /// For which stays; booked ones of guests unless it says otherwise.
    pub conditions: Match,
}
