//! Keeps a connection's driver awake, for the sake of what goes through a relay.
//!
//! In webrtc 0.21.1 (`peer_connection/driver.rs`, `poll_writes` and `poll_reads`) a packet for a relay is put into the
//! relay's queue after that queue was flushed, and what a packet from a relay brings forth is made after everything was
//! flushed. Each then waits for the driver's next event, which may be a timer a third of a second away: a DTLS
//! handshake took two seconds. Setting the configuration that it already has wakes the driver at any time and
//! changes nothing.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::MissedTickBehavior;
use webrtc::peer_connection::{PeerConnection, RTCConfiguration, RTCConfigurationBuilder, RTCIceServer};

/// The most that a packet waits. A turn of the driver without work takes microseconds.
const EVERY: Duration = Duration::from_millis(4);

/// The relays that a connection may use now.
pub(crate) type Servers = Arc<Mutex<Vec<RTCIceServer>>>;

pub(crate) fn configuration(servers: &Servers) -> RTCConfiguration {
    let servers = servers.lock().unwrap_or_else(|e| e.into_inner()).clone();
    RTCConfigurationBuilder::new().with_ice_servers(servers).build()
}

/// Until the connection is closed.
pub(crate) async fn nudge(pc: Arc<dyn PeerConnection>, servers: Servers) {
    let mut beat = tokio::time::interval(EVERY);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if pc.set_configuration(configuration(&servers)).await.is_err() {
            return;
        }
    }
}
