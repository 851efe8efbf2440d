//! The client and the actions, held against stand-ins.

mod email;
mod http;
mod outbound;
