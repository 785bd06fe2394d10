//! Real packets through the emulator: rate and delay as the model has them, and who gets through.

#![cfg(target_os = "linux")]

#[path = "../../../tests/src/left_out.rs"]
mod left_out;

use std::{process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use rabta_netlab::{Lab, Profile, lab, profile};

/// `None`: this machine cannot have a lab, which the test's output says.
fn made(tag: &str, places: &[(&str, Profile)]) -> Result<Option<Lab>> {
    if let Some(missing) = lab::missing() {
        left_out::left_out(&missing);
        return Ok(None);
    }
    Lab::new(tag, 1, places).map(Some)
}

/// A measurement that other work on the machine spoilt is taken again, so often at most.
const ROUNDS: usize = 5;

fn direct() -> Profile {
    Profile { name: "direct".to_owned(), ..Profile::default() }
}

/// Runs it to its end without holding up the emulator.
async fn output(mut command: Command) -> Result<String> {
    let out = tokio::task::spawn_blocking(move || command.output()).await?.context("starting it")?;
    Ok(String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr))
}

/// Python is on every machine that builds this; it needs no package for sockets.
fn python(lab: &Lab, place: &str, script: &str, args: &[&str]) -> Result<Command> {
    let mut command = lab.place(place)?.command("python3");
    command.args(["-c", script]).args(args);
    Ok(command)
}

const ECHO: &str = "
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', 7))
while True:
    data, peer = s.recvfrom(2048)
    s.sendto(data, peer)
";

const ASK: &str = "
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
times = []
for n in range(int(sys.argv[2])):
    for attempt in range(50):
        at = time.monotonic()
        s.sendto(b'x' * 72, (sys.argv[1], 7))
        try:
            s.recvfrom(2048)
            times.append((time.monotonic() - at) * 1000)
            break
        except OSError:
            pass
    time.sleep(0.02)
times.sort()
print(times[0] if times else 'nothing')
";

const SINK: &str = "
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', 9))
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4000000)
s.settimeout(20)
s.recvfrom(2048); start = time.monotonic() + 1.0; end = start + float(sys.argv[1]); got = 0
while True:
    data = s.recv(2048); now = time.monotonic()
    if now >= end: break
    if now >= start: got += len(data) + 28
print(got * 8 / float(sys.argv[1]))
";

const FLOOD: &str = "
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.monotonic() + float(sys.argv[2]); gap = float(sys.argv[3])
while time.monotonic() < end:
    s.sendto(b'x' * 1172, (sys.argv[1], 9)); time.sleep(gap)
";

/// The fastest of so many round trips, ms: what other programs took of the machine meanwhile is not in it.
async fn round_trip(lab: &Lab, from: &str, to: &str, count: u32) -> Result<Option<f64>> {
    let address = lab.place(to)?.address().to_string();
    let said = output(python(lab, from, ASK, &[&address, &count.to_string()])?).await?;
    Ok(said.trim().parse().ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_delay_is_as_the_profile_has_it() -> Result<()> {
    let edge = Profile { loss_pct: 0.0, ..profile("edge")? };
    let Some(lab) = made("delay", &[("clinic", edge), ("hie", direct())])? else { return Ok(()) };
    let mut echo = python(&lab, "hie", ECHO, &[])?.spawn()?;
    // 100 bytes at 200 and at 260 kbit/s, and the way.
    let wanted = 650.0 + 800.0 / 200.0 + 800.0 / 260.0;
    let mut seen = f64::INFINITY;
    // A machine that is busy meanwhile only adds: an emulator that is late is late each time.
    for _ in 0..ROUNDS {
        seen = seen.min(round_trip(&lab, "clinic", "hie", 21).await?.context("answers come")?);
        if seen - wanted < 2.0 {
            break;
        }
    }
    echo.kill()?;
    echo.wait()?;
    ensure!((-0.5..2.0).contains(&(seen - wanted)), "{seen} ms there and back in place of {wanted}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_is_as_the_profile_has_it() -> Result<()> {
    let link = Profile { loss_pct: 0.0, ..profile("3g")? };
    let Some(lab) = made("rate", &[("clinic", link), ("hie", direct())])? else { return Ok(()) };
    let address = lab.place("clinic")?.address().to_string();
    let mut seen = 0.0_f64;
    for _ in 0..ROUNDS {
        let sink = tokio::spawn(output(python(&lab, "clinic", SINK, &["4"])?));
        tokio::time::sleep(Duration::from_millis(500)).await;
        let flood = output(python(&lab, "hie", FLOOD, &[&address, "6.5", "0.004"])?);
        let (said, _) = tokio::join!(sink, flood);
        // Who came too late to hear the flood has no figure.
        let Ok(figure) = said??.trim().parse::<f64>() else { continue };
        seen = figure;
        if (seen / 1_200_000.0 - 1.0).abs() < 0.02 {
            break;
        }
    }
    ensure!((seen / 1_200_000.0 - 1.0).abs() < 0.02, "{seen} bit/s in place of 1200000");
    ensure!(lab.traffic("clinic")?.down.lost_queue > 0, "more was sent than fits");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nat_lets_answers_in_and_a_firewall_stops_udp() -> Result<()> {
    let nat: Profile = serde_json::from_str(r#"{"name":"nat","nat":"endpoint-independent"}"#)?;
    let wall: Profile = serde_json::from_str(r#"{"name":"wall","no_udp":true}"#)?;
    let places = [("clinic", nat), ("hospital", wall), ("hie", direct())];
    let Some(lab) = made("nat", &places)? else { return Ok(()) };
    let hie = python(&lab, "hie", ECHO, &[])?.spawn()?;
    let clinic = python(&lab, "clinic", ECHO, &[])?.spawn()?;
    let through = round_trip(&lab, "clinic", "hie", 3).await?;
    ensure!(through.is_some(), "an answer finds its way back through the box");
    let silent = "
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(0.5)
s.sendto(b'x', (sys.argv[1], 7))
try: s.recvfrom(99); print('heard')
except OSError: print('nothing')
";
    let ask = async |from: &str, to: &str| -> Result<String> {
        let address = lab.place(to)?.address().to_string();
        output(python(&lab, from, silent, &[&address])?).await
    };
    ensure!(ask("hie", "clinic").await?.trim() == "nothing", "nobody reaches a place behind the box");
    ensure!(ask("hospital", "hie").await?.trim() == "nothing", "no UDP leaves the hospital");
    ensure!(lab.traffic("hospital")?.up.stopped > 0, "its firewall stopped it");
    for mut program in [hie, clinic] {
        program.kill()?;
        program.wait()?;
    }
    Ok(())
}
