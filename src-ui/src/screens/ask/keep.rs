//! An ask while it is filled in: saved by itself, one save on its way at a time, also after the page was left.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::ask::{AskDraft, SaveAskDraft};

use crate::{dom, ipc};

/// After the last key.
const WAIT_MS: i32 = 250;
/// Before a save that failed is tried again.
const RETRY_MS: i32 = 3_000;

/// The part that outlives the page.
struct Engine {
    visit: String,
    next: Option<AskDraft>,
    flying: bool,
    key: u32,
}

#[derive(Clone)]
pub struct Keep(Arc<Mutex<Engine>>);

impl Keep {
    pub fn new(visit: String) -> Self {
        let keep = Keep(Arc::new(Mutex::new(Engine { visit, next: None, flying: false, key: 0 })));
        let last = keep.clone();
        on_cleanup(move || last.pump());
        keep
    }

    fn lock(&self) -> MutexGuard<'_, Engine> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Saves it once the keys rest.
    pub fn put(&self, draft: AskDraft) {
        let key = {
            let mut engine = self.lock();
            engine.next = Some(draft);
            engine.key = engine.key.wrapping_add(1);
            engine.key
        };
        let keep = self.clone();
        dom::after(WAIT_MS, move || {
            if keep.lock().key == key {
                keep.pump();
            }
        });
    }

    /// Saves nothing more of what was put so far, and waits for a save that is on its way: the shell forgets the
    /// draft with what comes next.
    pub async fn stop(&self) {
        self.lock().next = None;
        while self.lock().flying {
            dom::pause(10).await;
        }
    }

    fn pump(&self) {
        let mut engine = self.lock();
        if engine.flying {
            return;
        }
        let Some(draft) = engine.next.take() else { return };
        engine.flying = true;
        let save = SaveAskDraft { visit: engine.visit.clone(), draft };
        drop(engine);
        let keep = self.clone();
        spawn_local(async move {
            let draft = save.draft.clone();
            let answer = ipc::call(save).await;
            let mut engine = keep.lock();
            engine.flying = false;
            match answer {
                Ok(()) => {
                    drop(engine);
                    keep.pump();
                }
                // The visit was discarded meanwhile.
                Err(error) if error.code == "not-found" => engine.next = None,
                Err(_) => {
                    engine.next.get_or_insert(draft);
                    drop(engine);
                    dom::after(RETRY_MS, move || keep.pump());
                }
            }
        });
    }
}
