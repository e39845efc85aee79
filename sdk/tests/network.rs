//! The network as a calculation, and the one in memory over it.

use std::time::Duration;

use trellis_sdk::transport::{
    Action, Chance, Conditions, Incoming, MAX_MESSAGE, MemoryNetwork, Network, NodeId, Transport,
    TransportError,
};
use trellis_sdk::{Span, Time, Topic};

const TOPIC: Topic = Topic([7; 32]);

fn publish(byte: u8) -> Action {
    Action::Publish { topic: TOPIC, bytes: vec![byte] }
}

fn message(byte: u8) -> Incoming {
    Incoming::Message { topic: TOPIC, bytes: vec![byte] }
}

/// A network of nodes that all listen to the topic and have seen their first `Connected`.
fn network(seed: u64, conditions: Conditions, nodes: usize) -> Network {
    let mut network = Network::new(seed, conditions);
    for _ in 0..nodes {
        let node = network.join(Time(0));
        network.send(Time(0), node, Action::Subscribe(TOPIC)).unwrap();
        assert_eq!(network.pop(Time(0)), Some((node, Incoming::Connected)));
    }
    network
}

/// All that arrives from now on, with the time of each.
fn drain(network: &mut Network) -> Vec<(Time, NodeId, Incoming)> {
    let mut all = Vec::new();
    while let Some(time) = network.next_event_time() {
        while let Some((node, incoming)) = network.pop(time) {
            all.push((time, node, incoming));
        }
    }
    all
}

#[test]
fn everybody_who_listens_gets_it_but_the_sender() {
    let mut network = network(1, Conditions::good(), 3);
    network.send(Time(0), NodeId(2), Action::Unsubscribe(TOPIC)).unwrap();
    network.send(Time(0), NodeId(0), publish(1)).unwrap();
    let all = drain(&mut network);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].1, NodeId(1));
    assert!((20..=60).contains(&all[0].0.0));
}

#[test]
fn one_seed_gives_one_schedule() {
    let run = |seed| {
        let mut network = network(seed, Conditions::poor(), 4);
        for number in 0..200 {
            let from = NodeId(usize::from(number) % 4);
            network.send(Time(u64::from(number)), from, publish(number)).unwrap();
        }
        drain(&mut network)
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn conditions_do_what_they_say() {
    let conditions = Conditions {
        loss: Chance::per_mille(250),
        duplication: Chance::per_mille(100),
        jitter: Span(1000),
        ..Conditions::good()
    };
    let mut network = network(3, conditions, 2);
    for number in 0..4000_u32 {
        let bytes = number.to_be_bytes().to_vec();
        let action = Action::Publish { topic: TOPIC, bytes };
        network.send(Time(u64::from(number)), NodeId(0), action).unwrap();
    }
    let all = drain(&mut network);
    // 4000 × 0.75 × 1.1, give or take four deviations.
    assert!((3150..3450).contains(&all.len()), "{}", all.len());
    let numbers: Vec<_> = all
        .iter()
        .map(|(_, _, incoming)| match incoming {
            Incoming::Message { bytes, .. } => bytes.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(!numbers.is_sorted());
}

#[test]
fn a_link_can_be_worse_than_others() {
    let mut network = network(1, Conditions::good(), 3);
    let dead = Conditions { loss: Chance::per_mille(1000), ..Conditions::good() };
    network.set_link(NodeId(0), NodeId(1), Some(dead));
    network.send(Time(0), NodeId(0), publish(1)).unwrap();
    network.send(Time(0), NodeId(1), publish(2)).unwrap();
    let mut got: Vec<_> = drain(&mut network).into_iter().map(|(_, to, what)| (to, what)).collect();
    got.sort_by_key(|(to, _)| *to);
    got.sort_by_key(|(_, what)| *what == message(2));
    assert_eq!(got, [(NodeId(2), message(1)), (NodeId(0), message(2)), (NodeId(2), message(2))]);
}

#[test]
fn partitions_separate_and_healing_is_told() {
    let mut network = network(1, Conditions::good(), 4);
    network.send(Time(0), NodeId(0), publish(0)).unwrap();
    // On its way to 2 and 3 when the network splits.
    network.partition(Time(1), &[vec![NodeId(0), NodeId(1)]]);
    assert!(network.connects(NodeId(0), NodeId(1)) && network.connects(NodeId(2), NodeId(3)));
    assert!(!network.connects(NodeId(1), NodeId(2)));
    network.send(Time(100), NodeId(3), publish(3)).unwrap();
    let reached: Vec<_> = drain(&mut network).into_iter().map(|(_, to, what)| (to, what)).collect();
    assert_eq!(reached, [(NodeId(1), message(0)), (NodeId(2), message(3))]);
    network.heal(Time(200));
    let told: Vec<_> = drain(&mut network).into_iter().map(|(_, to, what)| (to, what)).collect();
    assert_eq!(told, (0..4).map(|node| (NodeId(node), Incoming::Connected)).collect::<Vec<_>>());
}

#[test]
fn a_node_off_the_network_sends_and_gets_nothing() {
    let mut network = network(1, Conditions::good(), 2);
    network.send(Time(0), NodeId(0), publish(1)).unwrap();
    network.set_online(Time(1), NodeId(1), false);
    assert_eq!(network.send(Time(2), NodeId(1), publish(2)), Err(TransportError::Offline));
    assert_eq!(drain(&mut network), []);
    network.set_online(Time(100), NodeId(1), true);
    network.send(Time(100), NodeId(0), publish(3)).unwrap();
    let got: Vec<_> = drain(&mut network).into_iter().map(|(_, to, what)| (to, what)).collect();
    assert_eq!(got, [(NodeId(1), Incoming::Connected), (NodeId(1), message(3))]);
    network.send(Time(200), NodeId(0), publish(4)).unwrap();
    network.forget(NodeId(1));
    network.send(Time(201), NodeId(0), publish(5)).unwrap();
    assert_eq!(drain(&mut network), []);
}

#[test]
fn answers_find_whoever_asked() {
    let mut network = network(1, Conditions::good(), 3);
    network.send(Time(0), NodeId(0), Action::Ask { topic: TOPIC, question: vec![1] }).unwrap();
    let questions = drain(&mut network);
    assert_eq!(questions.len(), 2);
    for (time, node, incoming) in questions {
        let Incoming::Question { asker, topic, question } = incoming else { panic!() };
        assert_eq!((topic, question), (TOPIC, vec![1]));
        let answer = vec![node.0 as u8];
        network.send(time, node, Action::Answer { asker, answer }).unwrap();
    }
    let mut answers: Vec<_> =
        drain(&mut network).into_iter().map(|(_, to, what)| (to, what)).collect();
    answers.sort_by_key(|(_, what)| format!("{what:?}"));
    let answer = |byte| (NodeId(0), Incoming::Answer { answer: vec![byte] });
    assert_eq!(answers, [answer(1), answer(2)]);
    // Nobody asked this.
    network.send(Time(500), NodeId(1), Action::Answer { asker: 99, answer: vec![] }).unwrap();
    assert_eq!(drain(&mut network), []);
}

#[test]
fn what_is_too_long_is_refused() {
    let mut network = network(1, Conditions::good(), 2);
    let mut send = |length| {
        let action = Action::Publish { topic: TOPIC, bytes: vec![0; length] };
        network.send(Time(0), NodeId(0), action)
    };
    assert_eq!(send(MAX_MESSAGE), Ok(()));
    let error = send(MAX_MESSAGE + 1).unwrap_err();
    assert_eq!(error, TransportError::TooLarge { length: MAX_MESSAGE + 1 });
    assert_eq!((error.code(), error.is_retryable()), ("too-large", false));
}

async fn next(client: &dyn Transport) -> Option<Incoming> {
    tokio::time::timeout(Duration::from_secs(5), client.next()).await.expect("nothing came")
}

#[tokio::test]
async fn clients_in_memory_talk() {
    let network = MemoryNetwork::new(Conditions { latency: Span(2), ..Conditions::perfect() });
    let (alice, bob) = (network.join(), network.join());
    let alice: &dyn Transport = &alice;
    assert_eq!(next(alice).await, Some(Incoming::Connected));
    assert_eq!(next(&bob).await, Some(Incoming::Connected));
    bob.subscribe(TOPIC).await.unwrap();

    // One waits while the other speaks.
    let (got, ()) = tokio::join!(next(&bob), async {
        tokio::task::yield_now().await;
        alice.publish(TOPIC, vec![1]).await.unwrap();
    });
    assert_eq!(got, Some(message(1)));

    alice.ask(TOPIC, vec![2]).await.unwrap();
    let Some(Incoming::Question { asker, .. }) = next(&bob).await else { panic!() };
    bob.answer(asker, vec![3]).await.unwrap();
    assert_eq!(next(alice).await, Some(Incoming::Answer { answer: vec![3] }));

    bob.unsubscribe(TOPIC).await.unwrap();
    alice.publish(TOPIC, vec![4]).await.unwrap();
    network.close();
    assert_eq!(next(&bob).await, None);
    assert_eq!(alice.publish(TOPIC, vec![5]).await, Err(TransportError::Closed));
}

#[tokio::test]
async fn clients_in_memory_lose_and_find_each_other() {
    let network = MemoryNetwork::new(Conditions::perfect());
    let (alice, bob) = (network.join(), network.join());
    for client in [&alice, &bob] {
        assert_eq!(next(client).await, Some(Incoming::Connected));
        client.subscribe(TOPIC).await.unwrap();
    }
    network.partition(&[&[&alice], &[&bob]]);
    alice.publish(TOPIC, vec![1]).await.unwrap();
    network.heal();
    alice.publish(TOPIC, vec![2]).await.unwrap();
    assert_eq!(next(&bob).await, Some(Incoming::Connected));
    assert_eq!(next(&bob).await, Some(message(2)));

    bob.set_online(false);
    assert_eq!(bob.publish(TOPIC, vec![3]).await, Err(TransportError::Offline));
    drop(bob);
    alice.publish(TOPIC, vec![4]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_in_memory_work_from_several_threads() {
    let network = MemoryNetwork::seeded(9, Conditions { jitter: Span(3), ..Conditions::perfect() });
    let clients: Vec<_> = (0..4).map(|_| network.join()).collect();
    for client in &clients {
        client.subscribe(TOPIC).await.unwrap();
    }
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|client| {
            tokio::spawn(async move {
                for number in 0..50 {
                    client.publish(TOPIC, vec![number]).await.unwrap();
                }
                let mut messages = 0;
                while messages < 150 {
                    if let Some(Incoming::Message { .. }) = next(&client).await {
                        messages += 1;
                    }
                }
                // The others may still wait for what this one sent.
                client
            })
        })
        .collect();
    let mut kept = Vec::new();
    for task in tasks {
        kept.push(task.await.unwrap());
    }
}
