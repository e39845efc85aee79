//! A switch that is slow and loses frames: its ports are VXLAN tunnels to hosts, and a process passes
//! on what comes out of them, late or never. It needs nothing of the kernel but VXLAN; the queueing
//! discipline that does the same is a module that not every kernel has.

use std::collections::{BTreeMap, HashMap};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::host::Host;
use crate::lab::{Lab, Place};

const PORT: u16 = 4789;
/// The longest frame with what VXLAN puts before it.
const FRAME: usize = 2048;
/// Where the frame in a datagram begins.
const HEADER: usize = 8;
/// How many frames are on their way at most; more are lost.
const QUEUE: usize = 10_000;

/// A slow switch.
pub struct Air {
    place: Place,
    process: Host,
    ports: Vec<String>,
}

impl Air {
    pub fn new(lab: &mut Lab) -> Self {
        let place = lab.host("air");
        let process = Host::start(&place, "air");
        Self { place, process, ports: Vec::new() }
    }

    /// Plugs a host in, with an address such as `10.0.0.1/24`.
    pub fn plug(&mut self, lab: &mut Lab, host: &Place, address: &str) {
        let number = self.ports.len() + 1;
        let (here, there) = (format!("10.200.{number}.1"), format!("10.200.{number}.2"));
        lab.wire((&self.place, &format!("wire{number}")), (host, "wire"));
        self.place.ip(&format!("address add {here}/30 dev wire{number}"));
        host.ip(&format!("address add {there}/30 dev wire"));
        let tunnel = format!("vxlan id 1 local {there} remote {here} dstport {PORT} nolearning");
        host.ip(&format!("link add eth0 mtu 1400 type {tunnel}"));
        host.ip(&format!("address add {address} dev eth0"));
        // Nothing on the way would fill in the checksums that the kernel leaves to a card.
        let offload = host.command("ethtool").args(["-K", "eth0", "tx", "off"]).output().unwrap();
        assert!(offload.status.success(), "{offload:?}");
        host.ip("link set eth0 up");
        self.ports.push(format!("{there}:{PORT}"));
    }

    /// Begins to carry frames, so many milliseconds late; of a hundred, so many are lost.
    pub fn start(&mut self, delay: u64, loss: u64) {
        let ports = self.ports.join(" ");
        self.process.ask(&format!("start {delay} {loss} {ports}"));
    }

    /// How many frames were carried, and how many were lost.
    pub fn counts(&mut self) -> (u64, u64) {
        let counts = self.process.ask("counts");
        (counts[0].parse().unwrap(), counts[1].parse().unwrap())
    }
}

/// The process.
#[derive(Default)]
pub struct Inside {
    carried: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
}

impl Inside {
    pub fn told(&mut self, words: &[&str]) -> Result<String, String> {
        match words {
            ["start", delay, loss, ports @ ..] => {
                let socket = UdpSocket::bind(("0.0.0.0", PORT)).map_err(|e| e.to_string())?;
                let delay = Duration::from_millis(delay.parse().unwrap());
                let loss = loss.parse().unwrap();
                let ports = ports.iter().map(|port| port.parse().unwrap()).collect();
                let (carried, lost) = (self.carried.clone(), self.lost.clone());
                thread::spawn(move || carry(&socket, delay, loss, ports, &carried, &lost));
                Ok(String::new())
            }
            ["counts"] => {
                let counts = [&self.carried, &self.lost].map(|count| count.load(Ordering::Relaxed));
                Ok(format!("{} {}", counts[0], counts[1]))
            }
            _ => Err("unknown".into()),
        }
    }
}

fn carry(
    socket: &UdpSocket,
    delay: Duration,
    loss: u64,
    ports: Vec<SocketAddr>,
    carried: &AtomicU64,
    lost: &AtomicU64,
) {
    let mut known: HashMap<[u8; 6], SocketAddr> = HashMap::new();
    let mut waiting: BTreeMap<(Instant, u64), (SocketAddr, Vec<u8>)> = BTreeMap::new();
    let mut number = 0;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut buffer = [0; FRAME];
    loop {
        while let Some(first) = waiting.first_entry()
            && first.key().0 <= Instant::now()
        {
            let (to, frame) = first.remove();
            // The host may be gone.
            let _ = socket.send_to(&frame, to);
        }
        let next = waiting.first_key_value().map(|((due, _), _)| *due);
        let pause = next.map(|due| due.saturating_duration_since(Instant::now()));
        socket.set_read_timeout(pause.map(|pause| pause.max(Duration::from_micros(100)))).unwrap();
        let Ok((length, SocketAddr::V4(from))) = socket.recv_from(&mut buffer) else { continue };
        let from = SocketAddr::from((*from.ip(), PORT));
        let frame = &buffer[..length];
        let address = |at: usize| frame.get(HEADER + at..HEADER + at + 6)?.try_into().ok();
        let (Some(to), Some(source)) = (address(0), address(6)) else { continue };
        known.insert(source, from);
        let to = known.get(&to).copied();
        for port in ports.iter().filter(|port| **port != from && to.is_none_or(|to| to == **port)) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if random % 100 < loss || waiting.len() >= QUEUE {
                lost.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            carried.fetch_add(1, Ordering::Relaxed);
            number += 1;
            waiting.insert((Instant::now() + delay, number), (*port, frame.to_vec()));
        }
    }
}
