//! The advice while it is written: saved by itself, one save on its way at a time, each with the revision that the
//! one before it came back with. What could not be saved is tried again, also after the page was left.

use std::sync::{Arc, Mutex, MutexGuard};

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::advice::AdviceForm;
use rabta_domain::visit::Finding;
use rabta_ipc::ask::{AdviceDraft, CheckAdvice, SaveAdvice};

use crate::{dom, ipc};

/// After the first key that is not saved yet, as in a visit.
const WAIT_MS: i32 = 250;
/// Before a save that failed is tried again.
const RETRY_MS: i32 = 3_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saving {
    Saved,
    Saving,
    Failed,
}

/// The part that outlives the page.
struct Engine {
    ask: String,
    rev: u64,
    next: Option<AdviceForm>,
    flying: bool,
    /// Changed elsewhere, or signed: nothing more is saved from here.
    over: bool,
    /// A save is due within [`WAIT_MS`].
    due: bool,
    /// The last save failed and is tried again within [`RETRY_MS`].
    again: bool,
}

/// Shared by all parts of the form. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Draft {
    pub form: RwSignal<AdviceForm>,
    pub state: RwSignal<Saving>,
    pub stale: RwSignal<bool>,
    pub findings: RwSignal<Vec<Finding>>,
    engine: StoredValue<Arc<Mutex<Engine>>>,
}

fn lock(engine: &Arc<Mutex<Engine>>) -> MutexGuard<'_, Engine> {
    engine.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Draft {
    pub fn new(ask: String, draft: Option<AdviceDraft>, signed: Option<AdviceForm>) -> Self {
        // A correction starts from what was signed.
        let rev = draft.as_ref().map_or(0, |draft| draft.rev);
        let form = draft.map(|draft| draft.form).or(signed).unwrap_or_default();
        let engine = Engine { ask, rev, next: None, flying: false, over: false, due: false, again: false };
        let draft = Draft {
            form: RwSignal::new(form),
            state: RwSignal::new(Saving::Saved),
            stale: RwSignal::new(false),
            findings: RwSignal::new(Vec::new()),
            engine: StoredValue::new(Arc::new(Mutex::new(engine))),
        };
        let engine = draft.engine.get_value();
        on_cleanup(move || pump(&engine, draft));
        draft
    }

    /// Changes the form, and has it saved soon, whether the keys rest or not.
    pub fn edit(&self, change: impl FnOnce(&mut AdviceForm)) {
        self.form.update(change);
        let engine = self.engine.get_value();
        let waits = {
            let mut engine = lock(&engine);
            if engine.over {
                return;
            }
            engine.next = Some(self.form.get_untracked());
            std::mem::replace(&mut engine.due, true)
        };
        if self.state.get_untracked() != Saving::Failed {
            self.state.set(Saving::Saving);
        }
        if waits {
            return;
        }
        let draft = *self;
        dom::after(WAIT_MS, move || {
            lock(&engine).due = false;
            pump(&engine, draft);
        });
    }

    /// Saves what is not saved yet, without waiting for the keys to rest.
    pub fn save_now(&self) {
        if let Some(engine) = self.engine.try_get_value() {
            pump(&engine, *self);
        }
    }

    /// Saves, and says whether all of it is on the disk. A form that was never changed is saved as well, so that it
    /// can be checked and signed.
    pub async fn flush(&self) -> bool {
        let Some(engine) = self.engine.try_get_value() else { return true };
        {
            let mut locked = lock(&engine);
            if locked.next.is_none() && !locked.flying && locked.rev == 0 {
                locked.next = Some(self.form.get_untracked());
            }
        }
        pump(&engine, *self);
        loop {
            let more = {
                let engine = lock(&engine);
                let done = engine.next.is_none() || engine.over || engine.again;
                if !engine.flying && done {
                    return engine.next.is_none() && !engine.over;
                }
                !engine.flying
            };
            if more {
                // What was typed meanwhile.
                pump(&engine, *self);
            }
            dom::pause(10).await;
        }
    }

    /// It was signed: nothing more is saved.
    pub fn stop(&self) {
        if let Some(engine) = self.engine.try_get_value() {
            let mut engine = lock(&engine);
            (engine.over, engine.next) = (true, None);
        }
    }

    /// What stops the signature and what deserves a look, of what is saved.
    pub async fn check(&self) -> Vec<Finding> {
        let Some(engine) = self.engine.try_get_value() else { return Vec::new() };
        let ask = lock(&engine).ask.clone();
        let findings = ipc::call(CheckAdvice { ask }).await.unwrap_or_default();
        self.findings.try_set(findings.clone());
        findings
    }

    /// A text of the form as a signal: read once, each change written back.
    pub fn text(&self, get: fn(&AdviceForm) -> String, set: fn(&mut AdviceForm, String)) -> RwSignal<String> {
        let value = RwSignal::new(self.form.with_untracked(get));
        let draft = *self;
        Effect::new(move |before: Option<String>| {
            let now = value.get();
            if before.is_some_and(|before| before != now) {
                draft.edit(|form| set(form, now.clone()));
            }
            now
        });
        value
    }
}

/// Sends the next form, if there is one and none is on its way.
fn pump(engine: &Arc<Mutex<Engine>>, draft: Draft) {
    let save = {
        let mut engine = lock(engine);
        if engine.flying || engine.over {
            return;
        }
        let Some(form) = engine.next.take() else { return };
        engine.flying = true;
        SaveAdvice { ask: engine.ask.clone(), rev: engine.rev, form }
    };
    let engine = engine.clone();
    spawn_local(async move {
        let form = save.form.clone();
        let answer = ipc::call(save).await;
        let (after, due, retries) = {
            let mut engine = lock(&engine);
            engine.flying = false;
            match answer {
                Ok(saved) => {
                    (engine.rev, engine.again) = (saved.rev, false);
                    let after = if engine.next.is_some() { Saving::Saving } else { Saving::Saved };
                    (after, engine.due, false)
                }
                Err(error) if matches!(error.code.as_str(), "stale" | "not-found" | "not-allowed") => {
                    (engine.over, engine.next) = (true, None);
                    draft.stale.try_set(true);
                    return;
                }
                Err(_) => {
                    engine.next.get_or_insert(form);
                    (Saving::Failed, engine.due, !std::mem::replace(&mut engine.again, true))
                }
            }
        };
        draft.state.try_set(after);
        match after {
            Saving::Saved => {
                draft.check().await;
            }
            // What was typed meanwhile has its own time, unless that came while this save was on its way.
            Saving::Saving if !due => pump(&engine, draft),
            Saving::Failed if retries => dom::after(RETRY_MS, move || {
                lock(&engine).again = false;
                pump(&engine, draft);
            }),
            _ => {}
        }
    });
}
