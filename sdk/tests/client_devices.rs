//! Several devices of one account, lost ones, and backups, as applications see them.

mod clients;

use std::path::Path;

use clients::*;
use trellis_sdk::client::{Builder, DeviceRequest, NewDevice};
use trellis_sdk::identity::IdentityError;
use trellis_sdk::transport::MemoryNetwork;
use trellis_sdk::{
    Client, DeviceId, Error, Event, Events, Group, GroupId, Message, Policy, Received, Role,
};

const BACKUP: &str = "another passphrase";

fn memory(network: &MemoryNetwork) -> Builder {
    Client::builder_in_memory().transport(network.join())
}

fn file(path: &Path, network: &MemoryNetwork) -> Builder {
    Client::builder(path, PASSPHRASE).store_options(cheap()).transport(network.join())
}

/// A second device of an account.
async fn link(first: &Client, builder: Builder) -> Client {
    let new = builder.link().await.unwrap();
    let approval = first.approve_device(new.request()).await.unwrap();
    new.finish(&approval).await.unwrap()
}

/// A group in which all members may bring others in.
async fn open_group(owner: &Client, others: &[&Client]) -> Group {
    let mut policy = Policy::default();
    policy.invite = Role::Member;
    let group = owner.create_group("garden").policy(policy).await.unwrap();
    for other in others {
        soon(group.invite(&other.address()).await.unwrap().done()).await.unwrap();
    }
    group
}

async fn devices(group: &Group) -> Vec<DeviceId> {
    let members = group.members().await.unwrap();
    let mut devices: Vec<_> =
        members.iter().flat_map(|member| &member.devices).map(|device| device.id).collect();
    devices.sort();
    devices
}

/// Waits until exactly the devices of these clients are in a group, for all of them.
async fn together(group: GroupId, clients: &[&Client]) {
    let mut expected: Vec<_> = clients.iter().map(|client| client.device()).collect();
    expected.sort();
    for client in clients {
        let group = client.group(group);
        until(|| async {
            group.is_active().await.is_ok_and(|active| active) && devices(&group).await == expected
        })
        .await;
    }
}

async fn said(events: &mut Events) -> Received {
    event(events, |event| match event {
        Event::Message(received) => Some(received),
        _ => None,
    })
    .await
}

async fn is_told(events: &mut Events, expected: Event) {
    event(events, |event| (event == expected).then_some(())).await;
}

fn code<T>(result: Result<T, Error>) -> (&'static str, bool) {
    let Err(error) = result else { panic!("it should have been refused") };
    (error.code(), error.is_retryable())
}

#[tokio::test]
async fn a_second_device_is_linked_and_both_receive() {
    let network = network();
    let (phone, bob) = (open(&network).await, open(&network).await);
    let garden = found(&[&phone, &bob]).await.remove(1);

    let laptop = memory(&network).link().await.unwrap();
    let text = laptop.request().to_string();
    assert_eq!(text.len(), 6185);
    let request: DeviceRequest = format!(" {}\n", text.to_uppercase()).parse().unwrap();
    assert_eq!(request, *laptop.request());
    let shown = request.comparison_code();
    assert_eq!(shown, laptop.request().comparison_code());
    assert_eq!(shown.chars().filter(char::is_ascii_digit).count(), 20);
    let approval = phone.approve_device(&request).await.unwrap();
    assert_eq!(laptop.account(&approval).unwrap(), phone.address());
    let laptop = laptop.finish(&approval).await.unwrap();
    assert_eq!(laptop.address(), phone.address());
    assert_ne!(laptop.device(), phone.device());

    together(garden.id(), &[&phone, &laptop, &bob]).await;
    assert_eq!(garden.members().await.unwrap().len(), 2);
    let mut listening = [phone.events(), laptop.events(), bob.events()];
    garden.send(Message::text("to both")).await.unwrap();
    for events in &mut listening[..2] {
        assert_eq!(said(events).await.message, Message::text("to both"));
    }
    let sent = laptop.group(garden.id()).send(Message::text("from one")).await.unwrap();
    soon(sent.delivered()).await.unwrap();
    for events in [0, 2] {
        let received = said(&mut listening[events]).await;
        assert_eq!(received.message, Message::text("from one"));
        assert_eq!((received.author, received.device), (phone.address(), laptop.device()));
    }

    // Whoever invites the account invites both.
    let street = bob.create_group("street").await.unwrap();
    soon(street.invite(&phone.address()).await.unwrap().done()).await.unwrap();
    together(street.id(), &[&phone, &laptop, &bob]).await;
    for client in [&phone, &laptop] {
        let devices = client.devices().await.unwrap();
        assert_eq!(devices.len(), 2);
        assert!(devices.contains(&phone.device()) && devices.contains(&laptop.device()));
    }
    assert!(phone.has_account_keys().await.unwrap());
    assert!(!laptop.has_account_keys().await.unwrap());
}

#[tokio::test]
async fn a_device_that_waits_for_its_approval_can_be_closed_and_go_on() {
    let (network, directory) = (network(), Directory::new());
    let path = directory.file("laptop.db");
    let phone = open(&network).await;
    let laptop = file(&path, &network).link().await.unwrap();
    let request = laptop.request().clone();
    assert_eq!(code(file(&path, &network).link().await), ("in-use", true));
    drop(laptop);
    assert_eq!(code(file(&path, &network).open().await), ("not-linked", false));

    // The approval comes late, and twice.
    let approval = phone.approve_device(&request).await.unwrap();
    assert_eq!(phone.approve_device(&request).await.unwrap(), approval);
    let laptop = file(&path, &network).link().await.unwrap();
    assert_eq!(*laptop.request(), request);
    laptop.finish(&approval).await.unwrap().close().await;
    assert_eq!(code(file(&path, &network).link().await), ("linked", false));
    let laptop = file(&path, &network).open().await.unwrap();
    assert_eq!(laptop.address(), phone.address());
    assert_eq!(phone.devices().await.unwrap().len(), 2);
}

#[tokio::test]
async fn who_puts_another_request_in_between_is_found_out() {
    let network = network();
    let phone = open(&network).await;
    let (laptop, mallory) =
        (memory(&network).link().await.unwrap(), memory(&network).link().await.unwrap());
    // The user sees it,
    let codes = [&laptop, &mallory].map(|new: &NewDevice| new.request().comparison_code());
    assert_ne!(codes[0], codes[1]);
    // and if not, the laptop does.
    let approval = phone.approve_device(mallory.request()).await.unwrap();
    assert_eq!(code(laptop.account(&approval)), ("identity-other-request", false));
    let own = phone.approve_device(laptop.request()).await.unwrap();
    for place in (0..own.len()).step_by(own.len() / 10) {
        let mut changed = own.clone();
        changed[place] ^= 1;
        laptop.account(&changed).unwrap_err();
    }
    assert_eq!(code(laptop.account(b"no approval")), ("identity-malformed", false));
    assert_eq!(code(laptop.finish(&approval).await), ("identity-other-request", false));

    // A request that was changed on the way can't be approved, or not even read.
    let text = mallory.request().to_string();
    let changed = text[..text.len() - 4].to_owned() + "qqqq";
    let refused = match changed.parse::<DeviceRequest>() {
        Ok(request) => phone.approve_device(&request).await.map(drop),
        Err(error) => Err(error.into()),
    };
    assert!(code(refused).0.starts_with("identity-"));
    let no_request = "trellislink1nothing".parse::<DeviceRequest>();
    assert_eq!(no_request, Err(IdentityError::Malformed("link request")));
}

#[tokio::test]
async fn an_approval_that_comes_after_the_revocation_is_worth_nothing() {
    let network = network();
    let phone = open(&network).await;
    let laptop = memory(&network).link().await.unwrap();
    let request = laptop.request().clone();
    let approval = phone.approve_device(&request).await.unwrap();
    let device =
        phone.devices().await.unwrap().into_iter().find(|device| *device != phone.device());
    phone.revoke_device(&device.unwrap()).await.unwrap();
    assert_eq!(code(phone.approve_device(&request).await), ("revoked", false));
    // It did not hear of it, and hears of it as soon as it is on the network.
    let laptop = laptop.finish(&approval).await.unwrap();
    is_told(&mut laptop.events(), Event::Revoked).await;
    assert_eq!(phone.devices().await.unwrap(), [phone.device()]);
}

#[tokio::test]
async fn a_revoked_device_is_out_of_the_groups() {
    let network = network();
    let (phone, bob) = (open(&network).await, open(&network).await);
    let garden = found(&[&phone, &bob]).await.remove(1);
    let laptop = link(&phone, memory(&network)).await;
    together(garden.id(), &[&phone, &laptop, &bob]).await;
    soon(garden.send(Message::text("before")).await.unwrap().delivered()).await.unwrap();

    // Only the first device can, and only for another device of the account.
    let request = memory(&network).link().await.unwrap().request().clone();
    assert_eq!(code(laptop.approve_device(&request).await), ("no-account-keys", false));
    assert_eq!(code(laptop.revoke_device(&phone.device()).await), ("no-account-keys", false));
    for device in [phone.device(), bob.device(), DeviceId([9; 32])] {
        assert_eq!(code(phone.revoke_device(&device).await), ("no-device", false));
    }

    let mut events = laptop.events();
    phone.revoke_device(&laptop.device()).await.unwrap();
    phone.revoke_device(&laptop.device()).await.unwrap();
    is_told(&mut events, Event::Revoked).await;
    together(garden.id(), &[&phone, &bob]).await;
    soon(garden.send(Message::text("after")).await.unwrap().delivered()).await.unwrap();
    let his = laptop.group(garden.id());
    assert_eq!(texts(&his).await, ["before"]);
    assert!(!his.is_active().await.unwrap());
    assert_eq!(code(his.send(Message::text("me too")).await), ("not-in-group", false));
    assert_eq!(code(laptop.create_group("mine").await), ("revoked", false));
    assert_eq!(phone.devices().await.unwrap(), [phone.device()]);

    phone.close().await;
    assert_eq!(code(phone.devices().await), ("closed", false));
    assert_eq!(code(phone.revoke_device(&laptop.device()).await), ("closed", false));
}

#[tokio::test]
async fn a_restored_client_comes_back_into_its_groups() {
    let (network, directory) = (network(), Directory::new());
    let (path, backup) = (directory.file("alice.db"), directory.file("alice.backup"));
    let (alice, bob) = (file(&path, &network).open().await.unwrap(), open(&network).await);
    let garden = open_group(&alice, &[&bob]).await;
    soon(garden.send(Message::text("before")).await.unwrap().delivered()).await.unwrap();
    alice.backup(&backup, BACKUP).await.unwrap();
    let (address, lost) = (alice.address(), alice.device());
    alice.close().await;
    let bobs = bob.group(garden.id());
    bobs.send(Message::text("meanwhile")).await.unwrap();

    let mut events = bob.events();
    let content = std::fs::read(&backup).unwrap();
    let restored = directory.file("restored.db");
    let alice = file(&restored, &network).restore(&backup, BACKUP).await.unwrap();
    assert_eq!(std::fs::read(&backup).unwrap(), content);
    assert_eq!(alice.address(), address);
    assert_ne!(alice.device(), lost);
    let garden = alice.group(garden.id());
    assert_eq!(texts(&garden).await, ["before"]);
    let (group, device) = (garden.id(), alice.device());
    is_told(&mut events, Event::Restored { group, account: address, device }).await;
    together(garden.id(), &[&alice, &bob]).await;
    assert_eq!(garden.name().await.unwrap(), "garden");

    let mut events = alice.events();
    is_told(&mut events, Event::Joined { group, by: None }).await;
    bobs.send(Message::text("welcome back")).await.unwrap();
    assert_eq!(said(&mut events).await.message, Message::text("welcome back"));
    let sent = garden.send(Message::text("here I am")).await.unwrap();
    soon(sent.delivered()).await.unwrap();
    assert_eq!(texts(&bobs).await, ["before", "meanwhile", "welcome back", "here I am"]);
    assert_eq!(alice.devices().await.unwrap(), [device]);
    assert!(alice.has_account_keys().await.unwrap());

    // From now on it is a client like any other.
    alice.close().await;
    let alice = file(&restored, &network).open().await.unwrap();
    assert_eq!(alice.device(), device);
    assert_eq!(texts(&alice.group(garden.id())).await, ["before", "welcome back", "here I am"]);
    let names = std::fs::read_dir(&directory.0).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.contains("-restoring")));
}

#[tokio::test]
async fn what_is_wrong_with_a_backup_is_told_and_leaves_no_file() {
    let (network, directory) = (network(), Directory::new());
    let backup = directory.file("alice.backup");
    let alice = file(&directory.file("alice.db"), &network).open().await.unwrap();
    alice.backup(&backup, BACKUP).await.unwrap();
    let path = directory.file("restored.db");
    let restore =
        |from: &Path, key: &'static str| file(&path, &network).restore(from.to_owned(), key);

    assert_eq!(code(restore(&backup, "wrong").await), ("wrong-key-or-damaged", false));
    assert_eq!(code(restore(&directory.file("none"), BACKUP).await), ("io", true));
    std::fs::write(directory.file("text"), "not a backup").unwrap();
    assert_eq!(code(restore(&directory.file("text"), BACKUP).await), ("not-a-database", false));
    let mut cut = std::fs::read(&backup).unwrap();
    let middle = cut.len() / 2;
    cut[middle] ^= 1;
    std::fs::write(directory.file("damaged"), cut).unwrap();
    let damaged = code(restore(&directory.file("damaged"), BACKUP).await);
    assert_eq!(damaged, ("damaged", false));
    let waiting = directory.file("waiting.db");
    drop(file(&waiting, &network).link().await.unwrap());
    assert_eq!(code(restore(&waiting, PASSPHRASE).await), ("not-linked", false));
    let linked = file(&path, &network).link_with_backup(&backup, BACKUP).await;
    assert_eq!(code(linked.map(drop)), ("linked", false));
    let in_memory = memory(&network).restore(&backup, BACKUP).await;
    assert_eq!(code(in_memory), ("no-file", false));
    let forgotten = Client::builder(&path, PASSPHRASE).restore(&backup, BACKUP).await;
    assert_eq!(code(forgotten), ("no-transport", false));
    assert!(!path.exists());

    std::fs::write(&path, "something else").unwrap();
    assert_eq!(code(restore(&backup, BACKUP).await), ("exists", false));
    assert_eq!(std::fs::read(&path).unwrap(), b"something else");
    std::fs::remove_file(&path).unwrap();
    let restored = restore(&backup, BACKUP).await.unwrap();
    assert_eq!(restored.address(), alice.address());
    assert_eq!(code(alice.backup(&path, BACKUP).await), ("in-use", true));
}

#[tokio::test]
async fn a_backup_of_another_than_the_first_device_needs_an_approval() {
    let (network, directory) = (network(), Directory::new());
    let backup = directory.file("laptop.backup");
    let (phone, bob) = (open(&network).await, open(&network).await);
    let garden = found(&[&phone, &bob]).await.remove(1);
    let laptop = link(&phone, file(&directory.file("old.db"), &network)).await;
    together(garden.id(), &[&phone, &laptop, &bob]).await;
    soon(garden.send(Message::text("before")).await.unwrap().delivered()).await.unwrap();
    laptop.backup(&backup, BACKUP).await.unwrap();
    let lost = laptop.device();
    laptop.close().await;

    let path = directory.file("laptop.db");
    let refused = file(&path, &network).restore(&backup, BACKUP).await;
    assert_eq!(code(refused), ("no-account-keys", false));
    assert!(!path.exists());
    let new = file(&path, &network).link_with_backup(&backup, BACKUP).await.unwrap();
    let foreign = bob.approve_device(new.request()).await.unwrap();
    assert_eq!(code(new.account(&foreign)), ("identity-wrong-account", false));
    let approval = phone.approve_device(new.request()).await.unwrap();
    let laptop = new.finish(&approval).await.unwrap();
    phone.revoke_device(&lost).await.unwrap();
    together(garden.id(), &[&phone, &laptop, &bob]).await;
    let mut events = laptop.events();
    garden.send(Message::text("after")).await.unwrap();
    assert_eq!(said(&mut events).await.message, Message::text("after"));
    assert_eq!(texts(&laptop.group(garden.id())).await, ["before", "after"]);
}
