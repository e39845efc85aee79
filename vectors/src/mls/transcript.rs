//! Transcript hashes (RFC 9420, section 8.2).

use tls_codec::{Serialize as _, VLByteSlice};

use super::wire::AuthenticatedContent;
use super::{Error, Suite};

/// ConfirmedTranscriptHashInput: a commit without its confirmation tag.
pub fn confirmed(
    suite: &Suite<'_>,
    interim_before: &[u8],
    commit: &AuthenticatedContent,
) -> Result<Vec<u8>, Error> {
    let mut input = interim_before.to_vec();
    commit.wire_format.tls_serialize(&mut input)?;
    commit.content.tls_serialize(&mut input)?;
    commit.auth.signature.tls_serialize(&mut input)?;
    suite.hash(&input)
}

/// InterimTranscriptHashInput: the confirmation tag.
pub fn interim(
    suite: &Suite<'_>,
    confirmed: &[u8],
    confirmation_tag: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut input = confirmed.to_vec();
    VLByteSlice(confirmation_tag).tls_serialize(&mut input)?;
    suite.hash(&input)
}
