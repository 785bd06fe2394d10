//! The draft while it is written: one form, saved by itself. One save is on its way at a time, each with the revision
//! that the one before it came back with; what could not be saved is kept and tried again, also after the page was left.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::patient::{PatientCard, Sex};
use rabta_domain::visit::VisitForm;
use rabta_domain::vitals::Months;
use rabta_ipc::Error;
use rabta_ipc::visit::{GetVisit, SaveVisit, VisitStatus, VisitView};

use crate::{dom, ipc};

/// After the first key that is not saved yet, so that whoever types on and on is saved four times a second. A power cut
/// costs this and the time that a save takes: less than 500 ms together.
const WAIT_MS: i32 = 250;
/// Before a save that failed is tried again.
const RETRY_MS: i32 = 3_000;

thread_local! {
    /// Saves on their way, of any visit: a page that opens waits for them.
    static FLYING: Cell<u32> = const { Cell::new(0) };
    /// Forms of visits whose page was left before they could be saved.
    static LEFT: RefCell<HashMap<String, VisitForm>> = RefCell::new(HashMap::new());
    /// The draft whose page is open.
    static OPEN: Cell<Option<Draft>> = const { Cell::new(None) };
}

/// What the quiet word in the head says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SaveState {
    #[default]
    Saved,
    Saving,
    Failed(Error),
}

impl SaveState {
    pub fn code(&self) -> &'static str {
        match self {
            SaveState::Saved => "saved",
            SaveState::Saving => "saving",
            SaveState::Failed(_) => "failed",
        }
    }
}

/// The part that outlives the page.
struct Engine {
    id: String,
    rev: u64,
    /// What has to be saved next.
    next: Option<VisitForm>,
    flying: bool,
    /// Somebody else changed it: nothing more is saved from here.
    stale: bool,
    /// The page is gone.
    left: bool,
    /// A save is due within [`WAIT_MS`].
    due: bool,
    /// The last save failed and is tried again within [`RETRY_MS`].
    again: bool,
}

/// Shared by all parts of the page. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Draft {
    pub form: RwSignal<VisitForm>,
    pub state: RwSignal<SaveState>,
    /// It was changed elsewhere and has to be read again.
    pub stale: RwSignal<bool>,
    pub view: StoredValue<VisitView>,
    engine: StoredValue<Arc<Mutex<Engine>>>,
}

/// The draft of the page, in any part of it.
pub fn draft() -> Draft {
    expect_context::<Draft>()
}

/// Changes the form of a visit, whether its page is open, was drawn anew meanwhile, or was left.
pub fn edit_wherever(visit: String, change: impl FnOnce(&mut VisitForm) + 'static) {
    let open = OPEN.get().filter(|draft| draft.view.try_with_value(|view| view.id == visit) == Some(true));
    if let Some(draft) = open {
        return draft.edit(change);
    }
    spawn_local(async move {
        settled().await;
        if let Ok(mut view) = ipc::call(GetVisit { id: visit }).await
            && view.status == VisitStatus::Draft
        {
            change(&mut view.form);
            let _ = ipc::call(SaveVisit { id: view.id, rev: view.rev, form: view.form }).await;
        }
    });
}

/// Waits until no save is on its way, so that what is read next is the newest.
pub async fn settled() {
    for _ in 0..200 {
        if FLYING.with(Cell::get) == 0 {
            return;
        }
        dom::pause(15).await;
    }
}

fn lock(engine: &Arc<Mutex<Engine>>) -> MutexGuard<'_, Engine> {
    engine.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Draft {
    pub fn new(view: VisitView) -> Self {
        let kept = LEFT.with(|left| left.borrow_mut().remove(&view.id));
        let unsaved = kept.is_some();
        let form = kept.unwrap_or_else(|| view.form.clone());
        let engine = Engine {
            id: view.id.clone(),
            rev: view.rev,
            next: unsaved.then(|| form.clone()),
            flying: false,
            stale: false,
            left: false,
            due: false,
            again: false,
        };
        let draft = Draft {
            form: RwSignal::new(form),
            state: RwSignal::new(SaveState::Saved),
            stale: RwSignal::new(false),
            view: StoredValue::new(view),
            engine: StoredValue::new(Arc::new(Mutex::new(engine))),
        };
        draft.save_now();
        OPEN.set(Some(draft));
        let engine = draft.engine.get_value();
        let state = draft.state;
        let stale = draft.stale;
        on_cleanup(move || {
            lock(&engine).left = true;
            pump(&engine, state, stale);
        });
        draft
    }

    /// Changes the form, and has it saved soon, whether the keys rest or not.
    pub fn edit(&self, change: impl FnOnce(&mut VisitForm)) {
        self.form.update(change);
        let engine = self.engine.get_value();
        let waits = {
            let mut engine = lock(&engine);
            if engine.stale {
                return;
            }
            engine.next = Some(self.form.get_untracked());
            std::mem::replace(&mut engine.due, true)
        };
        if !matches!(self.state.get_untracked(), SaveState::Failed(_)) {
            self.state.set(SaveState::Saving);
        }
        if waits {
            return;
        }
        let (state, stale) = (self.state, self.stale);
        dom::after(WAIT_MS, move || {
            lock(&engine).due = false;
            pump(&engine, state, stale);
        });
    }

    /// Saves what is not saved yet, without waiting for the keys to rest.
    pub fn save_now(&self) {
        if let Some(engine) = self.engine.try_get_value() {
            pump(&engine, self.state, self.stale);
        }
    }

    /// Saves, and says whether all of it is on the disk.
    pub async fn flush(&self) -> bool {
        // What was typed this moment reaches the form first.
        dom::pause(0).await;
        let Some(engine) = self.engine.try_get_value() else { return true };
        pump(&engine, self.state, self.stale);
        loop {
            let more = {
                let engine = lock(&engine);
                let done = engine.next.is_none() || engine.stale || engine.again;
                if !engine.flying && done {
                    return engine.next.is_none() && !engine.stale;
                }
                !engine.flying
            };
            if more {
                // What was typed meanwhile.
                pump(&engine, self.state, self.stale);
            }
            dom::pause(10).await;
        }
    }

    /// Nothing more is saved: the draft is discarded.
    pub fn stop(&self) {
        let engine = self.engine.get_value();
        let mut engine = lock(&engine);
        engine.stale = true;
        engine.next = None;
    }

    /// The patient's age for limits; an adult where nobody knows it.
    pub fn age(&self) -> Months {
        self.view.with_value(|view| age_of(&view.card))
    }

    pub fn sex(&self) -> Sex {
        self.view.with_value(|view| view.card.sex)
    }

    pub fn id(&self) -> String {
        self.view.with_value(|view| view.id.clone())
    }

    /// A text of the form as a signal: reads it once, and writes each change back.
    pub fn text(
        &self,
        get: impl Fn(&VisitForm) -> String,
        set: impl Fn(&mut VisitForm, String) + 'static,
    ) -> RwSignal<String> {
        self.bound(self.form.with_untracked(get), set)
    }

    /// Any signal whose changes go into the form.
    pub fn bound<T>(&self, first: T, set: impl Fn(&mut VisitForm, T) + 'static) -> RwSignal<T>
    where
        T: Clone + PartialEq + Send + Sync + 'static,
    {
        let value = RwSignal::new(first);
        let draft = *self;
        Effect::new(move |before: Option<T>| {
            let now = value.get();
            if before.is_some_and(|before| before != now) {
                draft.edit(|form| set(form, now.clone()));
            }
            now
        });
        value
    }
}

/// An age in months as the limits take it.
pub fn age_of(card: &PatientCard) -> Months {
    card.age.map_or(Months::UNKNOWN, |age| Months { low: age.months_low, high: age.months_high })
}

/// Sends the next form, if there is one and none is on its way.
fn pump(engine: &Arc<Mutex<Engine>>, state: RwSignal<SaveState>, stale: RwSignal<bool>) {
    let save = {
        let mut engine = lock(engine);
        if engine.flying || engine.stale {
            return;
        }
        let Some(form) = engine.next.take() else { return };
        engine.flying = true;
        SaveVisit { id: engine.id.clone(), rev: engine.rev, form }
    };
    FLYING.with(|n| n.set(n.get() + 1));
    let engine = engine.clone();
    spawn_local(async move {
        let form = save.form.clone();
        let answer = ipc::call(save).await;
        FLYING.with(|n| n.set(n.get().saturating_sub(1)));
        let mut retries = false;
        let again = {
            let mut engine = lock(&engine);
            engine.flying = false;
            match answer {
                Ok(saved) => {
                    (engine.rev, engine.again) = (saved.rev, false);
                    let now = if engine.next.is_some() { SaveState::Saving } else { SaveState::Saved };
                    state.try_set(now);
                    // What was typed meanwhile has its own time, unless that came while this save was on its way.
                    engine.next.is_some() && !engine.due
                }
                Err(error) if error.code == "stale" || error.code == "not-found" => {
                    engine.stale = true;
                    engine.next = None;
                    stale.try_set(true);
                    false
                }
                Err(error) => {
                    engine.next.get_or_insert(form);
                    if engine.left {
                        let form = engine.next.clone().unwrap_or_default();
                        LEFT.with(|left| left.borrow_mut().insert(engine.id.clone(), form));
                    }
                    state.try_set(SaveState::Failed(error));
                    retries = !std::mem::replace(&mut engine.again, true);
                    false
                }
            }
        };
        if again {
            pump(&engine, state, stale);
        } else if retries {
            dom::after(RETRY_MS, move || retry(&engine, state, stale));
        }
    });
}

/// Tries again what failed, unless the visit was opened anew meanwhile and took over what was left.
fn retry(engine: &Arc<Mutex<Engine>>, state: RwSignal<SaveState>, stale: RwSignal<bool>) {
    {
        let mut engine = lock(engine);
        engine.again = false;
        if engine.left && LEFT.with(|left| left.borrow_mut().remove(&engine.id)).is_none() {
            engine.next = None;
        }
    }
    pump(engine, state, stale);
}
