//! A listener that is closed when the server that it belongs to is dropped.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Somebody who takes connections, for as long as this is held.
pub struct Served {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl Served {
    /// Has each connection served, one after the other, in a thread of its own.
    pub fn by(listener: TcpListener, mut serve: impl FnMut(TcpStream) + Send + 'static) -> Self {
        let address = listener.local_addr().unwrap();
        let is_over = Arc::<AtomicBool>::default();
        let said = Arc::clone(&is_over);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if said.load(Ordering::SeqCst) {
                    return;
                }
                serve(stream);
            }
        });
        Self { address, is_over }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // A last connection, which nobody serves, ends the wait for the next one.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}
