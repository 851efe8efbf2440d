//! The visible list of filters, functions and tests: what is documented is what there is.

use super::fault::{Fault, Outcome};
use super::filters::{checks, lists, numbers, texts};
use super::meter::Meter;
use super::times;
use super::tree::Application;
use super::value::Value;
use crate::lang::diag::did_you_mean;

/// How something of the list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterKind {
    /// `value | name`
    Filter,
    /// `name(…)`
    Function,
    /// `value is name`
    Test,
}

/// One filter, function or test, as the reference shows it.
#[derive(Debug)]
pub struct FilterDoc {
    /// Its name in templates.
    pub name: &'static str,
    /// How it is written.
    pub kind: FilterKind,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// A template that uses it.
    pub example: &'static str,
    /// What the example gives.
    pub gives: &'static str,
    /// Whether it sees values that were not sent; all others give them on as they are.
    pub(super) takes_missing: bool,
    arguments: (usize, usize),
    named: &'static [&'static str],
    body: Body,
}

type Body = fn(&mut Call<'_>) -> Outcome<Value>;

/// One use of a filter, function or test.
pub(super) struct Call<'c> {
    pub(super) doc: &'static FilterDoc,
    pub(super) input: Value,
    pub(super) args: Vec<Value>,
    pub(super) named: Vec<(&'c str, Value)>,
    pub(super) meter: &'c mut Meter,
}

impl FilterDoc {
    pub(super) fn run(&self, call: &mut Call<'_>) -> Outcome<Value> {
        (self.body)(call)
    }

    /// Refuses what this does not understand, before anything runs.
    pub(super) fn check_arguments(&self, call: &Application) -> Outcome<()> {
        if let Some((name, _)) = call.named.iter().find(|(name, _)| !self.named.contains(&name.as_ref())) {
            let fault = Fault::new(format!("`{}` has no argument `{name}`", self.name));
            return Err(match self.named {
                [] => fault.help(format!("for example `{}`", self.example)),
                known => fault.help(format!("it has {}", known.join(", "))),
            });
        }
        // What may be given by name may take the place of one by position.
        let (least, most) = self.arguments;
        if call.args.len() > most || call.args.len() + call.named.len() < least {
            let count = if least == most {
                least.to_string()
            } else {
                format!("{least} to {most}")
            };
            return Err(Fault::new(format!("`{}` takes {count} values in brackets", self.name))
                .help(format!("for example `{}`", self.example)));
        }
        Ok(())
    }
}

/// Looks a name up; the mistake names what was probably meant.
pub(super) fn find(kind: FilterKind, name: &str) -> Outcome<&'static FilterDoc> {
    let of_kind = || FILTERS.iter().filter(|doc| doc.kind == kind);
    if let Some(doc) = of_kind().find(|doc| doc.name == name) {
        return Ok(doc);
    }
    let what = match kind {
        FilterKind::Filter => "filter",
        FilterKind::Function => "function",
        FilterKind::Test => "test after `is`",
    };
    let fault = Fault::new(format!("`{name}` is not a {what} Stayhook knows"));
    Err(match did_you_mean(name, of_kind().map(|doc| doc.name)) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault,
    })
}

macro_rules! sees_missing {
    (gives_on) => {
        false
    };
    (sees) => {
        true
    };
}

// A row: kind, whether it sees values that were not sent, name, how many values in brackets, names of
// arguments, what runs; then what it does and an example with what it gives.
macro_rules! catalog {
    ($($kind:ident $missing:ident $name:literal ($least:literal..=$most:literal) [$($named:literal),*] $body:path;
       $summary:literal $example:literal => $gives:literal)*) => {
        /// All filters, functions and tests of templates.
        pub const FILTERS: &[FilterDoc] = &[$(FilterDoc {
            name: $name,
            kind: FilterKind::$kind,
            summary: $summary,
            example: $example,
            gives: $gives,
            takes_missing: sees_missing!($missing),
            arguments: ($least, $most),
            named: &[$($named),*],
            body: $body,
        }),*];
    };
}

catalog! {
    Filter sees "default" (1..=2) [] checks::default;
    "Another value where none was sent. With `true` as well: where it is empty, zero or false."
    "{{ reservation.pets | default(0) }}" => "0"
    Filter sees "required" (0..=0) [] checks::required;
    "Stops the step with an error where no value was sent."
    "{{ reservation.code | required }}" => "HMABC1"
    Filter sees "json" (0..=0) [] texts::json;
    "The value as JSON."
    "{{ reservation.guest | json }}" => r#"{"email":null,"name":"Zoë Müller","phone":"+1 415 555 0123"}"#
    Filter sees "tojson" (0..=0) [] texts::json;
    "The same as `json`."
    "{{ 'a' | tojson }}" => r#""a""#

    Filter gives_on "upper" (0..=0) [] texts::upper;
    "Capital letters." "{{ 'anna' | upper }}" => "ANNA"
    Filter gives_on "lower" (0..=0) [] texts::lower;
    "Small letters." "{{ 'ANNA' | lower }}" => "anna"
    Filter gives_on "capitalize" (0..=0) [] texts::capitalize;
    "The first letter large, the others small." "{{ 'checked IN' | capitalize }}" => "Checked in"
    Filter gives_on "title" (0..=0) [] texts::title;
    "The first letter of each word large." "{{ 'new york' | title }}" => "New York"
    Filter gives_on "trim" (0..=0) [] texts::trim;
    "Without spaces at both ends." "{{ '  Anna ' | trim }}" => "Anna"
    Filter gives_on "replace" (2..=2) [] texts::replace;
    "One text replaced by another wherever it stands." "{{ 'a-b-c' | replace('-', ' ') }}" => "a b c"
    Filter gives_on "split" (0..=1) [] texts::split;
    "A list of the parts between a separator, or between spaces." "{{ 'Anna Maria Berg' | split | last }}" => "Berg"
    Filter gives_on "truncate" (1..=1) [] texts::truncate;
    "At most so many characters, the last one … where something is cut off." "{{ 'Brannan Street' | truncate(8) }}" => "Brannan…"
    Filter gives_on "slug" (0..=0) [] texts::slug;
    "Small letters, digits and hyphens only." "{{ reservation.guest.name | slug }}" => "zoe-muller"
    Filter gives_on "urlencode" (0..=0) [] texts::urlencode;
    "Encoded for an address. Values in `url` are encoded without it." "{{ 'a b&c' | urlencode }}" => "a%20b%26c"
    Filter gives_on "last4" (0..=0) [] texts::last4;
    "The last four digits of a number, without its extension, as for a door code; nothing where there are fewer." "{{ reservation.guest.phone | last4 }}" => "0123"
    Filter gives_on "contains" (1..=1) [] checks::contains;
    "Whether a text has this part, or a list this entry." "{{ 'late arrival' | contains('late') }}" => "true"
    Filter gives_on "string" (0..=0) [] texts::string;
    "The value as text." "{{ 3 | string }}" => "3"

    Filter gives_on "number" (0..=0) [] numbers::number;
    "The number that a text is." "{{ ' 100.50 ' | number + 1 }}" => "101.50"
    Filter gives_on "int" (0..=0) [] numbers::int;
    "The whole number, without the digits after the point." "{{ '100.50' | int }}" => "100"
    Filter gives_on "round" (0..=1) [] numbers::round;
    "Rounded to so many digits after the point; halves go up." "{{ 2.345 | round(2) }}" => "2.35"
    Filter gives_on "abs" (0..=0) [] numbers::abs;
    "Without a minus sign." "{{ -3 | abs }}" => "3"
    Filter gives_on "money" (1..=1) [] numbers::money;
    "An amount with the digits of its currency." "{{ reservation.money.total | money('EUR') }}" => "1003.20 EUR"

    Filter gives_on "date" (0..=1) [] times::date;
    "The date of a moment: %d day, %m month, %b its name, %Y year, %A weekday." "{{ reservation.check_in | date('%d %b %Y') }}" => "27 Mar 2027"
    Filter gives_on "time" (0..=1) [] times::time;
    "The time of a moment." "{{ reservation.check_in | time }}" => "16:00"
    Filter gives_on "utc" (0..=0) [] times::utc;
    "The same moment in UTC, as targets want it that ask for a `Z`." "{{ reservation.check_in | utc | date('%Y-%m-%dT%H:%M:%SZ') }}" => "2027-03-27T16:00:00Z"
    Filter gives_on "plus" (0..=0) ["weeks", "days", "hours", "minutes"] times::plus;
    "Later by weeks, days, hours or minutes." "{{ reservation.check_in | plus(days=1, hours=2) }}" => "2027-03-28T18:00:00+00:00"
    Filter gives_on "minus" (0..=0) ["weeks", "days", "hours", "minutes"] times::minus;
    "Earlier by weeks, days, hours or minutes." "{{ '2027-03-01' | minus(days=1) }}" => "2027-02-28"
    Filter gives_on "days_until" (1..=1) [] times::days_until;
    "Calendar days to another date." "{{ reservation.check_in | days_until(reservation.check_out) }}" => "3"

    Filter gives_on "length" (0..=0) [] lists::length;
    "How many entries or characters." "{{ payload.payments | length }}" => "2"
    Filter gives_on "first" (0..=0) [] lists::first;
    "The first entry." "{{ ['a', 'b'] | first }}" => "a"
    Filter gives_on "last" (0..=0) [] lists::last;
    "The last entry." "{{ ['a', 'b'] | last }}" => "b"
    Filter gives_on "join" (0..=1) ["attribute"] lists::join;
    "The entries as one text." "{{ payload.payments | join(', ', attribute='id') }}" => "p1, p2"
    Filter gives_on "map" (0..=0) ["attribute"] lists::map;
    "One value of each entry." "{{ payload.payments | map(attribute='amount') | sum }}" => "150.50"
    Filter gives_on "select" (0..=2) [] lists::select;
    "The entries for which a test holds." "{{ [1, 2, 3] | select('odd') }}" => "[1,3]"
    Filter gives_on "reject" (0..=2) [] lists::reject;
    "The entries for which a test does not hold." "{{ [1, 2, 3] | reject('odd') }}" => "[2]"
    Filter gives_on "selectattr" (1..=3) [] lists::select_attribute;
    "The entries of which one value passes a test." "{{ payload.payments | selectattr('amount', 'gt', 100) | map(attribute='id') | first }}" => "p2"
    Filter gives_on "rejectattr" (1..=3) [] lists::reject_attribute;
    "The entries of which one value does not pass a test." "{{ payload.payments | rejectattr('amount', 'gt', 100) | length }}" => "1"
    Filter gives_on "sort" (0..=0) ["attribute", "reverse"] lists::sort;
    "The entries in order." "{{ [3, 1, 2] | sort(reverse=true) }}" => "[3,2,1]"
    Filter gives_on "reverse" (0..=0) [] lists::reverse;
    "The last entry first." "{{ ['a', 'b'] | reverse | join }}" => "ba"
    Filter gives_on "unique" (0..=0) [] lists::unique;
    "Each entry once." "{{ ['a', 'b', 'a'] | unique | join }}" => "ab"
    Filter gives_on "sum" (0..=0) ["attribute"] lists::sum;
    "The sum of the entries." "{{ payload.payments | sum(attribute='amount') | money('EUR') }}" => "150.50 EUR"
    Filter gives_on "min" (0..=0) ["attribute"] lists::least;
    "The smallest entry." "{{ [3, 1, 2] | min }}" => "1"
    Filter gives_on "max" (0..=0) ["attribute"] lists::greatest;
    "The largest entry." "{{ [3, 1, 2] | max }}" => "3"
    Filter gives_on "items" (0..=0) [] lists::items;
    "Pairs of name and value." "{% for name, value in {'a': 1} | items %}{{ name }}={{ value }}{% endfor %}" => "a=1"

    Function sees "range" (1..=2) [] lists::range;
    "Whole numbers up to, not including, the last; at most 1000." "{{ range(1, 4) | join(' ') }}" => "1 2 3"

    Test sees "known" (0..=0) [] checks::known;
    "A value was sent." "{{ 'ask' if reservation.guest.email is not known }}" => "ask"
    Test sees "defined" (0..=0) [] checks::known;
    "The same as `known`." "{{ reservation.code is defined }}" => "true"
    Test sees "undefined" (0..=0) [] checks::unknown;
    "The same as `not known`." "{{ reservation.code is undefined }}" => "false"
    Test sees "none" (0..=0) [] checks::unknown;
    "The same as `not known`." "{{ reservation.pets is none }}" => "true"
    Test sees "number" (0..=0) [] checks::number;
    "A number." "{{ reservation.guests is number }}" => "true"
    Test sees "string" (0..=0) [] checks::string;
    "A text." "{{ reservation.code is string }}" => "true"
    Test sees "boolean" (0..=0) [] checks::boolean;
    "True or false." "{{ false is boolean }}" => "true"
    Test sees "sequence" (0..=0) [] checks::sequence;
    "A list." "{{ payload.payments is sequence }}" => "true"
    Test sees "mapping" (0..=0) [] checks::mapping;
    "A group of named values." "{{ reservation.guest is mapping }}" => "true"
    Test sees "true" (0..=0) [] checks::is_true;
    "Exactly true." "{{ (1 == 1) is true }}" => "true"
    Test sees "false" (0..=0) [] checks::is_false;
    "Exactly false." "{{ (1 == 2) is false }}" => "true"
    Test sees "odd" (0..=0) [] checks::odd;
    "A whole number that 2 does not divide." "{{ 3 is odd }}" => "true"
    Test sees "even" (0..=0) [] checks::even;
    "A whole number that 2 divides." "{{ 3 is even }}" => "false"
    Test sees "divisibleby" (1..=1) [] checks::divisible;
    "A whole number that another divides." "{{ 9 is divisibleby(3) }}" => "true"
    Test sees "startingwith" (1..=1) [] checks::starting;
    "A text that starts with another." "{{ reservation.code is startingwith('HM') }}" => "true"
    Test sees "endingwith" (1..=1) [] checks::ending;
    "A text that ends with another." "{{ reservation.code is endingwith('X') }}" => "false"
    Test sees "in" (1..=1) [] checks::within;
    "An entry of a list or a part of a text." "{{ 'a' is in(['a', 'b']) }}" => "true"
    Test sees "eq" (1..=1) [] checks::eq;
    "Equal, as `==`." "{{ 1 is eq(1.0) }}" => "true"
    Test sees "ne" (1..=1) [] checks::ne;
    "Not equal, as `!=`." "{{ 1 is ne(1) }}" => "false"
    Test sees "lt" (1..=1) [] checks::lt;
    "Less than, as `<`." "{{ 1 is lt(2) }}" => "true"
    Test sees "le" (1..=1) [] checks::le;
    "At most, as `<=`." "{{ 2 is le(2) }}" => "true"
    Test sees "gt" (1..=1) [] checks::gt;
    "More than, as `>`." "{{ 1 is gt(2) }}" => "false"
    Test sees "ge" (1..=1) [] checks::ge;
    "At least, as `>=`." "{{ 1 is ge(2) }}" => "false"
}
