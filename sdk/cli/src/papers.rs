//! The manual and the completions, made of the command line itself.

use std::path::Path;

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::Output;

/// Completions for a shell.
pub fn completions(shell: clap_complete::Shell, output: &Output) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "trellis", &mut text);
    output.text(String::from_utf8_lossy(&text).trim_end())
}

/// The manual page of the whole program, or one for each command in a directory.
pub fn man(directory: Option<&Path>, output: &Output) -> Result<(), Failure> {
    match directory {
        Some(directory) => clap_mangen::generate_to(Arguments::command(), directory)
            .map_err(Failure::io(directory.display().to_string())),
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Arguments::command())
                .render(&mut page)
                .map_err(Failure::io("the manual page"))?;
            output.text(String::from_utf8_lossy(&page).trim_end())
        }
    }
}
