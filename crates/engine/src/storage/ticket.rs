//! When is a batch durable? A [`Ticket`] waits for it, blocking or as a future; a [`Progress`] is
//! the store's end, which moves all tickets forward together.
//!
//! One number says it all: batches become durable in the order of their versions.

use super::{StoreError, Version};
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

/// How far a store has come: the highest version that is durable, or why there will be no more.
#[derive(Debug, Default)]
pub struct Progress {
    durable: AtomicU64,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    failure: Option<StoreError>,
    /// Tickets up to this version have waited long enough, and what they are told.
    late: Option<(u64, StoreError)>,
    wakers: BTreeMap<u64, Waker>,
}

impl Progress {
    /// Nothing is waited for yet, and everything up to `durable` is.
    pub fn starting_at(durable: Version) -> Arc<Self> {
        Arc::new(Self { durable: AtomicU64::new(durable.0), waiting: Mutex::default() })
    }

    /// The highest durable version.
    pub fn durable(&self) -> Version {
        Version(self.durable.load(Ordering::Acquire))
    }

    /// Everything up to `version` is durable: resolves those tickets.
    pub fn advance(&self, version: Version) {
        let ready = {
            let mut waiting = self.waiting();
            self.durable.store(version.0, Ordering::Release);
            let later = waiting.wakers.split_off(&(version.0 + 1));
            std::mem::replace(&mut waiting.wakers, later)
        };
        ready.into_values().for_each(Waker::wake);
    }

    /// Nothing more will become durable: fails all open tickets and those still to come. The first
    /// failure stays.
    pub fn fail(&self, error: StoreError) {
        let ready = {
            let mut waiting = self.waiting();
            waiting.failure.get_or_insert(error);
            std::mem::take(&mut waiting.wakers)
        };
        ready.into_values().for_each(Waker::wake);
    }

    /// The disk does not answer: tells everyone who awaits a ticket, which may still become durable.
    pub fn late(&self, error: StoreError) {
        let ready = {
            let mut waiting = self.waiting();
            let ready = std::mem::take(&mut waiting.wakers);
            if let Some((through, _)) = ready.last_key_value() {
                waiting.late = Some((*through, error));
            }
            ready
        };
        ready.into_values().for_each(Waker::wake);
    }

    /// A ticket for the batch with this version; at most one per version.
    pub fn ticket(self: &Arc<Self>, version: Version, journal_sequence: Option<u64>) -> Ticket {
        Ticket { progress: self.clone(), version, journal_sequence }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The promise that a queued batch becomes durable. Wait for it, or await it, before telling anyone
/// outside; dropping it does not undo the batch.
///
/// Awaiting is for whoever owes somebody an answer: it ends with [`StoreError::Stalled`] when the disk does
/// not answer in time. [`Ticket::wait`] is for whoever must know how it ended.
#[derive(Debug)]
#[must_use = "a batch is only certain when its ticket has resolved"]
pub struct Ticket {
    progress: Arc<Progress>,
    version: Version,
    journal_sequence: Option<u64>,
}

impl Ticket {
    /// The version of the rows this batch wrote.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The number of the batch's first journal entry; the others follow without gaps.
    pub fn journal_sequence(&self) -> Option<u64> {
        self.journal_sequence
    }

    /// Blocks this thread until the batch is durable, or has failed, however long the disk takes.
    pub fn wait(self) -> Result<(), StoreError> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            match self.ended(&waker, Patience::Endless) {
                Poll::Ready(result) => return result,
                Poll::Pending => thread::park(),
            }
        }
    }

    fn ended(&self, waker: &Waker, patience: Patience) -> Poll<Result<(), StoreError>> {
        if self.progress.durable() >= self.version {
            return Poll::Ready(Ok(()));
        }
        let mut waiting = self.progress.waiting();
        if self.progress.durable() >= self.version {
            return Poll::Ready(Ok(()));
        }
        if let Some(error) = &waiting.failure {
            return Poll::Ready(Err(error.clone()));
        }
        let late = waiting.late.as_ref().filter(|(through, _)| self.version.0 <= *through);
        if let (Some((_, error)), Patience::Ends) = (late, patience) {
            return Poll::Ready(Err(error.clone()));
        }
        waiting.wakers.insert(self.version.0, waker.clone());
        Poll::Pending
    }
}

#[derive(Clone, Copy)]
enum Patience {
    Ends,
    Endless,
}

impl Future for Ticket {
    type Output = Result<(), StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.ended(context.waker(), Patience::Ends)
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    fn stopped() -> StoreError {
        StoreError::Stopped { reason: "the disk is full".into() }
    }

    #[test]
    fn a_ticket_resolves_with_the_group_it_was_in() {
        let progress = Progress::starting_at(Version(4));
        let (own, next) = (progress.ticket(Version(5), None), progress.ticket(Version(6), None));
        let waiting = thread::spawn(move || own.wait());
        progress.advance(Version(5));
        assert_eq!(waiting.join().unwrap(), Ok(()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(pin!(next).poll(&mut context).is_pending());
    }

    #[test]
    fn a_disk_that_does_not_answer_is_told_to_those_who_wait_and_forgotten_when_it_does() {
        let progress = Progress::starting_at(Version::ABSENT);
        let stalled = StoreError::Stalled { for_ms: 1_000 };
        let [first, second, third] = [1, 2, 3].map(|version| progress.ticket(Version(version), None));
        let mut context = Context::from_waker(Waker::noop());
        let mut asked = pin!(first);
        assert!(asked.as_mut().poll(&mut context).is_pending());
        let waiting = thread::spawn(move || second.wait());
        progress.late(stalled.clone());
        assert_eq!(asked.poll(&mut context), Poll::Ready(Err(stalled)));
        assert!(pin!(third).poll(&mut context).is_pending(), "its time is not over");
        progress.advance(Version(3));
        assert_eq!(waiting.join().unwrap(), Ok(()));
    }

    #[test]
    fn a_failure_reaches_every_open_ticket_but_no_durable_one() {
        let progress = Progress::starting_at(Version::ABSENT);
        let tickets: Vec<_> = (1..=3).map(|version| progress.ticket(Version(version), None)).collect();
        progress.advance(Version(1));
        progress.fail(stopped());
        let results: Vec<_> = tickets.into_iter().map(Ticket::wait).collect();
        assert_eq!(results, [Ok(()), Err(stopped()), Err(stopped())]);
    }
}
