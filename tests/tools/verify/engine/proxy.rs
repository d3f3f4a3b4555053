//! A gate between the product and what it depends on: passes bytes through, counts requests, and at the k-th one pulls
//! the trigger.
//!
//! A request is a piece of bytes read from the product in one go: one command or pipeline of Redis, one message group of
//! PostgreSQL, one HTTP request. Large ones may count twice, which only adds places to die at.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// When the trigger is pulled at the k-th request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before it is passed on: it never takes effect.
    Before,
    /// When its answer is there, and before that is passed on: it took effect and nobody learned of it.
    After,
}

/// Counts requests over all gates of one process.
pub struct Counter {
    armed: AtomicBool,
    seen: AtomicU64,
    at: u64,
    moment: Moment,
    fired: AtomicBool,
    trigger: Box<dyn Fn() + Send + Sync>,
}

impl Counter {
    pub fn new(at: u64, moment: Moment, trigger: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            armed: AtomicBool::new(false),
            seen: AtomicU64::new(0),
            at,
            moment,
            fired: AtomicBool::new(false),
            trigger: Box::new(trigger),
        })
    }

    /// From now on requests count.
    pub fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::SeqCst)
    }

    /// Whether the process is dead.
    pub fn fired(&self) -> bool {
        self.fired.load(Ordering::SeqCst)
    }

    /// Counts a request; whether it is the one.
    fn count(&self) -> bool {
        self.armed.load(Ordering::SeqCst) && self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.at
    }

    fn fire(&self) {
        self.fired.store(true, Ordering::SeqCst);
        (self.trigger)();
    }
}

/// A gate on a Unix socket before another one.
pub fn unix(gate: &Path, target: PathBuf, counter: Arc<Counter>) {
    let listener = UnixListener::bind(gate).unwrap();
    tokio::spawn(async move {
        while let Ok((product, _)) = listener.accept().await {
            let (counter, target) = (Arc::clone(&counter), target.clone());
            tokio::spawn(async move {
                if let Ok(server) = UnixStream::connect(target).await {
                    pass(product, server, counter).await;
                }
            });
        }
    });
}

/// A gate on loopback before a TCP server; its address.
pub async fn tcp(target: SocketAddr, counter: Arc<Counter>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((product, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            tokio::spawn(async move {
                if let Ok(server) = TcpStream::connect(target).await {
                    pass(product, server, counter).await;
                }
            });
        }
    });
    address
}

async fn pass<P, S>(product: P, server: S, counter: Arc<Counter>)
where
    P: AsyncRead + AsyncWrite + Send + 'static,
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (mut from_product, mut to_product) = tokio::io::split(product);
    let (mut from_server, mut to_server) = tokio::io::split(server);
    // Set when the next answer on this connection is the one that must not arrive.
    let last = Arc::new(AtomicBool::new(false));
    let (watched, back) = (Arc::clone(&last), Arc::clone(&counter));
    tokio::spawn(async move {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(n) = from_server.read(&mut bytes).await {
            // No answer will ever be there: the end of the connection is all there is after such a request.
            if n == 0 && watched.load(Ordering::SeqCst) {
                back.fire();
            }
            if n == 0 || back.fired() {
                return;
            }
            if watched.load(Ordering::SeqCst) {
                back.fire();
                return;
            }
            if to_product.write_all(&bytes[..n]).await.is_err() {
                return;
            }
        }
    });
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(n) = from_product.read(&mut bytes).await {
        if n == 0 && last.load(Ordering::SeqCst) {
            counter.fire();
        }
        if n == 0 || counter.fired() {
            return;
        }
        if counter.count() {
            if counter.moment == Moment::Before {
                counter.fire();
                return;
            }
            last.store(true, Ordering::SeqCst);
        }
        if to_server.write_all(&bytes[..n]).await.is_err() {
            return;
        }
    }
}
