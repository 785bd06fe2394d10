//! A place: a network namespace with one interface, whose other end is a file of this process.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    net::Ipv4Addr,
    process::{Command, Stdio},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use tokio::io::{Interest, unix::AsyncFd};

/// Packets to and from a place.
pub(crate) struct Device(AsyncFd<File>);

impl Device {
    /// One packet that the place sends; its length.
    pub(crate) async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.async_io(Interest::READABLE, |mut file| file.read(buffer)).await
    }

    /// One packet for the place.
    pub(crate) async fn send(&self, packet: &[u8]) -> io::Result<()> {
        self.0.async_io(Interest::WRITABLE, |mut file| file.write(packet)).await.map(drop)
    }
}

/// A network namespace that goes with this value, and what runs in it is ended before.
pub struct Place {
    name: String,
    namespace: String,
    address: Ipv4Addr,
    device: Arc<Device>,
}

impl Place {
    /// Makes it. `number` (1 to 250) becomes part of its address; `tag` keeps apart the labs of one machine.
    ///
    /// # Errors
    /// Where this needs rights or tools that are not there; see [`crate::lab::missing`].
    pub fn new(name: &str, number: u8, tag: &str) -> Result<Self> {
        let namespace = format!("lab-{tag}-{name}");
        // At most 15 bytes.
        let interface = format!("l{tag}{number}");
        ensure!(interface.len() < 16, "the tag {tag} is too long");
        let address = Ipv4Addr::new(10, 77, number, 2);
        // One left behind by a run that was killed.
        if std::path::Path::new("/run/netns").join(&namespace).exists() {
            ip(&["netns", "del", &namespace])?;
        }
        ip(&["netns", "add", &namespace])?;
        let file = rabta_sys::tun::open(&interface).context("opening a TUN device")?;
        #[expect(
            deprecated,
            reason = "the other constructor is unsafe; a File keeps its descriptor to its end"
        )]
        let watched = AsyncFd::new(file);
        let device = Arc::new(Device(watched.context("watching a TUN device")?));
        let place = Self { name: name.to_owned(), namespace, address, device };
        // The interface moves, the file stays: no thread of ours has to enter the namespace.
        ip(&["link", "set", &interface, "netns", &place.namespace])?;
        place.ip(&["link", "set", "lo", "up"])?;
        place.ip(&["addr", "add", &format!("{address}/32"), "dev", &interface])?;
        place.ip(&["link", "set", &interface, "up"])?;
        place.ip(&["route", "add", "default", "dev", &interface])?;
        Ok(place)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its only address, of 10.77.0.0/16.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// A program that will run here.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace]).arg(program);
        command
    }

    /// The namespace's name, as `ip netns` knows it.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn device(&self) -> Arc<Device> {
        self.device.clone()
    }

    fn ip(&self, args: &[&str]) -> Result<()> {
        ip(&[&["-n", self.namespace.as_str()], args].concat())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Whatever still runs there would keep the namespace alive without a name.
        let pids = Command::new("ip").args(["netns", "pids", &self.namespace]).output();
        for pid in pids.iter().flat_map(|out| out.stdout.split(|b| *b == b'\n')).filter(|p| !p.is_empty()) {
            let pid = String::from_utf8_lossy(pid).into_owned();
            let _ = Command::new("kill").args(["-KILL", &pid]).stderr(Stdio::null()).status();
        }
        if let Err(error) = ip(&["netns", "del", &self.namespace]) {
            let _ = writeln!(std::io::stderr(), "{}: {error:#}", self.namespace);
        }
    }
}

fn ip(args: &[&str]) -> Result<()> {
    let out = Command::new("ip").args(args).output().context("ip does not run; it is in iproute2")?;
    ensure!(out.status.success(), "ip {}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr).trim());
    Ok(())
}
