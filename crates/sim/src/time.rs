//! The one virtual clock, and what runs on it: a handful of futures on one thread, woken in the order in which they
//! became ready. Nothing waits for real.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use rabta_sync::Clock;

/// When the world begins: 2026-11-23 06:00 UTC, in milliseconds since 1970.
pub const START_MS: i64 = 1_795_413_600_000;
/// More wake-ups than this at one instant: something turns in a circle.
const CIRCLE: usize = 200_000;

#[derive(Default)]
struct Inner {
    now: u64,
    made: u64,
    /// By when they ring, then by when they were set.
    timers: BTreeMap<(u64, u64), Waker>,
}

/// Milliseconds since the world began. Clones are the same clock.
#[derive(Clone, Default)]
pub struct Time(Arc<Mutex<Inner>>);

impl Time {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> u64 {
        self.inner().now
    }

    /// Milliseconds since 1970, rightly.
    pub fn unix_ms(&self) -> i64 {
        START_MS + self.now() as i64
    }

    /// Ends `ms` milliseconds from now.
    pub fn sleep(&self, ms: u64) -> Sleep {
        let mut inner = self.inner();
        inner.made += 1;
        let at = (inner.now + ms, inner.made);
        Sleep { time: self.clone(), at }
    }

    /// When the next timer rings.
    pub fn next(&self) -> Option<u64> {
        self.inner().timers.keys().next().map(|(at, _)| *at)
    }

    /// Goes on to `at`, and wakes what rings until then.
    pub fn advance(&self, at: u64) {
        let mut inner = self.inner();
        inner.now = inner.now.max(at);
        let now = inner.now;
        let later = inner.timers.split_off(&(now + 1, 0));
        let due = std::mem::replace(&mut inner.timers, later);
        drop(inner);
        due.into_values().for_each(Waker::wake);
    }
}

pub struct Sleep {
    time: Time,
    at: (u64, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.time.inner();
        if inner.now >= self.at.0 {
            return Poll::Ready(());
        }
        inner.timers.insert(self.at, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.time.inner().timers.remove(&self.at);
    }
}

/// A laptop's clock, which may be wrong: the monotone one never is.
#[derive(Clone)]
pub struct LaptopClock {
    pub time: Time,
    /// Milliseconds by which it is ahead.
    pub ahead: Arc<Mutex<i64>>,
}

impl Clock for LaptopClock {
    fn unix_ms(&self) -> i64 {
        self.time.unix_ms() + *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn monotonic_ms(&self) -> u64 {
        self.time.now()
    }

    fn sleep(&self, rest: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.time.sleep(u64::try_from(rest.as_millis()).unwrap_or(u64::MAX / 4)))
    }
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The futures that run.
#[derive(Default)]
pub struct Tasks {
    running: BTreeMap<u64, Task>,
    ready: Arc<Mutex<BTreeSet<(u64, u64)>>>,
    made: u64,
}

struct Alarm {
    task: u64,
    ready: Arc<Mutex<BTreeSet<(u64, u64)>>>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.iter().any(|(_, task)| *task == self.task) {
            return;
        }
        let turn = ready.last().map_or(0, |(turn, _)| turn + 1);
        ready.insert((turn, self.task));
    }
}

impl Tasks {
    pub fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) -> u64 {
        self.made += 1;
        self.running.insert(self.made, Box::pin(task));
        self.waker(self.made).wake();
        self.made
    }

    /// What it had not finished does not happen.
    pub fn stop(&mut self, task: u64) {
        self.running.remove(&task);
    }

    fn waker(&self, task: u64) -> Waker {
        Arc::new(Alarm { task, ready: self.ready.clone() }).into()
    }

    /// Runs whatever can run at this instant. `false`: it never comes to rest.
    pub fn run(&mut self) -> bool {
        for _ in 0..CIRCLE {
            let next = self.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_first();
            let Some((_, id)) = next else { return true };
            let waker = self.waker(id);
            let Some(task) = self.running.get_mut(&id) else { continue };
            if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                self.running.remove(&id);
            }
        }
        false
    }
}

/// What a future of a laptop's own disk comes to; `None` where the laptop died over it. Disks answer at once.
pub fn at_once<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
