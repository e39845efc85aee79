//! What is around a command: the network, the terminal, standard input and output.

use tokio::io::{AsyncBufRead, BufReader};
use trellis_sdk::store::StoreOptions;

use crate::network::{self, Connect};
use crate::output::Output;

/// Standard input, or what stands for it.
pub type Input = Box<dyn AsyncBufRead + Send + Sync + Unpin>;

/// What is around a command.
pub struct World {
    /// How others are reached.
    pub connect: Connect,
    /// How files are opened.
    pub store: StoreOptions,
    /// Where records go.
    pub output: Output,
    /// Where text comes from.
    pub input: Input,
    /// Whether there is somebody at a terminal who can be asked.
    pub terminal: bool,
    /// Whether the environment is looked at.
    pub environment: fn(&str) -> Option<String>,
}

impl World {
    /// The one of a real process.
    pub fn of_this_process(json: bool) -> Self {
        use std::io::IsTerminal;
        Self {
            connect: network::connect(),
            store: StoreOptions::default(),
            output: Output::new(json, Box::new(std::io::stdout())),
            input: Box::new(BufReader::new(tokio::io::stdin())),
            terminal: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            environment: |name| std::env::var(name).ok(),
        }
    }
}
