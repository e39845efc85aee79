//! Why a cluster can't be used, in words for whoever runs it.

use std::error::Error;
use std::sync::Arc;

use async_nats::jetstream::context::{CreateStreamError, CreateStreamErrorKind};
use async_nats::jetstream::stream::Config;
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{ConnectError, ConnectErrorKind};

use super::link::is_full;
use crate::mailbox::store::StoreError;

/// Why a cluster can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No server answers.
    #[error("no NATS server answers there ({0})")]
    NoServer(String),
    /// A server wants other credentials.
    #[error("the NATS server wants another name or password")]
    NotAllowed,
    /// There is none, or, in a cluster that has just begun, none that decides.
    #[error("the NATS servers have no JetStream, or their cluster is not complete yet")]
    NoJetStream,
    /// Everything is to be on several nodes, and the server is alone.
    #[error("the NATS server is in no cluster, and everything is to be on {replicas} nodes")]
    Alone {
        /// On how many it is to be.
        replicas: usize,
    },
    /// There are fewer nodes than that, or they have no room.
    #[error(
        "the NATS cluster has no {replicas} nodes with {bytes} bytes of room each for {stream}"
    )]
    FewNodes {
        /// On how many it is to be.
        replicas: usize,
        /// How much.
        bytes: i64,
        /// For which stream.
        stream: String,
    },
    /// JetStream has less room than is to be set aside.
    #[error(
        "JetStream has no room to set {bytes} bytes aside on each node for the stream {stream}"
    )]
    NoRoom {
        /// How much.
        bytes: i64,
        /// For which stream.
        stream: String,
    },
    /// Something else, in the server's words.
    #[error("JetStream refuses the stream {stream}: {said}")]
    Other {
        /// Which.
        stream: String,
        /// Why.
        said: String,
    },
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        Self::NotOpened(Arc::new(refusal))
    }
}

impl Refusal {
    pub(super) fn of_connecting(error: &ConnectError) -> Self {
        match error.kind() {
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                Self::NotAllowed
            }
            kind => {
                let source = error.source().map(ToString::to_string);
                Self::NoServer(source.unwrap_or_else(|| kind.to_string()))
            }
        }
    }

    /// Why a stream was neither found nor made.
    pub(super) fn of_stream(error: &CreateStreamError, config: &Config) -> Self {
        match error.kind() {
            CreateStreamErrorKind::JetStream(said) => Self::said(&said, config),
            CreateStreamErrorKind::JetStreamUnavailable | CreateStreamErrorKind::TimedOut => {
                Self::NoJetStream
            }
            _ => Self::Other { stream: config.name.clone(), said: error.to_string() },
        }
    }

    fn said(error: &jetstream::Error, config: &Config) -> Self {
        let stream = config.name.clone();
        match error.error_code() {
            ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED => {
                Self::Alone { replicas: config.num_replicas }
            }
            ErrorCode::CLUSTER_NO_PEERS => {
                Self::FewNodes { replicas: config.num_replicas, bytes: config.max_bytes, stream }
            }
            ErrorCode::JETSTREAM_NOT_ENABLED
            | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
            | ErrorCode::CLUSTER_NOT_AVAILABLE => Self::NoJetStream,
            _ if is_full(error) => Self::NoRoom { bytes: config.max_bytes, stream },
            _ => Self::Other { stream, said: error.to_string() },
        }
    }
}
