//! Nothing that is secret, or says who talks to whom, is ever logged: the log of a whole run at the
//! most talkative level is searched for it. OpenMLS logs with `log` and not with `tracing`; its records
//! are searched as well.

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

/// What libraries log that do not use `tracing`.
struct Libraries {
    log: Log,
    /// What OpenMLS logs at its most talkative level.
    openmls: Log,
}

impl log::Log for Libraries {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let talkative =
            record.target().starts_with("openmls::") && record.level() == log::Level::Trace;
        let log = if talkative { &self.openmls } else { &self.log };
        let line = format!("{} {}: {}\n", record.level(), record.target(), record.args());
        log.0.lock().unwrap().extend_from_slice(line.as_bytes());
    }

    fn flush(&self) {}
}

impl Log {
    /// What was logged since this was last called.
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Where a log gives one of these secrets away: what stands around it.
fn find(log: &[u8], secrets: &[Vec<u8>]) -> Option<String> {
    // Lists of numbers may be printed over several lines.
    let dense: Vec<u8> = log.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    secrets.iter().find_map(|secret| {
        // The beginning is enough to give it away.
        let start = &secret[..secret.len().min(8)];
        let list: Vec<_> = start.iter().map(u8::to_string).collect();
        let forms = [secret.clone(), hex(start).into(), hex(start).to_uppercase().into()];
        let found = forms.iter().find_map(|form| excerpt(log, form));
        found.or_else(|| excerpt(&dense, list.join(",").as_bytes()))
    })
}

/// What stands around the place of something in a log, if it is there.
fn excerpt(log: &[u8], form: &[u8]) -> Option<String> {
    let start = log.windows(form.len()).position(|window| window == form)?;
    let around = start.saturating_sub(200)..(start + form.len() + 200).min(log.len());
    Some(String::from_utf8_lossy(&log[around]).into_owned())
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
    let openmls = Log::default();
    let libraries = Libraries { log: log.clone(), openmls: openmls.clone() };
    log::set_boxed_logger(Box::new(libraries)).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

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

    let whole = log.take();
    let text = String::from_utf8_lossy(&whole);
    for expected in ["TRACE", "DEBUG", "receive", "call", "GroupId:", "event=", " openmls::"] {
        assert!(text.contains(expected), "the log does not even have {expected:?}");
    }
    let bytes = |text: &&str| text.as_bytes().to_vec();
    let content = [PASSPHRASE, "wrong-horse", TEXT, EDITED, REACTION, SOUGHT, CUSTOM, CONTENT];
    let content: Vec<Vec<u8>> = content.iter().map(bytes).collect();
    let names: Vec<Vec<u8>> = [NAME, NEW_NAME].iter().map(bytes).collect();
    let mut secrets = [&content[..], &names].concat();
    secrets.push(directory.to_str().unwrap().as_bytes().to_vec());
    secrets.extend(addresses.iter().map(|address| address.to_string().into_bytes()));
    secrets.extend(addresses.iter().map(|address| address.0.to_vec()));
    secrets.extend(devices.iter().map(|device| device.0.to_vec()));
    secrets.extend([group.id().0.to_vec(), sent.id.0.to_vec()]);

    let found = find(&whole, &secrets);
    assert_eq!(found, None, "the log gives something away");

    // At its level `trace` OpenMLS logs what groups are like, and not what is said in them. The guide
    // warns of it, so it has to be true.
    let openmls = openmls.take();
    assert_eq!(find(&openmls, &content), None, "OpenMLS logs what is said");
    let name = [hex(NAME.as_bytes()).into_bytes()];
    assert!(find(&openmls, &name).is_some(), "OpenMLS has become discreet: change the guide");

    // It would have been found, however it was logged.
    for secret in &secrets {
        let careless: [&dyn Fn(); 5] = [
            &|| tracing::info!("it is {}", String::from_utf8_lossy(secret)),
            &|| tracing::trace!(?secret),
            &|| tracing::debug!("{:#?}", &secret[..secret.len().min(16)]),
            &|| log::error!("it is {secret:?}"),
            &|| log::trace!("it is {}", hex(secret)),
        ];
        for (number, log_it) in careless.into_iter().enumerate() {
            // Bytes that are no text are not logged as text.
            if number == 0 && std::str::from_utf8(secret).is_err() {
                continue;
            }
            log_it();
            assert!(find(&log.take(), &secrets).is_some(), "line {number} was not found");
        }
    }
}
