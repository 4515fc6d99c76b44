//! Does the disk still answer? Says so to everyone who waits, when a commit takes longer than it may.
//!
//! A disk that does not answer is no failure: what is queued stays queued and visible, the committer goes
//! on where it is, and the store takes work again as soon as its commit is done.

use super::committer::Shared;
use engine::storage::StoreError;
use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

/// The files may be behind for this long before new work is refused.
const BEHIND_MAX: Duration = Duration::from_millis(100);

/// What the committer is doing, and since when.
#[derive(Default)]
pub(super) struct Underway(Mutex<Option<Doing>>);

#[derive(Clone, Copy)]
struct Doing {
    since: Instant,
    /// Waits for the database's own files before it writes.
    is_behind: bool,
}

impl Underway {
    pub fn begins(&self) {
        self.set(Some(Doing { since: Instant::now(), is_behind: false }));
    }

    /// The present group waits, or no longer waits, until the files are no longer behind.
    pub fn waits(&self, is_behind: bool) {
        let mut doing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(doing) = doing.as_mut() {
            doing.is_behind = is_behind;
        }
    }

    pub fn ends(&self) {
        self.set(None);
    }

    /// How long the present group has taken until now.
    pub fn takes(&self) -> Duration {
        self.doing().map_or(Duration::ZERO, |doing| doing.since.elapsed())
    }

    /// Refuses new work when the present group takes longer than `within`, or the files are behind.
    pub fn admit(&self, within: Duration) -> Result<(), StoreError> {
        match self.doing().map(|doing| (doing.since.elapsed(), doing.is_behind)) {
            Some((taken, _)) if taken > within => Err(stalled(taken)),
            Some((taken, true)) if taken > BEHIND_MAX => Err(StoreError::Busy),
            _ => Ok(()),
        }
    }

    fn doing(&self) -> Option<Doing> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, doing: Option<Doing>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = doing;
    }
}

/// Starts the thread; it ends when the sender is dropped.
pub(super) fn start(shared: Arc<Shared>) -> io::Result<Sender<()>> {
    let (stop, stopped) = mpsc::channel();
    let every = shared.commit_within / 4;
    thread::Builder::new().name("store-watchdog".into()).spawn(move || {
        while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            let taken = shared.underway.takes();
            if taken > shared.commit_within {
                shared.progress.late(stalled(taken));
            }
        }
    })?;
    Ok(stop)
}

fn stalled(taken: Duration) -> StoreError {
    StoreError::Stalled { for_ms: u64::try_from(taken.as_millis()).unwrap_or(u64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn work_is_taken_while_commits_end_in_time_and_again_when_a_late_one_ended() {
        let underway = Underway::default();
        assert_eq!(underway.admit(Duration::ZERO), Ok(()));
        underway.begins();
        assert_eq!(underway.admit(LONG), Ok(()));
        thread::sleep(Duration::from_millis(2));
        assert!(matches!(underway.admit(Duration::ZERO), Err(StoreError::Stalled { for_ms: 2.. })));
        underway.ends();
        assert_eq!(underway.admit(Duration::ZERO), Ok(()));
    }

    #[test]
    fn work_is_refused_when_the_files_are_behind_for_longer_than_a_moment() {
        let underway = Underway::default();
        underway.begins();
        underway.waits(true);
        thread::sleep(BEHIND_MAX + Duration::from_millis(1));
        assert_eq!(underway.admit(LONG), Err(StoreError::Busy));
        underway.waits(false);
        assert_eq!(underway.admit(LONG), Ok(()));
    }
}
