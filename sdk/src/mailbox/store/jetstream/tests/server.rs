//! Servers for the tests.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectOptions};

/// How long servers may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);

static CLUSTERS: AtomicU32 = AtomicU32::new(0);

/// Some servers on loopback; they and their files are gone when it is dropped.
pub(super) struct Cluster {
    directory: PathBuf,
    nodes: Vec<Node>,
}

struct Node {
    name: String,
    child: Option<Child>,
    address: String,
}

impl Cluster {
    /// Starts so many, unless the program is not there: then it says so.
    pub(super) fn start(count: usize) -> Option<Self> {
        let program =
            ["/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"]
                .into_iter()
                .map(Path::new)
                .find(|program| program.exists());
        let Some(program) = program else {
            println!("skipped: there is no nats-server (apt-get install nats-server)");
            return None;
        };
        let number = CLUSTERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("trellis-nats-{}-{number}", std::process::id());
        let mut cluster = Self { directory: std::env::temp_dir().join(name), nodes: Vec::new() };
        fs::create_dir_all(&cluster.directory).unwrap();
        // Held until all are known, so that they differ.
        let held: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<_> = held.iter().map(|port| port.local_addr().unwrap()).collect();
        drop(held);
        let routes: Vec<_> = ports.iter().map(|port| format!("nats://{port}")).collect();
        for (index, port) in ports.iter().enumerate() {
            let name = format!("node-{index}");
            let home = cluster.directory.join(&name);
            fs::create_dir_all(&home).unwrap();
            let mut config = format!(
                "listen: 127.0.0.1:-1\nserver_name: {name}\nports_file_dir: {home:?}\n\
                 jetstream {{ store_dir: {:?}, max_mem: 64M, max_file: 8G }}\n",
                home.join("store"),
            );
            if count > 1 {
                config.push_str(&format!(
                    "cluster {{ name: trellis, listen: \"{port}\", routes: [{}] }}\n",
                    routes.join(", ")
                ));
            }
            let file = home.join("nats.conf");
            fs::write(&file, config).unwrap();
            let log = fs::File::create(home.join("log")).unwrap();
            let child = Command::new(program)
                .arg("-c")
                .arg(file)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .unwrap();
            cluster.nodes.push(Node { name, child: Some(child), address: String::new() });
        }
        // They wait for each other.
        for node in &mut cluster.nodes {
            let pid = node.child.as_ref().unwrap().id();
            node.address = address(&cluster.directory.join(&node.name), pid);
        }
        Some(cluster)
    }

    /// Connects to one of them; if it is gone, to another.
    pub(super) async fn connect(&self, first: usize) -> Client {
        let count = self.nodes.len();
        let addresses: Vec<async_nats::ServerAddr> = (0..count)
            .map(|offset| self.nodes[(first + offset) % count].address.parse().unwrap())
            .collect();
        let options = ConnectOptions::new().retain_servers_order();
        options.connect(addresses).await.unwrap()
    }

    /// Its number among the nodes.
    pub(super) fn number(&self, name: &str) -> usize {
        self.nodes.iter().position(|node| node.name == name).unwrap()
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self, node: usize) {
        if let Some(mut child) = self.nodes[node].child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Some(mut child) = node.child.take() {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Where a server listens, as it writes into a file.
fn address(home: &Path, pid: u32) -> String {
    let file = home.join(format!("nats-server_{pid}.ports"));
    let begin = Instant::now();
    loop {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let address = text.split('"').find(|word| word.starts_with("nats://"));
        if let Some(address) = address {
            return address.to_owned();
        }
        let log = || fs::read_to_string(home.join("log")).unwrap_or_default();
        assert!(begin.elapsed() < PATIENCE, "the server does not begin:\n{}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
}
