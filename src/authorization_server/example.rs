//! A provider as the tests of this room want it.

use crate::provider::{Provider, file};

/// One that can be asked about tokens, with a client that proves itself by Basic.
pub fn provider() -> Provider {
    file::read("p.toml", PROVIDER).unwrap()
}

const PROVIDER: &str = r#"
schema = 1
name = "p"
flows = ["authorization_code"]
authorize.url = "https://as.example/a"
token.url = "https://as.example/t"
client.auth = "basic"
introspect.url = "https://as.example/i"
api.base_url = "https://as.example"
"#;
