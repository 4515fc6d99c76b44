//! What does an operator want to count? Requests, decisions, verdicts and the state of the store, as
//! Prometheus text. Labels are names from a fixed set, never anything about a customer.

use crate::app::App;
use engine::Verdict;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    with_local_recorder,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};
use std::time::Duration;

/// Upper bounds of the time histogram, in seconds.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0];

/// The counters of one server.
pub struct Telemetry(PrometheusRecorder);

impl Default for Telemetry {
    fn default() -> Self {
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS);
        let recorder = builder.expect("the buckets are not empty").build_recorder();
        with_local_recorder(&recorder, describe);
        Self(recorder)
    }
}

fn describe() {
    describe_counter!("attent_http_requests_total", "requests by route, method and status");
    describe_histogram!(
        "attent_http_request_seconds",
        Unit::Seconds,
        "time from arrival to answer, by route"
    );
    describe_counter!("attent_decisions_total", "answers by kind: said, silent, default, dry_run");
    describe_counter!("attent_verdicts_total", "reports by kind and verdict");
    describe_counter!(
        "attent_browser_slots_total",
        "slots decided for nobody in particular on a page, by kind: learned, left_out"
    );
    describe_counter!("attent_learned_rows_total", "journal entries learned from");
    describe_gauge!("attent_store_queued_batches", "batches waiting for the disk");
    describe_gauge!(
        "attent_store_expiry_lag_seconds",
        "what was due before that is removed; none of it is readable"
    );
    describe_gauge!("attent_store_committing_seconds", "how long the disk has been busy with one group");
    describe_gauge!("attent_strategy_pending_problems", "problems of the strategy folder as it is now");
}

/// Methods as they are counted: a client can make up as many as it likes.
fn word(method: &str) -> &str {
    match method {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" => method,
        _ => "other",
    }
}

impl Telemetry {
    /// Counts one answered request.
    pub fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        let labels = [
            ("route", route.to_owned()),
            ("method", word(method).to_owned()),
            ("status", status.to_string()),
        ];
        with_local_recorder(&self.0, || {
            counter!("attent_http_requests_total", &labels).increment(1);
            histogram!("attent_http_request_seconds", "route" => route.to_owned()).record(took.as_secs_f64());
        });
    }

    /// Counts one answer to a decide request.
    pub fn decision(&self, kind: &'static str) {
        with_local_recorder(&self.0, || counter!("attent_decisions_total", "kind" => kind).increment(1));
    }

    /// Counts one verdict on a report.
    pub fn verdict(&self, report: &'static str, verdict: &Verdict) {
        let word = match verdict {
            Verdict::Accepted => "accepted",
            Verdict::Duplicate => "duplicate",
            Verdict::Rejected { .. } => "rejected",
        };
        with_local_recorder(&self.0, || {
            counter!("attent_verdicts_total", "report" => report, "verdict" => word).increment(1);
        });
    }

    /// Counts slots that a page asked about for nobody in particular.
    pub fn browser_slots(&self, learned: bool, slots: u32) {
        let kind = if learned { "learned" } else { "left_out" };
        with_local_recorder(&self.0, || {
            counter!("attent_browser_slots_total", "kind" => kind).increment(u64::from(slots));
        });
    }

    /// Counts what was learned from.
    pub fn learned(&self, rows: u64) {
        with_local_recorder(&self.0, || counter!("attent_learned_rows_total").increment(rows));
    }

    /// Folds recorded times together, so that they take no more memory while nobody reads them.
    pub fn tidy(&self) {
        self.0.handle().run_upkeep();
    }

    /// Everything, as Prometheus text.
    pub fn render(&self, app: &App) -> String {
        let health = app.engine.health();
        with_local_recorder(&self.0, || {
            gauge!("attent_store_queued_batches").set(health.queued_batches as f64);
            gauge!("attent_store_committing_seconds").set(health.committing_for_ms as f64 / 1000.0);
            gauge!("attent_store_expiry_lag_seconds").set(health.expiry_lag_ms as f64 / 1000.0);
            gauge!("attent_strategy_pending_problems").set(app.pending_problems().len() as f64);
        });
        self.0.handle().render()
    }
}
