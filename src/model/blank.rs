//! The reservation before the first that was heard of it.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::field::{DERIVED, FIELDS};

/// Every canonical name with nothing in it.
pub fn blank() -> &'static Value {
    static BLANK: LazyLock<Value> = LazyLock::new(|| {
        let mut root = Map::new();
        let named = FIELDS.iter().chain(DERIVED).map(|field| field.name);
        // What the user writes of a property is no field.
        for name in named.chain(["property.vars"]) {
            match name.split_once('.') {
                None => _ = root.insert(name.to_owned(), Value::Null),
                Some((group, leaf)) => {
                    let group = root.entry(group).or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(group) = group {
                        group.insert(leaf.to_owned(), Value::Null);
                    }
                }
            }
        }
        Value::Object(root)
    });
    &BLANK
}
