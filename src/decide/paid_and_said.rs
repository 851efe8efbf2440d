//! Payments and messages: facts of their own, known by their own keys.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::model::decision::FactKey;
use crate::model::delivery::Outcome;
use crate::model::event::About;

use super::announce::{Announced, Made};
use super::view::View;
use super::{Known, Origin, explain};

/// What a payment makes. `named_refund`: the sender calls it a refund, whatever its kind or sign.
pub fn money(
    known: &Known,
    id: Option<&str>,
    payment: &Value,
    named_refund: bool,
    after: &View,
    origin: &Origin<'_>,
) -> Announced {
    let mut payment = payment.clone();
    if named_refund {
        payment["kind"] = json!("refund");
    }
    if let Some(positive) = payment["amount"]
        .as_number()
        .and_then(|n| n.to_string().strip_prefix('-').map(str::to_owned))
    {
        payment["amount"] = serde_json::from_str(&positive).unwrap_or_default();
        payment["kind"] = json!("refund");
    }
    let refund = payment["kind"] == "refund";
    // Decided once more: what this delivery said of the payment is what it said then, whatever has become of it since.
    let same_as_then = known.event.as_ref().is_some_and(|event| *event.payment == payment);
    let types: &[&str] = match &known.content {
        _ if same_as_then => &[],
        // Emptied, as retention will do: it is known, and is not compared.
        Some(Value::Null) => &[],
        Some(content) if *content == payment => &[],
        Some(content) if refund && content["kind"] != "refund" => &["payment.refunded"],
        Some(_) => &["payment.updated"],
        None if refund => &["payment.refunded"],
        None => &["payment.created"],
    };
    let mut announced = of_fact(types, About::Payment, id, &payment, after, origin);
    announced.made.payment = payment;
    announced
}

/// What a message makes.
pub fn words(known: &Known, id: Option<&str>, message: &Value, after: &View, origin: &Origin<'_>) -> Announced {
    // An edited message is the same message: people have been told of it.
    let types: &[&str] = if known.content.is_some() || known.event.is_some() {
        &[]
    } else {
        &["message.received"]
    };
    let mut announced = of_fact(types, About::Message, id, message, after, origin);
    announced.made.message = message.clone();
    announced
}

fn of_fact(
    types: &[&str],
    about: About,
    id: Option<&str>,
    content: &Value,
    after: &View,
    origin: &Origin<'_>,
) -> Announced {
    let (outcome, because) = explain::fact(types, about.word(), id);
    let key = || FactKey {
        source: origin.source.to_owned(),
        about,
        id: id.map_or_else(|| origin.delivery.event(origin.position).0, str::to_owned),
        content: content.clone(),
    };
    Announced {
        fact_key: (outcome == Outcome::Processed).then(key),
        outcome,
        because,
        made: Made {
            types: types.iter().map(|name| (*name).to_owned()).collect(),
            previous: Arc::new(after.json.clone()),
            changes: json!({}),
            ..Made::default()
        },
        ..Announced::default()
    }
}
