//! What is sent: bookings of 2 KB as they come day by day, and the largest that are taken.

use super::body::Template;

/// The size of a usual body in bytes.
const SIZE: usize = 2048;
/// The largest body that a source takes unless it says otherwise, in bytes.
const LARGEST: usize = 1 << 20;
/// A recorded creation of the other sender.
const CREATED: &str = include_str!("../../tests/fixtures/sources/hostelmate/01-booking-created.json");

macro_rules! recorded {
    ($preset:literal, $credential:literal, $case:literal) => {
        (
            $preset,
            $credential,
            include_str!(concat!("../../tests/fixtures/sources/", $preset, "/", $case, ".json")),
        )
    };
}

/// Preset, credential, and a recorded body.
pub const SENDERS: &[(&str, &str, &str)] = &[
    recorded!("beds24", "token: x", "01-v2-new"),
    recorded!(
        "guesty",
        "secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "01-reservation-new"
    ),
    recorded!("hospitable-v2", "secret: x", "01-reservation-created"),
    recorded!("hostaway", "token: x", "01-reservation-created"),
    recorded!("lodgify", "secret: x", "01-booking-new-booked"),
    recorded!(
        "ownerrez",
        "basic: {username: x, password: x}",
        "02-hold-becomes-booking"
    ),
    recorded!("smoobu", "token: x", "01-new"),
    recorded!("stripe", "secret: x", "01-payment-succeeded"),
];

/// A booking as the preset hospitable-v1 reads it.
pub fn booking() -> Vec<u8> {
    let mut template = Template::new("localhost", "/hooks/hospitable", 'A');
    let request = template.fill(1);
    let head = request.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    request[head..].to_vec()
}

/// The same booking, a night longer and sent later.
pub fn one_night_more() -> Vec<u8> {
    let text = String::from_utf8(booking()).unwrap();
    let later = text
        .replace("2031-05-18", "2031-05-19")
        .replace("1803898917", "1803899917")
        .replace("1803898920", "1803899920");
    assert_ne!(later, text);
    later.into_bytes()
}

/// A booking as the preset hostelmate reads it.
pub fn created() -> Vec<u8> {
    let room = SIZE - CREATED.trim_end().len();
    with_notes(&"one cot, a van to park. ".repeat(SIZE / 24 + 1)[..room])
}

fn with_notes(more: &str) -> Vec<u8> {
    let text = CREATED
        .trim_end()
        .replace("Late arrival around 22:00", &format!("Late arrival around 22:00{more}"));
    assert_eq!(text.len(), CREATED.trim_end().len() + more.len());
    text.into_bytes()
}

/// One of each sender, with the source it comes to.
pub fn both() -> [(&'static str, Vec<u8>); 2] {
    [("hospitable", booking()), ("hostelmate", created())]
}

/// As large as a body may be: texts that are mapped take all of it.
pub fn long_texts() -> Vec<u8> {
    let text = String::from_utf8(booking()).unwrap();
    let long = "a “long” name, ".repeat(LARGEST / 19 / 4 - 256);
    let text = ["Tomoko", "Arrieta-Lund", "Bergen, Norway", "Rua da Amostra 12"]
        .into_iter()
        .fold(text, |text, short| text.replace(short, &long));
    assert!((LARGEST * 9 / 10..=LARGEST).contains(&text.len()), "{}", text.len());
    text.into_bytes()
}

/// As large as a body may be: small values take all of it.
pub fn many_nights() -> Vec<u8> {
    let night = r#"{"date":"2027-05-02","amount":25000},"#;
    let nights = night.repeat((LARGEST - 2 * SIZE) / night.len());
    let text = CREATED.replace(r#""stay_dates":["#, &format!(r#""stay_dates":[{nights}"#));
    assert!((LARGEST * 9 / 10..=LARGEST).contains(&text.len()), "{}", text.len());
    text.into_bytes()
}
