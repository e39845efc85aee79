//! Three nodes, a mailbox process at each, and one node that vanishes under load.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tls_codec::VLBytes;

use super::*;
use crate::mailbox::client::{CatchUp, ClientError, Session, Step, take, taken};
use crate::mailbox::list::List;
use crate::mailbox::wire::Kind;
use crate::mailbox::{Capability, Limits, MailboxKeys, Service};

const NODES: usize = 3;
const NOW: Time = Time(1_700_000_000_000);
const TOPIC_A: Topic = Topic([1; 32]);
/// How many writers there are at each process.
const WRITERS: usize = 2;
/// How many envelopes each stores at once, and how often, before and after the node is gone.
const BATCH: usize = 8;
const BATCHES: usize = 12;
const PACKAGES: usize = 60;
/// How long it may take in all.
const PATIENCE: Duration = Duration::from_secs(120);

type Mailbox = Arc<Service<JetStream>>;

fn capability() -> Capability {
    Capability::from_secret(&[1; 32])
}

async fn open_store(cluster: &Cluster, node: usize) -> JetStream {
    let options = JetStreamOptions {
        name: "fault".into(),
        timeout: Duration::from_secs(2),
        tries: 4,
        ..JetStreamOptions::default()
    };
    let begin = Instant::now();
    loop {
        // The nodes have to find each other first.
        match JetStream::open(cluster.connect(node).await, options.clone()).await {
            Ok(store) => return store,
            Err(error) => assert!(begin.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn open(cluster: &Cluster, node: usize) -> Mailbox {
    let mut limits = Limits::default();
    limits.peer_requests.burst = 1_000_000;
    limits.topic_arrivals.burst = 1_000_000;
    limits.peer_takes.burst = 1_000_000;
    limits.box_takes.burst = 1_000_000;
    // Secrets are the same: it is one mailbox in three processes.
    let keys = MailboxKeys::from_secret(&[9; 32]);
    let store = open_store(cluster, node).await;
    Arc::new(Service::open(keys, limits, store, NOW).await.unwrap())
}

fn envelope(name: &str, number: usize) -> Vec<u8> {
    let mut envelope = format!("{name} {number}").into_bytes();
    envelope.resize(500, 0);
    envelope
}

/// Waits before it is said again, as a client does.
async fn again(begin: Instant, error: ClientError) {
    assert!(error.is_retryable(), "{error}");
    assert!(begin.elapsed() < PATIENCE, "{error}");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// Stores these, however often it has to be said.
async fn store(mailbox: Mailbox, session: &mut Session, items: Vec<(Topic, Vec<u8>)>) {
    let begin = Instant::now();
    'again: loop {
        let mut call = session.store(items.clone()).unwrap();
        let mut frame = call.frame().unwrap();
        loop {
            match call.step(&mailbox.handle(NOW, b"writer", &frame).await) {
                Ok(Step::Send(next)) => frame = next,
                Ok(Step::Done(_)) => return,
                Err(error) => {
                    again(begin, error).await;
                    continue 'again;
                }
            }
        }
    }
}

/// Everything that a mailbox process has of the box.
async fn everything(mailbox: &Mailbox) -> BTreeSet<Vec<u8>> {
    let mut session = Session::new(capability(), mailbox.id());
    let (mut catch_up, mut frame) = CatchUp::start(&mut session, [TOPIC_A], [], Time(0)).unwrap();
    let mut all = BTreeSet::new();
    loop {
        let progress = catch_up.step(&mailbox.handle(NOW, b"reader", &frame).await).unwrap();
        all.extend(progress.envelopes.into_iter().map(|(_, envelope)| envelope));
        match progress.next {
            Some(next) => frame = next,
            None => {
                assert_eq!(catch_up.summary().absent, 0);
                return all;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_is_killed_under_load_and_nothing_acknowledged_is_lost() {
    let Some(mut cluster) = Cluster::start(NODES) else { return };
    let mut mailboxes = Vec::new();
    for node in 0..NODES {
        mailboxes.push(open(&cluster, node).await);
    }
    let mut owner = Session::new(capability(), mailboxes[0].id());
    {
        let mailbox = &mailboxes[0];
        let carry = async |frame: Vec<u8>| {
            Ok::<_, ClientError>(mailbox.handle(NOW, b"owner", &frame).await)
        };
        owner.open(vec![TOPIC_A], 3600).unwrap().run(carry).await.unwrap();
        let packages = (0..PACKAGES).map(|number| VLBytes::from(envelope("package", number)));
        let deposit = Deposit {
            suite: 7,
            serial: 1,
            expires: NOW + crate::Span::seconds(1000),
            one_time: List::new(packages.collect()).unwrap(),
            last_resort: Some(VLBytes::from(b"last".to_vec())),
            beside: List::default(),
        };
        let pools = owner.deposit(deposit).run(carry).await.unwrap();
        assert_eq!(pools[0].one_time as usize, PACKAGES);
    }
    for mailbox in &mailboxes {
        mailbox.tick(NOW + mailbox.limits().refresh).await.unwrap();
        assert_eq!(mailbox.topics(), [TOPIC_A]);
    }

    let killed = Arc::new(AtomicBool::new(false));
    let ready = Arc::new(AtomicUsize::new(0));
    let mut writers = JoinSet::new();
    for writer in 0..NODES * WRITERS {
        let mailbox = mailboxes[writer % NODES].clone();
        let (killed, ready) = (killed.clone(), ready.clone());
        writers.spawn(async move {
            let mut session = Session::new(capability(), mailbox.id());
            let mut acknowledged = Vec::new();
            let (mut batches, mut after) = (0, 0);
            while after < BATCHES {
                let gone = killed.load(Ordering::SeqCst);
                let name = format!("writer {writer} batch {batches}");
                let batch: Vec<_> = (0..BATCH).map(|number| envelope(&name, number)).collect();
                let items: Vec<_> = batch.iter().map(|bytes| (TOPIC_A, bytes.clone())).collect();
                store(mailbox.clone(), &mut session, items).await;
                acknowledged.extend(batch);
                // What comes by gossip comes to all of them.
                let gossip = envelope("gossip", batches);
                if mailbox.arrived(NOW, TOPIC_A, &gossip).await == Ok(1) {
                    acknowledged.push(gossip);
                }
                batches += 1;
                after += usize::from(gone);
                if batches == BATCHES {
                    ready.fetch_add(1, Ordering::SeqCst);
                }
            }
            acknowledged
        });
    }
    let mut takers = JoinSet::new();
    for mailbox in mailboxes.clone() {
        takers.spawn(async move {
            let mut got = Vec::new();
            loop {
                let ask = take(capability().box_id(), 7);
                let begin = Instant::now();
                let package = loop {
                    match taken(&mailbox.handle(NOW, b"taker", &ask).await) {
                        Ok(package) => break package,
                        Err(error) => again(begin, error).await,
                    }
                };
                if package.kind == Kind::LastResort {
                    return got;
                }
                got.push(Vec::from(package.package));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
    }

    let begin = Instant::now();
    while ready.load(Ordering::SeqCst) < NODES * WRITERS {
        assert!(begin.elapsed() < PATIENCE, "the writers do not get on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The node that decides, which is the worst to lose.
    let leader = mailboxes[0].store().mail.leader().await.unwrap();
    let leader = cluster.number(&leader);
    cluster.kill(leader);
    killed.store(true, Ordering::SeqCst);

    let mut acknowledged = BTreeSet::new();
    while let Some(writer) = writers.join_next().await {
        acknowledged.extend(writer.unwrap());
    }
    let mut given = Vec::new();
    while let Some(taker) = takers.join_next().await {
        given.extend(taker.unwrap());
    }
    let least = 2 * NODES * WRITERS * BATCH * BATCHES;
    assert!(acknowledged.len() >= least);
    for mailbox in &mailboxes {
        let there = everything(mailbox).await;
        let lost = acknowledged.difference(&there).count();
        assert_eq!(lost, 0, "of {} acknowledged, {lost} are lost", acknowledged.len());
    }
    let once: BTreeSet<_> = given.iter().collect();
    assert_eq!(once.len(), given.len(), "a key package was given twice");
    println!(
        "{} envelopes acknowledged around the loss of a node and all there; \
         {} of {PACKAGES} key packages given, none twice",
        acknowledged.len(),
        given.len()
    );
}
