//! Signatures whose form is known by a name.

use http::HeaderName;

use super::credentials::Credentials;
use super::hmac::{keys, tolerance};
use super::schemes::{STANDARD_WEBHOOKS, STRIPE};
use crate::lang::diag::Report;
use crate::lang::fields::Fields;
use crate::lang::yaml::Node;
use crate::source::authenticate::{Algorithm, Part, Scheme, Signature, Stamp, StampAt, Standard, Written};

/// `standard_webhooks`: the key is base64, mostly behind `whsec_`.
pub(super) fn standard_webhooks(node: &Node, credentials: &mut Credentials, report: &mut Report) -> Option<Scheme> {
    let mut fields = Fields::of(node, &STANDARD_WEBHOOKS, report)?;
    let tolerance = tolerance(&mut fields, report);
    fields.finish(report);
    let keys = keys(None, credentials, "whsec_", Written::Base64, report)?;
    Some(Scheme::Webhooks(Standard::new(&keys, tolerance)))
}

/// `stripe`: `t=…,v1=…[,v1=…]`, and the key is the whole secret, `whsec_` too
/// (<https://docs.stripe.com/webhooks#verify-manually>).
pub(super) fn stripe(node: &Node, credentials: &mut Credentials, report: &mut Report) -> Option<Scheme> {
    let mut fields = Fields::of(node, &STRIPE, report)?;
    let tolerance = tolerance(&mut fields, report);
    fields.finish(report);
    let keys = keys(None, credentials, "", Written::Text, report)?;
    Some(Scheme::Hmac(Signature {
        header: HeaderName::from_static("stripe-signature"),
        algorithm: Algorithm::Sha256,
        base64: false,
        prefix: "v1=".to_owned(),
        separator: Some(",".to_owned()),
        signed: vec![Part::Timestamp, Part::Text(".".to_owned()), Part::Body],
        id: None,
        timestamp: Some(Stamp {
            at: StampAt::Entry("t=".to_owned()),
            tolerance,
        }),
        keys,
    }))
}
