//! What engines log while a plan is played.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::Level;
use tracing::subscriber::with_default;
use tracing_subscriber::fmt::MakeWriter;

thread_local! {
    static PRESENT: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// What has been logged on a thread, and not been taken yet.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Collects what is logged on this thread while something is done.
    pub(super) fn during<T>(action: impl FnOnce() -> T) -> T {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::DEBUG)
            .with_ansi(false)
            .without_time()
            .with_level(false)
            .with_target(false)
            .with_writer(log.clone())
            .finish();
        PRESENT.set(Some(log));
        let done = with_default(subscriber, action);
        PRESENT.set(None);
        done
    }

    /// Where this thread's log goes, if it is collected.
    pub(super) fn present() -> Option<Self> {
        PRESENT.with_borrow(Clone::clone)
    }

    pub(super) fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
