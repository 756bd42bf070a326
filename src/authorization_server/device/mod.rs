//! The device authorization grant (RFC 8628) as values: the request, the codes that answer it, and
//! what each answer to a question for tokens means for the next one.
//!
//! Who waits, and who shows the code to the person, is not known here.

mod codes;
#[cfg(test)]
mod example;
mod poll;
mod request;

pub use codes::{Codes, CodesAnswer, judge_codes};
pub use poll::{Pace, Poll, judge_poll};
pub use request::device_request;
