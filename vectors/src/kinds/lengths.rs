//! Wrong lengths: what every key, ciphertext and signature of a fixed length is refused for.

/// A change of a length.
pub(super) struct Cut {
    pub(super) comment: &'static str,
    pub(super) apply: fn(&[u8]) -> Vec<u8>,
}

/// The changes, of bytes that are not empty.
#[rustfmt::skip]
pub(super) static LENGTHS: [Cut; 4] = [
    Cut { comment: "empty",                  apply: |_| Vec::new() },
    Cut { comment: "last byte missing",      apply: |bytes| bytes[..bytes.len() - 1].to_vec() },
    Cut { comment: "first byte missing",     apply: |bytes| bytes[1..].to_vec() },
    Cut { comment: "a zero byte at the end", apply: |bytes| [bytes, &[0]].concat() },
];
