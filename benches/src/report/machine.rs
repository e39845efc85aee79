//! Where a report was made, and with what.

use std::fs;
use std::process::Command;

use super::data::{Machine, Version};

/// This machine.
#[must_use]
pub fn machine() -> Machine {
    Machine {
        processor: processor().unwrap_or_else(|| std::env::consts::ARCH.into()),
        cores: std::thread::available_parallelism().map_or(1, Into::into),
        features: features().into_iter().map(str::to_owned).collect(),
        system: format!("{} {}", std::env::consts::OS, kernel().unwrap_or_default())
            .trim_end()
            .into(),
        rustc: rustc().unwrap_or_else(|| "unknown".into()),
    }
}

fn processor() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().into())
}

fn kernel() -> Option<String> {
    Some(fs::read_to_string("/proc/sys/kernel/osrelease").ok()?.trim().into())
}

fn rustc() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().into())
}

/// The extensions by which the libraries choose their code.
#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    macro_rules! detected {
        ($($feature:tt)*) => {
            [$(($feature, std::arch::is_x86_feature_detected!($feature))),*]
        };
    }
    let all = detected!("aes" "pclmulqdq" "bmi2" "adx" "sha" "avx2" "vaes" "vpclmulqdq" "avx512f");
    all.into_iter().filter(|(_, detected)| *detected).map(|(feature, _)| feature).collect()
}

/// The extensions by which the libraries choose their code.
#[cfg(target_arch = "aarch64")]
fn features() -> Vec<&'static str> {
    macro_rules! detected {
        ($($feature:tt)*) => {
            [$(($feature, std::arch::is_aarch64_feature_detected!($feature))),*]
        };
    }
    let all = detected!("neon" "aes" "sha2" "sha3");
    all.into_iter().filter(|(_, detected)| *detected).map(|(feature, _)| feature).collect()
}

/// The extensions by which the libraries choose their code.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<&'static str> {
    Vec::new()
}

/// What is compared, and what is compared with.
const PACKAGES: [&str; 22] = [
    "trellis-ciphersuites",
    "openmls_trellis_crypto",
    "openmls",
    "openmls_rust_crypto",
    "openmls_libcrux_crypto",
    "openmls_memory_storage",
    "openmls_sqlite_storage",
    "mls-rs",
    "mls-rs-crypto-awslc",
    "graviola",
    "libcrux-ml-kem",
    "libcrux-ml-dsa",
    "aws-lc-rs",
    "ml-kem",
    "ml-dsa",
    "pqcrypto-mlkem",
    "x25519-dalek",
    "ed25519-dalek",
    "sha2",
    "aes-gcm",
    "hpke",
    "hpke-rs",
];

/// The versions in the lock file of this build; the newest, where there are several.
#[must_use]
pub fn versions() -> Vec<Version> {
    versions_of(&PACKAGES)
}

/// The same of these packages.
#[must_use]
pub fn versions_of(packages: &[&str]) -> Vec<Version> {
    let lock = include_str!("../../../Cargo.lock");
    packages
        .iter()
        .filter_map(|package| {
            let entry = format!("name = \"{package}\"\nversion = \"");
            let after = &lock[lock.rfind(&entry)? + entry.len()..];
            let version = after.split('"').next()?;
            Some(Version { package: (*package).into(), version: version.into() })
        })
        .collect()
}

/// Today, in UTC.
#[must_use]
pub fn today() -> String {
    let now = time::OffsetDateTime::now_utc();
    format!("{}-{:02}-{:02}", now.year(), u8::from(now.month()), now.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_in_the_lock_file() {
        let versions = versions();
        assert_eq!(versions.len(), PACKAGES.len());
        assert!(versions.iter().all(|each| each.version.contains('.')));
    }

    #[test]
    fn a_machine_has_cores_and_a_day() {
        assert!(machine().cores > 0);
        assert_eq!(today().len(), "2026-11-22".len());
    }
}
