//! Messages of a type that the application defines, here a vote: `cargo run --example
//! custom_message`.

use std::collections::BTreeMap;

use trellis_sdk::transport::{Conditions, MemoryNetwork};
use trellis_sdk::{Client, Error, Group, Message};

/// The name says whose type it is and which version: others may define types as well.
const VOTE: &str = "garden.example/vote/1";

/// A vote, as this application writes it: the number of a choice.
struct Vote(u8);

impl From<Vote> for Message {
    fn from(vote: Vote) -> Self {
        Self::custom(VOTE, [vote.0])
    }
}

impl Vote {
    /// Anybody in the group can send anything under this name, so it is read with care.
    fn from_message(message: &Message) -> Option<Self> {
        match message {
            Message::Custom(name, content) if name == VOTE => match content[..] {
                [choice] if usize::from(choice) < CHOICES.len() => Some(Self(choice)),
                _ => None,
            },
            _ => None,
        }
    }
}

const CHOICES: [&str; 2] = ["apples", "pears"];

/// The last vote of each member counts. All members count the same, whatever the order in which
/// messages came in, because each author's last is found by the author's own clock.
async fn count(group: &Group) -> Result<[usize; CHOICES.len()], Error> {
    let mut last = BTreeMap::new();
    for entry in group.history(None, 100).await?.entries {
        if let Some(vote) = Vote::from_message(&entry.message.message) {
            let known = last.entry(entry.message.author).or_insert((entry.message.written, vote.0));
            *known = (*known).max((entry.message.written, vote.0));
        }
    }
    let mut counts = [0; CHOICES.len()];
    last.values().for_each(|(_, choice)| counts[usize::from(*choice)] += 1);
    Ok(counts)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let network = MemoryNetwork::new(Conditions::good());
    let alice = Client::builder_in_memory().transport(network.join()).open().await?;
    let bob = Client::builder_in_memory().transport(network.join()).open().await?;

    let orchard = alice.create_group("orchard").await?;
    orchard.invite(&bob.address()).await?.done().await?;
    let his_orchard = bob.group(orchard.id());

    println!("Alice votes for {}", CHOICES[0]);
    orchard.send(Vote(0).into()).await?.delivered().await?;
    println!("Bob votes for {}", CHOICES[1]);
    his_orchard.send(Vote(1).into()).await?.delivered().await?;
    println!("Alice changes her mind");
    orchard.send(Vote(1).into()).await?.delivered().await?;
    // Not a vote, although it says so.
    orchard.send(Message::custom(VOTE, "pears!")).await?.delivered().await?;

    for (name, group) in [("Alice", &orchard), ("Bob", &his_orchard)] {
        let counts = count(group).await?;
        for (choice, count) in CHOICES.iter().zip(counts) {
            println!("{name} counts {count} for {choice}");
        }
        assert_eq!(counts, [0, 2]);
    }
    Ok(())
}
