//! How one sort of body is read: the compiled form of a mapping.

mod shapes;

use super::check;
use super::path::{Compiling, Input, Lookup};
use super::predicate::Predicate;
use super::value::{EVENT_VALUE, Expr, scalar_text, shape_of};
use crate::lang::diag::did_you_mean;
use crate::lang::fields::Fields;
use crate::lang::shape::Shape;
use crate::lang::yaml::{Kind, Node};
use crate::model::event;
use crate::model::fact::Stamp;
use crate::model::field::{AUTHORS, FIELDS, Field, FieldKind, MESSAGE, PAYMENT, PAYMENT_KINDS};
use shapes::{NOT_MAPPED, RESERVATION, VERSION};

pub(super) use shapes::MAPPING;

/// One way to read a body.
#[derive(Clone, Debug)]
pub(super) struct Mapping {
    /// Where several things of one delivery stand.
    pub(super) items: Vec<Lookup>,
    /// Which bodies (or items) it is for; none means all.
    pub(super) applies_to: Option<Predicate>,
    /// When absent fields keep their value.
    pub(super) partial: Partial,
    /// The sender's order.
    pub(super) version: Version,
    /// The event type that the sender names.
    pub(super) hint: Option<Expr>,
    /// The confirmation code.
    pub(super) code: Option<Expr>,
    /// The sender's own names of the stay.
    pub(super) ids: Option<Expr>,
    /// Names that other stays may have too.
    pub(super) references: Option<Expr>,
    /// Whether the sender has no own name but the code.
    pub(super) code_is_own: bool,
    /// Within what the names are unique.
    pub(super) scope: Option<Expr>,
    /// The fields of the reservation; empty where it speaks of a payment or message only.
    pub(super) fields: Vec<(&'static Field, Expr)>,
    /// The fields of a payment.
    pub(super) payment: Vec<(&'static str, FieldKind, Expr)>,
    /// The fields of a message.
    pub(super) message: Vec<(&'static str, FieldKind, Expr)>,
}

/// When a body says only part of a stay.
#[derive(Clone, Debug)]
pub(super) enum Partial {
    /// Never: what is absent is cleared.
    Never,
    /// Always.
    Always,
    /// Where any of these holds.
    Where(Vec<Predicate>),
}

impl Partial {
    /// Whether this body is one.
    pub(super) fn holds(&self, input: &Input<'_>) -> bool {
        match self {
            Partial::Never => false,
            Partial::Always => true,
            Partial::Where(any) => any.iter().any(|predicate| predicate.holds(input)),
        }
    }
}

/// Where the sender's order stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Version {
    by: Option<Expr>,
    then: Option<Expr>,
}

impl Version {
    /// Whether the mapping says where.
    pub(super) fn is_there(&self) -> bool {
        self.by.is_some()
    }

    /// Both, as far as they are there.
    pub(super) fn exprs(&self) -> impl Iterator<Item = &Expr> {
        [&self.by, &self.then].into_iter().flatten()
    }

    /// The order of this body; a warning where it is there and cannot be read.
    pub(super) fn stamp(&self, input: &Input<'_>, warnings: &mut Vec<String>) -> Option<Stamp> {
        let by = order(self.by.as_ref()?, "version", input, warnings)?;
        let then = self
            .then
            .as_ref()
            .and_then(|then| order(then, "version.then", input, warnings));
        Some(Stamp {
            by,
            then: then.unwrap_or(0),
        })
    }

    fn compile(node: &Node, cx: &mut Compiling<'_>) -> Option<Version> {
        let mut fields = Fields::of(node, &VERSION, cx.report)?;
        let by = fields.required("by", cx.report);
        let then = fields.get("then");
        fields.finish(cx.report);
        Some(Version {
            by: Expr::compile(by?, "version.by", cx),
            then: then.and_then(|then| Expr::compile(then, "version.then", cx)),
        })
    }
}

fn order(expr: &Expr, what: &str, input: &Input<'_>, warnings: &mut Vec<String>) -> Option<i64> {
    let super::value::Found::Value(value) = expr.find(input) else {
        return None;
    };
    let read = match (super::moment::Moment::of(&value), expr.zone) {
        (Some(super::moment::Moment::Local(at)), Some(zone)) => {
            super::moment::Moment::in_zone(zone, at).map(super::moment::Moment::order_ms)
        }
        _ => super::moment::order_ms(&value),
    };
    if read.is_none() {
        let (paths, found) = (expr.paths().join(", "), super::read::type_of(&value));
        warnings.push(format!(
            "`{what}` is not readable: {paths} holds {found} that is not a time"
        ));
    }
    read
}

impl Mapping {
    /// Reads one mapping; what is wrong goes to the report.
    pub(super) fn compile(node: &Node, what: &str, cx: &mut Compiling<'_>) -> Option<Mapping> {
        let mut fields = Fields::called(node, &MAPPING, what, cx.report)?;
        let items = fields.get("items");
        let applies_to = fields.get("applies_to");
        let version = fields.get("version");
        let partial = fields.get("partial");
        let hint = fields.get("event");
        let reservation = fields.get("reservation");
        let payment = fields.get("payment");
        let message = fields.get("message");
        fields.finish(cx.report);

        cx.items = false;
        let items: Vec<Lookup> = items
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| Lookup::compile(item, cx))
            .collect();
        cx.items = !items.is_empty();
        let applies_to =
            applies_to.and_then(|node| Predicate::compile(node.entries(), &node.place, "`applies_to`", cx));
        let version = version.and_then(|node| Version::compile(node, cx)).unwrap_or_default();
        let partial = partial.map_or(Partial::Never, |node| partial_of(node, cx));
        let hint = hint.and_then(|node| hint_of(node, cx));

        if reservation.is_none() && payment.is_none() && message.is_none() {
            cx.report
                .mistake("missing-key", &node.place, format!("{what} needs `reservation`"))
                .help(
                    "a payment or message that belongs to a stay says to which: `reservation: {ids: [$.booking_id]}`",
                );
            cx.items = false;
            return None;
        }
        let mut compiled = Mapping {
            items,
            applies_to,
            partial,
            version,
            hint,
            code: None,
            ids: None,
            references: None,
            code_is_own: false,
            scope: None,
            fields: Vec::new(),
            payment: payment
                .map(|node| section(node, &shapes::PAYMENT_OF, PAYMENT, cx))
                .unwrap_or_default(),
            message: message
                .map(|node| section(node, &shapes::MESSAGE_OF, MESSAGE, cx))
                .unwrap_or_default(),
        };
        if let Some(reservation) = reservation {
            compiled.reservation(reservation, cx);
        }
        let section_of = |words: &str| if words == "kind" { payment } else { message }.unwrap_or(node);
        for (words, section) in [("kind", &compiled.payment), ("from", &compiled.message)] {
            let allowed = if words == "kind" { PAYMENT_KINDS } else { AUTHORS };
            if let Some((_, _, expr)) = section.iter().find(|(name, ..)| *name == words) {
                check::words(expr, words, allowed, section_of(words), cx);
            }
        }
        cx.items = false;
        Some(compiled)
    }

    /// The expressions that name the stay, by their keys.
    pub(super) fn names(&self) -> impl Iterator<Item = (&'static str, &Expr)> {
        let all = [
            ("code", &self.code),
            ("ids", &self.ids),
            ("references", &self.references),
        ];
        all.into_iter().filter_map(|(name, expr)| Some((name, expr.as_ref()?)))
    }

    fn reservation(&mut self, node: &Node, cx: &mut Compiling<'_>) {
        let Some(mut fields) = Fields::of(node, &RESERVATION, cx.report) else {
            return;
        };
        let mut named = false;
        let mut name = |what: &'static str| {
            let node = fields.get(what)?;
            named = true;
            Expr::compile(node, what, cx)
        };
        (self.code, self.ids, self.references) = (name("code"), name("ids"), name("references"));
        let scope = fields.get("scope");
        self.scope = scope.and_then(|node| Expr::compile(node, "scope", cx));
        if !named {
            cx.report
                .mistake(
                    "nameless",
                    &node.place,
                    "nothing says which stay is meant: `reservation` needs `ids` or `code`",
                )
                .help("`ids: [$.id]`, and `code: $.confirmation_code` for people; `code` alone where the sender has no id");
        }
        let of_body = self.names().next().is_some() && !self.names().any(|(_, expr)| expr.reads_item());
        if cx.items && of_body {
            cx.report
                .mistake(
                    "same-for-all",
                    &node.place,
                    "every item would name the same stay: `code` and `ids` read the body",
                )
                .help("with `items`, `@` is the item and `$` the whole body: `code: @.code`");
        }
        for prefix in ["", "guest", "property", "money"] {
            let mut group = match prefix {
                "" => None,
                prefix => match fields.settings(prefix, cx.report) {
                    Some(group) => Some(group),
                    None => continue,
                },
            };
            for field in FIELDS {
                let (parent, key) = field.split();
                if parent != prefix {
                    continue;
                }
                if let Some(node) = group.as_mut().unwrap_or(&mut fields).get(key)
                    && let Some(expr) = Expr::compile_as(node, field.name, shape_of(field), cx)
                {
                    check::field(field, &expr, node, cx);
                    self.fields.push((field, expr));
                }
            }
            let open = group.as_mut().unwrap_or(&mut fields);
            for (name, why) in NOT_MAPPED {
                let (parent, key) = name.rsplit_once('.').unwrap_or(("", name));
                if parent == prefix
                    && let Some(node) = open.get(key)
                {
                    let title = format!("`{name}` is not read from a body: {why}");
                    cx.report.mistake("not-mapped", &node.place, title).help("leave it out");
                }
            }
            if let Some(group) = group {
                group.finish(cx.report);
            }
        }
        fields.finish(cx.report);
    }
}

fn section(
    node: &Node,
    shape: &'static Shape,
    known: &'static [Field],
    cx: &mut Compiling<'_>,
) -> Vec<(&'static str, FieldKind, Expr)> {
    let Some(mut fields) = Fields::of(node, shape, cx.report) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for field in known {
        let (_, name) = field.split();
        if let Some(node) = fields.get(name)
            && let Some(expr) = Expr::compile_as(node, name, shape_of(field), cx)
        {
            check::shape(name, field.kind, &expr, node, cx);
            found.push((name, field.kind, expr));
        }
    }
    fields.finish(cx.report);
    found
}

fn partial_of(node: &Node, cx: &mut Compiling<'_>) -> Partial {
    match (&node.kind, node.scalar()) {
        (_, Some("true")) => Partial::Always,
        (_, Some("false")) => Partial::Never,
        (Kind::Map(_) | Kind::List(_), _) => Partial::Where(
            node.items()
                .iter()
                .filter_map(|one| Predicate::compile(one.entries(), &one.place, "`partial`", cx))
                .collect(),
        ),
        _ => {
            cx.report
                .mistake(
                    "expected-condition",
                    &node.place,
                    "`partial` is `true`, or says for which bodies",
                )
                .help("for example `partial: {$.type: [booking.updated, booking.cancelled]}`");
            Partial::Never
        }
    }
}

fn hint_of(node: &Node, cx: &mut Compiling<'_>) -> Option<Expr> {
    let expr = Expr::compile_as(node, "event", &EVENT_VALUE, cx)?;
    if !expr.has_words() && !expr.is_constant() {
        cx.report
            .mistake(
                "missing-key",
                &node.place,
                "`event` needs `map`: which of the sender's types mean which of ours",
            )
            .help("for example `event: {from: $.type, map: {no_show: reservation.no_show}}`");
        return None;
    }
    for constant in expr.constants() {
        let word = scalar_text(constant).unwrap_or_default();
        if !event::is_type(&word) {
            let place = check::place_of(node, &word).unwrap_or(&node.place);
            let diagnostic = cx
                .report
                .mistake("unknown-event", place, format!("`{word}` is no event type"));
            if let Some(near) = did_you_mean(&word, event::TYPES.iter().copied()) {
                diagnostic.help(format!("did you mean `{near}`?"));
            } else {
                diagnostic.help("a type of the sender's own is written `other.name`");
            }
        }
    }
    Some(expr)
}
