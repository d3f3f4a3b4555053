//! Values that are fine alone but not together, or outside of what can work.

use std::net::{IpAddr, SocketAddr};

use super::error::ConfigError;
use super::load::Origins;
use super::{Durability, Profile, Settings};

/// Refuses settings that contradict each other.
pub(super) fn contradictions(settings: &Settings, origins: &Origins) -> Result<(), ConfigError> {
    let check = Check { origins };
    server(settings, &check)?;
    stores(settings, &check)?;
    queue(settings, &check)?;
    llm(settings, &check)?;
    delivery(settings, &check)?;
    check.unless(
        settings.metrics.token_is_short(),
        &["metrics.token"],
        "metrics.token is shorter than 32 characters",
        "make one with `openssl rand -hex 32`, or leave it empty for scrapes from loopback only.",
    )
}

struct Check<'a> {
    origins: &'a Origins,
}

impl Check<'_> {
    fn unless(&self, wrong: bool, keys: &[&str], what: &str, mend: &str) -> Result<(), ConfigError> {
        if !wrong {
            return Ok(());
        }
        let places: Vec<String> = keys
            .iter()
            .filter_map(|key| self.origins.get(key))
            .map(|entry| match entry.value.as_str() {
                "" => format!("{} (empty) from {}", entry.key, entry.origin),
                value => format!("{} = {value} from {}", entry.key, entry.origin),
            })
            .collect();
        Err(ConfigError::new(what, places.join("; "), mend))
    }

    fn positive(&self, values: &[(&str, u64)]) -> Result<(), ConfigError> {
        for (key, value) in values {
            self.unless(*value == 0, &[key], &format!("{key} is 0"), &format!("set {key} to at least 1."))?;
        }
        Ok(())
    }

    fn address(&self, key: &str, value: &str) -> Result<(), ConfigError> {
        self.unless(
            value.parse::<SocketAddr>().is_err(),
            &[key],
            &format!("{key} is no address with a port"),
            "write an IP address and a port, for example 127.0.0.1:8080 or [::1]:8080.",
        )
    }

    fn base_url(&self, key: &str, value: &str) -> Result<(), ConfigError> {
        let fits = url::Url::parse(value).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        self.unless(!fits, &[key], &format!("{key} is no http or https URL"), "write it like https://api.example.com.")
    }
}

fn server(settings: &Settings, check: &Check<'_>) -> Result<(), ConfigError> {
    let server = &settings.server;
    check.address("server.bind", &server.bind)?;
    if !settings.metrics.bind.is_empty() {
        check.address("metrics.bind", &settings.metrics.bind)?;
    }
    check.positive(&[
        ("server.body_limit_bytes", server.body_limit_bytes as u64),
        ("server.header_limit_bytes", server.header_limit_bytes as u64),
        ("server.body_timeout_ms", server.body_timeout_ms),
        ("server.header_timeout_ms", server.header_timeout_ms),
        ("server.max_connections", server.max_connections as u64),
        ("server.peer_flood_per_second", server.peer_flood_per_second.into()),
        ("limits.number_per_minute", settings.limits.number_per_minute.into()),
        ("limits.number_burst", settings.limits.number_burst.into()),
        ("limits.company_address_per_second", settings.limits.company_address_per_second.into()),
    ])?;
    check.unless(
        !server.trusted_proxies.iter().all(|peer| is_network(peer)),
        &["server.trusted_proxies"],
        "server.trusted_proxies holds something that is neither an IP address nor a network",
        "write entries like 10.0.0.5, 10.0.0.0/8 or fd00::/8.",
    )
}

fn is_network(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= most))
}

fn stores(settings: &Settings, check: &Check<'_>) -> Result<(), ConfigError> {
    check.positive(&[
        ("database.pool_size", settings.database.pool_size as u64),
        ("database.acquire_timeout_ms", settings.database.acquire_timeout_ms),
        ("database.statement_timeout_ms", settings.database.statement_timeout_ms),
        ("redis.response_timeout_ms", settings.redis.response_timeout_ms),
    ])?;
    let strict = settings.redis.durability == Durability::Strict && settings.profile == Profile::Production;
    check.unless(
        strict && settings.redis.response_timeout_ms < 5_000,
        &["redis.response_timeout_ms", "redis.durability"],
        "redis.response_timeout_ms is too short for redis.durability = strict: every answer waits for the disk",
        "set redis.response_timeout_ms to at least 5000.",
    )?;
    check.unless(
        !(settings.redis.shed_above_ratio > 0.0 && settings.redis.shed_above_ratio <= 1.0),
        &["redis.shed_above_ratio"],
        "redis.shed_above_ratio is not a share",
        "set it above 0 and at most 1, for example 0.8.",
    )
}

fn queue(settings: &Settings, check: &Check<'_>) -> Result<(), ConfigError> {
    let queue = &settings.queue;
    check.positive(&[
        ("queue.lease_ms", queue.lease_ms),
        ("queue.renew_ms", queue.renew_ms),
        ("queue.sweep_ms", queue.sweep_ms),
        ("queue.idle_wait_ms", queue.idle_wait_ms),
        ("queue.mailbox_cap", queue.mailbox_cap as u64),
        ("queue.max_expired_leases", queue.max_expired_leases.into()),
        ("queue.concurrency", queue.concurrency as u64),
        ("queue.company_concurrency", queue.company_concurrency as u64),
        ("queue.quantum", queue.quantum.into()),
        ("queue.seen_hours", queue.seen_hours),
        ("queue.dead_letter_days", queue.dead_letter_days),
        ("context.ttl_seconds", settings.context.ttl_seconds),
    ])?;
    check.unless(
        queue.renew_ms >= queue.lease_ms,
        &["queue.renew_ms", "queue.lease_ms"],
        "queue.renew_ms is not shorter than queue.lease_ms: every claim would expire before it is renewed",
        "set queue.renew_ms to a third of queue.lease_ms.",
    )?;
    check.unless(
        queue.burst_window_ms > queue.burst_max_ms,
        &["queue.burst_window_ms", "queue.burst_max_ms"],
        "queue.burst_window_ms is longer than queue.burst_max_ms",
        "set queue.burst_max_ms to at least the window.",
    )
}

fn llm(settings: &Settings, check: &Check<'_>) -> Result<(), ConfigError> {
    let llm = &settings.llm;
    check.base_url("llm.base_url", &llm.base_url)?;
    check.positive(&[
        ("llm.max_output_tokens", llm.max_output_tokens.into()),
        ("llm.tries", llm.tries.into()),
        ("llm.budget_ms", llm.budget_ms),
        ("llm.call_timeout_ms", llm.call_timeout_ms),
        ("llm.breaker_failures", llm.breaker_failures.into()),
        ("llm.error_budget_window_minutes", llm.error_budget_window_minutes),
    ])?;
    check.unless(llm.model.is_empty(), &["llm.model"], "llm.model is empty", "name the provider's model.")?;
    check.unless(
        llm.call_timeout_ms > llm.budget_ms,
        &["llm.call_timeout_ms", "llm.budget_ms"],
        "llm.call_timeout_ms is longer than llm.budget_ms: one call may not outlast all tries together",
        "set llm.call_timeout_ms to at most llm.budget_ms.",
    )?;
    check.unless(
        !(llm.error_budget_target > 0.0 && llm.error_budget_target < 1.0),
        &["llm.error_budget_target"],
        "llm.error_budget_target is not between 0 and 1",
        "set it like 0.99: 99 of 100 calls should succeed.",
    )
}

fn delivery(settings: &Settings, check: &Check<'_>) -> Result<(), ConfigError> {
    let delivery = &settings.delivery;
    if !delivery.base_url.is_empty() {
        check.base_url("delivery.base_url", &delivery.base_url)?;
    }
    check.positive(&[("delivery.timeout_ms", delivery.timeout_ms), ("delivery.max_age_ms", delivery.max_age_ms)])?;
    check.unless(
        delivery.retry_ms.is_empty() || delivery.retry_ms.contains(&0),
        &["delivery.retry_ms"],
        "delivery.retry_ms is empty or holds a wait of 0",
        "list the waits in milliseconds, for example [5000, 15000, 45000].",
    )?;
    check.unless(
        delivery.deadline_spare_ms >= settings.queue.lease_ms,
        &["delivery.deadline_spare_ms", "queue.lease_ms"],
        "delivery.deadline_spare_ms is not shorter than queue.lease_ms: nothing could ever be sent",
        "set delivery.deadline_spare_ms to a sixth of queue.lease_ms.",
    )?;
    check.unless(
        delivery.deadline_spare_ms + settings.queue.renew_ms > settings.queue.lease_ms,
        &["delivery.deadline_spare_ms", "queue.renew_ms", "queue.lease_ms"],
        "right before a renewal less than delivery.deadline_spare_ms is left of the lease, so sends would be refused",
        "keep delivery.deadline_spare_ms + queue.renew_ms at or below queue.lease_ms.",
    )
}
