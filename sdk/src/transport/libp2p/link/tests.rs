//! What a link refuses, and what it leaves behind.

use std::path::PathBuf;
use std::process::Command;

use futures::{AsyncReadExt, AsyncWriteExt};
use futures_rustls::rustls::crypto::aws_lc_rs::kx_group;
use libp2p::tls;
use tokio::io::DuplexStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use super::*;

/// What the process is told that is started to see whether a session's secrets get out.
const CHILD: &str = "TRELLIS_TEST_HANDSHAKE";

type Socket = Compat<DuplexStream>;

fn sockets() -> (Socket, Socket) {
    let (one, other) = tokio::io::duplex(4096);
    (one.compat(), other.compat())
}

fn link(groups: &[&'static dyn SupportedKxGroup]) -> (Link, PeerId, Table) {
    let keypair = Keypair::generate_ed25519();
    let table = Table::default();
    let link = Link::with_groups(&keypair, groups, table.clone()).unwrap();
    (link, keypair.public().to_peer_id(), table)
}

/// Both sides of a handshake.
async fn shake<D, L>(
    dialer: D,
    listener: L,
) -> (Result<(PeerId, TlsStream<Socket>), D::Error>, Result<(PeerId, TlsStream<Socket>), L::Error>)
where
    D: OutboundConnectionUpgrade<Socket, Info = &'static str, Output = (PeerId, TlsStream<Socket>)>,
    L: InboundConnectionUpgrade<Socket, Info = &'static str, Output = (PeerId, TlsStream<Socket>)>,
{
    let (one, other) = sockets();
    let (dialed, listened) = tokio::join!(
        dialer.upgrade_outbound(one, PROTOCOL),
        // The dialer has finished before the listener says no: it hears of it when it reads.
        listener.upgrade_inbound(other, PROTOCOL),
    );
    (dialed, listened)
}

#[tokio::test]
async fn two_of_ours_exchange_keys_by_mlkem_and_x25519() {
    let ((one, one_id, one_table), (other, other_id, other_table)) =
        (link(config::HYBRID), link(config::HYBRID));
    let (dialed, listened) = shake(one, other).await;
    let ((found, mut near), (finder, mut far)) = (dialed.unwrap(), listened.unwrap());
    assert_eq!((found, finder), (other_id, one_id));
    for side in [&near, &far] {
        let group = side.get_ref().1.negotiated_key_exchange_group().unwrap();
        assert_eq!(format!("{:?}", group.name()), "X25519MLKEM768");
    }
    assert_eq!(one_table.get(&other_id), KeyExchange::X25519MlKem768);
    assert_eq!(other_table.get(&one_id), KeyExchange::X25519MlKem768);
    near.write_all(b"frost").await.unwrap();
    near.flush().await.unwrap();
    let mut heard = [0; 5];
    far.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"frost");
}

#[tokio::test]
async fn a_classical_peer_is_refused_in_both_directions() {
    let classical = || link(&[kx_group::X25519]).0;
    let (dialed, listened) = shake(link(config::HYBRID).0, classical()).await;
    assert_eq!(dialed.unwrap_err().code(), "no-hybrid");
    assert!(listened.is_err());
    let (dialed, listened) = shake(classical(), link(config::HYBRID).0).await;
    assert!(dialed.is_err());
    let error = listened.unwrap_err();
    assert_eq!(error.code(), "no-hybrid");
    assert!(error.to_string().contains("X25519MLKEM768") && !error.is_retryable());
}

#[tokio::test]
async fn every_other_group_is_refused() {
    for group in [kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1, kx_group::MLKEM768] {
        let (dialed, _) = shake(link(config::HYBRID).0, link(&[group]).0).await;
        assert_eq!(dialed.unwrap_err().code(), "no-hybrid", "{group:?}");
    }
}

#[tokio::test]
async fn a_deployment_can_do_without() {
    let (dialer, _, table) = link(config::ANY);
    let (classical, peer, _) = link(&[kx_group::X25519]);
    let (dialed, listened) = shake(dialer, classical).await;
    assert!(dialed.is_ok() && listened.is_ok());
    assert_eq!(table.get(&peer), KeyExchange::Classical);
    assert!(!table.get(&peer).is_hybrid());
}

#[tokio::test]
async fn it_is_the_handshake_of_libp2p() {
    for we_dial in [true, false] {
        let (ours, our_id, table) = link(config::HYBRID);
        let keypair = Keypair::generate_ed25519();
        let theirs = tls::Config::new(&keypair).unwrap();
        let (seen_by_us, seen_by_them) = if we_dial {
            let (dialed, listened) = shake(ours, theirs).await;
            (dialed.unwrap().0, listened.unwrap().0)
        } else {
            let (dialed, listened) = shake(theirs, ours).await;
            (listened.unwrap().0, dialed.unwrap().0)
        };
        assert_eq!((seen_by_us, seen_by_them), (keypair.public().to_peer_id(), our_id));
        assert_eq!(table.get(&seen_by_us), KeyExchange::X25519MlKem768);
    }
}

#[tokio::test]
async fn other_certificates_and_other_protocols_are_refused() {
    // A certificate like any web server's: it says nothing of a peer.
    let (ours, _, _) = link(config::HYBRID);
    let (mut web, _, _) = link(config::HYBRID);
    let mut server = ServerConfig::clone(&web.server);
    server.alpn_protocols = vec![b"h2".to_vec()];
    web.server = Arc::new(server);
    let (dialed, listened) = shake(ours.clone(), web.clone()).await;
    assert!(dialed.is_err());
    assert_eq!(listened.unwrap_err().code(), "protocol");
    let mut server = ServerConfig::clone(&web.server);
    server.alpn_protocols = Vec::new();
    web.server = Arc::new(server);
    let (dialed, _) = shake(ours.clone(), web).await;
    assert_eq!(dialed.unwrap_err().code(), "protocol");

    let (one, mut other) = sockets();
    let (dialed, _) = tokio::join!(ours.upgrade_outbound(one, PROTOCOL), async {
        other.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        other.close().await.unwrap();
    });
    assert_eq!(dialed.unwrap_err().code(), "handshake");
}

/// A handshake in a process of its own, whose environment names a file for secrets.
fn secrets_after(handshake: &str) -> bool {
    let name = format!("trellis-secrets-{}-{handshake}", std::process::id());
    let file: PathBuf = std::env::temp_dir().join(name);
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "transport::libp2p::link::tests::child"])
        .env(CHILD, handshake)
        .env("SSLKEYLOGFILE", &file)
        .output()
        .unwrap();
    assert!(status.status.success(), "{status:?}");
    let written = std::fs::metadata(&file).is_ok_and(|file| file.len() > 0);
    let _ = std::fs::remove_file(&file);
    written
}

#[test]
fn no_secret_of_a_session_is_written_anywhere() {
    // What libp2p's own handshake does shows that the test would notice.
    assert!(secrets_after("theirs"));
    assert!(!secrets_after("ours"));
}

#[tokio::test]
async fn child() {
    let Ok(which) = std::env::var(CHILD) else { return };
    if which == "ours" {
        let (dialed, listened) = shake(link(config::HYBRID).0, link(config::ANY).0).await;
        assert!(dialed.is_ok() && listened.is_ok());
    } else {
        let config = || tls::Config::new(&Keypair::generate_ed25519()).unwrap();
        let (dialed, listened) = shake(config(), config()).await;
        assert!(dialed.is_ok() && listened.is_ok());
    }
}
