//! Requests and responses as bytes up to a length: one request a stream, ended by the end of the stream.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::Codec;

/// Reads and writes bytes, never more than it is made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes {
    /// The longest request.
    pub(super) request: usize,
    /// The longest response.
    pub(super) response: usize,
}

impl Codec for Bytes {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.request).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.response).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, self.request, &bytes).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, self.response, &bytes).await
    }
}

async fn read<T: AsyncRead + Unpin>(io: &mut T, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more than allowed tells too long from just right.
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    io.take(limit).read_to_end(&mut bytes).await?;
    if bytes.len() > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the frame is too long"));
    }
    Ok(bytes)
}

async fn write<T: AsyncWrite + Unpin>(io: &mut T, most: usize, bytes: &[u8]) -> io::Result<()> {
    if bytes.len() > most {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the frame is too long"));
    }
    io.write_all(bytes).await?;
    io.close().await
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;

    use super::*;

    #[tokio::test]
    async fn frames_are_bounded_in_both_directions() {
        let limits = Bytes { request: 10, response: 20 };
        for length in [0, 1, 10, 11, 20, 21, 5000] {
            let bytes = vec![7; length];
            let request = read(&mut Cursor::new(bytes.clone()), limits.request).await;
            let response = read(&mut Cursor::new(bytes.clone()), limits.response).await;
            assert_eq!(request.ok(), (length <= 10).then(|| bytes.clone()));
            assert_eq!(response.ok(), (length <= 20).then(|| bytes.clone()));
            let mut out = Cursor::new(Vec::new());
            assert_eq!(write(&mut out, limits.request, &bytes).await.is_ok(), length <= 10);
        }
    }
}
