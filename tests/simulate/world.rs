//! The senders: a few stays, each with a plain history, told by two sources. `pms` says a version with everything, so the
//! order of arrival must not matter; `sheet` says none, so the last to arrive counts. Both name their events where the
//! receipt could not be recognised otherwise. Two stays each carry the same reference.

use std::collections::BTreeMap;

use chrono::{Days, TimeDelta};
use serde_json::{Value, json};
use stayhook::model::clock::Time;

use crate::calendar::PLACES;
use crate::chance::Chance;

/// The canonical fields that the senders speak of.
pub const FIELDS: [&str; 7] = [
    "status",
    "check_in_date",
    "check_out_date",
    "guests",
    "channel",
    "property",
    "created_at",
];

/// What a message says, apart from how it is written.
#[derive(Clone, Debug)]
pub enum Says {
    /// These fields of the stay; null is "cleared".
    Stay(BTreeMap<&'static str, Value>),
    /// Of this payment.
    Payment(String),
    /// This message of a guest.
    Words(String),
}

/// One thing that a sender says, however often it sends it.
#[derive(Clone, Debug)]
pub struct Message {
    pub source: &'static str,
    pub code: String,
    /// Its place in the history of its stay; the sender's version.
    pub version: usize,
    pub says: Says,
    pub body: Value,
}

impl Message {
    /// The bytes of one sending; a sender with versions says each time when it sent it.
    pub fn bytes(&self, now: Time) -> Vec<u8> {
        let mut body = self.body.clone();
        if self.source == "pms" {
            body["sent_at"] = json!(now.to_rfc3339());
        }
        body.to_string().into_bytes()
    }

    /// For the printed history.
    pub fn told(&self) -> String {
        let what = match &self.says {
            Says::Stay(fields) => {
                let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                fields.join(" ")
            }
            Says::Payment(id) => format!("payment {id} of {}", self.body["payment"]["amount"]),
            Says::Words(id) => format!("message {id}"),
        };
        format!("{} {} v{}: {what}", self.source, self.code, self.version)
    }
}

/// A stay as its sender has it in mind.
struct Mind {
    source: &'static str,
    code: String,
    /// What its sender calls another stay by too.
    shared: String,
    fields: BTreeMap<&'static str, Value>,
    version: usize,
    payments: usize,
}

impl Mind {
    /// A day so long after the booking.
    fn date(began: Time, day: u64) -> Value {
        json!(began.date_naive() + Days::new(day))
    }

    fn message(&mut self, says: Says, mut body: Value, chance: &mut Chance, began: Time) -> Message {
        self.version += 1;
        let minutes = i64::try_from(self.version).unwrap();
        body["id"] = json!(self.code);
        body["references"] = json!([self.shared]);
        let own = self.source == "sheet" || chance.percent(30);
        if own || !matches!(says, Says::Stay(_)) {
            body["event_id"] = json!(format!("{}-{}", self.code, self.version));
        }
        if self.source == "pms" {
            body["updated_at"] = json!((began + TimeDelta::minutes(minutes)).to_rfc3339());
        }
        Message {
            source: self.source,
            code: self.code.clone(),
            version: self.version,
            says,
            body,
        }
    }

    /// The stay as it is now: everything, or only `changed`.
    fn say(&mut self, changed: &[&'static str], chance: &mut Chance, began: Time) -> Message {
        let partial = self.version > 0 && chance.percent(35);
        let mut said = BTreeMap::new();
        let mut body = json!({});
        for name in FIELDS {
            if partial && !changed.contains(&name) {
                continue;
            }
            let value = self.fields[name].clone();
            // A whole body without the field says the same as one with null.
            if name == "property" {
                if !value.is_null() {
                    body[name] = json!({"id": value});
                }
            } else if !value.is_null() || partial || chance.percent(50) {
                body[name] = value.clone();
            }
            said.insert(name, value);
        }
        if partial {
            body["partial"] = json!(true);
        }
        self.message(Says::Stay(said), body, chance, began)
    }

    fn next(&mut self, chance: &mut Chance, began: Time) -> Message {
        let gone = self.fields["status"] == "cancelled";
        let what = chance.weighted(&[
            (4, "dates"),
            (3, "guests"),
            (4, "status"),
            (3, "payment"),
            (2, "words"),
            (1, "channel"),
            (1, "property"),
        ]);
        match what {
            "dates" => {
                let (day, nights) = days(chance);
                self.fields.insert("check_in_date", Mind::date(began, day));
                self.fields.insert("check_out_date", Mind::date(began, day + nights));
                self.say(&["check_in_date", "check_out_date"], chance, began)
            }
            "guests" => {
                let guests = if chance.percent(15) {
                    Value::Null
                } else {
                    json!(chance.range(1, 9))
                };
                self.fields.insert("guests", guests);
                self.say(&["guests"], chance, began)
            }
            "property" => {
                self.fields.insert("property", json!(chance.one_of(&PLACES)));
                self.say(&["property"], chance, began)
            }
            "channel" => {
                self.fields
                    .insert("channel", json!(format!("channel {}", self.version)));
                self.say(&["channel"], chance, began)
            }
            "status" => {
                // Confirmed, cancelled, perhaps reinstated.
                let status = match (gone, self.fields["status"] == "confirmed") {
                    (true, _) | (false, false) => "confirmed",
                    (false, true) => "cancelled",
                };
                self.fields.insert("status", json!(status));
                self.say(&["status"], chance, began)
            }
            "payment" => {
                // Sometimes the same payment with another amount.
                self.payments += usize::from(self.payments == 0 || chance.percent(75));
                let id = format!("{}-p{}", self.code, self.payments);
                let amount = format!("{}.00", chance.range(10, 900));
                let body = json!({"payment": {"id": id, "amount": amount, "currency": "EUR"}});
                self.message(Says::Payment(id), body, chance, began)
            }
            _ => {
                let id = format!("{}-m{}", self.code, self.version);
                let body = json!({"message": {"id": id, "from": "guest", "text": "Is there parking?"}});
                self.message(Says::Words(id), body, chance, began)
            }
        }
    }
}

/// When a stay begins and how long it is; two nights oftener than others.
fn days(chance: &mut Chance) -> (u64, u64) {
    let day = chance.range(0, 24);
    (day, if chance.percent(35) { 2 } else { chance.range(1, 9) })
}

/// The history of one stay, from its booking on.
pub fn stay(mark: &str, n: usize, chance: &mut Chance, began: Time) -> Vec<Message> {
    let source = if chance.percent(65) { "pms" } else { "sheet" };
    let (day, nights) = days(chance);
    // Few properties, so that stays have neighbours.
    let place = chance.weighted(&[
        (4, json!("brannan")),
        (3, json!("alfama")),
        (2, json!("howe")),
        (1, json!("plain")),
        (1, json!("elsewhere")),
        (1, Value::Null),
    ]);
    let created = match chance.percent(60) {
        true => json!((began - TimeDelta::minutes(chance.ms(0, 900))).to_rfc3339()),
        false => Value::Null,
    };
    let mut mind = Mind {
        source,
        code: format!("{mark}{}{n}", if source == "pms" { "P" } else { "S" }),
        shared: format!("{mark}G{}", n / 2),
        fields: BTreeMap::from([
            (
                "status",
                json!(if chance.percent(30) { "pending" } else { "confirmed" }),
            ),
            ("check_in_date", Mind::date(began, day)),
            ("check_out_date", Mind::date(began, day + nights)),
            ("property", place),
            ("created_at", created),
            ("guests", json!(chance.range(1, 6))),
            ("channel", json!("direct")),
        ]),
        version: 0,
        payments: 0,
    };
    let mut history = vec![mind.say(&FIELDS, chance, began)];
    for _ in 0..chance.range(1, 6) {
        history.push(mind.next(chance, began));
    }
    history
}
