//! Finding the others: DNS-SD over multicast DNS (RFC 6762, RFC 6763).

use std::net::{IpAddr, SocketAddr};

use mdns_sd::{IfKind, ServiceDaemon, ServiceEvent, ServiceInfo};
use rabta_wire::nearby::SERVICE;
use tokio::sync::mpsc;

use super::{Found, NearbyError};

/// Says on this network that a laptop answers, and hears of others, until it is dropped. The name that it goes by is made
/// by chance each time: who knows no device's key learns from it that Rabta is here, and nothing else.
pub struct Mdns {
    daemon: ServiceDaemon,
    /// What this laptop calls itself.
    pub name: String,
}

impl Mdns {
    pub fn start(port: u16) -> Result<(Self, mpsc::Receiver<Found>), NearbyError> {
        let failed = |error: mdns_sd::Error| NearbyError::Looking(error.to_string());
        let daemon = ServiceDaemon::new().map_err(failed)?;
        // Clinics' routers speak IPv4.
        daemon.disable_interface(IfKind::IPv6).map_err(failed)?;
        let name = uuid::Uuid::new_v4().simple().to_string()[..16].to_owned();
        let host = format!("{name}.local.");
        let service =
            ServiceInfo::new(SERVICE, &name, &host, "", port, None).map_err(failed)?.enable_addr_auto();
        daemon.register(service).map_err(failed)?;
        let browsed = daemon.browse(SERVICE).map_err(failed)?;
        let (tell, found) = mpsc::channel(16);
        tokio::spawn(async move {
            while let Ok(event) = browsed.recv_async().await {
                let word = match event {
                    ServiceEvent::ServiceResolved(service) => {
                        let near = |ip: &IpAddr| matches!(ip, IpAddr::V4(ip) if ip.is_private() || ip.is_link_local());
                        let ips = service.addresses.iter().map(|ip| ip.to_ip_addr()).filter(near);
                        let mut addresses: Vec<_> = ips.map(|ip| SocketAddr::new(ip, service.port)).collect();
                        addresses.sort();
                        Found::Came { name: called(&service.fullname), addresses }
                    }
                    ServiceEvent::ServiceRemoved(_, fullname) => Found::Went { name: called(&fullname) },
                    _ => continue,
                };
                if tell.send(word).await.is_err() {
                    return;
                }
            }
        });
        Ok((Self { daemon, name }, found))
    }
}

impl Drop for Mdns {
    fn drop(&mut self) {
        // It says goodbye to the others by itself.
        let _ = self.daemon.shutdown();
    }
}

fn called(fullname: &str) -> String {
    fullname.split('.').next().unwrap_or_default().to_owned()
}
