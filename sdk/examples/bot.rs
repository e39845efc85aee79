//! A bot that keeps a shopping list: `cargo run --example bot`.
//!
//! It needs to know nothing about groups: whoever invites it can talk to it, in as many groups as
//! there are, and what it has to remember is in the history of each.

use trellis_sdk::transport::{Conditions, MemoryNetwork};
use trellis_sdk::{Client, Error, Event, Group, Message};

/// Answers until the client is closed.
async fn run(bot: Client) -> Result<(), Error> {
    let mut events = bot.events();
    while let Some(event) = events.next().await {
        match event {
            Event::Joined { group, .. } => {
                let hello = Message::text("Say `+ milk`, `list` or `bye`.");
                bot.group(group).send(hello).await?;
            }
            Event::Message(received) => {
                let group = bot.group(received.group);
                let Message::Text(text) = received.message else { continue };
                if let Some(thing) = text.strip_prefix("+ ") {
                    let noted = Message::reaction(received.id, "noted");
                    println!("the bot notes {thing:?}");
                    group.send(noted).await?;
                } else if text == "list" {
                    group.send(Message::reply(received.id, list(&group).await?)).await?;
                } else if text == "bye" {
                    group.leave().await?;
                }
            }
            // The history has what was missed; this bot can do without.
            Event::Missed(number) => println!("the bot was too slow for {number} events"),
            _ => {}
        }
    }
    Ok(())
}

/// What the group wants, from its history: the bot keeps nothing itself.
async fn list(group: &Group) -> Result<String, Error> {
    let mut things = Vec::new();
    let mut before = None;
    loop {
        let page = group.history(before, 100).await?;
        things.extend(page.entries.iter().filter_map(|entry| match &entry.message.message {
            Message::Text(text) => text.strip_prefix("+ ").map(ToOwned::to_owned),
            _ => None,
        }));
        before = page.older;
        if before.is_none() {
            things.reverse();
            return Ok(things.join(", "));
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let network = MemoryNetwork::new(Conditions::good());
    let bot = Client::builder_in_memory().transport(network.join()).open().await?;
    let alice = Client::builder_in_memory().transport(network.join()).open().await?;
    let mut events = alice.events();
    let address = bot.address();
    let running = tokio::spawn(run(bot.clone()));

    let kitchen = alice.create_group("kitchen").await?;
    kitchen.invite(&address).await?;
    let mut to_say = ["bye", "list", "+ salt", "+ milk"].map(Message::text).to_vec();
    while let Some(event) = events.next().await {
        match event {
            // One at a time, each after an answer to the one before.
            Event::Message(received) => {
                match received.message {
                    Message::Reaction(_, reaction) => println!("Alice sees {reaction:?}"),
                    other => println!("Alice reads {:?}", other.search_text().unwrap_or_default()),
                }
                if let Some(next) = to_say.pop() {
                    kitchen.send(next).await?;
                }
            }
            Event::Changed { .. } if kitchen.members().await?.len() == 1 && to_say.is_empty() => {
                println!("Alice is alone in the kitchen");
                break;
            }
            _ => {}
        }
    }

    bot.close().await;
    running.await.expect("the bot does not panic")
}
