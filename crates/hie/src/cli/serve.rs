//! `rabta-hie serve`: its arguments, and the configuration that they make.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::Args;
use rabta_relay::AllowRange;
use rabta_wire::lease;

use super::Data;
use crate::{
    Config,
    config::default_key_file,
    guests::{AcmeConfig, DoorConfig, Source},
};

/// Let's Encrypt.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    data: Data,
    #[arg(long, default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// `host:port` under which clients reach this server; the listening address if not given.
    #[arg(long)]
    public: Option<String>,
    /// No TLS; only on a loopback address.
    #[arg(long)]
    plain_http_loopback: bool,
    /// The UDP address of STUN and TURN.
    #[arg(long)]
    relay_listen: Option<SocketAddr>,
    /// The relay's address as the world sees it, behind a one-to-one NAT.
    #[arg(long)]
    relay_external: Option<IpAddr>,
    /// Private or loopback addresses (`127.0.0.1`, `10.20.0.0/16`) that the relay may send to all the same. Repeat
    /// for more.
    #[arg(long)]
    relay_allow: Vec<AllowRange>,
    /// The host name of patients' links: fetch a certificate that phones trust for it, and renew it in time (ACME, RFC
    /// 8555). This agrees to the authority's terms. The name must lead to --patient-listen at port 443.
    #[arg(long, conflicts_with = "tls_cert")]
    acme_domain: Option<String>,
    /// Where the authority may write to: `mailto:operator@example.org`.
    #[arg(long, requires = "acme_domain")]
    acme_contact: Option<String>,
    /// The authority's directory.
    #[arg(long, requires = "acme_domain", default_value = LETS_ENCRYPT)]
    acme_directory: String,
    /// The authority's own root certificate (PEM), where the system does not know it: tests, a ministry's own authority.
    #[arg(long, requires = "acme_domain")]
    acme_root: Option<PathBuf>,
    /// A certificate that phones trust (PEM, with its chain), for the patients' page. Looked at each hour: renew it in
    /// place.
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Where phones come in.
    #[arg(long, default_value = "0.0.0.0:443")]
    patient_listen: SocketAddr,
    /// `https://host[:port]` as phones reach it, if it is not the certificate's name and that port.
    #[arg(long)]
    patient_url: Option<String>,
    /// Where the operator's page is (`rabta-hie admin-link`): a loopback address; port 0 is any that is free.
    #[arg(long, default_value = "127.0.0.1:0")]
    admin_listen: SocketAddr,
    /// Where duty hours are meant: `+05:00` is Pakistan, `+00:00` Mali.
    #[arg(long, default_value = "+05:00", value_parser = utc_offset, allow_hyphen_values = true)]
    utc_offset: time::UtcOffset,
    /// For how many days of use a laptop opens its records without having reached this server.
    #[arg(long, default_value_t = lease::DAYS, value_parser = clap::value_parser!(u32).range(1..=i64::from(lease::MOST_DAYS)))]
    lease_days: u32,
    /// A folder of packages for laptops, as `cargo xtask publish` makes it.
    #[arg(long)]
    updates: Option<PathBuf>,
}

fn utc_offset(text: &str) -> Result<time::UtcOffset, String> {
    let format = time::macros::format_description!("[offset_hour sign:mandatory]:[offset_minute]");
    time::UtcOffset::parse(text, &format).map_err(|_| "not an offset like +05:00".to_owned())
}

impl Serve {
    /// The configuration to serve with.
    pub fn config(self) -> Config {
        let files = self.tls_cert.zip(self.tls_key).map(|(cert, key)| Source::Files { cert, key });
        let folder = self.data.data.join("acme");
        let acme = self.acme_domain.map(|domain| {
            Source::Acme(AcmeConfig {
                domain: domain.to_ascii_lowercase(),
                contact: self.acme_contact,
                directory: self.acme_directory,
                root: self.acme_root,
                folder,
            })
        });
        let door = files.or(acme).map(|certificate| DoorConfig {
            listen: self.patient_listen,
            certificate,
            url: self.patient_url,
        });
        Config {
            door,
            key_file: self.data.key_file.unwrap_or_else(|| default_key_file(&self.data.data)),
            listen: self.listen,
            public: self.public,
            plain_http_loopback: self.plain_http_loopback,
            relay_listen: self.relay_listen,
            relay_external: self.relay_external,
            relay_allow: self.relay_allow,
            utc_offset: self.utc_offset,
            lease_days: self.lease_days,
            updates: self.updates,
            admin_listen: Some(self.admin_listen),
            ..Config::new(self.data.data)
        }
    }
}
