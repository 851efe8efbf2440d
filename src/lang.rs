//! What the files of users are read with: YAML with places, diagnostics, templates, and what an action's file promises.

pub mod diag;
pub mod duration;
pub mod effect;
pub mod fields;
pub mod glob;
pub mod line;
pub mod shape;
pub mod template;
pub mod tree;
pub mod yaml;
pub mod zone;
