//! What `rabta-hie doctor` finds at the doors: whether the server's ports answer, and how long phones will trust it.

use std::{
    net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket},
    time::Duration,
};

use super::health::{DAY, Finding, State};
use crate::guests::Standing;

/// How long a port may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// STUN messages carry this (RFC 8489, section 5).
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// Whether the server runs and can be reached at its address.
pub fn server(running: bool, address: Option<&str>) -> Finding {
    if !running {
        let todo = "start it: `systemctl start rabta-hie`, or `rabta-hie serve`";
        return Finding::todo("server", State::Bad, "it does not run on this folder", todo);
    }
    let Some(address) = address else { return Finding::good("server", "it runs") };
    if answers(address) {
        return Finding::good("server", format!("it runs and answers at {address}"));
    }
    Finding::todo(
        "server",
        State::Bad,
        format!("it runs, but nothing answers at {address}, which the enrollment codes name"),
        "open the port in the firewall, or name the right address with --public",
    )
}

/// Whether phones reach the page's address (`https://host[:port]/p/`).
pub fn page(url: &str) -> Finding {
    let host = url.trim_start_matches("https://").split('/').next().unwrap_or_default();
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { host.to_owned() } else { format!("{host}:443") };
    if answers(&address) {
        return Finding::good("phones", format!("their door answers at {address}"));
    }
    Finding::todo(
        "phones",
        State::Bad,
        format!("nothing answers at {address}, where patients' links lead"),
        "open the port in the firewall, let the name lead to this server, or name another with --patient-url",
    )
}

/// Whether the relay at `host:port` answers a STUN binding request (RFC 8489, section 2).
pub fn relay(address: &str) -> Finding {
    let found = resolve(address).into_iter().any(|addr| binds(addr).unwrap_or(false));
    if found {
        return Finding::good("relay", format!("it answers at {address} (UDP)"));
    }
    Finding::todo(
        "relay",
        State::Bad,
        format!("nothing answers at {address} (UDP): calls between two networks will not connect"),
        "open the UDP port in the firewall; behind a one-to-one NAT name the outer address with --relay-external",
    )
}

fn resolve(address: &str) -> Vec<SocketAddr> {
    address.to_socket_addrs().map(Iterator::collect).unwrap_or_default()
}

fn answers(address: &str) -> bool {
    resolve(address).iter().any(|addr| TcpStream::connect_timeout(addr, PATIENCE).is_ok())
}

fn binds(addr: SocketAddr) -> std::io::Result<bool> {
    let from: SocketAddr = if addr.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0; 16], 0).into() };
    let socket = UdpSocket::bind(from)?;
    socket.set_read_timeout(Some(PATIENCE / 3))?;
    socket.connect(addr)?;
    let transaction: [u8; 12] = crate::db::settings::random();
    let request = [&[0, 1, 0, 0][..], &MAGIC_COOKIE, &transaction].concat();
    for _ in 0..3 {
        socket.send(&request)?;
        let mut answer = [0; 1_500];
        match socket.recv(&mut answer) {
            Ok(length) if length >= 20 => {
                return Ok(answer[..2] == [1, 1]
                    && answer[4..8] == MAGIC_COOKIE
                    && answer[8..20] == transaction);
            }
            _ => {}
        }
    }
    Ok(false)
}

/// How long phones will trust the page's certificate; `None`: phones do not come in.
pub fn certificate(standing: Option<&Standing>, now: i64) -> Finding {
    const NAME: &str = "cert";
    let Some(standing) = standing else {
        return Finding::good(NAME, "phones do not come in: there is neither --acme-domain nor --tls-cert");
    };
    let failed = standing.failed.as_ref().map(|why| format!("; the last try to renew it failed: {why}"));
    let failed = failed.unwrap_or_default();
    let todo = if standing.acme {
        "TCP port 443 must be open to the world, and the name must lead here; a restart tries again at once"
    } else {
        "renew the files of --tls-cert and --tls-key in place (certbot renew); they are looked at each hour"
    };
    let Some(ends_at) = standing.ends_at else {
        return Finding::todo(NAME, State::Bad, format!("there is none yet, so no links{failed}"), todo);
    };
    let days = (ends_at - now).div_euclid(DAY);
    match days {
        _ if ends_at <= now => {
            let seen = format!("it ended {} days ago: phones do not come in{failed}", (now - ends_at) / DAY);
            Finding::todo(NAME, State::Bad, seen, todo)
        }
        ..7 => Finding::todo(NAME, State::Bad, format!("it ends in {days} days{failed}"), todo),
        _ if !failed.is_empty() || days < 21 && !standing.acme => {
            Finding::todo(NAME, State::Look, format!("it ends in {days} days{failed}"), todo)
        }
        _ => Finding::good(NAME, format!("phones trust it for {days} more days")),
    }
}

/// Whether somebody set the clock while the server ran: `moved` milliseconds more than went by.
pub fn clock_was_set(moved: i64) -> Finding {
    if moved.abs() < 60_000 {
        return Finding::good("set", "the clock went evenly since the server started");
    }
    let (way, minutes) = (if moved > 0 { "forward" } else { "back" }, moved.abs() / 60_000);
    Finding::todo(
        "set",
        State::Look,
        format!("the clock went {way} by {minutes} minutes since the server started"),
        "let chrony keep it; if it is right now, restart the server, and nobody is troubled by the old time any more",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_341_600_000;

    fn standing(days: i64, acme: bool, failed: Option<&str>) -> Standing {
        Standing { acme, ends_at: Some(NOW + days * DAY), failed: failed.map(str::to_owned) }
    }

    #[test]
    fn the_certificate_s_end_is_told_in_days_and_what_to_do() {
        let look = |days, acme, failed| certificate(Some(&standing(days, acme, failed)), NOW);
        assert_eq!(look(60, true, None).state, State::Good);
        assert_eq!(look(20, true, None).state, State::Good, "it is renewed by itself");
        assert_eq!(look(20, false, None).state, State::Look);
        let failing = look(25, true, Some("no route"));
        assert_eq!(failing.state, State::Look);
        assert!(failing.seen.contains("no route") && failing.todo.is_some_and(|t| t.contains("443")));
        assert_eq!(look(6, true, None).state, State::Bad);
        let ended = look(-3, false, None);
        assert!(ended.state == State::Bad && ended.seen.contains("ended 3 days ago"), "{ended:?}");
        let none = Standing { acme: true, ends_at: None, failed: Some("no route".to_owned()) };
        assert_eq!(certificate(Some(&none), NOW).state, State::Bad);
        assert_eq!(certificate(None, NOW).state, State::Good);
    }

    #[test]
    fn a_port_that_answers_and_one_that_does_not() {
        let open = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = open.local_addr().expect("its address");
        assert_eq!(page(&format!("https://{at}/p/")).state, State::Good);
        assert_eq!(server(true, Some(&at.to_string())).state, State::Good);
        drop(open);
        let gone = page(&format!("https://{at}/p/"));
        assert!(gone.state == State::Bad && gone.todo.is_some(), "{gone:?}");
        assert_eq!(server(true, Some(&at.to_string())).state, State::Bad);
        assert_eq!(server(false, None).state, State::Bad);
        // Something that answers, but not as a relay.
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let at = socket.local_addr().expect("its address");
        std::thread::spawn(move || {
            let mut bytes = [0; 100];
            while let Ok((length, from)) = socket.recv_from(&mut bytes) {
                let _ = socket.send_to(&bytes[..length], from);
            }
        });
        assert_eq!(relay(&at.to_string()).state, State::Bad);
    }

    #[test]
    fn a_clock_that_somebody_set_is_told() {
        assert_eq!(clock_was_set(59_000).state, State::Good);
        let back = clock_was_set(-86_400_000);
        assert!(back.state == State::Look && back.seen.contains("back by 1440 minutes"), "{back:?}");
    }
}
