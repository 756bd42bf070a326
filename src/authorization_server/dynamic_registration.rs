//! keyfob's own registration as a client: requests made and answers judged (RFC 7591, RFC 7592).
//!
//! Where a registration is kept, and that none is made twice, is not known here.

mod answer;
mod metadata;
mod method;
mod request;
mod said;

pub use answer::judge;
pub use metadata::{KnownBy, Wish, client_metadata, grant_type, own_metadata};
pub use method::has_own_key;
pub use request::{delete_request, read_request, registration_request, update_request};
pub use said::{Given, Held, Management, Said};
