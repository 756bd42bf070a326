//! A provider with the device flow and an answer of its server, for the tests of this folder.

use zeroize::Zeroizing;

use crate::http::{Answer, HeaderMap};
use crate::provider::{Provider, file};

/// The provider; `device` is what its `[device]` table says beside the URL.
pub fn provider(device: &str) -> Provider {
    let text = format!(
        r#"schema = 1
name = "tv"
flows = ["device_code"]
[client]
secret = "optional"
[token]
url = "https://as.example/token"
[api]
base_url = "https://api.example"
[device]
url = "https://as.example/device"
{device}"#
    );
    file::read("tv.toml", &text).unwrap()
}

/// An answer without headers.
pub fn answer(status: u16, body: &str) -> Answer {
    let body = Zeroizing::new(body.as_bytes().to_vec());
    Answer { status, headers: HeaderMap::new(), body, date: None }
}
