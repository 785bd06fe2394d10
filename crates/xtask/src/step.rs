//! Steps: each says what it does, how long it took and, when it fails, what to do. All of it goes to standard error;
//! standard output belongs to what the steps run.

use std::{fmt, process::ExitCode, time::Instant};

use anyhow::Result;

/// A failed step: its name and what a person can do about it.
#[derive(Debug)]
pub struct Failed {
    pub step: String,
    pub hint: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.step)
    }
}

impl std::error::Error for Failed {}

/// Runs `work`; `hint` says what to do where it fails.
pub fn step<T>(name: &str, hint: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {name}");
    let start = Instant::now();
    let result = work();
    let took = spell(start.elapsed().as_secs_f64());
    match result {
        Ok(value) => {
            eprintln!("    {name}: done in {took}");
            Ok(value)
        }
        Err(error) => {
            eprintln!("    {name}: failed after {took}");
            Err(error.context(Failed { step: name.to_owned(), hint: hint.to_owned() }))
        }
    }
}

/// Says in one line that there was nothing to do.
pub fn nothing_to_do(name: &str, why: &str) {
    eprintln!("==> {name}: {why}");
}

/// Prints why it failed and what to do.
pub fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("\nFailed: {}", reason(error));
    if let Some(failed) = error.downcast_ref::<Failed>() {
        eprintln!("What to do: {}", failed.hint);
    }
    ExitCode::FAILURE
}

/// The chain of causes in one line.
pub fn reason(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn spell(seconds: f64) -> String {
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:.0} s", (seconds / 60.0) as u64, seconds % 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_keeps_its_cause_and_its_advice() {
        let error =
            step("try", "try again", || Err::<(), _>(anyhow::anyhow!("no disk"))).expect_err("it fails");
        assert_eq!(reason(&error), "try: no disk");
        assert_eq!(error.downcast_ref::<Failed>().map(|f| f.hint.as_str()), Some("try again"));
    }

    #[test]
    fn times_are_told_as_people_tell_them() {
        assert_eq!(spell(3.14), "3.1 s");
        assert_eq!(spell(125.4), "2 min 5 s");
    }
}
