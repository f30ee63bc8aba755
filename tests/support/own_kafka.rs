//! A Kafka broker of one test alone: started, killed, revived and stopped by the script.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::shared;

/// Not every test uses all of this; a constant without a name does.
const _: fn(&Own) -> String = Own::sasl_ssl;
const _: fn(&Own) -> String = Own::ca;
const _: fn(&Own) = Own::kill;
const _: fn(&Own) = Own::revive;
const _: fn(&Own, u32) = Own::kill_node;
const _: fn(&Own, u32) = Own::revive_node;

pub struct Own {
    port: u16,
    brokers: u16,
    data: PathBuf,
}

impl Own {
    /// Starts the broker with these options; `None` where tests with Kafka are skipped.
    pub fn start(options: &[&str]) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        shared::server("EVTAP_TEST_KAFKA")?;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let data = std::env::temp_dir().join(format!("evtap-own-{}-{count}", std::process::id()));
        let brokers = options.iter().position(|option| *option == "--brokers");
        let brokers = brokers.map_or(1, |at| options[at + 1].parse().unwrap());
        let own = Self {
            port: free_ports(count, brokers),
            brokers,
            data,
        };
        own.script(&[&["start"], options].concat());
        Some(own)
    }

    /// The address of its broker, or of all of them.
    pub fn plain(&self) -> String {
        let address = |broker| format!("127.0.0.1:{}", self.port + broker * APART);
        (0..self.brokers).map(address).collect::<Vec<_>>().join(",")
    }

    pub fn sasl_ssl(&self) -> String {
        format!("127.0.0.1:{}", self.port + 2)
    }

    pub fn ca(&self) -> String {
        self.data.join("kafka/tls/ca.pem").display().to_string()
    }

    /// As a power cut does it.
    pub fn kill(&self) {
        self.kill_node(1);
    }

    pub fn revive(&self) {
        self.revive_node(1);
    }

    pub fn kill_node(&self, node: u32) {
        self.script(&["kill", &node.to_string()]);
    }

    pub fn revive_node(&self, node: u32) {
        self.script(&["revive", &node.to_string()]);
    }

    fn script(&self, arguments: &[&str]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/brokers/kafka.sh");
        let done = Command::new("bash")
            .arg(script)
            .args(arguments)
            .env("EVTAP_BROKERS_DATA", &self.data)
            .env("EVTAP_KAFKA_PORT", self.port.to_string())
            .env("EVTAP_KAFKA_HEAP", "256m")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "kafka.sh {arguments:?}: {told}");
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.script(&["stop"]);
        drop(std::fs::remove_dir_all(&self.data));
    }
}

/// How far apart the ports of two brokers of a cluster are, by the script.
const APART: u16 = 100;

/// The first of four ports in a row that are free, for each of the brokers. Every cluster looks
/// from another place on: while a broker is dead its ports are free, and nobody else must take them.
fn free_ports(count: u32, brokers: u16) -> u16 {
    let places = 800;
    let first = (std::process::id() * 7 + count * 100) % places;
    for place in (first..places).chain(0..first) {
        let base = 23_002 + (place as u16) * 10;
        let ports =
            (0..brokers).flat_map(|broker| base + broker * APART..base + broker * APART + 4);
        let taken: Vec<_> = ports
            .map_while(|port| TcpListener::bind(("127.0.0.1", port)).ok())
            .collect();
        if taken.len() == 4 * usize::from(brokers) {
            return base;
        }
    }
    panic!("no four free ports in a row");
}
