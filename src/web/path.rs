//! Path parameters, with a problem instead of plain text where they are not readable.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The path's parameters.
pub struct At<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<At<T>, Problem> {
        let found = Path::<T>::from_request_parts(parts, state).await;
        found
            .map(|Path(found)| At(found))
            .map_err(|_| Problem::bad("the path is not readable: it is percent-encoded UTF-8"))
    }
}
