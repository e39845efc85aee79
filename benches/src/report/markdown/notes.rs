//! What several parts say of the contenders.

use crate::group::Contender;

/// What the column of mls-rs is.
pub(super) const ANOTHER_STACK: &str = "\
mls-rs is another stack, with suites of its own, and no part of the ratios. Its column is its nearest
suite: beside classical its suite 1, which is the same; beside row 1 its `ML_KEM_768_X25519` (65100:
X-Wing with AES-128-GCM, SHA-256 and Ed25519); beside row 6 its `ML_KEM_768` (65002: ML-KEM-768 with
AES-128-GCM, SHA-256 and Ed25519). It encrypts handshake messages, sends a path with each commit and puts
the tree into the GroupInfo, as OpenMLS does here; it checks key packages while it adds them, which
OpenMLS does before; and it stores the group after each join and commit, not after each message.
";

/// The heading of a contender's column.
pub(super) fn heading(contender: Contender) -> String {
    match contender {
        Contender::MlsRs => format!("{} (another stack)", contender.name()),
        _ => contender.name().to_owned(),
    }
}

/// Those contenders of whom something holds, in the order of the tables.
pub(super) fn contenders(holds: impl Fn(Contender) -> bool) -> Vec<Contender> {
    Contender::ALL.iter().copied().filter(|&contender| holds(contender)).collect()
}
