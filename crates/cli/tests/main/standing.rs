//! A disk that does not answer, and more questions than the machine carries: every question still gets its
//! answer, the neutral default, and decisions are made again as soon as they can be.

use crate::{
    fresh_folder,
    running::{Running, ask, tell},
};
use serde_json::json;
use std::{
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// How long the disk does not answer.
const STALL: Duration = Duration::from_secs(3);
/// Within how long after that decisions are made again.
const RECOVERY: Duration = Duration::from_secs(10);

/// What runs a server whose syncs misbehave; `None` where that cannot be done.
fn injected(fault: &str) -> Option<Vec<&str>> {
    let tried = "-f -o /dev/null -e inject=fsync:error=EIO true";
    if !Command::new("strace").args(tried.split(' ')).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: strace is not there, or may not trace");
        return None;
    }
    let strace = "strace -D -f --seccomp-bpf -qq -o /dev/null -e trace=fdatasync -e";
    Some(strace.split(' ').chain([fault]).collect())
}

#[test]
fn a_sync_that_fails_ends_the_server_and_a_new_start_has_everything_acknowledged() {
    let data = fresh_folder("sync_fails");
    let Some(wrapper) = injected("inject=fdatasync:error=EIO:when=30+") else { return };
    let mut running = Running::start(&data, &wrapper, None);
    let (client, mut acknowledged) = (running.client(), Vec::new());
    while let Some(answer) = client.decide(1) {
        assert!(acknowledged.len() < 100, "the sync fails");
        match answer.json["decision"].as_str() {
            Some(id) => acknowledged.push(id.to_owned()),
            None if answer.json["reason"] == "stopped" => break,
            None => {}
        }
    }
    assert!(!acknowledged.is_empty());
    assert_eq!(running.child.wait().unwrap().code(), Some(2));
    let again = Running::start(&data, &[], Some(&running.key));
    let client = again.client();
    for id in &acknowledged {
        assert_eq!(client.get(&format!("/v1/decisions/{id}")).unwrap().status, 200, "{id}");
    }
    until("decisions are made again", RECOVERY, || {
        client.decide(1).is_some_and(|answer| answer.json["default"] == false)
    });
}

#[test]
fn a_disk_that_does_not_answer_gives_defaults_and_decisions_are_back_after_it() {
    let fault = format!("inject=fdatasync:delay_enter={}:when=120", STALL.as_micros());
    let Some(wrapper) = injected(&fault) else { return };
    let running = Running::start(&fresh_folder("does_not_answer"), &wrapper, None);
    let over = AtomicBool::new(false);
    let asked = thread::scope(|scope| {
        let watching = scope.spawn(|| watch(&running, &over));
        let asked = ask(&running, 6, Duration::from_millis(15), &|_| !over.load(Ordering::Relaxed));
        watching.join().unwrap();
        asked
    });
    let (decided, defaults) = tell("a disk that does not answer for 3 s", &asked);
    assert!(decided > 0 && defaults > 0);
    assert!(asked.iter().all(|asked| asked.took < STALL / 2), "nobody waited for the disk");
}

/// Reports and asks whether the server is ready, until the disk has stopped answering and answers again.
fn watch(running: &Running, over: &AtomicBool) {
    let client = running.client();
    let not_ready = || client.get("/readyz").is_some_and(|answer| answer.status == 503);
    let report = |id: usize| {
        let event = json!({"id": id.to_string(), "event": "bill_sent", "identifiers": {"user_id": "1"}});
        client.post("/v1/events", &event).expect("every report gets an answer")
    };
    until("the server says that it is not ready", Duration::from_secs(30), not_ready);
    let refused = report(1);
    assert_eq!((refused.status, refused.retry_after), (503, true), "{}", refused.json);
    until("the server is ready again", STALL + RECOVERY, || !not_ready());
    let decided = || client.decide(1).is_some_and(|answer| answer.json["default"] == false);
    until("decisions are made again", RECOVERY, decided);
    assert_eq!(report(1).status, 200, "the same report is taken now");
    over.store(true, Ordering::Relaxed);
}

fn until(what: &str, within: Duration, happens: impl Fn() -> bool) {
    let begin = std::time::Instant::now();
    while !happens() {
        assert!(begin.elapsed() < within, "not within {within:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn more_questions_than_the_machine_carries_all_get_an_answer() {
    let running = Running::start(&fresh_folder("overload"), &[], None);
    let for_so_long = Duration::from_secs(if std::env::var_os("ATTENT_NIGHTLY").is_some() { 60 } else { 3 });
    let asked = ask(&running, 200, Duration::ZERO, &|at| at < for_so_long);
    let (decided, _) = tell("200 clients without a pause", &asked);
    assert!(decided > 0, "overload is no reason to decide nothing");
    let client = running.client();
    until("decisions are made again", RECOVERY, || {
        client.decide(1).is_some_and(|answer| answer.json["default"] == false)
    });
}
