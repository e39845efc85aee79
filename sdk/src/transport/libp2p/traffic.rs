//! Counting what goes through the sockets of a node.

use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures::{AsyncRead, AsyncWrite};

/// Bytes that a node has received and sent. Clones count together.
#[derive(Clone, Default)]
pub(super) struct Traffic(Arc<Counters>);

#[derive(Default)]
struct Counters {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    /// How many bytes came in.
    pub(super) fn received(&self) -> u64 {
        self.0.received.load(Ordering::Relaxed)
    }

    /// How many went out.
    pub(super) fn sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// A socket that is counted.
    pub(super) fn count<S>(&self, socket: S) -> Counted<S> {
        Counted { socket, traffic: self.clone() }
    }
}

/// A socket that is counted.
pub(super) struct Counted<S> {
    socket: S,
    traffic: Traffic,
}

/// Counts what an operation has moved.
fn add(counter: &AtomicU64, moved: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
    if let Poll::Ready(Ok(bytes)) = moved {
        counter.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
    moved
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        add(&self.traffic.0.received, read)
    }

    fn poll_read_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.socket).poll_read_vectored(context, buffers);
        add(&self.traffic.0.received, read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        add(&self.traffic.0.sent, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, buffers);
        add(&self.traffic.0.sent, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(context)
    }
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;
    use futures::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn what_moves_is_counted_and_nothing_else() {
        let traffic = Traffic::default();
        let mut socket = traffic.count(Cursor::new(vec![7; 100]));
        let mut buffer = [0; 64];
        while socket.read(&mut buffer).await.unwrap() > 0 {}
        assert_eq!((traffic.received(), traffic.sent()), (100, 0));
        let mut other = traffic.clone().count(Cursor::new(Vec::new()));
        other.write_all(&[7; 30]).await.unwrap();
        other.flush().await.unwrap();
        assert_eq!((traffic.received(), traffic.sent()), (100, 30));
    }
}
