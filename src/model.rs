//! Plain data and pure rules, one concept a file. Imports nothing of ours.
