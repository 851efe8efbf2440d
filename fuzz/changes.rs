//! Inputs made from inputs: bytes flipped, parts taken out, doubled, put elsewhere, and what hurts readers put in.

use proptest::prelude::*;

/// No input gets longer than the largest body, and a little.
const LONGEST: usize = (1 << 20) + 100;

/// What hurts readers of any kind.
const HURTS: &[&str] = &[
    "\0",
    "\u{feff}",
    "\u{fffd}",
    "\u{2028}",
    "\u{202e}",
    "é",
    "家",
    "🏠",
    "e\u{301}",
    "ß",
    "İ",
    "\r\n",
    "\n",
    "\r",
    "\t",
    " ",
    "\"",
    "'",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\udc00\\ud83d",
    "\\u",
    "[",
    "]",
    "{",
    "}",
    "[[[[[[[[",
    "]]]]]]]]",
    "{\"a\":",
    ",",
    ":",
    ";",
    "=",
    "&",
    "%",
    "%%",
    "%00",
    "%zz",
    "%25",
    "+",
    "-",
    "--",
    ".",
    "..",
    "/",
    "../",
    "#",
    "@",
    "!",
    "*",
    "&a ",
    "*a",
    "<<: *a",
    "? ",
    "| ",
    "> ",
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "{{ 7*7 }}",
    "${X}",
    "${",
    "$",
    "~",
    "null",
    "true",
    "false",
    "NaN",
    "Infinity",
    "0",
    "-0",
    "00",
    "0.1",
    "1e999999",
    "-1e-999999",
    "1E400",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "79228162514264337593543950336",
    "0.00000000000000000000000000001",
    "2027-02-29",
    "0000-00-00",
    "9999-12-31",
    "10000-01-01",
    "-0001-01-01",
    "2027-03-28T02:30:00",
    "2027-05-01T00:00:00+23:59",
    "24:00:00",
    "1801126800",
    "1801126800000",
    "99999999999999",
    "<script>",
    "$serde_json::private::Number",
    "__proto__",
    "\u{1b}[31m",
];

/// One change; places are parts of the input's length, in 1/65536.
#[derive(Clone, Debug)]
pub enum Change {
    /// One byte is another.
    Flip(u16, u8),
    /// So many bytes are gone.
    Out(u16, usize),
    /// Everything from here on is gone.
    Cut(u16),
    /// So many bytes stand there so many times more.
    Again(u16, usize, usize),
    /// Something from the list is put in, so many times.
    Token(u16, usize, usize),
    /// Something else is put in.
    Put(u16, Vec<u8>),
    /// A part of another input is put in: which, from where, how much.
    Splice(u16, usize, u16, usize),
    /// The number there is another one from the list.
    Number(u16, usize),
    /// A part is moved from the first place to the second.
    Moved(u16, usize, u16),
}

impl Change {
    /// Bytes put in at a part of the length.
    pub fn put(at: u16, bytes: &[u8]) -> Change {
        Change::Put(at, bytes.to_vec())
    }
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<u16>;
    let few = || prop_oneof![6 => 1_usize..4, 3 => 1_usize..40, 1 => 1_usize..2_000];
    let times = || prop_oneof![12 => Just(1_usize), 2 => 1_usize..5, 2 => 1_usize..300, 1 => 1_usize..100_000];
    prop_oneof![
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Flip(at, byte)),
        2 => (at(), few()).prop_map(|(at, out)| Change::Out(at, out)),
        1 => at().prop_map(Change::Cut),
        2 => (at(), few(), times()).prop_map(|(at, part, times)| Change::Again(at, part, times)),
        6 => (at(), any::<usize>(), times()).prop_map(|(at, which, times)| Change::Token(at, which, times)),
        2 => (at(), any::<usize>(), at(), few()).prop_map(|(at, which, from, part)| Change::Splice(at, which, from, part)),
        1 => (at(), any::<usize>()).prop_map(|(at, which)| Change::Number(at, which)),
        1 => (at(), few(), at()).prop_map(|(at, part, to)| Change::Moved(at, part, to)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Change::Put(at, bytes)),
    ]
}

/// A strategy that gives nothing, for targets whose inputs all have a seed.
pub fn nothing() -> BoxedStrategy<Vec<u8>> {
    Just(Vec::new()).boxed()
}

/// Seeds with some changes, and what `made` gives with fewer.
pub fn inputs(
    seeds: Vec<Vec<u8>>,
    tokens: &'static [&'static str],
    made: BoxedStrategy<Vec<u8>>,
) -> BoxedStrategy<Vec<u8>> {
    let seeds = std::sync::Arc::new(seeds);
    let (of, others) = (seeds.clone(), seeds);
    let few = || prop::collection::vec(change(), 0..3);
    prop_oneof![
        3 => (any::<prop::sample::Index>(), prop::collection::vec(change(), 1..7))
            .prop_map(move |(at, all)| changed(&of[at.index(of.len())], &all, tokens, &of)),
        1 => (made.clone(), few()).prop_map(move |(made, all)| changed(&made, &all, tokens, &others)),
        1 => made,
    ]
    .boxed()
}

/// The input with all changes, one after the other.
pub fn changed(input: &[u8], changes: &[Change], tokens: &[&str], others: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for change in changes {
        one(&mut bytes, change, tokens, others);
        bytes.truncate(LONGEST);
    }
    bytes
}

fn place(bytes: &[u8], at: u16) -> usize {
    bytes.len() * usize::from(at) / 65_536
}

fn repeated(part: &[u8], times: usize) -> Vec<u8> {
    part.repeat(times.min(LONGEST / part.len().max(1)))
}

fn one(bytes: &mut Vec<u8>, change: &Change, tokens: &[&str], others: &[Vec<u8>]) {
    let token = |which: usize| {
        // The target's own as often as all others together.
        let own = which.is_multiple_of(2) && !tokens.is_empty();
        let list = if own { tokens } else { HURTS };
        list[which / 2 % list.len()].as_bytes()
    };
    let part = |bytes: &[u8], at: usize, size: usize| at..(at + size).min(bytes.len());
    match change {
        Change::Flip(at, byte) => {
            let at = place(bytes, *at);
            if let Some(old) = bytes.get_mut(at) {
                *old = *byte;
            }
        }
        Change::Out(at, size) => _ = bytes.drain(part(bytes, place(bytes, *at), *size)),
        Change::Cut(at) => bytes.truncate(place(bytes, *at)),
        Change::Again(at, size, times) => {
            let range = part(bytes, place(bytes, *at), *size);
            let more = repeated(&bytes[range.clone()], *times);
            bytes.splice(range.end..range.end, more);
        }
        Change::Token(at, which, times) => {
            let at = place(bytes, *at);
            bytes.splice(at..at, repeated(token(*which), *times));
        }
        Change::Put(at, more) => {
            let at = place(bytes, *at);
            bytes.splice(at..at, more.iter().copied());
        }
        Change::Splice(at, which, from, size) => {
            let Some(other) = others.get(which % others.len().max(1)) else {
                return;
            };
            let (at, from) = (place(bytes, *at), place(other, *from));
            bytes.splice(at..at, other[part(other, from, *size)].iter().copied());
        }
        Change::Number(at, which) => {
            let from = place(bytes, *at);
            let digit = |byte: &u8| byte.is_ascii_digit();
            let Some(start) = bytes[from..].iter().position(digit).map(|found| from + found) else {
                return;
            };
            let size = bytes[start..].iter().take_while(|byte| digit(byte)).count();
            bytes.splice(start..start + size, token(*which).iter().copied());
        }
        Change::Moved(at, size, to) => {
            let moved: Vec<u8> = bytes.drain(part(bytes, place(bytes, *at), *size)).collect();
            let to = place(bytes, *to);
            bytes.splice(to..to, moved);
        }
    }
}
