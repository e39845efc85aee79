//! Handing out events: a queue for each who listens, none of which holds anybody up.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use super::Event;

/// How many events wait for one listener at most.
pub(super) const WAITING: usize = 1024;

/// Events as they happen; a [`Stream`] and, without further crates, [`next`](Self::next).
///
/// A listener that falls more than 1024 events behind loses the oldest, and finds an
/// [`Event::Missed`] in their place. The client never waits for a listener. The stream ends when the
/// client is closed; it does not keep a client open.
pub struct Events {
    queue: Arc<Queue>,
}

/// Those who listen.
#[derive(Default)]
pub(super) struct Audience {
    inner: Mutex<Listeners>,
}

#[derive(Default)]
struct Listeners {
    queues: Vec<Weak<Queue>>,
    closed: bool,
}

struct Queue {
    inner: Mutex<Waiting>,
    limit: usize,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Event>,
    missed: u64,
    closed: bool,
    waker: Option<Waker>,
}

/// What a thread that panicked left is whole: nothing here calls what can panic with a lock held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Audience {
    /// A listener, from now on.
    pub(super) fn listen(&self, limit: usize) -> Events {
        let queue = Arc::new(Queue { inner: Mutex::default(), limit });
        let mut listeners = lock(&self.inner);
        if listeners.closed {
            lock(&queue.inner).closed = true;
        } else {
            listeners.queues.push(Arc::downgrade(&queue));
        }
        Events { queue }
    }

    /// Tells everybody.
    pub(super) fn tell(&self, event: &Event) {
        lock(&self.inner).queues.retain(|queue| match queue.upgrade() {
            Some(queue) => {
                queue.push(event.clone());
                true
            }
            None => false,
        });
    }

    /// There will be no more.
    pub(super) fn close(&self) {
        let mut listeners = lock(&self.inner);
        listeners.closed = true;
        for queue in listeners.queues.drain(..).filter_map(|queue| queue.upgrade()) {
            let mut waiting = lock(&queue.inner);
            waiting.closed = true;
            if let Some(waker) = waiting.waker.take() {
                waker.wake();
            }
        }
    }
}

impl Queue {
    fn push(&self, event: Event) {
        let mut waiting = lock(&self.inner);
        if waiting.events.len() >= self.limit {
            waiting.events.pop_front();
            waiting.missed += 1;
        }
        waiting.events.push_back(event);
        if let Some(waker) = waiting.waker.take() {
            waker.wake();
        }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<Event>> {
        let mut waiting = lock(&self.inner);
        if waiting.missed > 0 {
            return Poll::Ready(Some(Event::Missed(std::mem::take(&mut waiting.missed))));
        }
        match waiting.events.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None if waiting.closed => Poll::Ready(None),
            None => {
                waiting.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Events {
    /// The next event; nothing once the client is closed. Dropping the future loses no event.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|context| self.queue.poll(context)).await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.queue.poll(context)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Events({} waiting)", lock(&self.queue.inner).events.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(events: &Events) -> Poll<Option<Event>> {
        events.queue.poll(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn who_reads_late_is_told_how_much_was_missed() {
        let audience = Audience::default();
        let (late, prompt) = (audience.listen(2), audience.listen(8));
        for number in 10..15 {
            audience.tell(&Event::Missed(number));
        }
        let all = [3, 13, 14].map(|number| Poll::Ready(Some(Event::Missed(number))));
        assert_eq!([poll(&late), poll(&late), poll(&late)], all);
        assert_eq!(poll(&late), Poll::Pending);
        assert_eq!(poll(&prompt), Poll::Ready(Some(Event::Missed(10))));
    }

    #[test]
    fn the_end_comes_after_what_happened_before() {
        let audience = Audience::default();
        let events = audience.listen(8);
        audience.tell(&Event::Disconnected);
        audience.close();
        assert_eq!(poll(&events), Poll::Ready(Some(Event::Disconnected)));
        assert_eq!(poll(&events), Poll::Ready(None));
        assert_eq!(poll(&audience.listen(8)), Poll::Ready(None));
    }

    #[test]
    fn who_has_gone_is_forgotten() {
        let audience = Audience::default();
        drop(audience.listen(8));
        audience.tell(&Event::Disconnected);
        assert!(lock(&audience.inner).queues.is_empty());
    }
}
