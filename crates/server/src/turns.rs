//! Whose question is worked on next? Questions wait in one line, in order of arrival, for a few threads of their
//! own: a disk that hangs must not hold the network, and work that only computes must not crowd it out.
//!
//! A thread that is done goes on with the next question at once. Who asked is woken once, when the record is
//! durable, and not before that to hear that there is one. Deliberately absent: how to decide, and what is
//! answered instead when time runs out.

use engine::Decided;
use std::{
    collections::VecDeque,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
    thread,
};

/// What became of a question: a decision, or the stable word for why there is none.
type Ended = Result<Decided, &'static str>;
/// Works a question out; told whether anybody still waits for it.
type Work = Box<dyn FnOnce(&dyn Fn() -> bool) -> Ended + Send>;

/// The line and its threads, which end when this is dropped.
pub(crate) struct Turns(Arc<Line>);

#[derive(Default)]
struct Line {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

#[derive(Default)]
struct Waiting {
    questions: VecDeque<(Arc<Asker>, Work)>,
    closed: bool,
}

impl Turns {
    /// A line for so many threads.
    ///
    /// # Panics
    /// When the system starts no threads, which leaves nobody to decide.
    pub fn new(threads: usize) -> Self {
        let line = Arc::new(Line::default());
        for _ in 0..threads {
            let line = line.clone();
            let work = move || {
                while let Some((asker, work)) = line.next() {
                    asker.work(work);
                }
            };
            thread::Builder::new().name("decide".into()).spawn(work).expect("the system starts threads");
        }
        Self(line)
    }

    /// Puts a question at the end of the line. Dropping the future takes it out again, unless it has its turn.
    pub fn ask(&self, work: impl FnOnce(&dyn Fn() -> bool) -> Ended + Send + 'static) -> Asking {
        let asker = Arc::new(Asker(Mutex::new(Stage::InLine(None))));
        self.0.waiting().questions.push_back((asker.clone(), Box::new(work)));
        self.0.more.notify_one();
        Asking(asker)
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        self.0.waiting().closed = true;
        self.0.more.notify_all();
    }
}

impl Line {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next question; waits for one, and is `None` when no more will come.
    fn next(&self) -> Option<(Arc<Asker>, Work)> {
        let mut waiting = self.waiting();
        loop {
            if waiting.closed {
                return None;
            }
            if let Some(next) = waiting.questions.pop_front() {
                return Some(next);
            }
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Where a question stands, shared by who asked and who works on it.
struct Asker(Mutex<Stage>);

enum Stage {
    InLine(Option<Waker>),
    HasTurn(Option<Waker>),
    /// Worked out; its record may not be durable yet.
    Ended(Box<Ended>),
    /// Nobody waits for it any more.
    Over,
}

impl Asker {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, work: Work) {
        {
            let mut stage = self.stage();
            let Stage::InLine(waker) = &mut *stage else { return };
            *stage = Stage::HasTurn(waker.take());
        }
        let wanted = || !matches!(*self.stage(), Stage::Over);
        let ended = catch_unwind(AssertUnwindSafe(|| work(&wanted))).unwrap_or(Err("failed"));
        self.end(ended);
    }

    /// Leaves the result for who asked, who is woken when there is nothing to wait for any more.
    fn end(&self, mut ended: Ended) {
        let mut stage = self.stage();
        let Stage::HasTurn(waker) = &mut *stage else { return };
        let waker = waker.take();
        let waker = waker.filter(|waker| durable(&mut ended, &mut Context::from_waker(waker)).is_ready());
        *stage = Stage::Ended(Box::new(ended));
        drop(stage);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Ready when the record is durable, or there is none; else the context's task is woken then.
fn durable(ended: &mut Ended, context: &mut Context<'_>) -> Poll<()> {
    let ticket = ended.as_mut().ok().and_then(|decided| decided.ticket.as_mut());
    ticket.map_or(Poll::Ready(()), |ticket| Pin::new(ticket).poll(context).map(drop))
}

/// A question in line, or being worked on. Resolves when the record is durable, or it is clear why there is none;
/// a record that fails on its way to disk leaves its error in the decision's ticket.
pub(crate) struct Asking(Arc<Asker>);

impl Asking {
    /// Gives up the place in line; `false` when it is too late for that, because it has its turn.
    pub fn leaves(&self) -> bool {
        let mut stage = self.0.stage();
        let in_line = matches!(*stage, Stage::InLine(_));
        if in_line {
            *stage = Stage::Over;
        }
        in_line
    }
}

impl Future for Asking {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        let mut stage = self.0.stage();
        match &mut *stage {
            Stage::InLine(waker) | Stage::HasTurn(waker) => {
                *waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            Stage::Ended(ended) => ready!(durable(ended, context)),
            Stage::Over => {}
        }
        match std::mem::replace(&mut *stage, Stage::Over) {
            Stage::Ended(ended) => Poll::Ready(*ended),
            _ => Poll::Ready(Err("deadline")),
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        *self.0.stage() = Stage::Over;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn answer(asking: Asking) -> Option<&'static str> {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(asking).err()
    }

    #[test]
    fn a_question_that_leaves_the_line_is_never_worked_on() {
        let (turns, worked) = (Turns::new(1), Arc::new(Mutex::new(false)));
        let (go, wait) = mpsc::channel();
        let first = turns.ask(move |_| wait.recv().map_or(Err("cut off"), Err));
        let noted = worked.clone();
        let second = turns.ask(move |_| {
            *noted.lock().unwrap() = true;
            Err("second")
        });
        assert!(second.leaves());
        go.send("first").unwrap();
        assert_eq!(answer(first), Some("first"));
        assert_eq!(answer(turns.ask(|_| Err("third"))), Some("third"));
        assert!(!*worked.lock().unwrap());
    }

    #[test]
    fn who_has_its_turn_cannot_leave_the_line_but_can_stop_waiting() {
        let turns = Turns::new(1);
        let (begins, begun) = mpsc::channel();
        let (go, wait) = mpsc::channel();
        let (told, hears) = mpsc::channel();
        let asking = turns.ask(move |wanted| {
            begins.send(wanted()).unwrap();
            wait.recv().unwrap();
            told.send(wanted()).unwrap();
            Err("nobody hears this")
        });
        assert!(begun.recv().unwrap(), "somebody waits");
        assert!(!asking.leaves());
        drop(asking);
        go.send(()).unwrap();
        assert!(!hears.recv().unwrap(), "nobody waits any more");
    }

    #[test]
    fn a_failure_is_told_and_the_next_question_has_its_turn() {
        let turns = Turns::new(1);
        assert_eq!(answer(turns.ask(|_| panic!("a bug"))), Some("failed"));
        assert_eq!(answer(turns.ask(|_| Err("next"))), Some("next"));
    }
}
