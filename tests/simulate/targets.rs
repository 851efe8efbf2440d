//! Stand-ins for everything outside, without sockets: what comes back is drawn by the weather of the connection.

use std::collections::BTreeMap;

use serde_json::json;
use stayhook::model::effect::Answer;
use stayhook::model::run::AttemptOutcome;

use crate::chance::Chance;

/// How a target is at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    /// Everything works.
    #[default]
    Well,
    /// Anything can come back.
    Moody,
    /// Not reached, or an error.
    Down,
    /// It does not accept our credentials.
    Denies,
    /// It takes requests and says nothing.
    Silent,
    /// It refuses what it is sent.
    Refuses,
}

const ALL: [(u64, Weather); 6] = [
    (5, Weather::Well),
    (6, Weather::Moody),
    (2, Weather::Down),
    (1, Weather::Denies),
    (2, Weather::Silent),
    (1, Weather::Refuses),
];

/// What became of one request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Whether the request reached the target.
    pub arrived: bool,
    /// Whether it did there what it asks for.
    pub effect: bool,
    pub answer: Answer,
}

/// Every target, by the connection that leads to it.
#[derive(Debug, Default)]
pub struct Targets {
    weather: BTreeMap<String, Weather>,
}

impl Targets {
    /// The weather on one connection changes.
    pub fn change(&mut self, connection: &str, chance: &mut Chance) -> Weather {
        let weather = chance.weighted(&ALL);
        self.weather.insert(connection.to_owned(), weather);
        weather
    }

    pub fn all_well(&mut self) {
        self.weather.clear();
    }

    /// What comes back from one request.
    pub fn reply(&self, connection: &str, chance: &mut Chance) -> Reply {
        let weather = self.weather.get(connection).copied().unwrap_or_default();
        let word = match weather {
            Weather::Well => "200",
            Weather::Moody => chance.weighted(&[
                (6, "200"),
                (2, "503"),
                (1, "500"),
                (2, "429"),
                (1, "401"),
                (2, "silence"),
                (1, "unreached"),
                (1, "422"),
                (1, "403"),
            ]),
            Weather::Down => chance.weighted(&[(3, "503"), (1, "unreached"), (1, "silence")]),
            Weather::Denies => "401",
            Weather::Silent => "silence",
            Weather::Refuses => "422",
        };
        reply(word, chance)
    }
}

fn reply(word: &str, chance: &mut Chance) -> Reply {
    let plain = |outcome, summary: &str| Reply {
        arrived: true,
        effect: false,
        answer: Answer::plain(outcome, summary),
    };
    match word {
        "200" => {
            let mut reply = plain(AttemptOutcome::Done, "200 OK");
            reply.effect = true;
            reply.answer.output = json!({"id": format!("t-{}", chance.range(1, 999))});
            reply
        }
        "401" => {
            let mut reply = plain(AttemptOutcome::Retry, "401 Unauthorized");
            reply.answer.denied = true;
            reply
        }
        "403" => {
            let mut reply = plain(AttemptOutcome::Reject, "403 Forbidden");
            reply.answer.denied = true;
            reply
        }
        "429" => {
            let mut reply = plain(AttemptOutcome::Retry, "429 Too Many Requests");
            reply.answer.retry_after_s = Some(chance.ms(0, 900));
            reply
        }
        "silence" => {
            // Whether it arrived, and whether it did what it asks for, nobody here knows.
            let mut reply = plain(AttemptOutcome::Uncertain, "no answer in time");
            reply.arrived = chance.percent(70);
            reply.effect = reply.arrived && chance.percent(70);
            reply
        }
        "unreached" => {
            let mut reply = plain(AttemptOutcome::Retry, "connection refused");
            reply.arrived = false;
            reply
        }
        "422" => plain(AttemptOutcome::Reject, "422 Unprocessable Content"),
        "500" => plain(AttemptOutcome::Retry, "500 Internal Server Error"),
        _ => plain(AttemptOutcome::Retry, "503 Service Unavailable"),
    }
}
