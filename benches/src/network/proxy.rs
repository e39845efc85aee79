//! Sockets that count: what goes to a node goes through here.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// Bytes in both directions, of all proxies that have it.
pub(super) type Meter = Arc<AtomicU64>;

/// Listens at a port of loopback, and carries what comes there to another one and back. It goes on as
/// long as the runtime. The port is returned.
pub(super) async fn before(port: u16, meter: &Meter) -> io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let own = listener.local_addr()?.port();
    let meter = meter.clone();
    tokio::spawn(async move {
        while let Ok((here, _)) = listener.accept().await {
            let Ok(there) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
            // What waits for more bytes would be neither in the figures nor on a real wire.
            let _ = (here.set_nodelay(true), there.set_nodelay(true));
            let ((from, to), (back_from, back_to)) = (here.into_split(), there.into_split());
            tokio::spawn(carry(from, back_to, meter.clone()));
            tokio::spawn(carry(back_from, to, meter.clone()));
        }
    });
    Ok(own)
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, meter: Meter) {
    let mut piece = vec![0; PIECE];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        meter.fetch_add(length as u64, Ordering::Relaxed);
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_goes_through_is_counted_in_both_directions() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let meter = Meter::default();
        let port = before(listener.local_addr().unwrap().port(), &meter).await.unwrap();
        let mut near = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        near.write_all(b"hello").await.unwrap();
        let mut said = [0; 5];
        far.read_exact(&mut said).await.unwrap();
        far.write_all(b"hi").await.unwrap();
        drop(far);
        let mut answered = Vec::new();
        near.read_to_end(&mut answered).await.unwrap();
        assert_eq!((&said, &answered[..]), (b"hello", &b"hi"[..]));
        assert_eq!(meter.load(Ordering::Relaxed), 7);
    }
}
