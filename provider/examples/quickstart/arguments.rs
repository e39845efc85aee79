//! The command line.

use std::fs::File;
use std::io::Read;

use openmls_traits::types::Ciphersuite;
use trellis_ciphersuites::{CipherSuite, Ecosystem};

const DEFAULT_SUITE: &str = "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519";
const DEFAULT_TEXT: &str = include_str!("greeting.txt");

/// The longest text that is sent, in bytes.
const MAX_TEXT: u64 = 16 << 20;

const HELP: &str = "\
Four members on a hybrid cipher suite: create, add, message, update, remove, join.

usage: quickstart [--suite NAME] [FILE]
       quickstart --list

  FILE          the text to send, UTF-8, at most 16 MiB (default: a bundled one)
  --suite NAME  a cipher suite of the registry that OpenMLS knows
                (default: MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519)
  --list        print the registry
";

pub(crate) enum Command {
    Run(Arguments),
    Print(String),
}

pub(crate) struct Arguments {
    pub(crate) suite: Ciphersuite,
    pub(crate) text: String,
}

impl Arguments {
    /// The error is one line for the user.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
        let (mut suite, mut file) = (None, None);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => return Ok(Command::Print(HELP.to_owned())),
                "--list" => return Ok(Command::Print(registry())),
                "--suite" if suite.is_none() => {
                    suite =
                        Some(arguments.next().ok_or("--suite needs the name of a cipher suite")?);
                }
                flag if flag.starts_with('-') => {
                    return Err(format!("unexpected argument {flag} (see --help)"));
                }
                _ if file.is_some() => return Err(format!("more than one file: {argument}")),
                _ => file = Some(argument),
            }
        }
        let suite = find(suite.as_deref().unwrap_or(DEFAULT_SUITE))?;
        let text = file.map_or_else(|| Ok(DEFAULT_TEXT.to_owned()), |file| read(&file))?;
        Ok(Command::Run(Self { suite, text }))
    }
}

fn find(name: &str) -> Result<Ciphersuite, String> {
    let suite: CipherSuite =
        name.parse().map_err(|_| format!("no cipher suite is called {name} (see --list)"))?;
    suite
        .code_point(Ecosystem::OpenMls)
        .and_then(|number| Ciphersuite::try_from(number).ok())
        .ok_or_else(|| format!("OpenMLS has no number for {suite} yet (see --list)"))
}

fn read(file: &str) -> Result<String, String> {
    let complain = |error| format!("cannot read {file}: {error}");
    // A device or a pipe does not say how long it is, so the limit is on what is read.
    let mut bytes = Vec::new();
    let source = File::open(file).map_err(complain)?;
    source.take(MAX_TEXT + 1).read_to_end(&mut bytes).map_err(complain)?;
    if bytes.len() as u64 > MAX_TEXT {
        return Err(format!("{file} is longer than {MAX_TEXT} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{file} is not UTF-8 text"))?;
    if text.is_empty() { Err(format!("{file} is empty")) } else { Ok(text) }
}

fn registry() -> String {
    let mut page = format!(
        "{:<58} {:>3}  {:<7} {:<12} {:<12} {:>7} {:>5} {:>9} {:>9}\n",
        "cipher suite",
        "row",
        "OpenMLS",
        "content",
        "origin",
        "KEM key",
        "enc",
        "sign. key",
        "signature"
    );
    for suite in CipherSuite::all() {
        let row = suite.row().map_or_else(|| "-".to_owned(), |row| row.to_string());
        let number = suite
            .code_point(Ecosystem::OpenMls)
            .map_or_else(|| "none".to_owned(), |number| format!("0x{number:04X}"));
        let sizes = suite.sizes();
        page += &format!(
            "{:<58} {row:>3}  {number:<7} {:<12} {:<12} {:>7} {:>5} {:>9} {:>9}\n",
            suite.name(),
            suite.confidentiality(),
            suite.authenticity(),
            sizes.kem_public_key,
            sizes.kem_enc,
            sizes.signature_public_key,
            sizes.signature
        );
    }
    page += "\nrow: of draft-ietf-mls-pq-ciphersuites-06. content, origin: what protects them, against\n\
             whom. The numbers at the right are bytes.\n";
    page
}
