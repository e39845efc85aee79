//! NATS servers on loopback.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Servers that form a cluster, if they are more than one. They end with the value.
pub struct Nats {
    program: PathBuf,
    home: PathBuf,
    nodes: Vec<Node>,
    jetstream: Option<&'static str>,
    password: Option<&'static str>,
}

struct Node {
    client: u16,
    route: u16,
    monitor: u16,
    child: Option<Child>,
}

/// Where the server's program is; without it, it is said why a test is skipped.
pub fn program() -> Option<PathBuf> {
    let places = ["/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"]
        .map(Path::new);
    let found = places.into_iter().find(|place| place.exists());
    if found.is_none() {
        println!("skipped: there is no nats-server (apt-get install nats-server)");
    }
    found.map(Path::to_owned)
}

/// Ports that are free, and differ.
fn ports(count: usize) -> Vec<u16> {
    let held: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|port| port.local_addr().unwrap().port()).collect()
}

impl Nats {
    /// Starts so many, with JetStream and so much room for it each, or without.
    pub fn start(
        program: PathBuf,
        home: &Path,
        count: usize,
        jetstream: Option<&'static str>,
    ) -> Self {
        let ports = ports(3 * count);
        let nodes = ports.chunks(3).map(|ports| Node {
            client: ports[0],
            route: ports[1],
            monitor: ports[2],
            child: None,
        });
        let (nodes, home, password) = (nodes.collect(), home.to_owned(), None);
        let mut nats = Self { program, home, nodes, jetstream, password };
        (0..count).for_each(|node| nats.begin(node));
        nats
    }

    /// Starts one that lets in who is called `mailbox` and has a password.
    pub fn guarded(program: PathBuf, home: &Path, password: &'static str) -> Self {
        let mut nats = Self::start(program, home, 1, Some("16G"));
        nats.kill(0);
        nats.password = Some(password);
        nats.begin(0);
        nats
    }

    /// Starts one, with what it had on its disk.
    pub fn begin(&mut self, number: usize) {
        let name = format!("nats-{number}");
        let home = self.home.join(&name);
        fs::create_dir_all(&home).unwrap();
        let node = &self.nodes[number];
        let mut config = format!(
            "listen: 127.0.0.1:{}\nhttp: 127.0.0.1:{}\nserver_name: {name}\n",
            node.client, node.monitor
        );
        if let Some(room) = self.jetstream {
            let store = home.join("store");
            config +=
                &format!("jetstream {{ store_dir: {store:?}, max_mem: 64M, max_file: {room} }}\n");
        }
        if let Some(password) = self.password {
            config += &format!("authorization {{ user: mailbox, password: {password:?} }}\n");
        }
        if self.nodes.len() > 1 {
            let routes = self.nodes.iter().map(|node| format!("nats://127.0.0.1:{}", node.route));
            let routes = routes.collect::<Vec<_>>().join(", ");
            let route = node.route;
            config += &format!(
                "cluster {{ name: trellis, listen: \"127.0.0.1:{route}\", routes: [{routes}] }}\n"
            );
        }
        let file = home.join("nats.conf");
        fs::write(&file, config).unwrap();
        let log = fs::OpenOptions::new().create(true).append(true).open(home.join("log")).unwrap();
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.nodes[number].child = Some(command.spawn().unwrap());
    }

    /// SIGKILL.
    pub fn kill(&mut self, number: usize) {
        let mut child = self.nodes[number].child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Which of them decides what is stored in a stream.
    pub fn leader(&self, stream: &str) -> usize {
        let mut monitor = TcpStream::connect(("127.0.0.1", self.nodes[0].monitor)).unwrap();
        let ask = "GET /jsz?streams=true HTTP/1.0\r\nHost: localhost\r\n\r\n";
        monitor.write_all(ask.as_bytes()).unwrap();
        let mut answer = String::new();
        monitor.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let streams = body["account_details"][0]["stream_detail"].as_array().unwrap();
        let found = streams.iter().find(|found| found["name"] == stream).unwrap();
        let leader = found["cluster"]["leader"].as_str().unwrap();
        leader.rsplit('-').next().unwrap().parse().unwrap()
    }

    /// What a mailbox is told, this server first.
    pub fn urls(&self, first: usize) -> Vec<String> {
        let count = self.nodes.len();
        let node = |offset: usize| &self.nodes[(first + offset) % count];
        (0..count).map(|offset| format!("nats://127.0.0.1:{}", node(offset).client)).collect()
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        for child in self.nodes.iter_mut().filter_map(|node| node.child.as_mut()) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
