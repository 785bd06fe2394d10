use rabta_relay::{Secret, credentials};
use rabta_wire::{Id, signal::IceServer};

/// What a program needs to reach STUN and TURN.
pub struct Ice {
    /// `host:port` of the relay as clients reach it, and the secret that it shares with us.
    relay: Option<(String, Secret)>,
}

/// Seconds that relay credentials are good for.
pub const LIFE_S: u64 = 3_600;

impl Ice {
    pub fn new(relay: Option<(String, Secret)>) -> Self {
        Self { relay }
    }

    /// `host:port` of the relay.
    pub fn address(&self) -> Option<&str> {
        self.relay.as_ref().map(|(address, _)| address.as_str())
    }

    /// Fresh credentials for `device`, at `now` (milliseconds); none without a relay.
    pub fn servers(&self, device: Id, now: i64) -> Vec<IceServer> {
        let Some((relay, secret)) = &self.relay else { return Vec::new() };
        let seconds = u64::try_from(now / 1000).unwrap_or_default();
        let (username, credential) = credentials(secret, &device.to_string(), seconds, LIFE_S);
        vec![
            IceServer {
                urls: vec![format!("stun:{relay}")],
                username: String::new(),
                credential: String::new(),
            },
            IceServer { urls: vec![format!("turn:{relay}?transport=udp")], username, credential },
        ]
    }
}
