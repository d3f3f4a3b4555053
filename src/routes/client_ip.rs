//! Whose address a request comes from.

use std::net::IpAddr;

use actix_web::http::header::{HeaderMap, HeaderName};

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A network: an address and how many leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Net {
    base: u128,
    mask: u128,
}

/// IPv4 is read as IPv6 (`::ffff:a.b.c.d`), so that both spellings of one address are one address.
fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl Net {
    fn parse(text: &str) -> Result<Self, String> {
        let refuse = || format!("server.trusted_proxies: {text:?} is neither an address nor a network like 10.0.0.0/8");
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let ip: IpAddr = address.trim().parse().map_err(|_| refuse())?;
        let (own_bits, before) = if ip.is_ipv4() { (32, 96) } else { (128, 0) };
        let length = match length {
            Some(length) => length.trim().parse::<u32>().ok().filter(|n| *n <= own_bits).ok_or_else(refuse)?,
            None => own_bits,
        };
        let mask = match before + length {
            0 => 0,
            n => u128::MAX << (128 - n),
        };
        Ok(Self { base: bits(ip) & mask, mask })
    }

    fn holds(self, ip: IpAddr) -> bool {
        bits(ip) & self.mask == self.base
    }
}

/// The peers whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Net>);

impl TrustedProxies {
    /// Reads addresses and networks.
    ///
    /// # Errors
    /// A sentence that names the entry that is neither.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        entries.iter().map(|entry| Net::parse(entry.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the peer is one of them.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.0.iter().any(|net| net.holds(peer))
    }

    /// The client's address: the peer itself, or, behind trusted proxies, the rightmost address of
    /// `X-Forwarded-For` that is not one of theirs. What stands further left is the client's own word and ignored.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        let lines: Vec<&str> = headers.get_all(&FORWARDED_FOR).filter_map(|value| value.to_str().ok()).collect();
        let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
        while self.trusts(client) {
            match hops.next().and_then(address) {
                Some(hop) => client = hop.to_canonical(),
                None => break,
            }
        }
        client
    }
}

/// Reads `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip())).or_else(|| {
        text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).and_then(|inner| inner.parse().ok())
    })
}

/// The address found by the middleware; handlers take it as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl actix_web::FromRequest for ClientIp {
    type Error = super::ApiError;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(req: &actix_web::HttpRequest, _payload: &mut actix_web::dev::Payload) -> Self::Future {
        use actix_web::HttpMessage;
        std::future::ready(
            req.extensions().get::<super::middleware::Known>().map(|known| known.client).ok_or_else(|| {
                super::ApiError::internal("the middleware that finds the client's address is not mounted")
            }),
        )
    }
}
