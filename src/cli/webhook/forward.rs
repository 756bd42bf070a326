//! `webhook listen --forward`: a delivery goes on to a program, byte for byte.

use url::Url;

use crate::cli::context::Context;
use crate::cli::report::{self, Report};
use crate::http::proxies::is_loopback;
use crate::http::request::shown_url;
use crate::http::{Client, HttpError, client};
use crate::provider::schema::Webhook;
use crate::webhook::post::post;
use crate::webhook::receiver::Delivery;

/// Where deliveries go on to.
pub struct Forward {
    client: Client,
    url: Url,
}

impl Forward {
    /// Checks the address before anything is received.
    pub fn new(context: &Context<'_>, text: &str, own_port: u16) -> Result<Self, Report> {
        let url = Url::parse(text).map_err(|_| {
            Report::usage("--forward takes a URL")
                .hint("name the program, for instance --forward http://127.0.0.1:8000/hook")
        })?;
        let refused = |error: HttpError| report::http("nothing can be forwarded there", &error);
        client::permitted(&url).map_err(refused)?;
        if is_loopback(&url) && own_port != 0 && url.port_or_known_default() == Some(own_port) {
            return Err(Report::usage("--forward leads back to --port")
                .hint("name the port of the program that is to get the deliveries"));
        }
        Ok(Self { client: context.http().map_err(refused)?, url })
    }

    /// The address, for people.
    pub fn shown(&self) -> String {
        shown_url(&self.url)
    }

    /// Posts the raw body with the headers that the scheme names, and gives the status.
    pub async fn pass(&self, webhook: &Webhook, delivery: &Delivery) -> Result<u16, HttpError> {
        let own = delivery.headers.lines(webhook).into_iter();
        let kind = delivery.content_type.as_deref().map(|kind| ("Content-Type", kind));
        let headers: Vec<(String, String)> =
            kind.into_iter().chain(own).map(|(name, text)| (name.into(), text.into())).collect();
        let body = delivery.body.clone();
        Ok(post(&self.client, &self.url, &headers, body).await?.status)
    }
}
