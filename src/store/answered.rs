//! The events that runs answer, with the bodies they came with.

use std::collections::HashMap;

use crate::model::event::Event;
use crate::model::id::EventId;

use super::dialect::{Conn, Param};
use super::{Store, StoreError, from_json};

/// An event, as far as it can be read, and the kept headers and the body of its delivery; both may be empty: retention,
/// once there is any, will remove them.
pub type Answered = (Result<Option<Event>, StoreError>, String, Vec<u8>);

impl Store {
    /// Reads events by their ids; one that is no longer stored is not in the answer.
    pub async fn answered(&self, events: &[EventId]) -> Result<HashMap<String, Answered>, StoreError> {
        let mut conn = self.reader().await?;
        answered(&mut conn, events.iter().map(|id| [id.as_str().into()]).collect()).await
    }
}

/// The same within a transaction.
pub(super) async fn answered(conn: &mut Conn, ids: Vec<[Param; 1]>) -> Result<HashMap<String, Answered>, StoreError> {
    let sql = "SELECT e.id, e.body, d.headers, d.body FROM events e LEFT JOIN deliveries d ON d.id = e.delivery_id \
               WHERE e.id IN (VALUES ";
    let mut events = HashMap::new();
    for row in conn.over_rows(sql, ids, ")").await? {
        let event = row.opt_text(1)?.map(|text| from_json(&text)).transpose();
        let headers = row.opt_text(2)?.unwrap_or_default();
        events.insert(row.text(0)?, (event, headers, row.opt_blob(3)?.unwrap_or_default()));
    }
    Ok(events)
}
