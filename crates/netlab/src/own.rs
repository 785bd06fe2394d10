//! A test in a network of its own.

use std::process::Command;

/// Tells the test inside that it is there.
const INSIDE: &str = "RABTA_OWN_NETWORK";
/// A loopback and one interface that multicast goes out by and comes back on.
const NETWORK: &str = "ip link set lo up && ip link add wifi type veth peer name router && ip link set router up && ip addr add 10.77.0.1/24 dev wifi && \
                       ip link set wifi up multicast on && ip route add default dev wifi && exec \"$0\" --exact \"$1\" --nocapture";

/// Whether this is the test that was started again.
pub fn is_own_network() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs `work` in a network namespace with one interface, where multicast reaches nobody else: the test program is
/// started there again for just the test of this name, and this panics where that one failed. Where a namespace cannot be
/// made, nothing is done, and the answer is why.
pub fn in_own_network(test: &str, work: impl FnOnce()) -> Option<String> {
    if is_own_network() {
        work();
        return None;
    }
    if !Command::new("unshare").args(["-n", "true"]).status().is_ok_and(|made| made.success()) {
        return Some("no network namespace can be made here".to_owned());
    }
    let itself = std::env::current_exe().expect("a test knows its program");
    let mut inside = Command::new("unshare");
    inside.args(["-n", "sh", "-c", NETWORK]).arg(itself).arg(test).env(INSIDE, "1");
    let inside = inside.output().expect("it starts");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(inside.status.success(), "{}\n{}", said(&inside.stdout), said(&inside.stderr));
    assert!(said(&inside.stdout).contains("1 passed"), "no test is called {test}");
    None
}
