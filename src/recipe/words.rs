//! The words that templates see: what each name begins with, and what it means.

/// A word and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// As templates write it.
    pub name: &'static str,
    /// What it means, in one plain sentence.
    pub about: &'static str,
    /// A template that uses it.
    pub example: &'static str,
    /// Whether a later version brings it.
    pub later: bool,
}

const fn word(name: &'static str, about: &'static str, example: &'static str) -> Word {
    Word {
        name,
        about,
        example,
        later: false,
    }
}

const fn later(name: &'static str, about: &'static str) -> Word {
    Word {
        later: true,
        ..word(name, about, "")
    }
}

const fn names<const N: usize>(words: &[Word]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut at = 0;
    while at < N {
        names[at] = words[at].name;
        at += 1;
    }
    names
}

/// What every name begins with.
#[rustfmt::skip]
pub const ROOT_WORDS: &[Word] = &[
    word("event", "What happened: its type, its time, where it came from.", "{{ event.type }}"),
    word("reservation", "The stay after the event, or as it is when a clock starts the recipe; none with `schedule`.", "{{ reservation.guest.first_name }}"),
    word("stay", "The same as `reservation`, with its neighbours at the property.", "{{ stay.next.check_in | date('%d %b') }}"),
    word("previous", "The stay before the event; nothing in it where the stay is new. Not where a clock starts the recipe.", "{{ previous.check_in | date('%d %b') }}"),
    word("changes", "What the event changed: of each field `from` and `to`. Not where a clock starts the recipe.", "{{ changes.check_out.to | date('%d %b') }}"),
    word("property", "The property of the stay, with what the configuration says of it.", "{{ property.vars.cleaner }}"),
    word("payload", "The body as the sender sent it; where a clock starts the recipe, the last about the stay.", "{{ payload.guest.location }}"),
    word("payment", "The payment, where the event is about one.", "{{ payment.amount | money(payment.currency) }}"),
    word("message", "The message, where the event is about one.", "{{ message.text }}"),
    word("steps", "What earlier actions of the run gave back.", "{{ steps.task.output.id }}"),
    word("vars", "The recipe's own values.", "{{ vars.day }}"),
    later("kept", "What other recipes keep for the stay."),
    later("earlier", "What other recipes have done for the stay."),
    word("gathered", "The lists of stays that a recipe with `schedule` makes with `gather`; each entry is read like `reservation`.", "{% for one in gathered.arrivals %}{{ one.guest.name }} {% endfor %}"),
    word("run", "The run itself.", "{{ run.key }}"),
    word("now", "The time, in the property's zone.", "{{ now | date('%d %b %Y') }}"),
];

/// What every template name begins with.
pub(super) const ROOTS: &[&str] = &names::<{ ROOT_WORDS.len() }>(ROOT_WORDS);

/// The names that `stay` has beside those of a reservation.
#[rustfmt::skip]
pub const STAY_WORDS: &[Word] = &[
    word("next", "The stay after this one at the same property, read like `reservation`; nothing in it where there is none.", "{{ stay.next.check_in | date('%d %b') }}"),
    word("previous", "The stay before this one at the same property, read like `reservation`; nothing in it where there is none. (`previous` by itself is this stay before the event.)", "{{ stay.previous.guest.last_name }}"),
    word("same_day_turn", "Whether the next stay begins on the day this one ends; false where nobody comes, and no value where the property is not known.", "{% if stay.same_day_turn %}until 15:00{% endif %}"),
    word("gap_nights", "How many nights are free before the next stay; no value where there is none.", "{{ stay.gap_nights }}"),
];

/// What `stay` has beside a reservation.
pub(super) const STAY_NAMES: &[&str] = &names::<{ STAY_WORDS.len() }>(STAY_WORDS);

/// The names of `event`.
#[rustfmt::skip]
pub const EVENT_WORDS: &[Word] = &[
    word("id", "What the event is called in lists.", "{{ event.id }}"),
    word("type", "Its most important type; where a clock starts the recipe `stay.check_in`, `stay.check_out`, `stay.created`, `stay.status` or `schedule`.", "{{ event.type }}"),
    word("types", "All its types.", "{{ 'reservation.dates_changed' in event.types }}"),
    word("at", "When it was decided, in the property's zone.", "{{ event.at | time }}"),
    word("source", "The source that it came from.", "{{ event.source }}"),
    word("delivery", "The delivery that it came from.", "{{ event.delivery }}"),
    word("stay", "What the stay is called in lists.", "{{ event.stay }}"),
];

/// The names of `event`: its id, its most important type and all of them, when it was decided (RFC 3339), where it
/// came from.
pub(super) const EVENT_NAMES: &[&str] = &names::<{ EVENT_WORDS.len() }>(EVENT_WORDS);

/// The names of `run`.
#[rustfmt::skip]
pub const RUN_WORDS: &[Word] = &[
    word("id", "What the run is called in lists.", "{{ run.id }}"),
    word("key", "The same for every attempt of this run: for targets that recognise a repetition.", "{{ run.key }}"),
    word("recipe", "The recipe's name.", "{{ run.recipe }}"),
    word("revision", "Which version of the recipe's file it is.", "{{ run.revision }}"),
    word("due_at", "When it was to go.", "{{ run.due_at }}"),
    word("dry_run", "Whether nothing is sent.", "{{ run.dry_run }}"),
];

/// The names of `run` that templates may use; what is not known of a run is null.
pub const RUN_NAMES: &[&str] = &names::<{ RUN_WORDS.len() }>(RUN_WORDS);
