//! A vendor whose answers turn into whatever a test writes on the wire.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyfob::sandbox::Behaviour;

use super::program::{Life, Program};
use super::served::Served;
use crate::proxy::upstream::{header, pass_to, read_head};

type Answer = Arc<dyn Fn(&mut TcpStream) + Send + Sync>;

/// A connected program, and the vendor that it talks to.
pub struct Hostile {
    /// Its connection is `shop`.
    pub program: Program,
    answer: Arc<Mutex<Option<Answer>>>,
    requests: Arc<AtomicUsize>,
    _served: Served,
}

impl Hostile {
    /// Behaves as its documents say until it is told otherwise.
    pub fn connected() -> Self {
        let program = Program::beside("inkress", Behaviour::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let vendor = program.sandbox.origin().strip_prefix("http://").unwrap().to_owned();
        let (answer, requests) = (Arc::<Mutex<Option<Answer>>>::default(), Arc::default());
        let (next, count) = (Arc::clone(&answer), Arc::clone(&requests));
        let served = Served::by(listener, move |stream| {
            let (answer, requests) = (next.lock().unwrap().clone(), Arc::clone(&count));
            let vendor = vendor.clone();
            std::thread::spawn(move || serve(stream, &vendor, answer, &requests));
        });
        let hostile = Self { program, answer, requests, _served: served };
        let home = hostile.program.home();
        let instead = [("api_host", origin.as_str())];
        hostile.program.import_elsewhere(&home, "shop", Life::Ahead, &instead);
        hostile
    }

    /// Answers every request so from now on.
    pub fn answers(&self, answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Some(Arc::new(answer));
    }

    /// Behaves again.
    pub fn behaves(&self) {
        *self.answer.lock().unwrap() = None;
    }

    /// How many requests were answered so.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, vendor: &str, answer: Option<Answer>, requests: &AtomicUsize) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let Some(head) = read_head(&mut stream) else { return };
    let Some(answer) = answer else { return pass_to(vendor, &head, stream) };
    let length = header(&head, "content-length").map_or(0, |it| it.parse().unwrap());
    if stream.read_exact(&mut vec![0; length]).is_ok() {
        requests.fetch_add(1, Ordering::SeqCst);
        answer(&mut stream);
    }
}
