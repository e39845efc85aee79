//! The link between two peers: TLS 1.3 over a stream of bytes, with a hybrid key exchange and no other.
//!
//! It is the handshake `/tls/1.0.0` of libp2p, whose certificates say who the peer is. Of libp2p's own
//! implementation only the certificates are taken: that one prefers X25519MLKEM768, falls back to
//! groups that a quantum computer breaks, and writes the secrets of a session to the file that the
//! environment variable SSLKEYLOGFILE names. This one offers and accepts one group, and writes nothing.

mod config;
mod table;
#[cfg(test)]
mod tests;
mod verifier;

use std::io;
use std::iter;
use std::net::Ipv4Addr;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{AsyncRead, AsyncWrite};
use futures_rustls::pki_types::ServerName;
use futures_rustls::rustls::crypto::SupportedKxGroup;
use futures_rustls::rustls::{
    AlertDescription, ClientConfig, CommonState, Error as TlsError, PeerIncompatible, ServerConfig,
};
use futures_rustls::{TlsAcceptor, TlsConnector, TlsStream};
use libp2p::PeerId;
use libp2p::core::UpgradeInfo;
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade};
use libp2p::identity::Keypair;
use libp2p::tls::certificate;

pub use table::KeyExchange;
pub(super) use table::Table;

/// The name of the handshake, as peers agree on it.
pub(super) const PROTOCOL: &str = "/tls/1.0.0";

/// What both sides say in TLS that they speak.
const ALPN: &[u8] = b"libp2p";

/// Why there is no link to a peer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The peer has no hybrid key exchange. If the peer is the one that refused, TLS does not say it
    /// apart from the lack of a common cipher, which any implementation has.
    #[error("the peer does not exchange keys by X25519MLKEM768, and nothing else is accepted")]
    NoHybrid,
    /// The peer's certificate is not one of libp2p, or its signatures are wrong.
    #[error("the peer's certificate is not valid")]
    Certificate,
    /// The peer does not say that it speaks libp2p.
    #[error("the peer does not speak libp2p over TLS")]
    Protocol,
    /// The handshake failed in another way.
    #[error("the handshake failed")]
    Handshake(#[source] io::Error),
    /// A key or a certificate for this node could not be made.
    #[error("no certificate could be made")]
    Setup,
}

impl LinkError {
    /// A name for programs. It stays the same from release to release.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoHybrid => "no-hybrid",
            Self::Certificate => "certificate",
            Self::Protocol => "protocol",
            Self::Handshake(_) => "handshake",
            Self::Setup => "setup",
        }
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Handshake(_))
    }

    /// The same error once more; nothing for what has no meaning of its own.
    pub(super) fn again(&self) -> Option<Self> {
        match self {
            Self::NoHybrid => Some(Self::NoHybrid),
            Self::Certificate => Some(Self::Certificate),
            Self::Protocol => Some(Self::Protocol),
            Self::Setup => Some(Self::Setup),
            Self::Handshake(_) => None,
        }
    }
}

/// A handshake to be made: by either side, any number of times.
#[derive(Clone)]
pub(super) struct Link {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    table: Table,
}

impl Link {
    /// The handshake of a node. Where `hybrid` is not required, X25519 alone is offered too.
    pub(super) fn new(keypair: &Keypair, hybrid: bool, table: Table) -> Result<Self, LinkError> {
        let groups = if hybrid { config::HYBRID } else { config::ANY };
        Self::with_groups(keypair, groups, table)
    }

    pub(super) fn with_groups(
        keypair: &Keypair,
        groups: &[&'static dyn SupportedKxGroup],
        table: Table,
    ) -> Result<Self, LinkError> {
        let (server, client) = config::make(keypair, groups)?;
        Ok(Self { server: Arc::new(server), client: Arc::new(client), table })
    }

    /// Who the peer is, once both sides are done. What was agreed on is looked at again: the
    /// configuration should leave nothing to find here.
    fn settle(&self, state: &CommonState) -> Result<PeerId, LinkError> {
        let group = state.negotiated_key_exchange_group().ok_or(LinkError::NoHybrid)?.name();
        if !self.server.crypto_provider().kx_groups.iter().any(|known| known.name() == group) {
            return Err(LinkError::NoHybrid);
        }
        if state.alpn_protocol() != Some(ALPN) {
            return Err(LinkError::Protocol);
        }
        let Some([only]) = state.peer_certificates() else { return Err(LinkError::Certificate) };
        let peer = certificate::parse(only).map_err(|_| LinkError::Certificate)?.peer_id();
        self.table.insert(peer, group.into());
        Ok(peer)
    }
}

impl UpgradeInfo for Link {
    type Info = &'static str;
    type InfoIter = iter::Once<Self::Info>;

    fn protocol_info(&self) -> Self::InfoIter {
        iter::once(PROTOCOL)
    }
}

impl<C> InboundConnectionUpgrade<C> for Link
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = (PeerId, TlsStream<C>);
    type Error = LinkError;
    type Future = BoxFuture<'static, Result<Self::Output, Self::Error>>;

    fn upgrade_inbound(self, socket: C, _: Self::Info) -> Self::Future {
        Box::pin(async move {
            let acceptor = TlsAcceptor::from(self.server.clone());
            let stream = acceptor.accept(socket).await.map_err(explain)?;
            let peer = self.settle(stream.get_ref().1)?;
            Ok((peer, stream.into()))
        })
    }
}

impl<C> OutboundConnectionUpgrade<C> for Link
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = (PeerId, TlsStream<C>);
    type Error = LinkError;
    type Future = BoxFuture<'static, Result<Self::Output, Self::Error>>;

    fn upgrade_outbound(self, socket: C, _: Self::Info) -> Self::Future {
        Box::pin(async move {
            // libp2p's handshake has no server name; rustls sends none for an address.
            let name = ServerName::IpAddress(Ipv4Addr::UNSPECIFIED.into());
            let connector = TlsConnector::from(self.client.clone());
            let stream = connector.connect(name, socket).await.map_err(explain)?;
            let peer = self.settle(stream.get_ref().1)?;
            Ok((peer, stream.into()))
        })
    }
}

/// What an error of the handshake means here.
fn explain(error: io::Error) -> LinkError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    match inner {
        Some(
            TlsError::PeerIncompatible(
                PeerIncompatible::NoKxGroupsInCommon
                | PeerIncompatible::NamedGroupsExtensionRequired,
            )
            | TlsError::AlertReceived(AlertDescription::HandshakeFailure),
        ) => LinkError::NoHybrid,
        Some(TlsError::InvalidCertificate(_) | TlsError::NoCertificatesPresented) => {
            LinkError::Certificate
        }
        Some(TlsError::NoApplicationProtocol) => LinkError::Protocol,
        _ => LinkError::Handshake(error),
    }
}
