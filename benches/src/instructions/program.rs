//! Compiles a program that runs on the native backend under valgrind.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Graviola's switch for the time of its compilation: the processor has ADX, though valgrind does not
/// say so.
const SWITCH: (&str, &str) = ("VALGRIND_BUG_494162", "1");

/// Cargo does not see that switch. With another profile it keeps this graviola and what depends on
/// it apart from the usual ones, and shares all the rest. This much of debugging information
/// changes no code.
const PROFILE: &str = r#"profile.release.package.graviola.debug="line-directives-only""#;

/// Why there is no program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Cargo could not be started.
    #[error("cargo cannot be started: {0}")]
    Start(#[from] std::io::Error),
    /// Cargo failed, and has said why.
    #[error("the program to count in was not compiled")]
    Failed,
}

/// Compiles the program `instructions` for valgrind, in the same folder of targets.
///
/// # Errors
///
/// If cargo is not there or does not succeed.
pub fn compile() -> Result<PathBuf, Error> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--package", "trellis-benches", "--bin", "instructions"])
        .args(["--config", PROFILE, "--message-format", "json-render-diagnostics"])
        .env(SWITCH.0, SWITCH.1)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(Error::Failed);
    }
    executable(&String::from_utf8_lossy(&output.stdout)).ok_or(Error::Failed)
}

/// The executable among cargo's messages, of which each is a line of JSON.
fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_the_messages() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
            {\"reason\":\"compiler-artifact\",\"executable\":\"/target/instructions\"}\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/target/instructions")));
        assert_eq!(executable("no JSON\n{}\n"), None);
    }
}
