//! What a business wants of the clock, as data: the same rule is written out as a recipe for the daemon and read by the
//! calendar of the model. A book is the set of rules that is in force; people change it at any moment.

use crate::chance::Chance;

/// What moments are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    CheckIn,
    CheckOut,
    Created,
}

impl From {
    pub fn word(self) -> &'static str {
        match self {
            From::CheckIn => "check_in",
            From::CheckOut => "check_out",
            From::Created => "created",
        }
    }
}

/// How far from there; negative before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Days(i64),
    Hours(i64),
}

impl Span {
    pub fn is_before(self) -> bool {
        matches!(self, Span::Days(n) | Span::Hours(n) if n < 0)
    }

    /// `2d`.
    fn text(self) -> String {
        match self {
            Span::Days(n) => format!("{}d", n.abs()),
            Span::Hours(n) => format!("{}h", n.abs()),
        }
    }

    /// `-2d`, `+0`.
    fn signed(self) -> String {
        match self {
            Span::Days(0) | Span::Hours(0) => "+0".to_owned(),
            span if span.is_before() => format!("-{}", span.text()),
            span => format!("+{}", span.text()),
        }
    }
}

/// One entry of `on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A moment of the stay, at a time of day where one is said.
    Stay(From, Span, Option<(u32, u32)>),
    /// Every so many days at a time of day, until so many days before the departure.
    Every(i64, (u32, u32), i64),
    /// `pending` for so many hours.
    Pending(i64),
}

impl Entry {
    /// What the entry is called.
    pub fn label(&self) -> String {
        match self {
            Entry::Stay(from, span, None) => format!("{}{}", from.word(), span.signed()),
            Entry::Stay(from, span, Some((h, m))) => format!("{}{}@{h:02}:{m:02}", from.word(), span.signed()),
            Entry::Every(days, (h, m), _) => format!("check_in+0@{h:02}:{m:02}*{days}d"),
            Entry::Pending(hours) => format!("status:pending+{hours}h"),
        }
    }

    /// What entries have in common of which one may stand in the place of another.
    pub fn kind(&self) -> &'static str {
        match self {
            Entry::Stay(from, ..) => from.word(),
            Entry::Every(..) => "every",
            Entry::Pending(_) => "status",
        }
    }

    fn yaml(&self) -> String {
        match self {
            Entry::Stay(from, span, at) => {
                let far = match span {
                    Span::Days(0) | Span::Hours(0) => String::new(),
                    span if span.is_before() => format!(", before: {}", span.text()),
                    span => format!(", after: {}", span.text()),
                };
                let at = at.map_or_else(String::new, |(h, m)| format!(", at: '{h:02}:{m:02}'"));
                format!("{{stay: {}{far}{at}}}", from.word())
            }
            Entry::Every(days, (h, m), until) => format!(
                "{{stay: check_in, every: {days}d, at: '{h:02}:{m:02}', until: {{stay: check_out, before: {until}d}}}}"
            ),
            Entry::Pending(hours) => format!("{{status: pending, for: {hours}h}}"),
        }
    }
}

/// `late`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    Usual,
    Skip,
    Hours(i64),
}

/// A rule of the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub name: &'static str,
    pub entries: Vec<Entry>,
    /// Every day at this time, in this zone.
    pub daily: Option<((u32, u32), chrono_tz::Tz)>,
    pub late: Late,
    pub again: bool,
    /// Reads the property.
    pub place: bool,
    /// Only where somebody arrives on the day of departure.
    pub turn: bool,
    pub enabled: bool,
    /// Makes another text and nothing else.
    pub text: u32,
}

impl Rule {
    fn new(name: &'static str, entries: Vec<Entry>) -> Rule {
        Rule {
            name,
            entries,
            daily: None,
            late: Late::Usual,
            again: false,
            place: false,
            turn: false,
            enabled: true,
            text: 0,
        }
    }

    /// The recipe's file.
    pub fn yaml(&self) -> String {
        let entries: Vec<String> = self.entries.iter().map(Entry::yaml).collect();
        let mut text = format!("name: {}\non: [{}]\n", self.name, entries.join(", "));
        let mut body = "asked: '{{ now }}', until: '{{ reservation.check_out_date }}'".to_owned();
        if let Some(((h, m), zone)) = self.daily {
            text = format!(
                "name: {}\non: {{schedule: {{daily: true, at: '{h:02}:{m:02}', timezone: {zone}}}}}\n\
                 gather: {{arrivals: {{stay: check_in, within: 2d}}}}\n",
                self.name
            );
            body = "asked: '{{ now }}', codes: '{{ gathered.arrivals | map(attribute=\"code\") }}'".to_owned();
        }
        if self.place {
            body.push_str(", place: '{{ property.name }}'");
        }
        match self.late {
            Late::Usual => {}
            Late::Skip => text.push_str("late: skip\n"),
            Late::Hours(hours) => text.push_str(&format!("late: run within {hours}h\n")),
        }
        if self.again {
            text.push_str("again: true\n");
        }
        if self.turn {
            text.push_str("when: stay.same_day_turn\n");
        }
        if !self.enabled {
            text.push_str("enabled: false\n");
        }
        text.push_str(&format!(
            "actions: [{{http: {{connection: books, url: '/clock/{}/{}', json: {{{body}}}}}}}]\n",
            self.name, self.text
        ));
        text
    }
}

/// Everything that a business may want, each in its first form.
fn all() -> Vec<Rule> {
    use Entry::{Every, Pending, Stay};
    let lisbon = chrono_tz::Europe::Lisbon;
    vec![
        Rule::new("Door", vec![Stay(From::CheckIn, Span::Days(-2), Some((10, 0)))]),
        Rule {
            late: Late::Hours(2),
            place: true,
            ..Rule::new("Welcome", vec![Stay(From::CheckIn, Span::Hours(-3), None)])
        },
        // For a stay of two nights both are the same instant.
        Rule::new(
            "Out",
            vec![
                Stay(From::CheckOut, Span::Days(0), None),
                Stay(From::CheckIn, Span::Days(2), Some((11, 0))),
            ],
        ),
        Rule::new("Mid", vec![Every(2, (2, 30), 1)]),
        Rule::new("Unpaid", vec![Pending(24)]),
        Rule {
            late: Late::Skip,
            ..Rule::new("Thanks", vec![Stay(From::Created, Span::Days(1), None)])
        },
        Rule {
            again: true,
            ..Rule::new("Again", vec![Stay(From::CheckOut, Span::Days(1), Some((1, 30)))])
        },
        Rule {
            turn: true,
            ..Rule::new("Turn", vec![Stay(From::CheckOut, Span::Days(0), None)])
        },
        Rule {
            daily: Some(((1, 30), lisbon)),
            late: Late::Hours(3),
            ..Rule::new("Lists", Vec::new())
        },
    ]
}

/// Some of them.
pub fn some(chance: &mut Chance) -> Vec<Rule> {
    let mut rules = all();
    rules.retain(|_| chance.percent(60));
    rules
}

/// All of them.
pub fn whole() -> Vec<Rule> {
    all()
}

/// Other forms of the same rule, offsets that people try.
fn edited(rule: &mut Rule, chance: &mut Chance) {
    let days = *chance.one_of(&[-3, -2, -1]);
    let hours = *chance.one_of(&[-30, -3, -1, 2]);
    let pending = *chance.one_of(&[12, 24, 36]);
    match rule.name {
        "Door" | "Lock" => rule.entries = vec![Entry::Stay(From::CheckIn, Span::Days(days), Some((10, 0)))],
        "Welcome" => rule.entries = vec![Entry::Stay(From::CheckIn, Span::Hours(hours), None)],
        "Unpaid" => rule.entries = vec![Entry::Pending(pending)],
        "Lists" => {
            let zone = *chance.one_of(&[chrono_tz::Europe::Lisbon, chrono_tz::America::Los_Angeles]);
            let at = *chance.one_of(&[(1, 30), (2, 30), (9, 0)]);
            rule.daily = Some((at, zone));
        }
        "Thanks" => rule.late = *chance.one_of(&[Late::Skip, Late::Usual, Late::Hours(30)]),
        _ => rule.text += 1,
    }
}

/// Somebody changes the recipes; what they did, in words.
pub fn edit(rules: &mut Vec<Rule>, chance: &mut Chance) -> String {
    let missing: Vec<Rule> = all()
        .into_iter()
        .filter(|rule| !rules.iter().any(|one| one.name == rule.name))
        .filter(|rule| rule.name != "Door" || !rules.iter().any(|one| one.name == "Lock"))
        .collect();
    if rules.is_empty() || (!missing.is_empty() && chance.percent(30)) {
        let rule = chance.one_of(&missing).clone();
        let said = format!("`{}` is new or back", rule.name);
        rules.push(rule);
        return said;
    }
    let at = chance.place(rules.len());
    let what = chance.weighted(&[(4, "offset"), (2, "text"), (2, "remove"), (2, "enable"), (1, "rename")]);
    let name = rules[at].name;
    match what {
        "offset" => edited(&mut rules[at], chance),
        "remove" => _ = rules.remove(at),
        "enable" => rules[at].enabled = !rules[at].enabled,
        "rename" if name == "Door" => rules[at].name = "Lock",
        "rename" if name == "Lock" => rules[at].name = "Door",
        _ => rules[at].text += 1,
    }
    format!("{what} of `{name}`")
}
