//! What nodes of libp2p log, and all below them: not one address, and no name of a peer.

#![cfg(feature = "libp2p")]

mod nodes;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use libp2p::swarm::dummy;
use libp2p::{SwarmBuilder, tcp, tls, yamux};
use nodes::{address, builder, message, node, notice, settled, soon};
use tracing_subscriber::fmt::MakeWriter;
use trellis_sdk::Topic;
use trellis_sdk::transport::Transport;

const TOPIC: Topic = Topic([0x5a; 32]);

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
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

/// What libraries log that do not use `tracing`.
struct Libraries(Log);

impl log::Log for Libraries {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let _ = writeln!(self.0.clone(), "{}: {}", record.target(), record.args());
    }

    fn flush(&self) {}
}

#[tokio::test]
async fn no_peer_and_no_address_is_ever_logged() {
    let log = Log::default();
    let collector = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(collector).unwrap();
    log::set_boxed_logger(Box::new(Libraries(log.clone()))).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let third = builder().serve(true).open().await.unwrap();
    let bootstrap = address(&third).await;
    let one = builder().bootstrap(bootstrap.clone()).open().await.unwrap();
    let other = builder().bootstrap(bootstrap).open().await.unwrap();
    for node in [&one, &other] {
        notice(node).await;
        node.subscribe(TOPIC).await.unwrap();
    }
    settled(&one, |status| status.links.len() == 2).await;
    one.publish(TOPIC, vec![7; 50_000]).await.unwrap();
    message(&other).await;
    one.ask(TOPIC, vec![7]).await.unwrap();
    let wrong = format!("/ip4/127.0.0.1/tcp/1/p2p/{}", other.peer());
    let _ = soon(node().await.dial(wrong.parse().unwrap())).await;
    let peers = [one.peer(), other.peer(), third.peer()].map(|peer| peer.to_string());
    drop((one, other, third));
    tokio::time::sleep(Duration::from_millis(300)).await;

    let text = log.text();
    assert!(text.contains("connected") && text.contains("trellis_sdk"), "it logs at all");
    for secret in peers.iter().map(String::as_str).chain(["127.0.0.1", "/ip4", "5a5a5a5a"]) {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }

    // A bare swarm shows that the search would find what libp2p says by itself.
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), tls::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| dummy::Behaviour)
        .unwrap()
        .build();
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    soon(swarm.select_next_some()).await;
    assert!(log.text().contains("127.0.0.1"));
}
