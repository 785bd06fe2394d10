//! The gate: language, joining a facility, unlocking; and the pages that say why a vault cannot be opened.
//!
//! Which page shows is [`Step`], and follows from the shell's phase. Secrets live in signals of the page that asks
//! for them and go with it.

mod broken;
mod code;
mod join;
mod new_secrets;
mod pull;
mod recovery;
mod shape;
mod unlock;

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::Error;
use rabta_ipc::gate::{GetStatus, Invitation, PersonRef, Phase, Progress, Status};

use crate::errors::ErrorBanner;
use crate::words::Lang;
use crate::{W, dom, ipc, lean, prefs};

/// The app's page, and where it starts.
const APP: &str = "app.html";
const START: &str = "#/today";

/// Of `rabta_ipc::Event`, what concerns the gate.
#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Heard {
    Locked,
    FirstPull { progress: Progress },
}

/// What the gate asks now.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Loading,
    Language,
    Code,
    Confirm,
    Passphrase,
    Pin,
    RecoveryShow,
    RecoveryAsk,
    Pull,
    Unlock,
    ScreenLock(PersonRef),
    UseRecovery(PersonRef),
    Broken {
        code: String,
        folder: String,
    },
    /// The shell did not answer.
    Failed(Error),
}

impl Step {
    /// The page's name, as on `<html data-screen>`.
    fn screen(&self) -> &'static str {
        match self {
            Step::Loading => "starting",
            Step::Language => "gate-language",
            Step::Code => "gate-code",
            Step::Confirm => "gate-confirm",
            Step::Passphrase => "gate-passphrase",
            Step::Pin => "gate-pin",
            Step::RecoveryShow => "gate-recovery",
            Step::RecoveryAsk => "gate-recovery-ask",
            Step::Pull => "gate-pull",
            Step::Unlock => "unlock",
            Step::ScreenLock(_) => "screen-lock",
            Step::UseRecovery(_) => "use-recovery",
            Step::Broken { .. } => "broken",
            Step::Failed(_) => "failed",
        }
    }
}

/// What the gate's pages share.
#[derive(Clone, Copy)]
pub struct GateState {
    pub step: RwSignal<Step>,
    pub status: RwSignal<Option<Status>>,
    pub code: RwSignal<String>,
    pub invitation: RwSignal<Option<Invitation>>,
    pub passphrase: RwSignal<String>,
    pub recovery: RwSignal<String>,
    pub progress: RwSignal<Progress>,
}

impl GateState {
    /// Asks the shell where things stand, and goes there.
    pub fn refresh(self) {
        spawn_local(async move {
            match ipc::call(GetStatus {}).await {
                Ok(status) => self.take(status),
                Err(error) => self.step.set(Step::Failed(error)),
            }
        });
    }

    fn take(self, status: Status) {
        let lang = status.lang.map(|lang| match lang {
            rabta_ipc::gate::Lang::En => Lang::En,
            rabta_ipc::gate::Lang::Ur => Lang::Ur,
        });
        if let Some(lang) = lang {
            prefs::set_lang(lang);
        }
        if !status.theme.is_empty() {
            prefs::set_theme(prefs::Theme::from_code(&status.theme));
        }
        let next = match status.phase.clone() {
            Phase::New if lang.is_none() => Step::Language,
            Phase::New => Step::Code,
            Phase::Locked { .. } => Step::Unlock,
            Phase::ScreenLocked { person } => Step::ScreenLock(person),
            Phase::Recovery { .. } if self.recovery.with_untracked(String::is_empty) => Step::RecoveryAsk,
            Phase::Recovery { .. } => Step::RecoveryShow,
            Phase::Open { .. } => return enter(true),
            Phase::Broken { code, folder } => Step::Broken { code, folder },
            Phase::LeaseEnded { .. } => Step::Failed(Error::new("lease-ended")),
            Phase::Revoked { .. } => Step::Failed(Error::new("device-revoked")),
        };
        self.status.set(Some(status));
        self.step.set(next);
    }
}

/// To the app: where the screen was locked, or to Today.
pub fn enter(same_place: bool) {
    let hash = dom::window().location().hash().ok().filter(|hash| same_place && hash.len() > 2);
    dom::replace_page(&format!("{APP}{}", hash.as_deref().unwrap_or(START)));
}

/// The gate's state, in any of its pages.
pub fn gate() -> GateState {
    expect_context::<GateState>()
}

/// The gate's page.
#[component]
pub fn Gate() -> impl IntoView {
    let state = GateState {
        step: RwSignal::new(Step::Loading),
        status: RwSignal::new(None),
        code: RwSignal::new(String::new()),
        invitation: RwSignal::new(None),
        passphrase: RwSignal::new(String::new()),
        recovery: RwSignal::new(String::new()),
        progress: RwSignal::new(Progress::default()),
    };
    provide_context(state);
    state.refresh();
    spawn_local(async move {
        let _ = ipc::listen_json(move |json| {
            match lean::read(json) {
                Ok(Heard::FirstPull { progress }) => state.progress.set(progress),
                Ok(Heard::Locked) => state.refresh(),
                // Another event.
                Err(_) => {}
            }
        })
        .await;
    });
    Effect::new(move |_| state.step.with(|step| dom::set_screen(step.screen())));
    view! { <shape::Shape>{move || page(state.step.get())}</shape::Shape> }
}

fn page(step: Step) -> AnyView {
    match step {
        Step::Loading => ().into_any(),
        Step::Language => view! { <join::LanguagePage /> }.into_any(),
        Step::Code => view! { <join::CodePage /> }.into_any(),
        Step::Confirm => view! { <join::ConfirmPage /> }.into_any(),
        Step::Passphrase => view! { <join::PassphrasePage /> }.into_any(),
        Step::Pin => view! { <join::PinPage /> }.into_any(),
        Step::RecoveryShow => view! { <recovery::ShowPage /> }.into_any(),
        Step::RecoveryAsk => view! { <recovery::AskPage /> }.into_any(),
        Step::Pull => view! { <pull::PullPage /> }.into_any(),
        Step::Unlock => view! { <unlock::UnlockPage /> }.into_any(),
        Step::ScreenLock(person) => view! { <unlock::ScreenLockPage person /> }.into_any(),
        Step::UseRecovery(person) => view! { <recovery::UsePage person /> }.into_any(),
        Step::Broken { code, folder } => view! { <broken::BrokenPage code folder /> }.into_any(),
        Step::Failed(error) => view! {
            <div class="stack">
                <ErrorBanner error />
                <crate::parts::Button label=W::TryAgain t="try-again" on_press=move || gate().refresh() />
            </div>
        }
        .into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_hears_what_the_shell_says() {
        let json = |event: &rabta_ipc::Event| serde_json::to_string(event).expect("written");
        let pull = rabta_ipc::Event::FirstPull { progress: Progress { done: 340, of: 1000 } };
        let progress = Progress { done: 340, of: 1000 };
        assert_eq!(lean::read(&json(&pull)), Ok(Heard::FirstPull { progress }));
        assert_eq!(lean::read(&json(&rabta_ipc::Event::Locked)), Ok(Heard::Locked));
        assert!(lean::read::<Heard>(&json(&rabta_ipc::Event::DiskFull)).is_err());
    }
}
