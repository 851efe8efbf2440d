//! The canonical names of a reservation, a payment and a message: what each holds, in words and by an example.

use super::reservation::Status;

/// What a canonical field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Text.
    Text,
    /// A whole number.
    Count,
    /// An amount: a JSON number with the sender's digits.
    Money,
    /// A local date, `2027-03-27`.
    Date,
    /// A time as the sender wrote it, with or without offset, or a date only.
    Time,
    /// A canonical status word.
    Status,
    /// `guest`, `owner` or `block`.
    Kind,
    /// A list of texts.
    List,
}

impl FieldKind {
    /// What it is, for people.
    pub fn words(self) -> &'static str {
        match self {
            FieldKind::Text => "text",
            FieldKind::Count => "whole number",
            FieldKind::Money => "amount",
            FieldKind::Date => "date",
            FieldKind::Time => "time",
            FieldKind::Status => "status",
            FieldKind::Kind => "`guest`, `owner` or `block`",
            FieldKind::List => "list of texts",
        }
    }
}

/// One canonical name.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its dotted name, as in recipes.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it survives absence and null: it is only ever replaced.
    pub kept: bool,
    /// What it is, in one plain sentence.
    pub about: &'static str,
    /// A value it may have.
    pub example: &'static str,
}

impl Field {
    /// The group it stands in and its name there: `("guest", "email")`; no group is an empty text.
    pub fn split(&self) -> (&'static str, &'static str) {
        self.name.rsplit_once('.').unwrap_or(("", self.name))
    }
}

const fn field(name: &'static str, kind: FieldKind, about: &'static str, example: &'static str) -> Field {
    Field {
        name,
        kind,
        kept: false,
        about,
        example,
    }
}

const fn kept(name: &'static str, kind: FieldKind, about: &'static str, example: &'static str) -> Field {
    Field {
        name,
        kind,
        kept: true,
        about,
        example,
    }
}

/// The kinds of stays.
pub const STAY_KINDS: &[&str] = &["guest", "owner", "block"];
/// The kinds of payment.
pub const PAYMENT_KINDS: &[&str] = &["guest", "payout", "refund", "deposit"];
/// Who writes messages.
pub const AUTHORS: &[&str] = &["guest", "host", "owner"];

/// The canonical words of `status`.
pub const STATUSES: &[&str] = &{
    let mut words = [""; Status::ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = Status::ALL[at].word();
        at += 1;
    }
    words
};

/// Every canonical field a mapping may fill.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    kept("kind", FieldKind::Kind, "Whose stay it is: a guest's, the owner's own, or dates that are blocked.", "guest"),
    kept("status", FieldKind::Status, "Where the stay stands, in one of our own words.", "confirmed"),
    field("source_status", FieldKind::Text, "The sender's own word for the status.", "accepted"),
    field("channel", FieldKind::Text, "Where the stay was booked.", "airbnb"),
    kept("check_in", FieldKind::Time, "When the guest may come in.", "2027-03-27T16:00:00-07:00"),
    kept("check_out", FieldKind::Time, "When the guest has to be out.", "2027-03-30T11:00:00-07:00"),
    kept("check_in_date", FieldKind::Date, "The day of arrival.", "2027-03-27"),
    kept("check_out_date", FieldKind::Date, "The day of departure.", "2027-03-30"),
    field("guests", FieldKind::Count, "How many people come.", "4"),
    field("adults", FieldKind::Count, "How many of them are adults.", "2"),
    field("children", FieldKind::Count, "How many of them are children.", "2"),
    field("infants", FieldKind::Count, "How many of them are infants.", "0"),
    field("pets", FieldKind::Count, "How many pets they bring.", "1"),
    field("guest.first_name", FieldKind::Text, "The guest's first name.", "Ana"),
    field("guest.last_name", FieldKind::Text, "The guest's last name.", "Peeters"),
    field("guest.name", FieldKind::Text, "The guest's whole name; put together from the two halves where only those are sent.", "Ana Peeters"),
    field("guest.email", FieldKind::Text, "The guest's e-mail address.", "ana@guest.example"),
    field("guest.phone", FieldKind::Text, "The guest's telephone number.", "+1 415 555 0123"),
    field("guest.phone_last4", FieldKind::Text, "The last four digits of the number, as for a door code.", "0123"),
    field("guest.language", FieldKind::Text, "The guest's language.", "nl"),
    field("guest.location", FieldKind::Text, "Where the guest comes from.", "Antwerp, Belgium"),
    kept("property.ids", FieldKind::List, "The names that the sender has for the property.", "12346789"),
    kept("property.name", FieldKind::Text, "The property's name: yours where it is configured, else the sender's.", "Brannan Street"),
    field("property.address", FieldKind::Text, "The property's address.", "480 Brannan St"),
    field("money.currency", FieldKind::Text, "The currency of all amounts.", "EUR"),
    field("money.total", FieldKind::Money, "What the guest pays in all.", "812.00"),
    field("money.base", FieldKind::Money, "The rent alone.", "640.00"),
    field("money.cleaning", FieldKind::Money, "The cleaning fee.", "80.00"),
    field("money.taxes", FieldKind::Money, "The taxes.", "42.00"),
    field("money.guest_fee", FieldKind::Money, "What the channel takes from the guest.", "50.00"),
    field("money.host_fee", FieldKind::Money, "What the channel takes from you.", "24.00"),
    field("money.payout", FieldKind::Money, "What is paid out to you.", "738.00"),
    field("money.deposit", FieldKind::Money, "The deposit.", "200.00"),
    field("parent", FieldKind::Text, "The code of the booking that this stay is a part of.", "GROUP-7"),
    field("children_codes", FieldKind::List, "The codes of the stays that are parts of this booking.", "GROUP-7-1"),
    field("created_at", FieldKind::Time, "When the sender made the reservation.", "2027-01-28T09:00:00Z"),
    field("updated_at", FieldKind::Time, "When the sender last changed it.", "2027-01-29T10:30:00Z"),
];

/// What a person calls the confirmation code: folded like every field that is only ever replaced.
pub const CODE: Field = kept(
    "code",
    FieldKind::Text,
    "What a person calls the confirmation code.",
    "HMABC1",
);

/// Canonical names of a reservation that no field fills: they name it, are derived, configured, or given by people.
#[rustfmt::skip]
pub const DERIVED: &[Field] = &[
    field("key", FieldKind::Text, "The stay's own name, which no other has and which never changes once status and dates are known: name things at targets by it.", "77"),
    CODE,
    field("ids", FieldKind::List, "The sender's own names of the stay.", "77"),
    field("references", FieldKind::List, "Names that other stays may have as well: a channel's number, that of a group.", "4455667788"),
    field("source", FieldKind::Text, "The source that the stay comes from, as you call it in the configuration.", "hospitable"),
    field("nights", FieldKind::Count, "How many nights, counted from the dates.", "3"),
    field("labels", FieldKind::List, "Labels that people gave the stay. Nothing sets them in this version yet.", "vip"),
    field("property.key", FieldKind::Text, "The property's key in the configuration.", "brannan"),
    field("property.timezone", FieldKind::Text, "The property's time zone.", "America/Los_Angeles"),
    field("property.tags", FieldKind::List, "The property's tags in the configuration.", "downtown"),
];

/// The names of a payment.
#[rustfmt::skip]
pub const PAYMENT: &[Field] = &[
    field("payment.id", FieldKind::Text, "What the sender calls the payment.", "p1"),
    field("payment.kind", FieldKind::Text, "`guest` (the guest pays), `payout` (you are paid), `refund` or `deposit`.", "guest"),
    field("payment.amount", FieldKind::Money, "How much.", "500.00"),
    field("payment.currency", FieldKind::Text, "In which currency.", "EUR"),
    field("payment.method", FieldKind::Text, "How it was paid.", "card"),
    field("payment.description", FieldKind::Text, "What it was for.", "second half"),
    field("payment.paid_at", FieldKind::Time, "When it was paid.", "2027-02-01T12:00:00Z"),
];

/// The names of a message.
#[rustfmt::skip]
pub const MESSAGE: &[Field] = &[
    field("message.id", FieldKind::Text, "What the sender calls the message.", "m1"),
    field("message.from", FieldKind::Text, "Who wrote it: `guest`, `host` or `owner`.", "guest"),
    field("message.text", FieldKind::Text, "What it says.", "Is there parking?"),
    field("message.at", FieldKind::Time, "When it was written.", "2027-02-01T12:00:00Z"),
];

/// The canonical field that a mapping may fill with this dotted name.
pub fn field_named(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}
