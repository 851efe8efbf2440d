//! Our fields, and the names of senders that mean one of them and nothing else.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;
use serde_json::Value;

/// A field of ours.
pub(super) struct Known {
    /// Its dotted name.
    pub(super) field: &'static str,
    /// Names that mean it and nothing else, in a stay: folded, with `.` before what stands in an object of the stay.
    pub(super) certain: &'static [&'static str],
    /// Parts of names that may mean it: such places are shown to choose from.
    pub(super) perhaps: &'static [&'static str],
    /// Whether a value can be it.
    pub(super) fits: Fits,
    /// Whether a value is it without a doubt, by a certain name.
    pub(super) surely: Fits,
}

impl Known {
    /// The group that it stands in: `guest`; an empty text where it stands in none.
    pub(super) fn group(&self) -> &'static str {
        self.field.rsplit_once('.').map_or("", |(group, _)| group)
    }
}

type Fits = fn(&Value) -> bool;

#[rustfmt::skip]
const fn known(field: &'static str, certain: &'static [&'static str], perhaps: &'static [&'static str], fits: Fits, surely: Fits) -> Known {
    Known { field, certain, perhaps, fits, surely }
}

/// Every field that a draft may have, in its order. Names of the stay, its status and its order are found otherwise.
#[rustfmt::skip]
pub(super) const FIELDS: &[Known] = &[
    known("check_in_date", CHECK_IN, &["checkin", "arriv", "start", "from", "begin"], is_day, is_date),
    known("check_in", CHECK_IN, &["checkin", "arriv", "start", "from", "begin"], has_clock, is_local_instant),
    known("check_out_date", CHECK_OUT, &["checkout", "depart", "end", "until", "leav"], is_day, is_date),
    known("check_out", CHECK_OUT, &["checkout", "depart", "end", "until", "leav"], has_clock, is_local_instant),
    known("created_at", &["createdat"], &["creat", "bookedat", "bookedon", "bookingdate", "made"], is_time, is_instant),
    known("channel", &["channel", "channelname"], &["channel", "platform", "source", "ota"], is_text, is_text),
    known("guests", &["guests", "numberofguests", "numguests", "guestcount", "guestscount"], &["guest", "people", "person", "pax"], is_count, is_count),
    known("adults", &["adults", "numberofadults", "numadults"], &["adult"], is_count, is_count),
    known("children", &["children", "numberofchildren", "numchildren"], &["child"], is_count, is_count),
    known("infants", &["infants", "numberofinfants", "numinfants"], &["infant"], is_count, is_count),
    known("pets", &["pets", "numberofpets", "numpets"], &["pet"], is_count, is_count),
    known("guest.first_name", &["guest.firstname", "guestfirstname"], &["firstname"], is_text, is_text),
    known("guest.last_name", &["guest.lastname", "guestlastname"], &["lastname", "surname"], is_text, is_text),
    known("guest.name", &["guest.name", "guest.fullname", "guestname"], &["guestname", "guest.name", "customername", "customer.name", "contact.name", "fullname"], is_text, is_text),
    known("guest.email", &["guest.email", "guestemail"], &["mail"], is_email, is_email),
    known("guest.phone", &["guest.phone", "guest.phonenumber", "guestphone"], &["phone", "mobile", "tel"], is_phone, is_phone),
    known("property.ids", &["property.id", "propertyid", "listing.id", "listingid", "apartment.id", "apartmentid", "unit.id", "unitid", "room.id", "roomid", "rental.id", "rentalid"],
        &["property", "listing", "apartment", "unit", "room", "rental", "accommodation", "hotel"], is_id, is_id),
    known("property.name", &["property.name", "propertyname", "listing.name", "listingname", "apartment.name", "apartmentname", "unit.name", "unitname", "room.name", "roomname", "rental.name", "rentalname"],
        &["property", "listing", "apartment", "unit", "room", "rental", "accommodation", "hotel"], is_text, is_text),
    known("money.currency", &["currency", "currencycode"], &["currency"], is_currency, is_currency),
    known("money.total", &["total", "totalprice", "totalamount", "grandtotal"], &["total", "price", "amount"], is_number, is_decimal),
];

/// Names of the days and times of arrival and departure, and of nothing else.
pub(super) const CHECK_IN: &[&str] = &["checkin", "checkindate", "arrival", "arrivaldate"];
pub(super) const CHECK_OUT: &[&str] = &["checkout", "checkoutdate", "departure", "departuredate"];

/// `checkInDate`, `check_in_date` and `Check-In Date` are one name.
pub(super) fn fold(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default().trim()
}

/// A time that says which moment it is.
fn instant(value: &Value) -> Option<DateTime<chrono::FixedOffset>> {
    DateTime::parse_from_rfc3339(text(value)).ok()
}

fn is_date(value: &Value) -> bool {
    let text = text(value);
    text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// A date with a time of day and no zone.
fn is_local(value: &Value) -> bool {
    let text = text(value).replacen('T', " ", 1);
    let mut forms = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S%.f"].into_iter();
    forms.any(|form| NaiveDateTime::parse_from_str(&text, form).is_ok())
}

/// Whether it has a day that a mapping can read.
pub(super) fn is_day(value: &Value) -> bool {
    is_date(value) || has_clock(value)
}

fn has_clock(value: &Value) -> bool {
    is_local(value) || instant(value).is_some()
}

/// Seconds or milliseconds from 2001 to 2036.
fn is_epoch(value: &Value) -> bool {
    value
        .as_f64()
        .is_some_and(|n| (1.0e9..2.1e9).contains(&n) || (1.0e12..2.1e12).contains(&n))
}

pub(super) fn is_time(value: &Value) -> bool {
    is_day(value) || is_epoch(value)
}

pub(super) fn is_instant(value: &Value) -> bool {
    instant(value).is_some() || is_epoch(value)
}

/// Many senders write `Z` or `+00:00` behind local times and dates, so only another offset is believed.
fn is_local_instant(value: &Value) -> bool {
    instant(value).is_some_and(|at| at.offset().local_minus_utc() != 0)
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

fn is_email(value: &Value) -> bool {
    let text = text(value);
    text.contains('@') && !text.contains(char::is_whitespace)
}

fn is_phone(value: &Value) -> bool {
    text(value).chars().filter(char::is_ascii_digit).count() >= 6 && !text(value).contains(char::is_alphabetic)
}

fn is_count(value: &Value) -> bool {
    value.as_u64().is_some_and(|n| n < 1000)
}

pub(super) fn is_id(value: &Value) -> bool {
    value.is_u64() || is_text(value) && text(value).len() <= 80 && !text(value).contains(' ')
}

fn is_currency(value: &Value) -> bool {
    let text = text(value);
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())
}

/// An amount without a sign for its currency, also one written as a text.
fn amount(value: &Value) -> Option<Decimal> {
    let written = match value {
        Value::Number(number) => number.to_string(),
        value => text(value).to_owned(),
    };
    written.parse().ok()
}

fn is_number(value: &Value) -> bool {
    amount(value).is_some()
}

/// A whole number may be cents; a point says that it is not.
fn is_decimal(value: &Value) -> bool {
    amount(value).is_some_and(|amount| amount.scale() > 0)
}
