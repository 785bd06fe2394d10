use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use rabta_relay::AllowRange;

use crate::{Clock, guests::DoorConfig, system_clock};

/// UTC+5.
const PAKISTAN: time::UtcOffset = time::macros::offset!(+5);

/// How to serve.
#[derive(Clone)]
pub struct Config {
    /// The folder of the encrypted database.
    pub data: PathBuf,
    /// The database's key, apart from the data.
    pub key_file: PathBuf,
    pub listen: SocketAddr,
    /// `host:port` under which clients reach this server; goes into enrollment codes.
    pub public: Option<String>,
    /// No TLS. Only on a loopback address.
    pub plain_http_loopback: bool,
    /// The address of STUN and TURN; none without it.
    pub relay_listen: Option<SocketAddr>,
    /// What clients and peers see of the relay, where the server stands behind a one-to-one NAT.
    pub relay_external: Option<IpAddr>,
    /// Private or loopback addresses that the relay may send to all the same: demo, tests, lab.
    pub relay_allow: Vec<AllowRange>,
    /// Where phones come in; without it nobody can make a link.
    pub door: Option<DoorConfig>,
    /// Where the operator's page is; only on a loopback address. None without it.
    pub admin_listen: Option<SocketAddr>,
    /// Days of use that a laptop has without a contact, 1 to [`rabta_wire::lease::MOST_DAYS`].
    pub lease_days: u32,
    /// A folder of packages for laptops, with their signed list; see [`rabta_wire::update`].
    pub updates: Option<PathBuf>,
    pub clock: Clock,
    /// Where duty hours are meant.
    pub utc_offset: time::UtcOffset,
}

impl Config {
    /// The defaults for `data`: TLS on 127.0.0.1:8443, the key in `<data>.key`, no relay.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        let data = data.into();
        Self {
            key_file: default_key_file(&data),
            data,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8443)),
            public: None,
            plain_http_loopback: false,
            relay_listen: None,
            relay_external: None,
            relay_allow: Vec::new(),
            door: None,
            admin_listen: None,
            lease_days: rabta_wire::lease::DAYS,
            updates: None,
            clock: system_clock(),
            utc_offset: PAKISTAN,
        }
    }
}

/// `<data>.key`, beside the folder and not in it, so that a copy of the folder alone opens nothing.
pub fn default_key_file(data: &Path) -> PathBuf {
    let mut name = data.file_name().unwrap_or_default().to_owned();
    name.push(".key");
    data.with_file_name(name)
}
