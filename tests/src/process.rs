//! Children that never outlive their owner, and a look at processes through `/proc`.

use std::{
    fs::File,
    io::Write,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// How often something that is waited for is looked at.
pub const POLL: Duration = Duration::from_millis(25);

/// A page of memory, bytes; the same on every machine that the tests run on.
const PAGE: u64 = 4096;
/// How many pages' entries of the page map are read at once.
const PAGES: usize = 4096;

/// A child process that is killed, with everything that it started, when this is dropped.
pub struct Kept {
    child: Child,
    name: String,
}

impl Kept {
    /// Starts it with both outputs appended to `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("opening {}", log.display()))?;
        command.stdout(log.try_clone()?).stderr(log);
        Self::start_as_is(name, command)
    }

    /// Starts it with the outputs that the command has.
    pub fn start_as_is(name: &str, command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).spawn().with_context(|| format!("starting {name}"))?;
        Ok(Self { child, name: name.to_owned() })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether it ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal by name, like `TERM` or `KILL`.
    pub fn signal(&self, name: &str) -> Result<()> {
        signal(self.pid(), name)
    }

    /// Waits until it has ended; its exit code, `None` where a signal ended it.
    pub fn wait(&mut self, within: Duration) -> Result<Option<i32>> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code());
            }
            if Instant::now() > deadline {
                bail!("{} did not end within {within:?}", self.name);
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let family = tree(self.pid());
        let _ = self.child.kill();
        for pid in family.into_iter().filter(|pid| *pid != self.child.id()) {
            let _ = signal(pid, "KILL");
        }
        let _ = self.child.wait();
    }
}

/// Sends a signal by name to one process.
pub fn signal(pid: u32, name: &str) -> Result<()> {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).stderr(Stdio::null()).status()?;
    if !status.success() {
        bail!("cannot send {name} to {pid}");
    }
    Ok(())
}

/// The process and all that descend from it, parents first.
pub fn tree(root: u32) -> Vec<u32> {
    let all = parents();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(all.iter().filter(|(_, p)| *p == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

/// Descendants of `root` whose program is `file`.
pub fn running(root: u32, file: &Path) -> Vec<u32> {
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let is = |pid: &u32| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == file);
    tree(root).into_iter().filter(is).collect()
}

/// Proportional set size of `pids` together, bytes: shared pages are counted once, split among their users.
pub fn pss(pids: &[u32]) -> u64 {
    let of = |pid: &u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = text.lines().find(|l| l.starts_with("Pss:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    pids.iter().filter_map(of).sum::<u64>() * 1024
}

/// Resident set size of one process, bytes.
pub fn rss(pid: u32) -> Result<u64> {
    of_status(pid, "VmRSS:")
}

/// The largest that it ever had, bytes.
pub fn peak(pid: u32) -> Result<u64> {
    of_status(pid, "VmHWM:")
}

fn of_status(pid: u32, name: &str) -> Result<u64> {
    let text =
        std::fs::read_to_string(format!("/proc/{pid}/status")).context("reading the process's status")?;
    let line = text.lines().find_map(|l| l.strip_prefix(name)).with_context(|| format!("no {name} line"))?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// When a process started, in seconds since the machine did; to a hundredth.
pub fn started(pid: u32) -> Result<f64> {
    /// `USER_HZ`, which Linux fixes at 100 for programs on every architecture that we run on.
    const TICKS: f64 = 100.0;
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("reading the process's state")?;
    let after = text.rfind(')').map(|at| &text[at + 1..]).context("a process's state has its name")?;
    // Field 22 of proc_pid_stat(5); the first after the name is the third.
    let ticks: f64 = after.split_whitespace().nth(19).context("a start time")?.parse()?;
    Ok(ticks / TICKS)
}

/// Whether a process's memory holds this text anywhere. Needs the right to read it: the same user, or root.
pub fn memory_holds(pid: u32, wanted: &str) -> Result<bool> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).context("reading the memory map")?;
    let memory = File::open(format!("/proc/{pid}/mem")).context("opening the memory")?;
    let present = File::open(format!("/proc/{pid}/pagemap")).context("opening the page map")?;
    // grep looks, since it is faster than a debug build of ours.
    let mut grep = Command::new("grep");
    grep.args(["--text", "--quiet", "--fixed-strings", "--", wanted]).env("LC_ALL", "C");
    let mut grep = grep.stdin(Stdio::piped()).spawn().context("starting grep")?;
    let mut to_grep = grep.stdin.take().context("grep's input was asked for")?;
    let mut pages = vec![0_u8; PAGES * 8];
    let mut page = vec![0_u8; PAGE as usize];
    'found: for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (Some(range), Some(rights)) = (words.next(), words.next()) else { continue };
        let Some((start, end)) = range.split_once('-') else { continue };
        // What the program wrote is in what can be written.
        if !rights.starts_with("rw") {
            continue;
        }
        let (mut at, end) = (u64::from_str_radix(start, 16)?, u64::from_str_radix(end, 16)?);
        while at < end {
            let count = usize::try_from((end - at) / PAGE)?.min(PAGES);
            // Reserved ranges may span gigabytes of which hardly a page was ever touched.
            let Ok(()) = present.read_exact_at(&mut pages[..count * 8], at / PAGE * 8) else { break };
            for (number, entry) in pages[..count * 8].chunks_exact(8).enumerate() {
                // Bits 63 and 62: present, swapped. Pages of devices cannot be read.
                let touched = entry[7] & 0b1100_0000 != 0;
                if touched
                    && memory.read_exact_at(&mut page, at + number as u64 * PAGE).is_ok()
                    // It closes its input as soon as it has found it.
                    && to_grep.write_all(&page).is_err()
                {
                    break 'found;
                }
            }
            at += count as u64 * PAGE;
        }
    }
    drop(to_grep);
    match grep.wait()?.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        code => bail!("grep ended with {code:?}"),
    }
}

/// A program built beside the one that runs: `target/debug/NAME`.
pub fn built(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("where this program is")?;
    let folders = own.ancestors().skip(1).take(2);
    let mut candidates = folders.map(|folder| folder.join(name)).filter(|file| file.is_file());
    candidates
        .next()
        .with_context(|| format!("{name} is not built beside {}; run `cargo xtask build`", own.display()))
}

fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let of = |pid: u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything, parentheses too.
        let after = &text[text.rfind(')')? + 1..];
        Some((pid, after.split_whitespace().nth(1)?.parse().ok()?))
    };
    entries.flatten().filter_map(|e| of(e.file_name().to_str()?.parse().ok()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_a_child_ends_it_and_what_it_started() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "sleep 300 & wait"]);
        let kept = Kept::start_as_is("a shell", &mut shell).expect("sh starts");
        let deadline = Instant::now() + Duration::from_secs(10);
        let family = loop {
            let family = tree(kept.pid());
            if family.len() == 2 {
                break family;
            }
            assert!(Instant::now() < deadline, "the shell starts its child");
            std::thread::sleep(POLL);
        };
        drop(kept);
        let alive = |pid: &u32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        while family.iter().any(alive) {
            assert!(Instant::now() < deadline, "both are gone");
            std::thread::sleep(POLL);
        }
    }

    #[test]
    fn our_own_memory_is_told_by_the_kernel() {
        let own = std::process::id();
        assert!(rss(own).expect("we run") > 1_000_000);
        assert!(pss(&[own]) > 500_000);
    }
}
