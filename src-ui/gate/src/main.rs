//! The gate: language, joining a facility, unlocking, taking over from each other; and the pages that say why the record
//! is not shown.
//!
//! Which page shows is [`Step`], and follows from the shell's phase and from the address: `index.html#switch`,
//! `#add-person`, `#new-passphrase`, `#new-pin` and `#more-days` are pages for an open vault, and what comes after (`#switch#/today`) is where to go back to.
//! Pages are plain functions that build their elements ([`el`]) and keep those that they change; another page is built
//! anew. Secrets stay in the fields of the page that asks for them and go with it; only what one page hands on to the
//! next is in [`Gate`].

mod ask;
mod broken;
mod change;
mod code;
mod el;
mod field;
mod help;
mod join;
mod new_secrets;
mod parts;
mod pull;
mod recovery;
mod restore;
mod say;
mod shape;
mod shut;
mod steps;
mod switch;
mod training;
mod unlock;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rabta_ipc::gate::{Alive, GetStatus, Invitation, Phase, Progress, Status};
use wasm_bindgen_futures::spawn_local;

use self::el::El;
use self::steps::{Heard, Step, next, place};
use rabta_ui_base::words::Lang;
use rabta_ui_base::{W, dom, errors, icon, ipc, lean, roles, theme, words};

/// The app's page, and where it starts.
const APP: &str = "app.html";
const START: &str = "#/today";
/// The app's page that somebody who joins an open vault comes from.
const ME: &str = "#/me";
/// At most one "somebody is here" to the shell in this time, while the vault is open.
const ALIVE_EVERY_MS: f64 = 20_000.0;

/// What the gate's pages share.
struct Gate {
    step: RefCell<Step>,
    status: RefCell<Option<Status>>,
    code: RefCell<String>,
    invitation: RefCell<Option<Invitation>>,
    passphrase: RefCell<String>,
    recovery: RefCell<String>,
    progress: Cell<Progress>,
    /// Somebody joins an open vault, rather than this laptop its facility.
    adding: Cell<bool>,
    /// Counts the pages: what comes for one that was left is dropped.
    page: Cell<u32>,
    hears_progress: RefCell<Option<Rc<dyn Fn()>>>,
}

thread_local! {
    static GATE: &'static Gate = Box::leak(Box::new(Gate {
        step: RefCell::new(Step::Loading),
        status: RefCell::default(),
        code: RefCell::default(),
        invitation: RefCell::default(),
        passphrase: RefCell::default(),
        recovery: RefCell::default(),
        progress: Cell::default(),
        adding: Cell::new(false),
        page: Cell::new(0),
        hears_progress: RefCell::default(),
    }));
}

fn gate() -> &'static Gate {
    GATE.with(|gate| *gate)
}

/// Draws the first page, asks the shell where things stand, and listens to it.
fn main() {
    say::start();
    draw();
    gate().refresh();
    spawn_local(async {
        let _ = ipc::listen_json(|json| match lean::read(json) {
            Ok(Heard::FirstPull { progress }) => {
                gate().progress.set(progress);
                let hears = gate().hears_progress.borrow().clone();
                if let Some(hears) = hears {
                    hears();
                }
            }
            Ok(Heard::Locked) => gate().refresh(),
            // Another event.
            Err(_) => {}
        })
        .await;
    });
    watch_hands();
    help::watch_keys();
}

impl Gate {
    /// Asks the shell where things stand, and goes there.
    fn refresh(&'static self) {
        spawn_local(async {
            match ipc::call(GetStatus {}).await {
                Ok(status) => self.take(status),
                Err(error) => self.go(Step::Failed(error)),
            }
        });
    }

    /// Goes where the shell says.
    fn take(&self, status: Status) {
        let lang = status.lang.map(|lang| match lang {
            rabta_ipc::gate::Lang::En => Lang::En,
            rabta_ipc::gate::Lang::Ur => Lang::Ur,
        });
        if let Some(lang) = lang {
            say::set_lang(lang);
        }
        if !status.theme.is_empty() {
            say::set_theme(theme::Theme::from_code(&status.theme));
        }
        let hash = dom::window().location().hash().unwrap_or_default();
        let shown = !self.recovery.borrow().is_empty();
        let Some(step) = next(&status.phase, lang.is_some(), shown, &hash) else { return enter(true) };
        if matches!(status.phase, Phase::Locked { .. } | Phase::ScreenLocked { .. }) {
            self.forget();
        }
        self.adding.set(matches!(status.phase, Phase::Open { .. }) && step == Step::Code);
        let same = *self.step.borrow() == step && self.status.borrow().as_ref() == Some(&status);
        *self.status.borrow_mut() = Some(status);
        // Asked twice for one reason: what is being typed stays.
        if !same {
            self.go(step);
        }
    }

    /// Shows that page.
    fn go(&self, step: Step) {
        *self.step.borrow_mut() = step;
        draw();
    }

    /// To the locked screen, as the shell last told of it.
    fn go_to_lock(&self) {
        let locked = self.of_status(|status| match &status.phase {
            Phase::ScreenLocked { person } => Some(person.clone()),
            _ => None,
        });
        if let Some(person) = locked.flatten() {
            self.go(Step::ScreenLock(person));
        }
    }

    /// What was typed or shown so far is nobody's any more.
    fn forget(&self) {
        self.passphrase.take();
        self.code.take();
        self.recovery.take();
        self.invitation.take();
    }

    /// For something of the status; nothing where there is none yet.
    fn of_status<T>(&self, pick: impl FnOnce(&Status) -> T) -> Option<T> {
        self.status.borrow().as_ref().map(pick)
    }

    fn is_training(&self) -> bool {
        self.of_status(|status| status.training).unwrap_or(false)
    }

    /// The page that shows now; see [`Here::left`].
    fn here(&self) -> Here {
        Here(self.page.get())
    }
}

/// A page of the gate, for what was asked there and answered later.
#[derive(Clone, Copy)]
struct Here(u32);

impl Here {
    /// Whether another page shows by now.
    fn left(self) -> bool {
        self.0 != gate().page.get()
    }
}

/// To the app: where one was, or to Today.
fn enter(same_place: bool) {
    let hash = dom::window().location().hash().unwrap_or_default();
    to_app(place(&hash).filter(|_| same_place).unwrap_or(START));
}

/// Back to the app, where one came from; else to `otherwise`.
fn leave(otherwise: &str) {
    let hash = dom::window().location().hash().unwrap_or_default();
    gate().forget();
    to_app(place(&hash).unwrap_or(otherwise));
}

fn to_app(place: &str) {
    dom::replace_page(&[APP, place].concat());
}

fn draw() {
    let gate = gate();
    let step = gate.step.borrow().clone();
    gate.page.set(gate.page.get().wrapping_add(1));
    gate.hears_progress.take();
    say::forget();
    dom::set_screen(step.screen());
    el::show(&shape::shape(&step, &page(&step)));
}

fn page(step: &Step) -> El {
    match step {
        Step::Loading => el::el("div"),
        Step::Language => join::language(),
        Step::Code => join::code(),
        Step::Confirm => join::confirm(),
        Step::Passphrase => new_secrets::passphrase(),
        Step::Pin => new_secrets::pin(),
        Step::RecoveryShow => recovery::show(),
        Step::RecoveryAsk => recovery::ask_back(),
        Step::Pull => pull::page(),
        Step::Restore => restore::find(),
        Step::RestoreWith(backup) => restore::with(backup),
        Step::Unlock => unlock::vault(),
        Step::ScreenLock(person) => unlock::screen(person),
        Step::UseRecovery(person) => recovery::reopen(person),
        Step::Switch => switch::page(),
        Step::NewPassphrase => change::page(false),
        Step::NewPin => change::page(true),
        Step::MoreDays => shut::more_days(),
        Step::LeaseEnded { device, challenge, another } => shut::lease_ended(device, challenge, *another),
        Step::Revoked { device, unsent, visits } => shut::revoked(device, *unsent, *visits),
        Step::Broken { code, folder } => broken::page(code, folder),
        Step::Failed(error) => broken::failed(error),
    }
}

/// Tells the shell, now and then, that somebody is at the keyboard of an open vault; else it locks the screen.
fn watch_hands() {
    let last = Rc::new(Cell::new(0.0_f64));
    for event in ["keydown", "pointerdown"] {
        let last = last.clone();
        el::listen(
            &dom::window(),
            event,
            Box::new(move |_| {
                let open = gate().of_status(|status| matches!(status.phase, Phase::Open { .. }));
                let now = dom::now_ms();
                if open == Some(true) && now - last.get() > ALIVE_EVERY_MS {
                    last.set(now);
                    spawn_local(async {
                        let _ = ipc::call(Alive {}).await;
                    });
                }
            }),
        );
    }
}
