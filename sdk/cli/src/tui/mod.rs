//! The messenger for the terminal.
//!
//! [`app`] is the state and decides: an input goes in, effects come out, and nothing else happens.
//! [`view`] draws a state. [`screen`] has the terminal, [`work`] the client; they feed the one and
//! carry out the other. What is shown is read from the client again whenever something has happened,
//! so the state can't come to differ from it.

pub mod app;
mod composer;
mod fold;
mod orders;
mod screen;
pub mod view;
pub mod work;

use crate::arguments::Common;
use crate::failure::Failure;
use crate::run::Session;
use crate::world::World;

/// Opens the account, and then the messenger.
pub async fn run(common: &Common, world: &World) -> Result<(), Failure> {
    use std::io::IsTerminal;
    if !world.terminal || !std::io::stdout().is_terminal() {
        let text =
            "the messenger needs a terminal; `trellis --help` shows the commands for scripts";
        return Err(Failure::Usage(text.to_owned()));
    }
    let session = Session::open(common, world).await?;
    let client = session.client.clone();
    let done = screen::run(session, common, world).await;
    client.close().await;
    done
}
