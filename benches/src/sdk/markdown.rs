//! The content of `benches/SDK.md`: a part for each figure, in a file of its own.

mod convergence;
mod growth;
mod head;
mod opening;
mod times;

use super::data::Sdk;
use crate::report::markdown::targets;

/// The parts, in their order. Each ends with a line break, or is empty where nothing was measured.
const PARTS: [fn(&Sdk) -> String; 6] =
    [head::render, goals, times::render, growth::render, opening::render, convergence::render];

/// The text.
#[must_use]
pub fn render(sdk: &Sdk) -> String {
    let parts: Vec<String> =
        PARTS.iter().map(|part| part(sdk)).filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

fn goals(sdk: &Sdk) -> String {
    targets::section("## Goals", &sdk.targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_text_is_that_of_the_committed_figures() {
        let sdk: Sdk = serde_json::from_str(include_str!("../../sdk.json")).unwrap();
        assert!(!sdk.quick);
        assert_eq!(render(&sdk), include_str!("../../SDK.md"));
        assert_eq!(sdk.targets, super::super::targets::targets(&sdk));
    }

    #[test]
    fn what_was_not_measured_is_left_out() {
        let mut sdk: Sdk = serde_json::from_str(include_str!("../../sdk.json")).unwrap();
        (sdk.timed, sdk.growth, sdk.convergence) = (Vec::new(), Vec::new(), Vec::new());
        (sdk.opening, sdk.targets) = (None, Vec::new());
        let text = render(&sdk);
        assert_eq!(text.matches("\n## ").count(), 1, "{text}");
    }
}
