//! A group chat of two, over a network in memory: `cargo run --example chat`.

use trellis_sdk::transport::{Conditions, MemoryNetwork};
use trellis_sdk::{Client, Error, Event, Message};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let network = MemoryNetwork::new(Conditions::good());
    let alice = Client::builder_in_memory().transport(network.join()).open().await?;
    let bob = Client::builder_in_memory().transport(network.join()).open().await?;
    let mut events = bob.events();

    let garden = alice.create_group("garden").await?;
    garden.invite(&bob.address()).await?.done().await?;
    let sent = garden.send(Message::text("frost tonight")).await?;

    while let Some(event) = events.next().await {
        match event {
            Event::Joined { group, .. } => {
                println!("Bob is in {:?}", bob.group(group).name().await?);
            }
            Event::Message(received) => {
                println!("Bob reads {:?}", received.message.search_text().unwrap_or_default());
                break;
            }
            _ => {}
        }
    }

    sent.delivered().await?;
    println!("Alice knows that everybody has it");
    Ok(())
}
