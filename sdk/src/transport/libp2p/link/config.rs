//! The two configurations of TLS.

use std::sync::Arc;

use futures_rustls::rustls::client::Resumption;
use futures_rustls::rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use futures_rustls::rustls::crypto::{CryptoProvider, SupportedKxGroup};
use futures_rustls::rustls::server::NoServerSessionStorage;
use futures_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use futures_rustls::rustls::version::TLS13;
use futures_rustls::rustls::{ClientConfig, NoKeyLog, ServerConfig, SupportedCipherSuite};
use libp2p::identity::Keypair;
use libp2p::tls::certificate;

use super::verifier::Verifier;
use super::{ALPN, LinkError};

/// The only key exchange: ML-KEM-768 with X25519, so that whoever records a session has to break both.
pub(super) const HYBRID: &[&'static dyn SupportedKxGroup] = &[kx_group::X25519MLKEM768];

/// Where a deployment has decided to do without.
pub(super) const ANY: &[&'static dyn SupportedKxGroup] =
    &[kx_group::X25519MLKEM768, kx_group::X25519];

/// 256-bit keys first; the third is there because TLS 1.3 makes it mandatory.
const SUITES: &[SupportedCipherSuite] = &[
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS13_AES_128_GCM_SHA256,
];

/// Makes a certificate, and with it both configurations, with these key exchanges and no other.
pub(super) fn make(
    keypair: &Keypair,
    groups: &[&'static dyn SupportedKxGroup],
) -> Result<(ServerConfig, ClientConfig), LinkError> {
    let provider = Arc::new(CryptoProvider {
        cipher_suites: SUITES.to_vec(),
        kx_groups: groups.to_vec(),
        ..aws_lc_rs::default_provider()
    });
    let (certificate, key) = certificate::generate(keypair).map_err(|_| LinkError::Setup)?;
    let key = aws_lc_rs::sign::any_ecdsa_type(&key).map_err(|_| LinkError::Setup)?;
    let key = Arc::new(SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key)));
    let verifier = Arc::new(Verifier);

    let mut server = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])
        .map_err(|_| LinkError::Setup)?
        .with_client_cert_verifier(verifier.clone())
        .with_cert_resolver(key.clone());
    server.alpn_protocols = vec![ALPN.to_vec()];
    server.key_log = Arc::new(NoKeyLog);
    // Each session has a key exchange and certificates of its own: nothing to resume, nothing early.
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    server.max_early_data_size = 0;

    let mut client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(|_| LinkError::Setup)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(key);
    client.alpn_protocols = vec![ALPN.to_vec()];
    client.key_log = Arc::new(NoKeyLog);
    client.resumption = Resumption::disabled();
    client.enable_early_data = false;
    client.enable_sni = false;
    Ok((server, client))
}
