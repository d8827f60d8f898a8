//! The connections of one listener: how many there may be, how long each may take, and which one goes when another needs
//! its room. A connection on which nobody asks for anything costs a file descriptor, and of those a process has few.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use crate::shutdown::Shutdown;

/// What a process needs descriptors for besides connections to it: databases, logs, mail, gateways, portals.
const RESERVED: u64 = 80;
/// As many descriptors as a server asks the system for.
const WANTED: u64 = 8_192;
/// More connections than this are of no use to one process.
const MOST: u64 = 4_096;
/// How long to wait for one connection to leave before another one is asked to.
const LEAVES_WITHIN: Duration = Duration::from_millis(100);

/// What a listener allows.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Connections at once.
    pub most: usize,
    /// From the opening of a connection to the end of its first request's header.
    pub header: Duration,
    /// For the body of a request, all of it.
    pub body: Duration,
    /// From an answer to the end of the next request's header. Longer than proxies keep connections for reuse, or they send
    /// requests on one that is just being closed.
    pub idle: Duration,
    pub metrics: ConnectionMetrics,
}

impl Terms {
    /// For the pages and endpoints of a server.
    pub fn new(metrics: ConnectionMetrics) -> Self {
        Self {
            most: room(),
            header: Duration::from_secs(15),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            metrics,
        }
    }

    /// For the operators' own listener, whose few connections count nowhere.
    pub fn of_operators() -> Self {
        Self { most: 16, ..Self::new(ConnectionMetrics::default()) }
    }
}

/// How many connections there is room for, after asking for the descriptors that the system grants.
fn room() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(WANTED, |most| most.min(WANTED));
    let mut descriptors = current.unwrap_or(WANTED);
    if descriptors < wanted && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok()
    {
        descriptors = wanted;
    }
    usize::try_from(descriptors.saturating_sub(RESERVED).clamp(16, MOST)).unwrap_or(16)
}

/// What is counted of connections.
#[derive(Clone, Debug, Default)]
pub struct ConnectionMetrics {
    open: Gauge,
    closed_for_room: Counter,
    accept_errors: Counter,
}

impl ConnectionMetrics {
    /// Shows them.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("http_connections", "Connections that are open", self.open.clone());
        registry.register(
            "http_connections_closed_for_room",
            "Connections without a request that were closed for others",
            self.closed_for_room.clone(),
        );
        registry.register(
            "http_accept_errors",
            "Connections that could not be accepted",
            self.accept_errors.clone(),
        );
    }
}

/// What stands for 'a request is being answered' among times.
const BUSY: u64 = u64::MAX;

/// What is known of one connection.
struct Connection {
    /// Since when nothing was asked for, in milliseconds since the listener's start; [`BUSY`] while a request is answered.
    idle_since: AtomicU64,
    has_served: AtomicBool,
    /// The first request was answered: another patience counts from now on. Later ones only put the deadline off.
    answered: Notify,
    leave: Notify,
}

impl Connection {
    fn is_idle(&self) -> bool {
        self.idle_since.load(Ordering::Acquire) != BUSY
    }
}

/// All connections of a listener.
pub(crate) struct Connections {
    terms: Terms,
    started: Instant,
    free: Arc<Semaphore>,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
}

impl Connections {
    pub(crate) fn new(terms: Terms) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(terms.most));
        Arc::new(Self { terms, started: Instant::now(), free, open: Mutex::default() })
    }

    /// The next connection. What keeps one from being accepted is said and counted, and tried again.
    pub(crate) async fn accept(&self, listener: &TcpListener) -> (TcpStream, SocketAddr) {
        let mut pause = Duration::from_millis(50);
        loop {
            let error = match listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => error,
            };
            self.terms.metrics.accept_errors.inc();
            // Whoever knocked has left.
            if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
                continue;
            }
            let open = self.open().len();
            tracing::error!(%error, open, "no connection can be accepted; trying again");
            self.close_one();
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    /// Room for one more. If there is none, the connection goes that has been without a request for longest.
    pub(crate) async fn room(&self) -> OwnedSemaphorePermit {
        if let Ok(room) = Arc::clone(&self.free).try_acquire_owned() {
            return room;
        }
        let mut is_said = false;
        loop {
            if !self.close_one() && !is_said {
                tracing::warn!(most = self.terms.most, "every connection has a request; another one waits");
                is_said = true;
            }
            let room = timeout(LEAVES_WITHIN, Arc::clone(&self.free).acquire_owned());
            if let Ok(Ok(room)) = room.await {
                return room;
            }
        }
    }

    /// Returns when no connection is left.
    pub(crate) async fn all_gone(&self) {
        let all = u32::try_from(self.terms.most).unwrap_or(u32::MAX);
        let _ = self.free.acquire_many(all).await;
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the connection to leave that has been idle for longest; false if none is.
    fn close_one(&self) -> bool {
        let open = self.open();
        let idle = open.values().filter(|connection| connection.is_idle());
        let oldest = idle.min_by_key(|connection| connection.idle_since.load(Ordering::Acquire));
        if let Some(connection) = oldest {
            connection.leave.notify_one();
        }
        oldest.is_some()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(BUSY - 1)
    }

    /// Until when a connection may stay as it is; a busy one is looked at again then.
    fn deadline(&self, connection: &Connection) -> Instant {
        let patience =
            if connection.has_served.load(Ordering::Acquire) { self.terms.idle } else { self.terms.header };
        match connection.idle_since.load(Ordering::Acquire) {
            BUSY => Instant::now() + self.terms.header.min(self.terms.idle),
            since => self.started + Duration::from_millis(since) + patience,
        }
    }

    /// Serves one connection to its end.
    pub(crate) async fn serve(
        self: Arc<Self>,
        (stream, peer): (TcpStream, SocketAddr),
        room: OwnedSemaphorePermit,
        router: Router,
        mut stop: Shutdown,
    ) {
        let connection = Arc::new(Connection {
            idle_since: AtomicU64::new(self.now()),
            has_served: AtomicBool::new(false),
            answered: Notify::new(),
            leave: Notify::new(),
        });
        let _entry = Entry::new(&self, &connection, room);
        // An answer is written at once; waiting for more of it only delays it.
        let _ = stream.set_nodelay(true);
        let served = http1::Builder::new().serve_connection(
            TokioIo::new(stream),
            service_fn(|request| self.answer(request, peer, &router, &connection)),
        );
        let mut served = std::pin::pin!(served);
        let mut is_stopping = false;
        loop {
            tokio::select! {
                // How a connection ends is the client's business.
                _ = served.as_mut() => return,
                () = connection.answered.notified() => {}
                () = connection.leave.notified() => {
                    if connection.is_idle() {
                        self.terms.metrics.closed_for_room.inc();
                        return;
                    }
                }
                () = sleep_until(self.deadline(&connection)) => {
                    if connection.is_idle() && self.deadline(&connection) <= Instant::now() {
                        return;
                    }
                }
                () = stop.requested(), if !is_stopping => {
                    is_stopping = true;
                    // One that never asked for anything would be waited for.
                    if connection.is_idle() && !connection.has_served.load(Ordering::Acquire) {
                        return;
                    }
                    served.as_mut().graceful_shutdown();
                }
            }
        }
    }

    fn answer(
        &self,
        request: hyper::Request<Incoming>,
        peer: SocketAddr,
        router: &Router,
        connection: &Arc<Connection>,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<> {
        connection.idle_since.store(BUSY, Ordering::Release);
        let mut request: Request = request.map(|body| timed(Body::new(body), self.terms.body));
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = TowerToHyperService::new(router.clone()).call(request);
        let (connection, started) = (Arc::clone(connection), self.started);
        async move {
            let response = answer.await;
            let now = u64::try_from(started.elapsed().as_millis()).unwrap_or(BUSY - 1);
            connection.idle_since.store(now, Ordering::Release);
            if !connection.has_served.swap(true, Ordering::AcqRel) {
                connection.answered.notify_one();
            }
            response
        }
    }
}

/// A connection in the list, for as long as it is one.
struct Entry<'a> {
    all: &'a Connections,
    number: u64,
    _room: OwnedSemaphorePermit,
}

impl<'a> Entry<'a> {
    fn new(all: &'a Connections, connection: &Arc<Connection>, room: OwnedSemaphorePermit) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        all.open().insert(number, Arc::clone(connection));
        all.terms.metrics.open.inc();
        Self { all, number, _room: room }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.all.open().remove(&self.number);
        self.all.terms.metrics.open.dec();
    }
}

/// A body that has to be there within `patience`, however slowly it comes. What is cut short is an error, never the end.
fn timed(body: Body, patience: Duration) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let start = (body.into_data_stream(), Instant::now() + patience);
    Body::from_stream(stream::try_unfold(start, async |(mut data, deadline)| {
        match timeout_at(deadline, data.next()).await {
            Ok(Some(Ok(chunk))) => Ok(Some((chunk, (data, deadline)))),
            Ok(Some(Err(error))) => Err(io::Error::other(error)),
            Ok(None) => Ok(None),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the body of a request takes too long")),
        }
    }))
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::serve::serve_on;

    const LONG: Duration = Duration::from_mins(10);
    const SHORT: Duration = Duration::from_millis(50);

    /// A server that echoes; a request to `/wait` is answered when `wait` says so. Ends with the sender.
    async fn serve(terms: Terms, wait: Arc<Notify>) -> (SocketAddr, tokio::sync::watch::Sender<bool>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, shutdown) = Shutdown::channel();
        let router = Router::new()
            .route("/", get(|| async { "hello" }))
            .route(
                "/wait",
                get(move || async move {
                    wait.notified().await;
                    "waited"
                }),
            )
            .route("/echo", post(|body: String| async move { body }));
        tokio::spawn(serve_on(listener, router, shutdown, terms));
        (address, stop)
    }

    fn terms(most: usize) -> Terms {
        Terms { most, header: LONG, body: LONG, idle: LONG, metrics: ConnectionMetrics::default() }
    }

    async fn open(address: SocketAddr) -> TcpStream {
        TcpStream::connect(address).await.unwrap()
    }

    /// What comes until `end`, or until the other side closes.
    async fn until(stream: &mut TcpStream, end: &str) -> String {
        let mut text = Vec::new();
        while !String::from_utf8_lossy(&text).ends_with(end) || end.is_empty() {
            match stream.read_u8().await {
                Ok(byte) => text.push(byte),
                Err(_) => break,
            }
        }
        String::from_utf8(text).unwrap()
    }

    async fn ask(stream: &mut TcpStream, path: &str, end: &str) -> String {
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).await.unwrap();
        until(stream, end).await
    }

    #[tokio::test]
    async fn a_header_that_never_ends_a_body_that_drips_and_idleness_end_a_connection() {
        let (address, _stop) = serve(Terms { header: SHORT, ..terms(9) }, Arc::default()).await;
        let (mut silent, mut slow) = (open(address).await, open(address).await);
        slow.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
        assert_eq!(until(&mut silent, "").await, "");
        assert_eq!(until(&mut slow, "").await, "");

        let (address, _stop) = serve(Terms { idle: SHORT, ..terms(9) }, Arc::default()).await;
        let mut stream = open(address).await;
        assert!(ask(&mut stream, "/", "hello").await.starts_with("HTTP/1.1 200"));
        assert_eq!(until(&mut stream, "").await, "", "it is closed, and not before the answer");

        let (address, _stop) = serve(Terms { body: SHORT, ..terms(9) }, Arc::default()).await;
        let mut stream = open(address).await;
        stream.write_all(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhel").await.unwrap();
        let answer = until(&mut stream, "").await;
        assert!(
            answer.starts_with("HTTP/1.1 400") && !answer.ends_with("hel"),
            "half of it is no body: {answer}"
        );

        let (address, _stop) = serve(terms(9), Arc::default()).await;
        let mut stream = open(address).await;
        stream.write_all(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhel").await.unwrap();
        stream.write_all(b"lo").await.unwrap();
        assert!(until(&mut stream, "hello").await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn connections_without_a_request_starve_nobody() {
        let terms = terms(3);
        let metrics = terms.metrics.clone();
        let (address, _stop) = serve(terms, Arc::default()).await;
        let mut idle = Vec::new();
        for _ in 0..20 {
            idle.push(open(address).await);
        }
        let mut late = open(address).await;
        assert!(ask(&mut late, "/", "hello").await.starts_with("HTTP/1.1 200"));
        // Those that waited for longest had to go.
        assert_eq!(until(&mut idle[0], "").await, "");
        assert!(metrics.closed_for_room.get() >= 17 && metrics.open.get() <= 3);
    }

    #[tokio::test]
    async fn a_connection_with_a_request_keeps_its_room() {
        let wait = Arc::new(Notify::new());
        let (address, _stop) = serve(terms(1), Arc::clone(&wait)).await;
        let mut busy = open(address).await;
        busy.write_all(b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut late = open(address).await;
        let asked = tokio::spawn(async move { ask(&mut late, "/", "hello").await });
        wait.notify_one();
        assert!(until(&mut busy, "waited").await.starts_with("HTTP/1.1 200"));
        assert!(asked.await.unwrap().starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn a_stop_ends_idle_connections_at_once_and_lets_requests_finish() {
        let wait = Arc::new(Notify::new());
        let (address, stop) = serve(terms(9), Arc::clone(&wait)).await;
        let (mut fresh, mut used, mut busy) = (open(address).await, open(address).await, open(address).await);
        assert!(ask(&mut used, "/", "hello").await.starts_with("HTTP/1.1 200"));
        busy.write_all(b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        // It is being answered: another request on a connection of its own has been since.
        assert!(ask(&mut open(address).await, "/", "hello").await.starts_with("HTTP/1.1 200"));
        stop.send(true).unwrap();
        assert_eq!(until(&mut fresh, "").await, "");
        assert_eq!(until(&mut used, "").await, "");
        wait.notify_one();
        assert!(until(&mut busy, "").await.ends_with("waited"));
    }
}
