//! A connection over which one request goes at a time: HTTP/1.1.
//!
//! Whoever waits for an answer moves its connection on: a task for each connection would be woken by
//! every answer only to wake the one who waits.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use hyper::{Error, Request, Response};
use tokio::task::unconstrained;

use super::dial::BoxedWire;
use super::upload::Upload;

/// A connection; closed when it is dropped, whatever is on it.
pub(super) struct Single {
    sender: http1::SendRequest<Upload>,
    /// None where it has ended, or a task of its own moves it on.
    connection: Option<Pin<Box<http1::Connection<BoxedWire, Upload>>>>,
}

impl Single {
    /// Begins to speak HTTP/1.1.
    pub async fn begin(wire: BoxedWire) -> Result<Self, Error> {
        let (sender, connection) = http1::handshake(wire).await?;
        let mut single = Self { sender, connection: Some(Box::pin(connection)) };
        single.ready().await.map(|()| single)
    }

    /// Whether it is known to have ended.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Whether it takes a request now.
    pub fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Waits until it takes a request; an error where it has ended.
    pub async fn ready(&mut self) -> Result<(), Error> {
        poll_fn(|context| {
            if !self.sender.is_ready() {
                self.advance(context);
            }
            self.sender.poll_ready(context)
        })
        .await
    }

    /// Sends a request whose address is a path; one that was not begun comes back with the failure.
    pub async fn send(
        &mut self,
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Upload>>> {
        if request.body().waits_for_others() {
            self.go_by_itself();
        }
        let mut answer = pin!(unconstrained(self.sender.try_send_request(request)));
        poll_fn(|context| {
            self.advance(context);
            match self.connection.is_some() {
                // The answer comes while its connection is moved on, and never in between.
                true => answer.as_mut().poll(&mut Context::from_waker(Waker::noop())),
                false => answer.as_mut().poll(context),
            }
        })
        .await
    }

    /// Reads and writes what can be read and written now.
    pub fn advance(&mut self, context: &mut Context<'_>) {
        // What ends a connection is told to the request that is on it.
        self.connection.take_if(|connection| connection.as_mut().poll(context).is_ready());
    }

    /// A body from elsewhere goes on its way even while nobody takes the answer: whoever sends it
    /// may take nothing before it is sent.
    fn go_by_itself(&mut self) {
        if let Some(connection) = self.connection.take() {
            tokio::spawn(connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use hyper::Method;
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::super::test_server::{client, run};
    use super::super::{Body, Request, Timeouts, send};

    /// More than lies on the way in buffers.
    const LONG: u64 = 24 << 20;

    /// Answers before it has read the body, and takes the body to its end all the same.
    fn answer_early(mut stream: TcpStream) {
        let mut seen = vec![0; 1 << 16];
        let mut end = Vec::new();
        let mut read = |stream: &mut TcpStream| {
            let length = stream.read(&mut seen).unwrap();
            assert!(length > 0, "the connection was closed");
            end.extend_from_slice(&seen[..length]);
            end.drain(..end.len().saturating_sub(5));
            end == b"0\r\n\r\n"
        };
        read(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n").unwrap();
        while !read(&mut stream) {}
    }

    #[test]
    fn a_body_from_elsewhere_arrives_while_nobody_takes_the_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            answer_early(stream.try_clone().unwrap());
            tell.send(()).unwrap();
            stream.write_all(b"ok").unwrap();
        });
        let answer = run(async {
            let body = Body::Stream(Box::new(std::io::repeat(b'x').take(LONG)));
            let request = Request::new(Method::PUT, url).body(body);
            let limit = Timeouts::of(Duration::from_secs(20));
            let answer = send(&client(vec![]), request, limit).await.unwrap();
            timeout(Duration::from_secs(20), told).await.expect("the whole body").unwrap();
            answer.whole(9).await.unwrap()
        });
        assert_eq!(answer, b"ok");
    }
}
