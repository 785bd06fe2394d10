//! What the whole app knows: who is at the keyboard, where the records are, whether a call runs, what just changed.

use std::cell::Cell;
use std::rc::Rc;

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::patient::PatientCard;
use rabta_ipc::Event;
use rabta_ipc::call::{CallItem, CallView, GetCall};
use rabta_ipc::gate::{Alive, GetStatus, LockScreen, PersonRef, Phase, SetLanguage, Status};
use rabta_ipc::sync::{GetSync, SyncChip};

use crate::words::Lang;
use crate::{dom, ipc, prefs};

/// The gate's page.
pub const GATE: &str = "index.html";

/// At most one "somebody is here" to the shell in this time.
const ALIVE_EVERY_MS: f64 = 20_000.0;

/// Shared by all screens; get it with [`session`]. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Session {
    /// Who unlocked. `None` until the shell has answered.
    pub me: RwSignal<Option<PersonRef>>,
    pub status: RwSignal<Option<Status>>,
    pub chip: RwSignal<SyncChip>,
    pub call: RwSignal<Option<CallView>>,
    /// The newest chat line or still of the call; a counter tells two equal ones apart.
    pub call_item: RwSignal<Option<(u32, CallItem)>>,
    /// Counts every change of any ask: read it to fetch again.
    pub asks_changed: RwSignal<u32>,
    /// The patient that changed last, with a counter.
    pub patient_changed: RwSignal<(u32, String)>,
    pub disk_full: RwSignal<bool>,
    /// Counts what happens to an update.
    pub update_changed: RwSignal<u32>,
    /// Whose name stands in the band. A screen sets it with [`Session::open`]; leaving the patient clears it.
    pub patient: RwSignal<Option<BandPatient>>,
}

/// What the band shows.
#[derive(Clone, Debug, PartialEq)]
pub struct BandPatient {
    pub card: PatientCard,
    /// Last contact with the HIE, milliseconds since 1970: how old our view of other facilities' records is.
    /// The outer `None`: the screen does not know.
    pub hie_seen_at: Option<Option<i64>>,
    /// Another facility's record, open until then (milliseconds since 1970).
    pub until: Option<i64>,
}

impl Session {
    /// Puts a patient into the band, in place of whoever was there.
    pub fn open(&self, card: PatientCard, hie_seen_at: Option<Option<i64>>) {
        self.patient.update(|now| {
            let kept =
                now.take().filter(|before| before.card.id == card.id).and_then(|before| before.hie_seen_at);
            *now = Some(BandPatient { card, hie_seen_at: hie_seen_at.or(kept), until: None });
        });
    }

    /// Marks the band's patient: another facility's record, open for a time.
    pub fn mark_emergency(&self, until: i64) {
        self.patient.update(|now| {
            if let Some(patient) = now {
                patient.until = Some(until);
            }
        });
    }

    /// Nobody's chart is open.
    pub fn close(&self) {
        if self.patient.with_untracked(Option::is_some) {
            self.patient.set(None);
        }
    }

    pub fn is_specialist(&self) -> bool {
        self.me.with(|me| me.as_ref().is_some_and(|me| me.role == "specialist"))
    }
}

/// The session, in any component under the frame.
pub fn session() -> Session {
    expect_context::<Session>()
}

/// Asks the shell who is there and goes on listening; a window that may not be here goes to the gate.
pub fn start() -> Session {
    let session = Session {
        me: RwSignal::new(None),
        status: RwSignal::new(None),
        chip: RwSignal::new(SyncChip::default()),
        call: RwSignal::new(None),
        call_item: RwSignal::new(None),
        asks_changed: RwSignal::new(0),
        patient_changed: RwSignal::new((0, String::new())),
        disk_full: RwSignal::new(false),
        update_changed: RwSignal::new(0),
        patient: RwSignal::new(None),
    };
    spawn_local(async move {
        match ipc::call(GetStatus {}).await {
            Ok(status) => match status.phase.clone() {
                Phase::Open { person } => {
                    session.me.set(Some(person));
                    session.status.set(Some(status));
                }
                _ => to_gate(),
            },
            Err(_) => to_gate(),
        }
        // An answer that was made before an event may come after it: what was heard is newer.
        let heard = Rc::new((Cell::new(false), Cell::new(false)));
        let hears = heard.clone();
        let _ = ipc::listen(move |event| {
            hears.0.set(hears.0.get() || matches!(event, Event::Sync { .. }));
            hears.1.set(hears.1.get() || matches!(event, Event::Call { .. }));
            session.hear(event);
        })
        .await;
        if let Ok(view) = ipc::call(GetSync {}).await
            && !heard.0.get()
        {
            session.chip.set(view.chip);
        }
        if let Ok(call) = ipc::call(GetCall {}).await
            && !heard.1.get()
        {
            session.call.set(call);
        }
    });
    ipc::on_locked(to_gate);
    watch_hands();
    session
}

impl Session {
    fn hear(&self, event: Event) {
        match event {
            Event::Locked => to_gate(),
            Event::Sync { chip } => self.chip.set(chip),
            Event::FirstPull { .. } => {}
            Event::Asks { .. } => self.asks_changed.update(|n| *n = n.wrapping_add(1)),
            Event::Patient { id } => self.patient_changed.update(|(n, last)| {
                *n = n.wrapping_add(1);
                *last = id;
            }),
            Event::Call { call } => self.call.set(call),
            Event::CallItem { item } => self.call_item.update(|last| {
                let n = last.as_ref().map_or(0, |(n, _)| n.wrapping_add(1));
                *last = Some((n, item));
            }),
            Event::Update => self.update_changed.update(|n| *n = n.wrapping_add(1)),
            Event::DiskFull => self.disk_full.set(true),
            Event::DiskRoom => self.disk_full.set(false),
        }
    }
}

/// Locks the screen: the page that holds the record is left, so nothing of it stays in the window.
pub fn lock_screen() {
    spawn_local(async {
        if ipc::call(LockScreen {}).await.is_ok() {
            to_gate();
        }
    });
}

/// To the gate, which remembers by its address alone (opaque ids) where to come back to.
fn to_gate() {
    let hash = dom::window().location().hash().unwrap_or_default();
    dom::replace_page(&format!("{GATE}{hash}"));
}

/// Changes the language here at once, and tells the shell for next time.
pub fn change_language(lang: Lang) {
    prefs::set_lang(lang);
    spawn_local(async move {
        let lang = match lang {
            Lang::En => rabta_ipc::gate::Lang::En,
            Lang::Ur => rabta_ipc::gate::Lang::Ur,
        };
        let _ = ipc::call(SetLanguage { lang }).await;
    });
}

/// Tells the shell, now and then, that somebody is at the keyboard; else it locks the screen.
fn watch_hands() {
    let last = StoredValue::new(0.0_f64);
    let alive = move || {
        let now = dom::now_ms();
        if now - last.get_value() > ALIVE_EVERY_MS {
            last.set_value(now);
            spawn_local(async {
                let _ = ipc::call(Alive {}).await;
            });
        }
    };
    // The listeners live as long as the page.
    let _ = window_event_listener(ev::keydown, move |_| alive());
    let _ = window_event_listener(ev::pointerdown, move |_| alive());
}
