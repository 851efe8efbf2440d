//! What is sent: a booking of 2 KB, each with a code of its own.

/// Digits of the number in a code.
const DIGITS: usize = 8;
/// What stands where the number goes.
const PLACE: &str = "00000000";
/// The size of a body in bytes.
const SIZE: usize = 2048;

/// The shape of one sender's bookings; `CODE` and `NUMBER` are filled in.
const BOOKING: &str = concat!(
    r#"{"user_id":77310452,"code":"CODE","channel":"airbnb-official","start_date":"2031-05-14","end_date":"2031-05-18","#,
    r#""checkin_time":"2031-05-14T16:00:00+01:00","checkout_time":"2031-05-18T11:00:00+01:00","#,
    r#""nights":4,"guests":2,"adults":2,"children":0,"infants":0,"pets":0,"status":"accepted","#,
    r#""listing":{"id":31640027,"property_id":640118,"name":"Miradouro, tiled studio","nickname":"Alfama 3A","#,
    r#""address":"Rua da Amostra 12, 1100-999 Lisboa, Portugal","picture_url":"","lat":38.7121,"lng":-9.1305},"#,
    r#""child_reservations":[],"guest":{"id":90417733,"first_name":"Tomoko","last_name":"Arrieta-Lund","picture_url":"","#,
    r#""location":"Bergen, Norway","phone":"+47 555 01 907","phone_last_4":1907,"email":"NUMBER@guest.example"},"#,
    r#""currency":"EUR","security_price":"0.00","security_price_formatted":"€0.00","per_night_price":118,"#,
    r#""per_night_price_formatted":"€118.00","base_price":472,"base_price_formatted":"€472.00","extras_price":45,"#,
    r#""extras_price_formatted":"€45.00","subtotal":"517.00","subtotal_formatted":"€517.00","tax_amount":"16.00","#,
    r#""tax_amount_formatted":"€16.00","guest_fee":70.8,"guest_fee_formatted":"€70.80","total_price":603.8,"#,
    r#""total_price_formatted":"€603.80","host_service_fee":14.16,"host_service_fee_formatted":"€14.16","#,
    r#""payout_price":502.84,"payout_price_formatted":"€502.84","created_at":1803896098,"updated_at":1803898917,"#,
    r#""sent_at":1803898920,"note":""}"#,
);

/// A whole request, head and body, with the places where its number goes.
#[derive(Clone)]
pub struct Template {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Template {
    /// Requests to `path`; `letter` begins each code.
    pub fn new(host: &str, path: &str, letter: char) -> Template {
        Template::of(host, path, &format!("{letter}{PLACE}"))
    }

    /// Requests that are all about one stay; each says something else of it.
    pub fn of_one_stay(host: &str, path: &str) -> Template {
        Template::of(host, path, "ONESTAY99")
    }

    fn of(host: &str, path: &str, code: &str) -> Template {
        let bare = BOOKING.replace("CODE", code).replace("NUMBER", PLACE);
        let filler = "late arrival, one cot, parking for a van. ".repeat(64);
        let room = SIZE
            .checked_sub(bare.len())
            .expect("the booking is smaller than a body");
        let body = bare.replace("\"note\":\"\"", &format!("\"note\":\"{}\"", &filler[..room]));
        assert_eq!(body.len(), SIZE, "every body has the same size");
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {SIZE}\r\n\r\n"
        );
        let text = head + &body;
        let places = text.match_indices(PLACE).map(|(at, _)| at).collect();
        Template {
            bytes: text.into_bytes(),
            places,
        }
    }

    /// Writes the request with this number.
    pub fn fill(&mut self, number: usize) -> &[u8] {
        let digits = format!("{number:0DIGITS$}");
        for at in &self.places {
            self.bytes[*at..at + DIGITS].copy_from_slice(digits.as_bytes());
        }
        &self.bytes
    }
}

/// The number of the code that a request line names, as the target sees it.
pub fn number(line: &[u8]) -> Option<usize> {
    let end = line.iter().position(|byte| *byte == b'\r')?;
    let line = std::str::from_utf8(&line[..end]).ok()?;
    let path = line.split(' ').nth(1)?;
    path.rsplit('/').next()?.get(1..)?.parse().ok()
}
