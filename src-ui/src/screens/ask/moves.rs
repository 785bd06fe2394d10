use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::Private;
use rabta_domain::ask::State;
use rabta_ipc::Error;
use rabta_ipc::ask::MoveAsk;

use super::open::Open;
use super::to_whom::PassTo;
use crate::errors::MaybeError;
use crate::icon::{self, Icon};
use crate::parts::{Area, Button, Dialog, Kind};
use crate::prefs::say;
use crate::session::session;
use crate::{Text, W, ipc};

/// A move as a button.
struct Step {
    t: &'static str,
    word: W,
    icon: Icon,
    kind: Kind,
    /// Asked before it is made.
    asks: bool,
}

/// `None`: it is made by something else than a button (opening, answering, writing).
fn step(to: State, specialist: bool) -> Option<Step> {
    let step = |t, word, icon| Step { t, word, icon, kind: Kind::Usual, asks: false };
    let asking = |t, word, icon| Step { t, word, icon, kind: Kind::Usual, asks: true };
    Some(match to {
        State::Accepted if specialist => {
            Step { kind: Kind::Main, ..step("move-accepted", W::MoveAccepted, icon::CHECK) }
        }
        State::AskedBack => asking("move-asked-back", W::MoveAskedBack, icon::QUESTION),
        State::Declined => asking("move-declined", W::MoveDeclined, icon::CLOSE),
        State::PassedOn => asking("move-passed-on", W::MovePassedOn, icon::PASS_ON),
        State::Cancelled => asking("move-cancelled", W::MoveCancelled, icon::CLOSE),
        State::PatientLeft => asking("move-patient-left", W::MovePatientLeft, icon::USER),
        State::Requested => step("move-requested", W::MoveRequested, icon::REFRESH),
        State::Explained => Step { kind: Kind::Main, ..step("explained", W::MoveExplained, icon::USERS) },
        State::Done => step("done", W::MoveDone, icon::CIRCLE_CHECK),
        _ => return None,
    })
}

/// Must say why.
fn needs_reason(to: State) -> bool {
    matches!(to, State::Declined | State::Cancelled | State::AskedBack)
}

/// What this person may do next, by the table that both sides keep.
#[component]
pub fn Moves(open: Open) -> impl IntoView {
    let session = session();
    let moves = open.part(|view| view.moves.clone());
    let asking = RwSignal::new(None::<State>);
    let shown = RwSignal::new(false);
    let reason = RwSignal::new(String::new());
    let chosen = RwSignal::new(None::<String>);
    let error = RwSignal::new(None::<Error>);
    let busy = RwSignal::new(false);
    let make = move |to: State| {
        busy.set(true);
        let reason = Private(reason.get_untracked().trim().to_owned());
        spawn_local(async move {
            let answer =
                ipc::call(MoveAsk { id: open.id(), to, reason, to_person: chosen.get_untracked() }).await;
            busy.try_set(false);
            match answer {
                Ok(view) => {
                    error.try_set(None);
                    shown.try_set(false);
                    open.take(Ok(view));
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let press = move |to: State, asks: bool| {
        reason.set(String::new());
        chosen.set(None);
        error.set(None);
        if asks {
            asking.set(Some(to));
            shown.set(true);
        } else {
            make(to);
        }
    };
    let buttons = move || {
        let specialist = session.is_specialist();
        moves
            .get()
            .unwrap_or_default()
            .into_iter()
            .filter_map(|to| {
                let Step { t, word, icon, kind, asks } = step(to, specialist)?;
                Some(view! { <Button label=word t kind icon busy on_press=move || press(to, asks) /> })
            })
            .collect_view()
    };
    let title = Text::live(move || {
        let specialist = session.is_specialist();
        asking
            .get()
            .and_then(|to| step(to, specialist))
            .map(|step| say(step.word).to_owned())
            .unwrap_or_default()
    });
    let hint = move || {
        let word = match asking.get() {
            Some(State::PatientLeft) => W::MovePatientLeftBody,
            Some(to) if needs_reason(to) => W::MoveReasonNeeded,
            _ => return String::new(),
        };
        say(word).to_owned()
    };
    let label = Text::live(move || {
        say(if asking.get() == Some(State::AskedBack) { W::MoveReasonAsk } else { W::MoveReason }).to_owned()
    });
    let empty = Signal::derive(move || {
        asking.get().is_some_and(needs_reason) && reason.with(|r| r.trim().is_empty())
    });
    view! {
        {buttons}
        {move || (!shown.get()).then(|| view! { <MaybeError error /> })}
        <Dialog
            title=title
            open=shown
            t="move-dialog"
            foot=move || {
                view! {
                    <Button label=W::Back t="move-back" on_press=move || shown.set(false) />
                    <Button
                        label=W::MoveGo
                        t="move-yes"
                        kind=Kind::Main
                        busy
                        off=empty
                        on_press=move || {
                            if let Some(to) = asking.get_untracked() {
                                make(to);
                            }
                        }
                    />
                }
            }
        >
            <div class="stack">
                <p>{hint}</p>
                {move || (asking.get() == Some(State::PassedOn)).then(|| view! { <PassTo open chosen /> })}
                <Area label=label.clone() t="move-reason" value=reason />
                <MaybeError error />
            </div>
        </Dialog>
    }
    .into_any()
}
