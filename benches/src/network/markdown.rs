//! The content of `benches/NETWORK.md`: a part for each figure, in a file of its own.

mod groups;
mod head;
mod latency;
mod mailbox;
mod wire;

use super::data::Network;
use crate::report::markdown::targets;

/// The parts, in their order. Each ends with a line break, or is empty where nothing was measured.
const PARTS: [fn(&Network) -> String; 7] = [
    head::render,
    goals,
    latency::render,
    groups::render,
    wire::render,
    mailbox::catch_up,
    mailbox::storage,
];

/// The text.
#[must_use]
pub fn render(network: &Network) -> String {
    let parts: Vec<String> =
        PARTS.iter().map(|part| part(network)).filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

fn goals(network: &Network) -> String {
    let mut parts = vec![targets::section("## Goals", &network.targets)];
    if !network.missing.is_empty() {
        parts.push("### What could not be measured\n".to_owned());
        let lines = network.missing.iter().map(|missing| format!("- {missing}\n"));
        parts.push(lines.collect());
    }
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_text_is_that_of_the_committed_figures() {
        let network: Network = serde_json::from_str(include_str!("../../network.json")).unwrap();
        assert!(!network.quick);
        assert_eq!(render(&network), include_str!("../../NETWORK.md"));
        assert_eq!(network.targets, super::super::targets::targets(&network));
    }
}
