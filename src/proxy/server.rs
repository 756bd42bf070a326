//! The proxy's sockets: loopback alone, every wait and every number bounded, an end that is seen through.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};

use super::forward::Forwarder;
use super::stalls::Stalls;

/// How many programs' connections are open at once; the others wait in the system's queue.
const CONNECTIONS: u32 = 256;
/// How long a connection may be idle, and a head may take to arrive.
const HEAD: Duration = Duration::from_secs(60);
/// Bytes of a head, and of a body that are read ahead.
const BUFFER: usize = 128 * 1024;
/// How many headers a request may have.
const HEADERS: usize = 100;
/// How long a program may take nothing of its answer.
const STALL: Duration = Duration::from_secs(60);
/// How long requests may still take once the end has come; less than `docker stop` waits.
const END: Duration = Duration::from_secs(8);
/// How long to wait after a connection could not be accepted, and how often in a row.
const PAUSE: Duration = Duration::from_millis(100);
const FAILURES: u32 = 100;

/// Listens on loopback; port 0 takes a free one.
pub fn listen(port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until told to stop; then nobody comes in, and those inside have a while to end.
pub fn serve(
    listener: TcpListener,
    forwarder: Arc<Forwarder>,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    // Programs on one side and the API on the other are work enough for two threads.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let places = Arc::new(Semaphore::new(CONNECTIONS as usize));
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let mut stopped = stop.clone();
        tokio::select! {
            // The sender is gone where the command is: that is an end too.
            _ = stopped.wait_for(|stop| *stop) => {}
            failed = accept(&listener, &forwarder, &places, &stop) => return failed,
        }
        drop(listener);
        let all_gone = places.acquire_many(CONNECTIONS);
        // Who has not ended by then is cut off with the runtime.
        let _ = tokio::time::timeout(END, all_gone).await;
        Ok(())
    });
    runtime.shutdown_background();
    served
}

async fn accept(
    listener: &tokio::net::TcpListener,
    forwarder: &Arc<Forwarder>,
    places: &Arc<Semaphore>,
    stop: &watch::Receiver<bool>,
) -> io::Result<()> {
    let mut failures = 0;
    loop {
        let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
        match listener.accept().await {
            Ok((stream, _)) => {
                failures = 0;
                let (forwarder, stop) = (forwarder.clone(), stop.clone());
                tokio::spawn(async move {
                    connection(stream, forwarder, stop).await;
                    drop(place);
                });
            }
            // The program gave up between its knock and our opening the door.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) if failures == FAILURES => return Err(error),
            // Too few descriptors, for instance: some will be free again.
            Err(_) => {
                failures += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, forwarder: Arc<Forwarder>, mut stop: watch::Receiver<bool>) {
    if stream.set_nodelay(true).is_err() {
        // The program has gone already.
        return;
    }
    let service = service_fn(move |request| forwarder.clone().answer(request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(BUFFER)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(Stalls::new(stream, STALL)), service);
    let mut connection = std::pin::pin!(connection);
    // A connection that broke concerns its program alone; its request has its line in the audit.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
