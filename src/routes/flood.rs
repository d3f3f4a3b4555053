//! The first line against floods: requests a second of one peer address, counted in this process alone.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Between two clean-ups; without them every address ever seen would stay in memory.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Counts requests by peer address. Clones share the counts.
#[derive(Clone, Debug)]
pub struct Flood {
    limiter: Arc<DefaultKeyedRateLimiter<IpAddr>>,
}

impl Flood {
    /// Lets so many requests a second pass from one address; 0 counts as 1.
    pub fn new(per_second: u32) -> Self {
        let quota = Quota::per_second(NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN));
        Self { limiter: Arc::new(RateLimiter::keyed(quota)) }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// The time to wait, when the address sends too much.
    pub fn check(&self, peer: IpAddr) -> Result<(), Duration> {
        self.limiter.check_key(&neighbourhood(peer)).map_err(|refused| {
            // The limiter's own clock: making another asks the processor who it is, which a hypervisor has
            // to answer; it was a third of a webhook's time.
            refused.wait_time_from(self.limiter.clock().now())
        })
    }

    /// Forgets addresses that have been quiet.
    pub fn sweep(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    /// Sweeps once a minute; never returns.
    pub async fn keep_swept(self) {
        let mut tick = tokio::time::interval(SWEEP_EVERY);
        loop {
            tick.tick().await;
            self.sweep();
        }
    }
}

/// One customer of an IPv6 network commands a whole /64, so that counts as one address.
fn neighbourhood(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}
