//! What is below a connection: TCP with our link, connections through relays with our link again; and
//! QUIC and Noise, where a deployment does not require hybrid links.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::future::{BoxFuture, Either};
use futures::{AsyncRead, AsyncWrite};
use futures_rustls::TlsStream;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, upgrade::Version};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade};
use libp2p::core::{Transport, UpgradeInfo};
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId, dns, noise, quic, relay, tcp, yamux};
use socket2::{Domain, Socket as System, Type};
use tokio::time::{Instant, sleep};

use super::limits::Limits;
use super::link::{Link, LinkError, Table};
use super::traffic::Traffic;

/// Connections of a node, ready for its swarm.
pub(super) type Socket = Boxed<(PeerId, StreamMuxerBox)>;

/// How long a port may be taken before it is given up: a node that was just closed has it for a moment still.
const TAKEN: Duration = Duration::from_secs(1);
/// How often it is tried in that time.
const TRY: Duration = Duration::from_millis(50);

/// Makes sure that nobody listens at an address already. libp2p asks the system to share its ports, since
/// connections go out from them that are to get through NATs; so a second node of the same user at the
/// same port would listen there too, and each would get some of the connections.
pub(super) async fn claim(address: &Multiaddr) -> io::Result<()> {
    let Some(address) = fixed(address) else { return Ok(()) };
    let late = Instant::now() + TAKEN;
    loop {
        match bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < late => {
                sleep(TRY).await;
            }
            result => return result,
        }
    }
}

/// The address of TCP, if it is one of this host, and its port not one of the host's choice.
fn fixed(address: &Multiaddr) -> Option<SocketAddr> {
    if address.iter().any(|part| part == Protocol::P2pCircuit) {
        return None;
    }
    let mut parts = address.iter();
    let host: IpAddr = match parts.next()? {
        Protocol::Ip4(host) => host.into(),
        Protocol::Ip6(host) => host.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) if port != 0 => Some((host, port).into()),
        _ => None,
    }
}

/// Takes an address without sharing it, and gives it back.
fn bind(address: SocketAddr) -> io::Result<()> {
    let socket = System::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of before that are not quite over are no reason to refuse.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())
}

/// Makes it, with the part that asks relays for connections.
pub(super) fn make(
    keypair: &Keypair,
    hybrid: bool,
    table: &Table,
    traffic: &Traffic,
    limits: &Limits,
) -> Result<(Socket, relay::client::Behaviour), LinkError> {
    let security = Security::new(keypair, hybrid, table)?;
    let mut muxer = yamux::Config::default();
    muxer.set_max_num_streams(limits.streams);

    let (relayed, client) = relay::client::new(keypair.public().to_peer_id());
    let relayed = relayed
        .upgrade(Version::V1)
        .authenticate(security.clone())
        .multiplex(muxer.clone())
        .timeout(limits.handshake)
        .boxed();
    // What goes through a relay goes through the connection with the relay, which is counted here.
    let traffic = traffic.clone();
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .map(move |socket, _| traffic.count(socket))
        .upgrade(Version::V1)
        .authenticate(security)
        .multiplex(muxer)
        .timeout(limits.handshake)
        .boxed();
    let direct = if hybrid {
        tcp
    } else {
        let quic = quic::tokio::Transport::new(quic::Config::new(keypair))
            .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
        quic.or_transport(tcp).map(|either, _| either.into_inner()).boxed()
    };
    // A host whose resolvers cannot be read still reaches addresses that are numbers.
    let direct = match dns::tokio::Transport::system(()) {
        Ok(_) => dns::tokio::Transport::system(direct).map_err(LinkError::Handshake)?.boxed(),
        Err(_) => direct,
    };
    let socket = relayed.or_transport(direct).map(|either, _| either.into_inner()).boxed();
    Ok((socket, client))
}

/// Who the peer is, and what is read and written is for it alone: by our link, or by Noise.
#[derive(Clone)]
struct Security {
    link: Link,
    noise: Option<noise::Config>,
}

/// The name of libp2p's handshake without TLS.
const NOISE: &str = "/noise";

impl Security {
    fn new(keypair: &Keypair, hybrid: bool, table: &Table) -> Result<Self, LinkError> {
        let link = Link::new(keypair, hybrid, table.clone())?;
        let noise = (!hybrid)
            .then(|| noise::Config::new(keypair))
            .transpose()
            .map_err(|_| LinkError::Setup)?;
        Ok(Self { link, noise })
    }
}

impl UpgradeInfo for Security {
    type Info = &'static str;
    type InfoIter = Vec<Self::Info>;

    fn protocol_info(&self) -> Self::InfoIter {
        let noise = self.noise.is_some().then_some(NOISE);
        self.link.protocol_info().chain(noise).collect()
    }
}

/// Bytes that only the peer can read.
type Stream<C> = Either<TlsStream<C>, noise::Output<C>>;

impl<C> InboundConnectionUpgrade<C> for Security
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = (PeerId, Stream<C>);
    type Error = LinkError;
    type Future = BoxFuture<'static, Result<Self::Output, Self::Error>>;

    fn upgrade_inbound(self, socket: C, info: Self::Info) -> Self::Future {
        Box::pin(async move {
            match self.noise {
                Some(noise) if info == NOISE => {
                    let (peer, stream) =
                        noise.upgrade_inbound(socket, info).await.map_err(other)?;
                    Ok((peer, Either::Right(stream)))
                }
                _ => {
                    let (peer, stream) = self.link.upgrade_inbound(socket, info).await?;
                    Ok((peer, Either::Left(stream)))
                }
            }
        })
    }
}

impl<C> OutboundConnectionUpgrade<C> for Security
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = (PeerId, Stream<C>);
    type Error = LinkError;
    type Future = BoxFuture<'static, Result<Self::Output, Self::Error>>;

    fn upgrade_outbound(self, socket: C, info: Self::Info) -> Self::Future {
        Box::pin(async move {
            match self.noise {
                Some(noise) if info == NOISE => {
                    let (peer, stream) =
                        noise.upgrade_outbound(socket, info).await.map_err(other)?;
                    Ok((peer, Either::Right(stream)))
                }
                _ => {
                    let (peer, stream) = self.link.upgrade_outbound(socket, info).await?;
                    Ok((peer, Either::Left(stream)))
                }
            }
        })
    }
}

fn other(error: noise::Error) -> LinkError {
    LinkError::Handshake(io::Error::other(error))
}
