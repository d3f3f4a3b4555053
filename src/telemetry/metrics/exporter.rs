//! The exporter: two Prometheus recorders behind one door.
//!
//! Series with a `company` label live in a recorder that drops idle ones; all others live in one that never does,
//! because a job that succeeded yesterday, or the version, must not vanish for lack of news. A family is wholly in one
//! or the other, so the two texts can simply follow each other.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use ::metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_util::MetricKindMask;
use tokio::time::Instant;

use super::catalogue::{CATALOGUE, Kind, Metric};
use super::record;
use crate::config::{CompanySeries, MetricsSettings};

/// Above so many active companies histograms are kept for all companies together.
pub const HISTOGRAM_COMPANY_LIMIT: usize = 1_000;

/// Label value of series that are not kept company by company.
const ALL: &str = "_all";

/// How long a rendered page is served again, so that several scrapers cost one rendering.
const PAGE_LIFE: Duration = Duration::from_secs(1);

/// How often [`MetricsHandle::keep_up`] tidies.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

static INSTALLED: OnceLock<MetricsHandle> = OnceLock::new();
static INSTALLING: Mutex<()> = Mutex::new(());

/// Companies with an event in the current and in the previous stretch of `idle` time.
#[derive(Debug)]
struct Companies {
    current: HashSet<String>,
    previous: usize,
    since: Instant,
}

#[derive(Debug)]
struct Shared {
    totals: bool,
    idle: Option<Duration>,
    companies: RwLock<Companies>,
}

impl Shared {
    /// Notes an event of a company and says how many are active.
    fn note(&self, company: &str) -> usize {
        {
            let seen = self.companies.read().unwrap_or_else(PoisonError::into_inner);
            if seen.current.contains(company) {
                return seen.current.len().max(seen.previous);
            }
        }
        let mut seen = self.companies.write().unwrap_or_else(PoisonError::into_inner);
        seen.current.insert(company.to_owned());
        seen.current.len().max(seen.previous)
    }

    fn rotate(&self) {
        let Some(idle) = self.idle else { return };
        let mut seen = self.companies.write().unwrap_or_else(PoisonError::into_inner);
        if seen.since.elapsed() >= idle {
            seen.previous = seen.current.len();
            seen.current = HashSet::new();
            seen.since = Instant::now();
        }
    }
}

/// The recorder of this program: routes each series to where it may or may not be dropped, and folds companies
/// together where they are not to be told apart.
#[derive(Debug)]
pub struct SplitRecorder {
    global: PrometheusRecorder,
    company: PrometheusRecorder,
    shared: Arc<Shared>,
}

impl SplitRecorder {
    /// Which recorder takes the series, and under what key when not under its own.
    fn place(&self, key: &Key, histogram: bool) -> (&PrometheusRecorder, Option<Key>) {
        let Some(company) = key.labels().find(|label| label.key() == "company") else {
            return (&self.global, None);
        };
        let fold = self.shared.totals || {
            let active = self.shared.note(company.value());
            histogram && active > HISTOGRAM_COMPANY_LIMIT
        };
        let folded = fold.then(|| {
            let labels: Vec<Label> = key
                .labels()
                .map(|label| if label.key() == "company" { Label::new("company", ALL) } else { label.clone() })
                .collect();
            Key::from_parts(key.name().to_owned(), labels)
        });
        (&self.company, folded)
    }
}

impl Recorder for SplitRecorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.global.describe_counter(name, unit, help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.global.describe_gauge(name, unit, help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.global.describe_histogram(name, unit, help);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        let (recorder, folded) = self.place(key, false);
        recorder.register_counter(folded.as_ref().unwrap_or(key), metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        // The last company to set a gauge would pass for all of them, so totals have no such gauges.
        if self.shared.totals && key.labels().any(|label| label.key() == "company") {
            return Gauge::noop();
        }
        let (recorder, _) = self.place(key, false);
        recorder.register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        let (recorder, folded) = self.place(key, true);
        recorder.register_histogram(folded.as_ref().unwrap_or(key), metadata)
    }
}

/// What shows the metrics. Clones show the same ones.
#[derive(Clone, Debug)]
pub struct MetricsHandle {
    global: PrometheusHandle,
    company: PrometheusHandle,
    shared: Arc<Shared>,
    page: Arc<Mutex<Option<(Instant, Arc<str>)>>>,
}

impl MetricsHandle {
    /// The page in Prometheus' text format, at most a second old. Takes seconds with ten thousand companies: keep it
    /// off threads that serve requests.
    pub fn render(&self) -> Arc<str> {
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, text)) = page.as_ref()
            && made.elapsed() < PAGE_LIFE
        {
            return Arc::clone(text);
        }
        let text: Arc<str> = self.render_now().into();
        *page = Some((Instant::now(), Arc::clone(&text)));
        text
    }

    /// The page as it is this very moment.
    pub fn render_now(&self) -> String {
        let mut text = self.global.render();
        text.push_str(&self.company.render());
        text
    }

    /// Moves recorded samples into their buckets and forgets idle companies. Without it memory grows between scrapes.
    pub fn upkeep(&self) {
        self.global.run_upkeep();
        self.company.run_upkeep();
        self.shared.rotate();
    }

    /// Runs [`MetricsHandle::upkeep`] every few seconds; never returns.
    pub async fn keep_up(self) {
        let mut tick = tokio::time::interval(UPKEEP_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.upkeep();
        }
    }
}

/// Builds a recorder and its handle without making it the process's own: for tests, through
/// `metrics::with_local_recorder`.
///
/// # Errors
/// A sentence, when the catalogue holds an empty set of buckets.
pub fn build(settings: &MetricsSettings) -> Result<(SplitRecorder, MetricsHandle), String> {
    let idle = (settings.company_series == CompanySeries::Active)
        .then(|| Duration::from_secs(settings.idle_minutes.saturating_mul(60)));
    let global = recorder(false, None)?;
    let company = recorder(true, idle)?;
    let shared = Arc::new(Shared {
        totals: settings.company_series == CompanySeries::Totals,
        idle,
        companies: RwLock::new(Companies { current: HashSet::new(), previous: 0, since: Instant::now() }),
    });
    let handle = MetricsHandle {
        global: global.handle(),
        company: company.handle(),
        shared: Arc::clone(&shared),
        page: Arc::new(Mutex::new(None)),
    };
    let split = SplitRecorder { global, company, shared };
    ::metrics::with_local_recorder(&split, begin);
    Ok((split, handle))
}

/// Makes the recorder the process's own. The first call counts: later ones return the same handle.
///
/// # Errors
/// A sentence, when the catalogue holds an empty set of buckets or a foreign recorder is in place already.
pub fn install(settings: &MetricsSettings) -> Result<MetricsHandle, String> {
    let _one_at_a_time = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = INSTALLED.get() {
        return Ok(handle.clone());
    }
    let (split, handle) = build(settings)?;
    ::metrics::set_global_recorder(split).map_err(|error| format!("metrics cannot be installed: {error}"))?;
    Ok(INSTALLED.get_or_init(|| handle).clone())
}

fn recorder(per_company: bool, idle: Option<Duration>) -> Result<PrometheusRecorder, String> {
    let mut builder = PrometheusBuilder::new().idle_timeout(MetricKindMask::ALL, idle);
    let families = || CATALOGUE.iter().filter(|metric| metric.per_company == per_company);
    for metric in families().filter(|metric| metric.kind == Kind::Histogram) {
        builder = builder
            .set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), metric.buckets)
            .map_err(|error| format!("{} has no usable buckets: {error}", metric.name))?;
    }
    let recorder = builder.build_recorder();
    for metric in families() {
        let (name, help) = (KeyName::from_const_str(metric.name), SharedString::const_str(metric.help));
        match metric.kind {
            Kind::Counter => recorder.describe_counter(name, None, help),
            Kind::Gauge => recorder.describe_gauge(name, None, help),
            Kind::Histogram => recorder.describe_histogram(name, None, help),
        }
    }
    Ok(recorder)
}

/// What is there before anything happened: the version, and every counter without a company at 0.
fn begin() {
    record::build_info(env!("CARGO_PKG_VERSION"));
    for metric in CATALOGUE.iter().filter(|metric| metric.kind == Kind::Counter && !metric.per_company) {
        for labels in combinations(metric) {
            ::metrics::counter!(metric.name, labels).increment(0);
        }
    }
}

/// Every combination of a family's closed label values; none when a label is open.
fn combinations(metric: &Metric) -> Vec<Vec<Label>> {
    metric.labels.iter().fold(vec![Vec::new()], |sets, (name, values)| {
        sets.iter()
            .flat_map(|set: &Vec<Label>| {
                values.iter().map(move |value| {
                    let mut longer = set.clone();
                    longer.push(Label::from_static_parts(name, value));
                    longer
                })
            })
            .collect()
    })
}
