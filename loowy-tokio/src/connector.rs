//! From a configuration to a client: sockets, timers and tasks of tokio.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::{Host, Url};
use wamp_session::client::{Adapter, Client, Opening, Runtime, Task, WhenJoined, start};
use wamp_session::ws::{self, WebSocket};
use wamp_session::{CloseCause, Config, Time, TransportError, TransportErrorKind};

use crate::counted::Counted;

/// Connects to a router and joins a realm, with the default [`Connector`].
///
/// It tries each URL of the configuration once, or goes on by the policy if the configuration
/// [says so](Config::retry_initial_connect).
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use loowy_tokio::{CloseCause, Config};
///
/// match loowy_tokio::connect(Config::new("ws://127.0.0.1:8080/ws", "realm1")).await {
///     Ok(client) => client.close().await?,
///     Err(CloseCause::Abort(abort)) => println!("refused: {}", abort.reason),
///     Err(cause) => return Err(cause.into()),
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`CloseCause`] says why the session was not joined: the configuration or the URL cannot be used, the router cannot be reached
/// or refused, or it took longer than the connect timeout.
///
/// # Panics
///
/// If it is polled outside of a tokio runtime that has IO and time enabled.
///
/// # Cancel safety
///
/// Dropping it closes whatever was opened.
pub fn connect(config: Config) -> Connect {
    Connector::new().connect(config)
}

/// What concerns the socket: how to get from a URL to a connection.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use loowy_tokio::{Config, Connector};
///
/// let client = Connector::new().connect(Config::new("ws://127.0.0.1:8080/ws", "realm1")).await?;
/// # drop(client);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connector {
    nodelay: bool,
}

impl Connector {
    /// Makes the default connector: TCP_NODELAY is on.
    #[must_use]
    pub const fn new() -> Self {
        Self { nodelay: true }
    }

    /// Sets whether small messages are sent at once (TCP_NODELAY), which is the default, or collected by the operating system.
    ///
    /// ```
    /// # use loowy_tokio::Connector;
    /// let connector = Connector::new().nodelay(false);
    /// ```
    #[must_use]
    pub const fn nodelay(mut self, nodelay: bool) -> Self {
        self.nodelay = nodelay;
        self
    }

    /// Connects to a router and joins a realm.
    ///
    /// # Errors
    ///
    /// [`CloseCause`] says why the session was not joined.
    ///
    /// # Panics
    ///
    /// If it is polled outside of a tokio runtime that has IO and time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping it closes whatever was opened.
    pub fn connect(self, config: Config) -> Connect {
        Connect(State::Start(self, Box::new(config)))
    }
}

impl Default for Connector {
    fn default() -> Self {
        Self::new()
    }
}

/// The future of [`connect`].
///
/// # Panics
///
/// If it is polled after it was ready, or outside of a tokio runtime that has IO and time enabled.
///
/// # Cancel safety
///
/// Nothing happens before the first poll. Dropped later, whatever was opened is closed.
#[must_use = "futures do nothing unless they are polled"]
pub struct Connect(State);

enum State {
    Start(Connector, Box<Config>),
    Joining(Client, WhenJoined),
    Done,
}

impl Future for Connect {
    type Output = Result<Client, CloseCause>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (client, mut joined) = match core::mem::replace(&mut self.0, State::Done) {
            State::Start(connector, config) => {
                config.check().map_err(CloseCause::Config)?;
                for url in config.urls() {
                    Target::parse(url).map_err(CloseCause::Transport)?;
                }
                let config = config.default_seed(RandomState::new().build_hasher().finish());
                let adapter = Tokio {
                    runtime: Handle::current(),
                    origin: Instant::now(),
                    websocket: ws::config(config.message_limits()),
                    connector,
                };
                let (client, driver) = start(config, adapter);
                tokio::spawn(driver);
                let joined = client.joined();
                (client, joined)
            }
            State::Joining(client, joined) => (client, joined),
            State::Done => panic!("polled after it was ready"),
        };
        match Pin::new(&mut joined).poll(cx) {
            Poll::Ready(result) => Poll::Ready(result.map(|_| client)),
            Poll::Pending => {
                self.0 = State::Joining(client, joined);
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect").finish_non_exhaustive()
    }
}

/// What a URL says about where to connect to.
struct Target {
    host: Host<String>,
    port: u16,
}

impl Target {
    fn parse(url: &str) -> Result<Self, TransportError> {
        let url = Url::parse(url).map_err(|error| TransportError::with_source(TransportErrorKind::Url, error))?;
        let refused = match url.scheme() {
            "ws" if url.fragment().is_some() => "the URL of a WebSocket has no fragment",
            "ws" if !url.username().is_empty() || url.password().is_some() => {
                "the URL holds credentials, which WAMP does not send: use an authenticator"
            }
            "ws" => "",
            "wss" => "wss:// needs TLS, which this version does not have; use ws://",
            _ => "the URL's scheme is not ws://",
        };
        if !refused.is_empty() {
            return Err(unusable(refused));
        }
        let host = url.host().ok_or_else(|| unusable("the URL names no host"))?.to_owned();
        Ok(Self { host, port: url.port_or_known_default().unwrap_or(80) })
    }

    /// Opens the connection, with the options of a connector.
    async fn connect(&self, connector: &Connector) -> Result<TcpStream, TransportError> {
        let connected = match &self.host {
            Host::Ipv4(address) => TcpStream::connect((*address, self.port)).await,
            Host::Ipv6(address) => TcpStream::connect((*address, self.port)).await,
            Host::Domain(name) => {
                let addresses = tokio::net::lookup_host((name.as_str(), self.port))
                    .await
                    .map_err(|error| TransportError::with_source(TransportErrorKind::Dns, error))?
                    .collect::<Vec<_>>();
                TcpStream::connect(&*addresses).await
            }
        };
        let stream = connected.map_err(|error| TransportError::with_source(TransportErrorKind::Connect, error))?;
        stream
            .set_nodelay(connector.nodelay)
            .map_err(|error| TransportError::with_source(TransportErrorKind::Io, error))?;
        Ok(stream)
    }
}

fn unusable(why: &'static str) -> TransportError {
    TransportError::with_source(TransportErrorKind::Url, io::Error::new(io::ErrorKind::InvalidInput, why))
}

/// The runtime in which `connect` was called.
struct Tokio {
    runtime: Handle,
    origin: Instant,
    websocket: WebSocketConfig,
    connector: Connector,
}

impl Runtime for Tokio {
    fn now(&self) -> Time {
        Time::ZERO.checked_add(self.origin.elapsed()).unwrap_or(Time::ZERO)
    }

    fn spawn(&self, task: Task) {
        self.runtime.spawn(task);
    }
}

impl Adapter for Tokio {
    type Socket = WebSocket<WebSocketStream<Counted<TcpStream>>>;

    fn open(&self, url: Arc<str>, subprotocols: Arc<[&'static str]>) -> Opening<Self::Socket> {
        let (websocket, connector) = (self.websocket, self.connector.clone());
        Box::pin(async move {
            let stream = Target::parse(&url)?.connect(&connector).await?;
            let (stream, signs) = Counted::new(stream);
            let request = ws::request(&url, &subprotocols)?;
            let (socket, response) =
                client_async_with_config(request, stream, Some(websocket)).await.map_err(ws::error)?;
            let subprotocol = ws::accept(&response)?;
            Ok((WebSocket::new(socket).counting(signs), subprotocol))
        })
    }

    fn time_of_day(&self) -> Option<Duration> {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()
    }

    fn sleep_until(&self, deadline: Time) -> Task {
        // A deadline that no clock reaches is put off: the driver looks again when it has passed.
        let deadline = self.origin.checked_add(deadline.since(Time::ZERO));
        let deadline = deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
        Box::pin(tokio::time::sleep_until(deadline))
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn urls_that_cannot_be_used_say_why() {
        for (url, why) in [
            ("http://localhost/ws", "the URL's scheme is not ws://"),
            ("wss://localhost/ws", "wss:// needs TLS, which this version does not have; use ws://"),
            (
                "ws://joe:secret@localhost/ws",
                "the URL holds credentials, which WAMP does not send: use an authenticator",
            ),
            ("ws://localhost/ws#top", "the URL of a WebSocket has no fragment"),
            ("localhost", "relative URL without a base"),
        ] {
            let Err(error) = Target::parse(url) else { panic!("{url}") };
            assert_eq!(*error.kind(), TransportErrorKind::Url);
            assert_eq!(error.source().unwrap().to_string(), why);
        }
    }

    #[tokio::test]
    async fn small_messages_are_sent_at_once_unless_the_connector_says_otherwise() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let Ok(target) = Target::parse(&format!("ws://{}/ws", listener.local_addr().unwrap())) else { panic!() };
        for (connector, nodelay) in [
            (Connector::new(), true),
            (Connector::default(), true),
            (Connector::new().nodelay(false), false),
            (Connector::new().nodelay(true), true),
        ] {
            let stream = target.connect(&connector).await.unwrap();
            assert_eq!(stream.nodelay().unwrap(), nodelay, "{connector:?}");
        }
    }

    #[tokio::test]
    async fn the_time_of_day_goes_beside_the_clock() {
        let tokio = Tokio {
            runtime: Handle::current(),
            origin: Instant::now(),
            websocket: WebSocketConfig::default(),
            connector: Connector::new(),
        };
        let (now, time_of_day) = (tokio.now(), tokio.time_of_day().unwrap());
        // Years after its origin, so that it is none of the clock that stands still while the machine sleeps.
        assert!(time_of_day > Duration::from_secs(50 * 365 * 86_400));
        tokio.sleep_until(now.checked_add(Duration::from_millis(20)).unwrap()).await;
        let (slept, seen) = (tokio.now().since(now), tokio.time_of_day().unwrap().saturating_sub(time_of_day));
        assert!(slept >= Duration::from_millis(20));
        assert!(seen.abs_diff(slept) < Duration::from_secs(2), "{seen:?} beside {slept:?}");
    }

    #[test]
    fn hosts_and_ports_are_found() {
        for (url, host, port) in [
            ("ws://example.com", "example.com", 80),
            ("ws://[::1]:9000/ws", "[::1]", 9000),
            ("ws://10.0.0.1/", "10.0.0.1", 80),
        ] {
            let Ok(target) = Target::parse(url) else { panic!("{url}") };
            assert_eq!((target.host.to_string().as_str(), target.port), (host, port));
        }
    }
}
