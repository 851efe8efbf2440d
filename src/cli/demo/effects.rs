//! What arrived at the stand-ins.
//!
//! Order: effects of a scene stand behind those of every scene before it, because each scene comes to rest before the
//! next begins. Within a scene they stand by target (cleaning, locks, books, mail), and at one target in order of
//! arrival; between two targets of one scene no order is promised.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::case::{Letter, Request};

use super::site::Targets;

/// Names of the targets, in the order in which effects of one scene are listed.
pub(super) const TARGETS: [&str; 4] = ["cleaning", "locks", "books", "mail"];

/// Something that arrived at a stand-in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Effect {
    /// The scene after which it arrived, from 1.
    pub(super) scene: usize,
    /// Where.
    pub(super) target: &'static str,
    /// Its idempotency key: of a request the header, of a mail what its `Message-ID` begins with.
    pub(super) key: String,
    /// What it is, in a few words: `POST /tasks`.
    pub(super) head: String,
    /// What it says.
    pub(super) body: Value,
    /// All of it, to be compared.
    pub(super) whole: Value,
}

/// Everything that arrived, also what arrived twice.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) effects: Vec<Effect>,
    seen: [usize; TARGETS.len()],
}

impl Record {
    /// Takes over what has arrived since the last time; returns it.
    pub(super) fn take(&mut self, scene: usize, targets: &Targets) -> &[Effect] {
        let from = self.effects.len();
        let http = |target, request: &Request| of_request(scene, target, request);
        let arrived = [
            targets
                .cleaning
                .requests()
                .iter()
                .map(|one| http(TARGETS[0], one))
                .collect::<Vec<_>>(),
            targets
                .locks
                .requests()
                .iter()
                .map(|one| http(TARGETS[1], one))
                .collect(),
            targets
                .books
                .requests()
                .iter()
                .map(|one| http(TARGETS[2], one))
                .collect(),
            targets
                .mail
                .letters()
                .iter()
                .map(|one| of_letter(scene, TARGETS[3], one))
                .collect(),
        ];
        for (seen, all) in self.seen.iter_mut().zip(arrived) {
            self.effects.extend(all.into_iter().skip(*seen).inspect(|_| *seen += 1));
        }
        &self.effects[from..]
    }

    /// Keys under which something arrived more than once, and effects without a key.
    pub(super) fn repeated(&self) -> Vec<&Effect> {
        let mut keys = HashSet::new();
        self.effects
            .iter()
            .filter(|effect| effect.key.is_empty() || !keys.insert((effect.target, effect.key.as_str())))
            .collect()
    }
}

fn of_request(scene: usize, target: &'static str, request: &Request) -> Effect {
    let key = request.key().unwrap_or_default().to_owned();
    let body = match request.json() {
        Value::Null => Value::from(request.text()),
        json => json,
    };
    let (method, path) = (request.method.as_str(), &request.path_and_query);
    Effect {
        scene,
        target,
        head: format!("{method} {path}"),
        whole: json!({"scene": scene, "target": target, "method": method, "path": path, "key": key, "body": body}),
        body,
        key,
    }
}

fn of_letter(scene: usize, target: &'static str, letter: &Letter) -> Effect {
    let id = letter.header("message-id").unwrap_or_default();
    let key = id
        .trim_start_matches('<')
        .split('@')
        .next()
        .unwrap_or_default()
        .to_owned();
    let subject = letter.header("subject").unwrap_or_default();
    let text: Vec<String> = letter
        .parts()
        .into_iter()
        .map(|(_, text)| text.replace("\r\n", "\n"))
        .collect();
    let text = text.join("\n");
    Effect {
        scene,
        target,
        head: format!("to {}", letter.to.join(", ")),
        body: Value::from(subject.as_str()),
        whole: json!({
            "scene": scene,
            "target": target,
            "from": letter.header("from"),
            "to": letter.to,
            "subject": subject,
            "key": key,
            "text": text,
        }),
        key,
    }
}
