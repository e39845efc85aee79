//! A group with classical cryptography moves to a hybrid suite, and not back: `cargo run --example
//! migration`.

use trellis_sdk::transport::{Conditions, MemoryNetwork};
use trellis_sdk::{Client, Error, Event, Events, Group, Message, Suite};

/// Waits until a group goes on as another one for a client.
async fn moved(client: &Client, events: &mut Events, group: &Group) -> Result<Group, Error> {
    while let Some(event) = events.next().await {
        if let Event::Moved { from, to } = event
            && from == group.id()
        {
            return Ok(client.group(to));
        }
    }
    Err(Error::Closed)
}

async fn show(title: &str, group: &Group) -> Result<(), Error> {
    println!("{title}\n{}\n", group.security().await?);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let network = MemoryNetwork::new(Conditions::good());
    // Only who says so takes part in classical groups at all.
    let open = || {
        let builder = Client::builder_in_memory().transport(network.join());
        builder.allow_classical_without_post_quantum_protection().open()
    };
    let (alice, bob) = (open().await?, open().await?);
    let (mut hers, mut his) = (alice.events(), bob.events());

    let old = alice.create_group("garden").classical_without_post_quantum_protection().await?;
    old.invite(&bob.address()).await?.done().await?;
    old.send(Message::text("somebody may read this one day")).await?.delivered().await?;
    show("Before:", &old).await?;

    // Everybody moves along. The name, the roles and the rules stay.
    old.migrate(Suite::Hybrid).await?.done().await?;
    let garden = moved(&alice, &mut hers, &old).await?;
    let his_garden = moved(&bob, &mut his, &old).await?;
    garden.send(Message::text("this nobody will")).await?.delivered().await?;
    show("After:", &garden).await?;
    println!("Bob is in {:?} as well\n", his_garden.name().await?);

    // What was said before stays in the history of the old group, in which nothing more is said.
    let error = old.send(Message::text("hello?")).await.unwrap_err();
    println!("The old group: {error}");
    println!("It has {} message", old.history(None, 10).await?.entries.len());

    // There is no `Suite` that leads back to classical cryptography. Nor does a group go from one
    // that protects more to one that protects less, here from post-quantum signatures.
    let street = alice.create_group("street").suite(Suite::HybridPostQuantumSignatures).await?;
    let refused = street.migrate(Suite::Hybrid).await?.done().await.unwrap_err();
    println!("A way back: {refused} ({})", refused.code());
    Ok(())
}
