//! Who becomes whom: one list for a whole body.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::class::Class;
use super::text;

/// Invented names, in the order in which they are given out.
const PEOPLE: &[&str] = &[
    "Ana", "Ben", "Cleo", "Dario", "Edda", "Falk", "Gina", "Hugo", "Ines", "Jano", "Kira", "Lars", "Mira", "Nilo",
    "Olga", "Pablo", "Quin", "Runa", "Silo", "Tova", "Udo", "Vera", "Wim", "Xenia", "Yara", "Zeno",
];
/// How often another replacement is tried before one is taken that looks like something else in the body.
const TRIES: usize = 400;
/// Texts at least this long are looked for in what replaces them.
const SEEN_MIN: usize = 4;

/// Originals and what they become.
#[derive(Default)]
pub(super) struct Names {
    /// By the original in lower case; telephone numbers by their digits.
    known: HashMap<String, String>,
    /// What may stand inside of longer texts, the longest first.
    inside: Vec<String>,
    given: HashSet<String>,
    /// All originals of some length, in lower case, so that none of them comes back by chance.
    originals: Vec<String>,
    counts: HashMap<Class, usize>,
    fillers: HashMap<usize, usize>,
}

impl Names {
    /// Gives out names to everything that is somebody's, in the order of appearance; ids that are part of longer ones first.
    pub(super) fn of<'v>(leaves: impl Iterator<Item = (&'v Value, Class)>, keys: &[&str]) -> Names {
        let mut names = Names::default();
        let text_of = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut all: Vec<(String, Class)> = leaves
            .filter(|(_, class)| *class != Class::Kept)
            .map(|(value, class)| (text_of(value), class))
            .collect();
        all.extend(keys.iter().map(|key| ((*key).to_owned(), Class::Id)));
        let mut originals: Vec<String> = all
            .iter()
            .flat_map(|(one, class)| match class {
                Class::Person | Class::Text => text::words_of(one)
                    .map(str::to_lowercase)
                    .chain([one.to_lowercase()])
                    .collect::<Vec<_>>(),
                Class::Phone => vec![text::digits(one), one.to_lowercase()],
                _ => vec![one.to_lowercase()],
            })
            .filter(|one| one.chars().count() >= SEEN_MIN)
            .collect();
        originals.sort();
        originals.dedup();
        names.originals = originals;
        for wanted in [Class::Phone, Class::Last4, Class::Email] {
            for (one, _) in all.iter().filter(|(_, class)| *class == wanted) {
                names.replaced(one, wanted);
            }
        }
        let mut ids: Vec<&String> = all
            .iter()
            .filter(|(_, class)| *class == Class::Id)
            .map(|(one, _)| one)
            .collect();
        ids.sort_by_key(|one| one.chars().count());
        for one in ids {
            names.id(one);
        }
        for (one, _) in all.iter().filter(|(_, class)| *class == Class::Person) {
            for word in text::words_of(one) {
                names.person(word);
            }
        }
        names.inside = names
            .known
            .keys()
            .filter(|one| one.chars().count() >= 2)
            .cloned()
            .collect();
        names.inside.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        names
    }

    /// What becomes of a value.
    pub(super) fn replaced(&mut self, original: &str, class: Class) -> String {
        match class {
            Class::Kept => original.to_owned(),
            Class::Id => self.id(original),
            Class::Phone => self.phone(original),
            Class::Last4 => self.last4(original),
            Class::Person => text::each_word(original, |word| self.person(word)),
            Class::Email => self.numbered(
                original,
                class,
                &["guest{}@guest.example", "person{}@mail.example", "x{}@x.example"],
            ),
            Class::Url => {
                let scheme = original
                    .split("://")
                    .next()
                    .filter(|scheme| scheme.len() <= 8)
                    .unwrap_or("https")
                    .to_owned();
                let page = self.numbered(
                    original,
                    class,
                    &["://host{}.example/page", "://h{}.example/x", "://x{}.example/"],
                );
                format!("{scheme}{page}")
            }
            Class::Ip => self.numbered(original, class, &["192.0.2.{}", "198.51.100.{}"]),
            Class::Birth => text::filled(original, 1, 1, &[]),
            Class::Text => self.text(original),
        }
    }

    fn next(&mut self, class: Class) -> usize {
        let count = self.counts.entry(class).or_default();
        *count += 1;
        *count
    }

    /// Whether nothing of the originals is in it, and nobody has it yet.
    fn is_free(&self, candidate: &str) -> bool {
        let low = candidate.to_lowercase();
        !self.given.contains(&low) && !self.originals.iter().any(|one| low.contains(one.as_str()))
    }

    fn give(&mut self, key: String, name: String) -> String {
        self.given.insert(name.to_lowercase());
        self.known.insert(key, name.clone());
        name
    }

    fn numbered(&mut self, original: &str, class: Class, patterns: &[&str]) -> String {
        let key = original.trim().to_lowercase();
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let n = self.next(class);
        let mut all = patterns.iter().map(|pattern| pattern.replace("{}", &n.to_string()));
        let first = all.clone().next().unwrap_or_default();
        let name = all.find(|name| self.is_free(name)).unwrap_or(first);
        self.give(key, name)
    }

    /// A code or an id of the same form.
    pub(super) fn id(&mut self, original: &str) -> String {
        let key = original.trim().to_lowercase();
        if let Some(known) = self.known.get(&key) {
            return text::in_case_of(original, known);
        }
        // Ids that it is made of become what they are elsewhere.
        let mut parts: Vec<(usize, String)> = Vec::new();
        for (at, word) in text::runs(original) {
            if let Some(known) = self
                .known
                .get(&word.to_lowercase())
                .filter(|known| known.len() == word.len() && word.len() >= SEEN_MIN && word.len() < original.len())
            {
                parts.push((at, text::in_case_of(word, known)));
            }
        }
        let from = self.next(Class::Id);
        let mut tried = (0..TRIES).map(|n| text::filled(original, from + n % 50, 1 + n / 50, &parts));
        let name = tried
            .find(|name| self.is_free_but(name, &parts))
            .unwrap_or_else(|| text::filled(original, from, 1, &parts));
        self.give(key, name)
    }

    /// The same where a part has been replaced already.
    fn is_free_but(&self, candidate: &str, parts: &[(usize, String)]) -> bool {
        match parts.is_empty() {
            true => self.is_free(candidate),
            false => {
                !self.given.contains(&candidate.to_lowercase()) && !self.originals.contains(&candidate.to_lowercase())
            }
        }
    }

    /// Other digits in the same form; the same digits in another form become the same.
    fn phone(&mut self, original: &str) -> String {
        let digits = text::digits(original);
        let key = digits.clone();
        let new = match self.known.get(&key) {
            Some(known) => known.clone(),
            None if digits.len() < SEEN_MIN => text::filled(&digits, 1, 1, &[]),
            None => {
                let (head, last) = digits.split_at(digits.len() - SEEN_MIN);
                let mut tail = self.known.get(last).cloned();
                let mut new = String::new();
                for n in 0..TRIES {
                    let count = self.next(Class::Phone);
                    let end = tail.clone().unwrap_or_else(|| format!("{:04}", 1000 + count % 9000));
                    let begin: String = "1555010"
                        .chars()
                        .cycle()
                        .skip(n / 50)
                        .take(head.len())
                        .map(|c| if c == '0' && n >= 50 { '7' } else { c })
                        .collect();
                    new = format!("{begin}{end}");
                    if self.is_free(&new) {
                        break;
                    }
                    tail = tail.filter(|_| n < TRIES / 2);
                }
                let end = new[new.len() - SEEN_MIN..].to_owned();
                if !head.is_empty() {
                    self.known.entry(last.to_owned()).or_insert(end);
                }
                self.give(key, new)
            }
        };
        text::with_digits(original, &new)
    }

    /// The last digits of a telephone number, as they are there.
    fn last4(&mut self, original: &str) -> String {
        // As a number it has lost a nought in front.
        let padded = format!("{original:0>4}");
        match self.known.get(&padded) {
            Some(known) => known.clone(),
            None => self.id(original),
        }
    }

    fn person(&mut self, word: &str) -> String {
        if word.chars().count() < 2 {
            return "X".to_owned();
        }
        let key = word.to_lowercase();
        if let Some(known) = self.known.get(&key) {
            return text::in_case_of(word, known);
        }
        let n = self.next(Class::Person) - 1;
        let free = PEOPLE
            .iter()
            .map(|name| (*name).to_owned())
            .find(|name| self.is_free(name));
        let name = free.unwrap_or_else(|| format!("Name{n}"));
        let name = self.give(key, name);
        text::in_case_of(word, &name)
    }

    /// Known names become what they are elsewhere, and every other word another one of about its length.
    fn text(&mut self, original: &str) -> String {
        let mut out = String::new();
        let mut rest = original;
        while let Some(c) = rest.chars().next() {
            if !c.is_alphanumeric() && c != '+' {
                out.push(c);
                rest = &rest[c.len_utf8()..];
                continue;
            }
            if let Some((length, name)) = self.known_at(rest) {
                out.push_str(&text::in_case_of(&rest[..length], &name));
                rest = &rest[length..];
                continue;
            }
            let end = rest
                .find(|c: char| !text::is_of_word(c))
                .unwrap_or(rest.len())
                .max(c.len_utf8());
            let (word, after) = rest.split_at(end);
            out.push_str(&self.word(word));
            rest = after;
        }
        out
    }

    /// A known original at the beginning of a text, whole: its length, and what it becomes.
    fn known_at(&self, text: &str) -> Option<(usize, String)> {
        self.inside.iter().find_map(|one| {
            let length = text::begins_with(text, one)?;
            let ends = text[length..].chars().next().is_none_or(|c| !c.is_alphanumeric());
            ends.then(|| self.known.get(one).map(|name| (length, name.clone())))?
        })
    }

    fn word(&mut self, word: &str) -> String {
        let key = word.to_lowercase();
        if let Some(known) = self.known.get(&key) {
            return text::in_case_of(word, known);
        }
        if word.chars().all(|c| c.is_ascii_digit()) {
            return if word.len() < 3 { word.to_owned() } else { self.id(word) };
        }
        let pool = text::fillers(word.chars().count());
        let from = *self.fillers.entry(pool.as_ptr() as usize).or_default();
        let found = (0..pool.len())
            .map(|n| (n, pool[(from + n) % pool.len()]))
            .find(|(_, one)| !self.originals.iter().any(|original| original == one));
        let (passed, name) = found.map_or((0, "xxxx"), |(n, one)| (n, one));
        self.fillers.insert(pool.as_ptr() as usize, from + passed + 1);
        self.known.insert(key, name.to_owned());
        text::in_case_of(word, name)
    }
}
