//! Signatures by Standard Webhooks, whose headers come under two names. Whose format it is:
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use http::HeaderName;

use super::key::Key;
use super::signature::{Algorithm, Part, Signature, Stamp, StampAt};
use super::{Denied, Proof, Seen, check};
use crate::model::clock::Time;
use crate::source::Request;

/// Of more signatures under one name nobody looks at the rest.
const SIGNATURES_MAX: usize = 8;

/// The two names: `webhook-…`, and `svix-…` of those who had it first.
#[derive(Clone, Debug)]
pub(in crate::source) struct Standard {
    families: Box<[Signature; 2]>,
}

impl Standard {
    pub(in crate::source) fn new(keys: &[Key], tolerance: TimeDelta) -> Standard {
        let family = |[id, timestamp, signature]: [&'static str; 3]| Signature {
            header: HeaderName::from_static(signature),
            algorithm: Algorithm::Sha256,
            base64: true,
            prefix: "v1,".to_owned(),
            separator: Some(" ".to_owned()),
            signed: vec![
                Part::Id,
                Part::Text(".".to_owned()),
                Part::Timestamp,
                Part::Text(".".to_owned()),
                Part::Body,
            ],
            id: Some(HeaderName::from_static(id)),
            timestamp: Some(Stamp {
                at: StampAt::Header(HeaderName::from_static(timestamp)),
                tolerance,
            }),
            keys: keys.to_vec(),
        };
        Standard {
            families: Box::new([
                family(["webhook-id", "webhook-timestamp", "webhook-signature"]),
                family(["svix-id", "svix-timestamp", "svix-signature"]),
            ]),
        }
    }

    /// Each name of which anything is there has to hold by itself, and both have to give the same id. Else an id that
    /// nobody signed could be put beside one that is signed, and what was sent before would look new.
    pub(super) fn proof(&self, request: &Request<'_>, seen: Seen) -> Result<Proof, Denied> {
        let (mut known, mut pending) = (None, false);
        for family in self.families.iter().filter(|one| one.is_there(request.headers)) {
            pending |= family.proof_among(request, seen, SIGNATURES_MAX)? == Proof::Pending;
            let id = family.id(request.headers)?;
            check(known.is_none_or(|known| known == id), "several ids")?;
            known = Some(id);
        }
        let proof = check(known.is_some(), "no signature")?;
        Ok(if pending { Proof::Pending } else { proof })
    }

    pub(super) fn says(&self) -> String {
        let [webhook, svix] = &*self.families;
        format!(
            "a signature by Standard Webhooks in the header {} or {}{}",
            webhook.header,
            svix.header,
            webhook.says_age()
        )
    }

    /// The headers with the id, in lower case: of whichever name is there it is signed. Not those with the time, which
    /// would tell nothing apart but what was sent under both names and is sent again under one.
    pub(super) fn covered(&self) -> BTreeSet<String> {
        let ids = self.families.iter().filter_map(|family| family.id.as_ref());
        ids.map(ToString::to_string).collect()
    }

    pub(super) fn sign(&self, body: &[u8], now: Time, headers: &mut Vec<(String, String)>) {
        let [webhook, _] = &*self.families;
        webhook.sign(body, now, headers);
    }
}
