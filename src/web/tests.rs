//! The admin API as a whole.
