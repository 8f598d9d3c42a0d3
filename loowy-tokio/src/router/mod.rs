//! The embedded router on a listener: for examples, tests and games that host a session.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use loowy_tokio::router::{self, RealmConfig, RouterServer};
//!
//! let config = router::config()?.realm(RealmConfig::new("realm1")?.anonymous("guest"));
//! let server = RouterServer::bind("127.0.0.1:0", config).await?;
//! println!("join realm1 at {}", server.url());
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod connection;
mod hub;

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;
use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use wamp_session::proto::Format;
use wamp_session::proto::{RegistrationId, SubscriptionId};
pub use wamp_session::router::{
    Disclosure, HistoryShape, Permission, Quirks, RealmConfig, RoleConfig, RouterConfig, RouterLimits, RouterStats,
    User,
};
use wamp_session::ws::{self, WebSocket};

use self::connection::Connection;
use self::hub::Hub;

/// How many clients may be in the opening handshake at once; more wait in the listener's backlog.
const HANDSHAKES: usize = 1_024;

/// How long the opening handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait when the operating system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long connections may take to end, beyond the close timeout of the router.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(1);

/// Makes the configuration of a router without realms, with both seeds from the operating system.
///
/// ```
/// use loowy_tokio::router::{self, RealmConfig, User};
///
/// let realm = RealmConfig::new("realm1")?.user(User::ticket("joe", "secret!!!"));
/// let config = router::config()?.realm(realm);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the operating system has no random numbers.
pub fn config() -> io::Result<RouterConfig> {
    let (mut secret, mut seed) = ([0; 32], [0; 8]);
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    Ok(RouterConfig::new(secret).seed(u64::from_ne_bytes(seed)))
}

/// A router that serves WebSocket clients on a listener, under every path.
///
/// Dropping it ends it at once: clients see their connections end. [`shutdown`](Self::shutdown) lets them say goodbye.
#[derive(Debug)]
#[must_use = "dropping the server ends it"]
pub struct RouterServer {
    hub: Arc<Hub>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    tasks: [JoinHandle<()>; 2],
}

impl RouterServer {
    /// Serves a router on an address; port 0 finds a free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound.
    ///
    /// # Panics
    ///
    /// If it is polled outside of a tokio runtime that has IO and time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, nothing is served.
    pub async fn bind(address: impl ToSocketAddrs, config: RouterConfig) -> io::Result<Self> {
        Self::serve(TcpListener::bind(address).await?, config)
    }

    /// Serves a router on a listener.
    ///
    /// The configuration's [`unix_time`](RouterConfig::unix_time) is set to the present.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// use loowy_tokio::router::{self, RealmConfig, RouterServer};
    /// use tokio::net::TcpListener;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:8080").await?;
    /// let server = RouterServer::serve(listener, router::config()?.realm(RealmConfig::new("realm1")?.anonymous("guest")))?;
    /// println!("{}", server.local_addr());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the listener has no address.
    ///
    /// # Panics
    ///
    /// If it is called outside of a tokio runtime that has IO and time enabled.
    pub fn serve(listener: TcpListener, config: RouterConfig) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let websocket = ws::config(config.message_limits());
        let patience = config.patience().saturating_add(SHUTDOWN_MARGIN);
        let hub = Arc::new(Hub::new(config.unix_time(now)));
        let (stop, stopped) = oneshot::channel();
        let clock = tokio::spawn(Arc::clone(&hub).keep_time());
        let accept = tokio::spawn(accept(listener, Arc::clone(&hub), websocket, patience, HANDSHAKES, stopped));
        Ok(Self { hub, address, stop: Some(stop), tasks: [accept, clock] })
    }

    /// The address that it listens on.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL to connect to, with the address as it was bound: for clients elsewhere, name another host than `0.0.0.0`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// What the router has counted.
    #[must_use]
    pub fn stats(&self) -> RouterStats {
        self.hub.stats()
    }

    /// Ends a subscription for all its subscribers, and says whether it was there; clients find its id by the meta API.
    ///
    /// Subscribers that understand it are told, with the reason: a URI or words. (WAMP Advanced Profile, "Subscription Revocation".)
    ///
    /// ```no_run
    /// # async fn run(server: loowy_tokio::router::RouterServer, client: loowy_tokio::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use loowy_tokio::MatchPolicy;
    ///
    /// if let Some(id) = client.meta().lookup_subscription("com.example.tick", MatchPolicy::Exact).await? {
    ///     server.revoke_subscription("realm1", id, Some("the market is closed"));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn revoke_subscription(&self, realm: &str, subscription: SubscriptionId, reason: Option<&str>) -> bool {
        self.hub.command(|router, now| router.revoke_subscription(now, realm, subscription, reason))
    }

    /// Ends a registration for all its callees, and says whether it was there; clients find its id by the meta API.
    ///
    /// Callees that understand it are told, with the reason: a URI or words. (WAMP Advanced Profile, "Registration Revocation".)
    ///
    /// ```no_run
    /// # async fn run(server: loowy_tokio::router::RouterServer, client: loowy_tokio::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// if let Some(id) = client.meta().match_registration("com.example.add2").await? {
    ///     server.revoke_registration("realm1", id, None);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn revoke_registration(&self, realm: &str, registration: RegistrationId, reason: Option<&str>) -> bool {
        self.hub.command(|router, now| router.revoke_registration(now, realm, registration, reason))
    }

    /// Stops to listen, says GOODBYE to everybody, and waits until they are gone.
    ///
    /// That takes a second longer than the close timeout of the router at the most.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the server ends at once.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            // The task is waiting for it, unless the runtime has dropped it.
            let _ = stop.send(());
        }
        let [accept, _] = &mut self.tasks;
        // It fails only if the runtime ends first.
        let _ = accept.await;
    }
}

impl Drop for RouterServer {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Accepts clients until it is told to stop, then sees them off.
async fn accept(
    listener: TcpListener,
    hub: Arc<Hub>,
    websocket: WebSocketConfig,
    patience: Duration,
    max_handshakes: usize,
    mut stopped: oneshot::Receiver<()>,
) {
    // When this task is aborted, so are its connections.
    let mut connections = JoinSet::new();
    let handshakes = Arc::new(Semaphore::new(max_handshakes));
    loop {
        // The semaphore is never closed.
        let permit = Arc::clone(&handshakes).acquire_owned();
        let Some(Ok(permit)) = unless_stopped(&mut stopped, &mut connections, permit).await else { break };
        match unless_stopped(&mut stopped, &mut connections, listener.accept()).await {
            None => break,
            Some(Ok((stream, _))) => {
                let hub = Arc::clone(&hub);
                connections.spawn(async move {
                    let opened = timeout(HANDSHAKE_TIMEOUT, open(stream, &hub, websocket)).await;
                    drop(permit);
                    if let Ok(Some((socket, format))) = opened {
                        Connection::new(hub, socket, format).await;
                    }
                });
            }
            Some(Err(_)) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    hub.shutdown();
    let gone = async { while connections.join_next().await.is_some() {} };
    // Whoever is left then is dropped.
    let _ = timeout(patience, gone).await;
}

/// Waits for something, and meanwhile takes leave of the connections that end; `None` if the server is told to stop.
async fn unless_stopped<T>(
    stopped: &mut oneshot::Receiver<()>,
    connections: &mut JoinSet<()>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|cx| {
        if Pin::new(&mut *stopped).poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        while let Poll::Ready(Some(_)) = connections.poll_join_next(cx) {}
        work.as_mut().poll(cx).map(Some)
    })
    .await
}

type Socket = WebSocket<tokio_tungstenite::WebSocketStream<TcpStream>>;

/// The opening handshake of one client; `None` if it fails.
async fn open(stream: TcpStream, hub: &Hub, websocket: WebSocketConfig) -> Option<(Socket, Format)> {
    stream.set_nodelay(true).ok()?;
    let mut chosen = None;
    #[expect(clippy::result_large_err, reason = "the type of the callback is tungstenite's")]
    let choose = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        let offers = request.headers().get_all("Sec-WebSocket-Protocol").iter();
        let offers = offers.filter_map(|offer| offer.to_str().ok()).flat_map(|offer| offer.split(',')).map(str::trim);
        let Some(format) = hub.choose_format(offers) else {
            let mut refusal =
                ErrorResponse::new(Some("no WAMP subprotocol that this router has was offered\n".to_owned()));
            *refusal.status_mut() = StatusCode::BAD_REQUEST;
            return Err(refusal);
        };
        chosen = Some(format);
        let name = HeaderValue::from_static(format.subprotocol());
        response.headers_mut().insert("Sec-WebSocket-Protocol", name);
        Ok(response)
    };
    let socket = accept_hdr_async_with_config(stream, choose, Some(websocket)).await.ok()?;
    Some((WebSocket::new(socket), chosen?))
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_messages_are_sent_at_once() {
        let hub = Hub::new(config().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = tokio::spawn(async move {
            let request = ws::request(&format!("ws://{address}/ws"), &["wamp.2.json"]).unwrap();
            tokio_tungstenite::client_async(request, TcpStream::connect(address).await.unwrap()).await.unwrap()
        });
        let (stream, _) = listener.accept().await.unwrap();
        assert!(!stream.nodelay().unwrap(), "the operating system's default");
        let (socket, _) = open(stream, &hub, WebSocketConfig::default()).await.unwrap();
        assert!(socket.into_inner().get_ref().nodelay().unwrap());
        client.await.unwrap();
    }

    #[tokio::test]
    async fn a_server_full_of_handshakes_can_be_stopped() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let hub = Arc::new(Hub::new(config().unwrap()));
        let (stop, stopped) = oneshot::channel();
        let patience = Duration::from_millis(50);
        let mut server = tokio::spawn(accept(listener, hub, WebSocketConfig::default(), patience, 1, stopped));
        // They say nothing; the second one waits for the first.
        let _clients = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        assert!(timeout(Duration::from_millis(200), &mut server).await.is_err(), "it ended by itself");
        stop.send(()).unwrap();
        timeout(HANDSHAKE_TIMEOUT / 2, server).await.expect("it does not stop").unwrap();
    }
}
