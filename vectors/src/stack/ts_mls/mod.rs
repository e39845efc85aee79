//! ts-mls, in a process of its own. `interop/ts-mls` is the other half, with the protocol.

mod process;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use openmls_trellis_crypto::KeyDerivation;
use serde_json::{Value, json};
use trellis_ciphersuites::CipherSuite;

use self::process::Process;
use super::{
    Changes, Client, Committed, Imported, Proposal, Received, Settings, Stack, StackError, State,
    Wire,
};
use crate::checker::{Checker, follow, nothing};
use crate::kinds::mls::MODEL;
use crate::kinds::{Check, Checked, Kind};
use crate::mls::suite::from_code_point;
use crate::{Failure, Hex};

/// ts-mls under Node.
pub struct TsMls {
    process: Arc<Process>,
    name: String,
    clients: AtomicU64,
}

impl TsMls {
    /// Starts the peer of this repository; `as_is` leaves out what it does about departures of
    /// ts-mls from the standard.
    ///
    /// # Errors
    ///
    /// Node is not there, or the packages cannot be installed.
    pub fn start(as_is: bool) -> Result<Self, StackError> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/ts-mls");
        let process = Arc::new(Process::start(&folder, as_is)?);
        let hello = process.call("hello", json!({}))?;
        let part = |name: &str| hello[name].as_str().unwrap_or_default().to_owned();
        let name = format!("{} {}", part("stack"), part("version"));
        Ok(Self { process, name, clients: AtomicU64::new(0) })
    }

    fn own_client(&self) -> TsMlsClient {
        let number = self.clients.fetch_add(1, Ordering::Relaxed);
        TsMlsClient { process: Arc::clone(&self.process), id: number.to_string() }
    }
}

/// The numbers of a suite, so that the peer needs no table.
fn numbers(suite: CipherSuite, code_point: u16) -> Value {
    json!({
        "code_point": code_point,
        "name": suite.name(),
        "kem": suite.kem().id(),
        "kdf": suite.kdf().id(),
        "aead": suite.aead().id(),
        "hash": suite.hash().name(),
        "signature": suite.signature().id(),
    })
}

fn derivation(derivation: KeyDerivation) -> &'static str {
    match derivation {
        KeyDerivation::OpenMls09 => "unlabelled",
        _ => "hpke-pq",
    }
}

impl Stack for TsMls {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn client(&self, settings: &Settings) -> Result<Box<dyn Client>, StackError> {
        let client = self.own_client();
        client.call(
            "client",
            json!({
                "suite": numbers(settings.suite, settings.code_point),
                "derivation": derivation(settings.derivation),
                "identity": hex::encode(&settings.identity),
                "wire": match settings.wire { Wire::Public => "public", Wire::Private => "private" },
            }),
        )?;
        Ok(Box::new(client))
    }

    fn import(&self, settings: &Settings, keys: &Imported) -> Result<Box<dyn Client>, StackError> {
        let client = self.own_client();
        client.call(
            "import",
            json!({
                "suite": numbers(settings.suite, settings.code_point),
                "derivation": derivation(settings.derivation),
                "key_package": hex::encode(&keys.key_package),
                "init_priv": hex::encode(&keys.init_priv),
                "encryption_priv": hex::encode(&keys.encryption_priv),
                "signature_priv": hex::encode(&keys.signature_priv),
                "psks": [],
            }),
        )?;
        Ok(Box::new(client))
    }
}

struct TsMlsClient {
    process: Arc<Process>,
    id: String,
}

impl TsMlsClient {
    fn call(&self, operation: &str, mut request: Value) -> Result<Value, StackError> {
        request["client"] = json!(self.id);
        self.process.call(operation, request)
    }

    fn bytes(&self, operation: &str, request: Value, field: &str) -> Result<Vec<u8>, StackError> {
        bytes(&self.call(operation, request)?, field)
    }
}

fn bytes(answer: &Value, field: &str) -> Result<Vec<u8>, StackError> {
    let value: Hex = serde_json::from_value(answer[field].clone())
        .map_err(|error| StackError::Failed(format!("{field} of the peer's answer: {error}")))?;
    Ok(value.0)
}

fn number(answer: &Value, field: &str) -> Result<u64, StackError> {
    answer[field]
        .as_u64()
        .ok_or_else(|| StackError::Failed(format!("{field} of the peer's answer is no number")))
}

fn list(values: &[Vec<u8>]) -> Vec<String> {
    values.iter().map(hex::encode).collect()
}

impl Client for TsMlsClient {
    fn key_package(&mut self) -> Result<Vec<u8>, StackError> {
        self.bytes("key_package", json!({}), "key_package")
    }

    fn create(&mut self, group_id: &[u8]) -> Result<(), StackError> {
        self.call("create", json!({ "group_id": hex::encode(group_id) })).map(drop)
    }

    fn join(&mut self, welcome: &[u8], ratchet_tree: Option<&[u8]>) -> Result<(), StackError> {
        let mut request = json!({ "welcome": hex::encode(welcome) });
        if let Some(tree) = ratchet_tree {
            request["ratchet_tree"] = json!(hex::encode(tree));
        }
        self.call("join", request).map(drop)
    }

    fn add_psk(&mut self, psk_id: &[u8], psk: &[u8]) -> Result<(), StackError> {
        let request = json!({ "psk_id": hex::encode(psk_id), "psk": hex::encode(psk) });
        self.call("add_psk", request).map(drop)
    }

    fn propose(&mut self, proposal: Proposal) -> Result<Vec<u8>, StackError> {
        let request = match proposal {
            Proposal::Add(key_package) => json!({ "add": hex::encode(key_package) }),
            Proposal::Remove(leaf) => json!({ "remove": leaf }),
            Proposal::Psk(psk_id) => json!({ "psk": hex::encode(psk_id) }),
        };
        self.bytes("propose", request, "proposal")
    }

    fn commit(&mut self, changes: Changes) -> Result<Committed, StackError> {
        let answer = self.call(
            "commit",
            json!({
                "add": list(&changes.add),
                "remove": changes.remove,
                "psk": list(&changes.psk),
                "path": changes.path,
            }),
        )?;
        let welcome = match &answer["welcome"] {
            Value::Null => None,
            _ => Some(bytes(&answer, "welcome")?),
        };
        Ok(Committed { commit: bytes(&answer, "commit")?, welcome })
    }

    fn process(&mut self, message: &[u8]) -> Result<Received, StackError> {
        let answer = self.call("process", json!({ "message": hex::encode(message) }))?;
        match answer["kind"].as_str() {
            Some("commit") => Ok(Received::Commit),
            Some("proposal") => Ok(Received::Proposal),
            Some("application") => Ok(Received::Application(bytes(&answer, "data")?)),
            _ => Err(StackError::Failed("the peer's answer has another kind".into())),
        }
    }

    fn send(&mut self, data: &[u8]) -> Result<Vec<u8>, StackError> {
        self.bytes("send", json!({ "data": hex::encode(data) }), "message")
    }

    fn group_info(&mut self) -> Result<Vec<u8>, StackError> {
        self.bytes("group_info", json!({}), "group_info")
    }

    fn external_join(&mut self, group_info: &[u8]) -> Result<Vec<u8>, StackError> {
        self.bytes("external_join", json!({ "group_info": hex::encode(group_info) }), "commit")
    }

    fn state(&mut self) -> Result<State, StackError> {
        let answer = self.call("state", json!({}))?;
        Ok(State {
            epoch: number(&answer, "epoch")?,
            epoch_authenticator: bytes(&answer, "epoch_authenticator")?,
            tree_hash: bytes(&answer, "tree_hash")?,
            confirmed_transcript_hash: bytes(&answer, "confirmed_transcript_hash")?,
            members: number(&answer, "members")? as usize,
        })
    }

    fn own_leaf(&mut self) -> Result<u32, StackError> {
        let leaf = number(&self.call("state", json!({}))?, "own_leaf")?;
        u32::try_from(leaf).map_err(|_| StackError::Failed("a leaf over 32 bits".into()))
    }

    fn export(
        &mut self,
        label: &str,
        context: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, StackError> {
        let request = json!({ "label": label, "context": hex::encode(context), "length": length });
        self.bytes("export", request, "secret")
    }
}

impl Checker for TsMls {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn check(&self, kind: &Kind, vector: &Value) -> Checked {
        if matches!(kind.check, Check::Stack) {
            return follow(self, KeyDerivation::HpkePq, vector);
        }
        if !MODEL.contains(&kind.name) && kind.name != "tree-operations" {
            return Ok(Err(nothing(&self.name, kind)));
        }
        let suite = vector["cipher_suite"].as_u64().and_then(|number| u16::try_from(number).ok());
        let Some((suite, number)) = suite.and_then(|it| Some((from_code_point(it)?, it))) else {
            let reason = format!("cipher suite {} is unknown", vector["cipher_suite"]);
            return Ok(Err(Failure::Skipped(reason)));
        };
        let request = json!({
            "kind": kind.name,
            "suite": numbers(suite, number),
            "derivation": "hpke-pq",
            "vector": vector,
        });
        Ok(self
            .process
            .call("check", request)
            .map(drop)
            .map_err(|error| Failure::refused("", error)))
    }
}
