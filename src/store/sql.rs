//! A statement under construction: text from string literals, every value bound.

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe};

use super::StoreError;

/// A value bound to a statement.
#[derive(Clone, Debug)]
pub enum Param {
    /// A BIGINT.
    Int(Option<i64>),
    /// A TEXT.
    Text(Option<String>),
    /// A BLOB.
    Blob(Option<Vec<u8>>),
}

macro_rules! param {
    ($from:ty, $value:ident => $to:expr) => {
        impl From<$from> for Param {
            fn from($value: $from) -> Param {
                $to
            }
        }
    };
}

param!(i64, n => Param::Int(Some(n)));
param!(Option<i64>, n => Param::Int(n));
param!(bool, yes => Param::Int(Some(i64::from(yes))));
param!(usize, n => Param::Int(i64::try_from(n).ok()));
param!(&str, text => Param::Text(Some(text.to_owned())));
param!(String, text => Param::Text(Some(text)));
param!(&String, text => Param::Text(Some(text.clone())));
param!(Option<&str>, text => Param::Text(text.map(str::to_owned)));
param!(Option<String>, text => Param::Text(text));
param!(Vec<u8>, bytes => Param::Blob(Some(bytes)));
param!(&[u8], bytes => Param::Blob(Some(bytes.to_vec())));
param!(Option<Vec<u8>>, bytes => Param::Blob(bytes));

/// A statement under construction. Its text comes from string literals only; every value is bound.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    text: String,
    params: Vec<Param>,
}

impl Sql {
    /// Begins a statement.
    pub fn new(text: &'static str) -> Sql {
        Sql {
            text: text.to_owned(),
            params: Vec::new(),
        }
    }

    /// Goes on with literal text.
    pub fn push(&mut self, text: &'static str) -> &mut Sql {
        self.text.push_str(text);
        self
    }

    /// Binds a value here.
    pub fn bind(&mut self, value: impl Into<Param>) -> &mut Sql {
        self.params.push(value.into());
        // A numbered placeholder is a named one to SQLite's driver: it looks every name up, one after the other.
        self.text.push('?');
        self
    }

    /// `(…), (…)`: the rows of a VALUES list.
    pub fn rows<const N: usize>(&mut self, rows: impl IntoIterator<Item = [Param; N]>) -> &mut Sql {
        for (at, row) in rows.into_iter().enumerate() {
            self.text.push_str(if at == 0 { "(" } else { ", (" });
            for (at, param) in row.into_iter().enumerate() {
                if at > 0 {
                    self.text.push_str(", ");
                }
                self.bind(param);
            }
            self.text.push(')');
        }
        self
    }

    /// `(?, ?)`: a list for IN.
    pub fn list<P: Into<Param>>(&mut self, values: impl IntoIterator<Item = P>) -> &mut Sql {
        self.text.push('(');
        for (at, value) in values.into_iter().enumerate() {
            if at > 0 {
                self.text.push_str(", ");
            }
            self.bind(value);
        }
        self.text.push(')');
        self
    }

    /// Text and values, as the driver takes them.
    pub(super) fn arguments(self) -> Result<(AssertSqlSafe<String>, SqliteArguments), StoreError> {
        let mut arguments = SqliteArguments::default();
        for param in self.params {
            let added = match param {
                Param::Int(n) => arguments.add(n),
                Param::Text(text) => arguments.add(text),
                Param::Blob(bytes) => arguments.add(bytes),
            };
            added.map_err(|error| StoreError::Broken(error.to_string()))?;
        }
        Ok((AssertSqlSafe(self.text), arguments))
    }
}
