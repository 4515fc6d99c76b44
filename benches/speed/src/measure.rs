//! How much processor time does something take? The median of many short rounds on one thread, so
//! that whoever else uses the machine counts as little as can be.

const ROUNDS: usize = 25;
const ROUND_NS: u64 = 50_000_000;
const CALLS: usize = 16;

/// Processor time of this thread so far, in nanoseconds.
fn thread_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells its schedule");
    text.split_whitespace().next().and_then(|field| field.parse().ok()).expect("a number of nanoseconds")
}

/// Microseconds per call: the median over rounds; `call` gets a running number.
pub fn microseconds(mut call: impl FnMut(usize)) -> f64 {
    let mut number = 0;
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let (start, first) = (thread_ns(), number);
            loop {
                (number..number + CALLS).for_each(&mut call);
                number += CALLS;
                let spent = thread_ns() - start;
                if spent >= ROUND_NS {
                    return spent as f64 / 1_000.0 / (number - first) as f64;
                }
            }
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}
