//! What the counts depend on besides our code.

use std::env::consts::ARCH;
use std::fmt;
use std::process::Command;

use serde::{Deserialize, Serialize};
use trellis_ciphersuites::Backend;

/// What a program under valgrind finds there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// The processor's architecture.
    pub architecture: String,
    /// The backend that it runs on.
    pub backend: String,
    /// Those extensions of the processor that it is shown and by which libraries choose their code.
    pub extensions: Vec<String>,
}

impl Platform {
    /// What this program finds.
    #[must_use]
    pub fn here() -> Self {
        Self {
            architecture: ARCH.to_owned(),
            backend: Backend::default().name().to_owned(),
            extensions: extensions(),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { architecture, backend, extensions } = self;
        write!(f, "the {backend} backend on {architecture} with {}", extensions.join(", "))
    }
}

#[cfg(target_arch = "x86_64")]
fn extensions() -> Vec<String> {
    macro_rules! shown {
        ($($name:tt),+) => { [$(($name, std::is_x86_feature_detected!($name))),+] };
    }
    let all = shown![
        "aes",
        "pclmulqdq",
        "bmi1",
        "bmi2",
        "adx",
        "avx2",
        "sha",
        "vaes",
        "vpclmulqdq",
        "avx512f",
        "avx512ifma"
    ];
    all.into_iter().filter(|(_, shown)| *shown).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn extensions() -> Vec<String> {
    Vec::new()
}

/// The versions of the tools that make and count the instructions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    /// The compiler.
    pub rustc: String,
    /// What counts.
    pub valgrind: String,
}

impl Tools {
    /// The tools that are installed. `None` without valgrind.
    #[must_use]
    pub fn installed() -> Option<Self> {
        let rustc = version("rustc").unwrap_or_else(|| "unknown".to_owned());
        Some(Self { rustc, valgrind: version("valgrind")? })
    }
}

fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?.lines().next()?.to_owned();
    output.status.success().then_some(line)
}

/// The day, as `YYYY-MM-DD`, in UTC.
#[must_use]
pub fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_names_its_backend() {
        let text = Platform::here().to_string();
        assert!(text.starts_with(&format!("the {} backend", Backend::default().name())), "{text}");
    }

    #[test]
    fn a_day_has_ten_characters() {
        assert_eq!(today().len(), "2026-11-22".len());
    }

    #[test]
    fn a_missing_program_has_no_version() {
        assert_eq!(version("a program that nobody has"), None);
    }
}
