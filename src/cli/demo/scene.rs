//! What the senders post, in order. All guests, codes and secrets are invented.

/// From when on the story shows how the days pass, RFC 3339: after the scenes that are about deliveries.
pub(super) const DAYS_BEGIN: &str = "2027-04-01T08:00:00Z";
/// When it ends.
pub(super) const END: &str = "2027-04-11T11:00:00Z";

/// One request of a sender.
#[derive(Debug)]
pub(super) struct Scene {
    /// When it is posted, RFC 3339; the years are far enough ahead that no date is past.
    pub(super) at: &'static str,
    /// The configured source it goes to.
    pub(super) source: &'static str,
    /// What happens, for the story.
    pub(super) says: &'static str,
    /// The name of its file.
    pub(super) file: &'static str,
    /// Its body.
    pub(super) body: &'static [u8],
}

macro_rules! scenes {
    ($($at:literal $source:literal $file:literal $says:literal;)*) => {
        /// The whole story: one stay of each sender, interleaved; then three whose days come.
        pub(super) const SCENES: &[Scene] = &[$(Scene {
            at: $at,
            source: $source,
            says: $says,
            file: concat!($file, ".json"),
            body: include_bytes!(concat!("../../../demo/payloads/", $file, ".json")),
        }),*];
    };
}

scenes! {
    "2027-03-01T10:15:00Z" "hospitable" "hospitable-1-request"
        "Tomoko asks for Alfama 3A, 14 to 18 May (pending)";
    "2027-03-01T11:02:00Z" "hospitable" "hospitable-2-accepted"
        "the host accepts";
    "2027-03-01T11:05:00Z" "hospitable" "hospitable-3-accepted-again"
        "the sender repeats it; only sent_at differs";
    "2027-03-02T14:30:00Z" "hostelmate" "hostelmate-1-booked"
        "Baraka books Harbour House, 10 to 13 April";
    "2027-03-03T09:00:00Z" "hostelmate" "hostelmate-2-payment"
        "Baraka pays the first night";
    "2027-03-03T09:01:00Z" "hostelmate" "hostelmate-2-payment"
        "the sender repeats it, under the same id";
    "2027-03-04T08:00:00Z" "hostelmate" "hostelmate-3-dates"
        "Baraka stays a night longer, and has paid";
    "2027-03-04T08:20:00Z" "hostelmate" "hostelmate-4-older"
        "an older state, overtaken by the one before, comes late";
    "2027-03-09T08:30:00Z" "hospitable" "hospitable-4-dates"
        "Tomoko stays until 20 May";
    "2027-03-09T08:41:00Z" "hospitable" "hospitable-5-older"
        "a state of four days ago comes late, still with 18 May";
    "2027-03-12T17:00:00Z" "hospitable" "hospitable-6-cancelled"
        "Tomoko cancels";
    "2027-03-15T10:00:00Z" "hostelmate" "hostelmate-5-cancelled"
        "Baraka cancels; there is only the id in it";
    "2027-04-01T08:30:00Z" "hospitable" "hospitable-7-booked"
        "Noor books Alfama 3A, 8 to 10 April";
    "2027-04-01T15:00:00Z" "hostelmate" "hostelmate-6-booked"
        "Ilmar books Harbour House, 9 to 12 April";
    "2027-04-06T14:00:00Z" "hostelmate" "hostelmate-7-cancelled"
        "Ilmar cancels, and what was planned goes with it";
    "2027-04-09T16:00:00Z" "hospitable" "hospitable-8-longer"
        "Noor stays a day longer, until 11 April";
    "2027-04-10T14:00:00Z" "hospitable" "hospitable-9-late"
        "Bento books Alfama 3A for tomorrow, 11 to 13 April";
}

/// The configuration, with `${…}` where the ports go, and the recipes.
pub(super) const CONFIG: &str = include_str!("../../../demo/config.yaml");

macro_rules! recipes {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../../demo/recipes/", $file)))),*]
    };
}

/// The recipes, each with the name of its file.
pub(super) const RECIPES: &[(&str, &str)] = recipes![
    "book-cleaning.yaml",
    "move-cleaning.yaml",
    "call-off-cleaning.yaml",
    "door-code.yaml",
    "take-door-code-back.yaml",
    "enter-payments.yaml",
    "tell-door-code.yaml",
    "remind-of-check-out.yaml",
    "send-cleaner.yaml",
    "mondays-arrivals.yaml",
];
