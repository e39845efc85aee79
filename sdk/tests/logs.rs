//! Nothing that is secret, or says who talks to whom, is ever logged: the log of a whole run at the
//! most talkative level is searched for it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use trellis_sdk::store::{KeyCost, StoreOptions};
use trellis_sdk::transport::{Conditions, MemoryNetwork};
use trellis_sdk::{Client, Delivery, Message, Policy, Role};

const PASSPHRASE: &str = "correct horse battery staple";
const NAME: &str = "winter-garden";
const NEW_NAME: &str = "summer-orchard";
const TEXT: &str = "the frost comes at dawn";
const EDITED: &str = "the thaw comes at noon";
const REACTION: &str = "brrr-reaction";
const SOUGHT: &str = "comes";
const CUSTOM: &str = "seed.example/packet";
const CONTENT: &str = "parsnips-and-leeks";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

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

/// A secret in the forms in which a careless line would print it.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let list = |numbers: &[u8]| format!("{numbers:?}").trim_matches(['[', ']']).to_owned();
    // The beginning is enough to give it away, and long lists are printed over several lines.
    let start = &secret[..secret.len().min(8)];
    vec![
        secret.to_vec(),
        hex(start).into_bytes(),
        hex(start).to_uppercase().into_bytes(),
        list(start).into_bytes(),
        list(start).replace(", ", ",").into_bytes(),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_gives_nothing_away() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(log.clone())
        .init();

    let directory = std::env::temp_dir().join(format!("trellis-logs-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = |name: &str| directory.join(format!("{name}.db"));
    let network = MemoryNetwork::new(Conditions::good());
    let options = StoreOptions::default().with_cost(KeyCost::for_tests());
    let open = |name: &str| {
        Client::builder(path(name), PASSPHRASE)
            .transport(network.join())
            .store_options(options)
            .open()
    };

    let alice = open("alice").await.unwrap();
    let bob = open("bob").await.unwrap();
    let carol = open("carol").await.unwrap();
    let addresses = [&alice, &bob, &carol].map(Client::address);
    let devices = [&alice, &bob, &carol].map(Client::device);

    let mut policy = Policy::default();
    policy.invite = Role::Member;
    let group = alice.create_group(NAME).policy(policy).await.unwrap();
    for change in group.invite_all(&addresses[1..]).await.unwrap() {
        change.done().await.unwrap();
    }
    let sent = group.send(Message::text(TEXT)).await.unwrap();
    sent.delivered().await.unwrap();
    let his = bob.group(group.id());
    his.send(Message::reaction(sent.id, REACTION)).await.unwrap().delivered().await.unwrap();
    group.send(Message::edit(sent.id, EDITED)).await.unwrap();
    group.send(Message::custom(CUSTOM, CONTENT)).await.unwrap().delivered().await.unwrap();
    group.rename(NEW_NAME).await.unwrap().applied().await.unwrap();
    group.rotate_keys().await.unwrap().applied().await.unwrap();
    group.search(SOUGHT, 10).await.unwrap();
    alice.backup(directory.join("backup.db"), PASSPHRASE).await.unwrap();
    // What fails is logged as well.
    Client::builder(path("alice"), "wrong-horse").offline().open().await.unwrap_err();
    his.remove(&addresses[2]).await.unwrap().done().await.unwrap_err();
    bob.close().await;
    Client::builder(path("bob"), "wrong-horse").offline().open().await.unwrap_err();
    let bob = open("bob").await.unwrap();
    assert_eq!(bob.address(), addresses[1]);
    group.remove(&addresses[2]).await.unwrap().applied().await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), async {
        while carol.group(group.id()).is_active().await.unwrap() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
    let delivery = group.sent(sent.id).await.unwrap().delivery();
    assert!(matches!(delivery, Delivery::Reached { .. }));
    for client in [alice, bob, carol] {
        client.close().await;
    }
    std::fs::remove_dir_all(&directory).unwrap();

    let log = log.0.lock().unwrap();
    let text = String::from_utf8_lossy(&log);
    for expected in ["TRACE", "DEBUG", "receive", "call", "GroupId:", "event="] {
        assert!(text.contains(expected), "the log does not even have {expected:?}");
    }
    let texts = [
        PASSPHRASE,
        "wrong-horse",
        NAME,
        NEW_NAME,
        TEXT,
        EDITED,
        REACTION,
        SOUGHT,
        CUSTOM,
        CONTENT,
    ];
    let mut secrets: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    secrets.push(directory.to_str().unwrap().as_bytes().to_vec());
    secrets.extend(addresses.iter().map(|address| address.to_string().into_bytes()));
    secrets.extend(addresses.iter().map(|address| address.0.to_vec()));
    secrets.extend(devices.iter().map(|device| device.0.to_vec()));
    secrets.extend([group.id().0.to_vec(), sent.id.0.to_vec()]);
    for secret in secrets {
        for form in forms(&secret) {
            let found = log.windows(form.len()).position(|window| window == form);
            if let Some(place) = found {
                let around = &log[place.saturating_sub(200)..(place + 200).min(log.len())];
                panic!("the log gives something away: {}", String::from_utf8_lossy(around));
            }
        }
    }
}
