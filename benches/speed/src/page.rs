//! What was measured, as a page for people.

use crate::{decide, http, rules};
use std::{fmt::Write, fs, path::Path, process::Command};

/// Everything of one run.
pub struct Measured {
    pub rules: Vec<rules::Figure>,
    pub decide: Vec<decide::Figure>,
    /// By number of actions.
    pub http: Vec<(usize, [http::Figure; 2])>,
    pub durable: http::Durable,
}

pub fn write(measured: &Measured) -> String {
    let mut page = format!(
        "# Speed\n\nWritten by `make bench`. {}\n\nFigures are processor time, not waiting time, where not said \
         otherwise. The organisation is made up: so many actions with three predicates each, 64 numbers known of \
         every customer, a model that has learned from purchases.\n",
        machine()
    );
    page += "\n## Rules\nAll allow rules of the catalogue for one customer, ours with the reason of every action \
             that falls. All three give the same answers for 64 customers, or the run fails.\n\n\
             | actions | pass | Attent | zen-expression 0.55.1 | cel 0.15.0 |\n|---|---|---|---|---|\n";
    for figure in &measured.rules {
        let times = |other: f64| format!("{other:.0} µs ({:.0} ×)", other / figure.ours_us);
        let _ = writeln!(
            page,
            "| {} | {:.0} | {:.1} µs | {} | {} |",
            figure.actions,
            figure.passing,
            figure.ours_us,
            times(figure.zen_us),
            times(figure.cel_us)
        );
    }
    page += "\n## One decision, without transport and store\n\
             | actions | weighed by the model | decide | record written down | record |\n|---|---|---|---|---|\n";
    for figure in &measured.decide {
        let _ = writeln!(
            page,
            "| {} | {:.0} | {:.0} µs | {:.0} µs | {} bytes |",
            figure.actions, figure.weighed, figure.decide_us, figure.encode_us, figure.record_bytes
        );
    }
    page += "\n## Complete over HTTP\nAuthentication, consent, contact policy, rules, model, reasons, durable record; \
             16 connections; medians of rounds in turn, with the least and the most.\n\n\
             | actions | server | processor time per request | ratio |\n|---|---|---|---|\n";
    for (actions, figures) in &measured.http {
        let bare = middle(&figures[0].cpu_us);
        for figure in figures {
            let _ = writeln!(
                page,
                "| {actions} | {} | {:.0} µs ({:.0}–{:.0}) | {:.1} × |",
                figure.name,
                middle(&figure.cpu_us),
                figure.cpu_us.iter().copied().fold(f64::INFINITY, f64::min),
                figure.cpu_us.iter().copied().fold(0.0, f64::max),
                middle(&figure.cpu_us) / bare
            );
        }
    }
    let durable = &measured.durable;
    page += "\n## Durable\n100 actions, a million customers asked about in turn, every answer after its record is on disk; the clients share the machine, and waiting \
             time counts from when a question was due. A default is the marked neutral answer when the deadline of 100 ms \
             would pass.\n\n| load | decisions per second | p50 | p99 | within 110 ms | defaults |\n|---|---|---|---|---|---|\n";
    let rows = [
        ("64 connections, as fast as they come", &durable.pressed),
        ("256 connections, as fast as they come", &durable.overloaded),
        ("64 connections, 2,000 a second asked", &durable.paced),
    ];
    for (load, seen) in rows {
        let _ = writeln!(
            page,
            "| {load} | {:.0} | {:.1} ms | {:.1} ms | {:.2} % | {} of {} |",
            (seen.answers() - seen.defaults) as f64 / seen.seconds,
            seen.percentile_ms(0.5),
            seen.percentile_ms(0.99),
            seen.part_within_ms(110) * 100.0,
            seen.defaults,
            seen.answers()
        );
    }
    let _ =
        writeln!(page, "\nEvents, 500 in a request of 8 connections: {:.0} a second.", durable.events_per_s);
    page
}

/// What people wrote on the page that was there before: where the time goes, by a profile.
pub fn findings(page: &Path) -> String {
    let before = fs::read_to_string(page).unwrap_or_default();
    before.find("\n## Where the time goes").map_or_else(String::new, |start| before[start..].to_owned())
}

fn middle(rounds: &[f64]) -> f64 {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Processor, memory, system and compiler, and how busy the machine was.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processor = read("/proc/cpuinfo");
    let model = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map(|(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory: u64 =
        read("/proc/meminfo").split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or(0);
    let load = read("/proc/loadavg");
    format!(
        "Machine: {cores} cores ({}), {} GiB, Linux {}, {}; on {}; load when it ended: {}.",
        model.unwrap_or("unknown processor"),
        memory >> 20,
        read("/proc/sys/kernel/osrelease").trim(),
        output("rustc", "--version"),
        output("date", "-I"),
        load.split_whitespace().next().unwrap_or("unknown")
    )
}

fn output(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
