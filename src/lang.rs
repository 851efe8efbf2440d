
pub mod diag;
pub mod duration;
pub mod fields;
pub mod yaml;
