//! A delivery on its way out: a test event to a receiver, or one that came to the program behind us.

use std::time::Duration;

use bytes::Bytes;
use url::Url;

use crate::http::{Answer, Body, Client, HttpError, Limits, Method, Request, exchange};

/// How long a receiver may take, and how much of its answer is read.
const LIMITS: Limits = Limits { total: Duration::from_secs(10), max_body: 64 * 1024 };

/// Posts a body as it is; no redirect is followed, and nothing is sent twice.
pub async fn post(
    client: &Client,
    url: &Url,
    headers: &[(String, String)],
    body: Bytes,
) -> Result<Answer, HttpError> {
    let mut request = Request::new(Method::POST, url.clone()).body(Body::Bytes(body));
    for (name, value) in headers {
        request = request.header(name.as_str(), value.as_str());
    }
    exchange(client, request, LIMITS).await
}
