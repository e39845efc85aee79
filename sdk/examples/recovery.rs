//! A device is lost, and a new one goes on from a backup: `cargo run --example recovery`.

use std::error::Error;
use std::fs;

use trellis_sdk::transport::{Conditions, MemoryNetwork};
use trellis_sdk::{Client, Event, Message, Policy, Role};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::temp_dir().join(format!("trellis-recovery-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    let file = |name: &str| directory.join(name);
    let network = MemoryNetwork::new(Conditions::good());
    let bob = Client::builder_in_memory().transport(network.join()).open().await?;
    let phone = Client::builder(file("phone.db"), "a passphrase").transport(network.join());
    let phone = phone.open().await?;

    // Who comes back is brought in by a member who may invite, so here all may.
    let mut policy = Policy::default();
    policy.invite = Role::Member;
    let garden = phone.create_group("garden").policy(policy).await?;
    garden.invite(&bob.address()).await?.done().await?;
    garden.send(Message::text("frost tonight")).await?.delivered().await?;

    phone.backup(file("backup"), "the backup's passphrase").await?;
    let lost = phone.device();
    phone.close().await;
    fs::remove_file(file("phone.db"))?;
    println!("Alice has a backup, and no phone");

    let phone = Client::builder(file("new-phone.db"), "a passphrase")
        .transport(network.join())
        .restore(file("backup"), "the backup's passphrase")
        .await?;
    let garden = phone.group(garden.id());
    let known = garden.history(None, 10).await?.entries.len();
    println!("The new phone has her account, and {known} message");
    assert_ne!(phone.device(), lost);

    let mut events = phone.events();
    while let Some(event) = events.next().await {
        match event {
            Event::Joined { group, .. } if group == garden.id() => {
                println!("Bob's client has brought it in");
                bob.group(garden.id()).send(Message::text("welcome back")).await?;
            }
            Event::Message(received) => {
                println!("It reads {:?}", received.message.search_text().unwrap_or_default());
                break;
            }
            _ => {}
        }
    }

    for member in garden.members().await? {
        let whose = if member.address == bob.address() { "Bob" } else { "Alice" };
        println!("{whose} has {} device in the group", member.devices.len());
        assert!(member.devices.iter().all(|device| device.id != lost), "the lost one is revoked");
    }
    for client in [phone, bob] {
        client.close().await;
    }
    fs::remove_dir_all(directory)?;
    Ok(())
}
