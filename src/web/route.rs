//! What a route is: where it is served and what the API's description says of it, in one place.

use axum::routing::MethodRouter;

use super::{
    Shared, connections, deliveries, events, explain, health, metrics, openapi, plan, recipes, reservations, retry,
    runs, sources, timeline, upcoming,
};

/// Where the API lives.
const API: &str = "/api/v1";

/// One path and method.
pub struct Route {
    /// `get` or `post`.
    pub method: &'static str,
    /// Below `/api/v1` unless `root`.
    pub path: &'static str,
    /// In one line.
    pub summary: &'static str,
    /// What may follow the `?`.
    pub query: &'static [&'static str],
    /// What the body may hold, each with its JSON type.
    pub body: &'static [(&'static str, &'static str)],
    /// Whether it is outside the API: health and metrics.
    pub root: bool,
    /// The handler.
    pub serve: fn() -> MethodRouter<Shared>,
}

impl Route {
    /// A GET below `/api/v1`.
    pub const fn get(path: &'static str, summary: &'static str, serve: fn() -> MethodRouter<Shared>) -> Route {
        Route {
            method: "get",
            path,
            summary,
            query: &[],
            body: &[],
            root: false,
            serve,
        }
    }

    /// A POST below `/api/v1`.
    pub const fn post(
        path: &'static str,
        summary: &'static str,
        body: &'static [(&'static str, &'static str)],
        serve: fn() -> MethodRouter<Shared>,
    ) -> Route {
        Route {
            method: "post",
            body,
            ..Route::get(path, summary, serve)
        }
    }

    /// With what may follow the `?`.
    pub const fn query(self, query: &'static [&'static str]) -> Route {
        Route { query, ..self }
    }

    /// Outside the API.
    pub const fn root(self) -> Route {
        Route { root: true, ..self }
    }

    /// Where it is served.
    pub fn whole_path(&self) -> String {
        match self.root {
            true => self.path.to_owned(),
            false => format!("{API}{}", self.path),
        }
    }
}

/// Every route.
pub fn all() -> impl Iterator<Item = &'static Route> {
    [
        deliveries::ROUTES,
        events::ROUTES,
        reservations::ROUTES,
        timeline::ROUTES,
        runs::ROUTES,
        retry::ROUTES,
        upcoming::ROUTES,
        plan::ROUTES,
        explain::ROUTES,
        recipes::ROUTES,
        sources::ROUTES,
        connections::ROUTES,
        openapi::ROUTES,
        health::ROUTES,
        metrics::ROUTES,
    ]
    .into_iter()
    .flatten()
}
