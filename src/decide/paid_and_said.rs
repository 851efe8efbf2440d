//! Payments and messages: facts of their own, known by their own keys.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::model::decision::{FactDecision, FactKey};
use crate::model::delivery::Outcome;
use crate::model::event::About;

use super::view::View;
use super::{Known, Made, Origin, explain};

/// What a payment makes. `named_refund`: the sender calls it a refund, whatever its kind or sign.
pub fn money(
    known: &Known,
    id: Option<&str>,
    payment: &Value,
    named_refund: bool,
    after: View,
    origin: &Origin<'_>,
    decision: &mut FactDecision,
) -> Made {
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
    explain::fact(decision, types, "payment", id);
    keep(decision, About::Payment, id, &payment, origin);
    fact_made(types, payment, Value::Null, after)
}

/// What a message makes.
pub fn words(
    known: &Known,
    id: Option<&str>,
    message: &Value,
    after: View,
    origin: &Origin<'_>,
    decision: &mut FactDecision,
) -> Made {
    // An edited message is the same message: people have been told of it.
    let types: &[&str] = if known.content.is_some() || known.event.is_some() {
        &[]
    } else {
        &["message.received"]
    };
    explain::fact(decision, types, "message", id);
    keep(decision, About::Message, id, message, origin);
    fact_made(types, Value::Null, message.clone(), after)
}

fn keep(decision: &mut FactDecision, about: About, id: Option<&str>, content: &Value, origin: &Origin<'_>) {
    if decision.outcome == Outcome::Processed {
        let id = id.map_or_else(|| origin.delivery.event(origin.position).0, str::to_owned);
        decision.fact_key = Some(FactKey {
            source: origin.source.to_owned(),
            about,
            id,
            content: content.clone(),
        });
    }
}

fn fact_made(types: &[&str], payment: Value, message: Value, after: View) -> Made {
    Made {
        types: types.iter().map(|name| (*name).to_owned()).collect(),
        previous: Arc::new(after.json.clone()),
        changes: json!({}),
        payment,
        message,
        after,
    }
}
