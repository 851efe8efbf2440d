//! `/api/v1/openapi.json`: OpenAPI 3.1, built from the same list of routes that is served.

use axum::extract::State;
use axum::routing::get;
use http::Uri;
use serde_json::{Map, Value, json};

use super::Shared;
use super::answer::{self, Answer};
use super::query::Params;
use super::route::{Route, all};

/// What this file serves.
pub const ROUTES: &[Route] = &[Route::get("/openapi.json", "This description", || get(show))];

async fn show(State(_): State<Shared>, uri: Uri) -> Answer {
    Params::read(&uri, &[])?;
    answer::whole(document())
}

/// The description.
pub fn document() -> Value {
    let mut paths = Map::new();
    for route in all() {
        let methods = paths.entry(route.whole_path()).or_insert_with(|| json!({}));
        methods[route.method] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Stayhook",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "What came in, what it changed, what went out, and why.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": problem_schema(), "List": list_schema()},
        },
    })
}

fn operation(route: &Route) -> Value {
    let is_list = route.query.contains(&"cursor");
    let content = match (route.path, is_list) {
        ("/metrics", _) => json!({"text/plain": {"schema": {"type": "string"}}}),
        (_, true) => json!({"application/json": {"schema": {"$ref": "#/components/schemas/List"}}}),
        _ => json!({"application/json": {"schema": {"type": "object"}}}),
    };
    let problem = json!({
        "description": "Why not",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    });
    let mut operation = json!({
        "summary": route.summary,
        "responses": {"200": {"description": "As asked", "content": content}, "default": problem},
    });
    let mut parameters: Vec<Value> = Vec::new();
    let in_path = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    for name in in_path {
        parameters.push(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
    }
    for name in route.query {
        let schema = match *name {
            "limit" => json!({"type": "integer", "minimum": 1, "maximum": 500, "default": 50}),
            _ => json!({"type": "string"}),
        };
        parameters.push(json!({"name": name, "in": "query", "schema": schema}));
    }
    if route.method == "post" {
        let schema = json!({"type": "string", "maxLength": 255});
        parameters.push(json!({"name": "Idempotency-Key", "in": "header", "schema": schema}));
        let members: Map<String, Value> = route
            .body
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), member(kind)))
            .collect();
        let schema = json!({"type": "object", "properties": members, "additionalProperties": false});
        operation["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
    }
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if matches!(route.path, "/healthz" | "/readyz") {
        operation["security"] = json!([]);
    }
    operation
}

fn member(kind: &str) -> Value {
    match kind {
        "array" => json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
        _ => json!({"type": kind}),
    }
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "allowed": {"type": "array", "items": {"type": "string"}},
        },
    })
}

fn list_schema() -> Value {
    json!({
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": {"type": "object"}},
            "next": {"type": ["string", "null"], "description": "The `cursor` of the next page; null at the end"},
        },
    })
}
