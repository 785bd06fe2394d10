use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::Command;
use rabta_ipc::update::{
    ApplyUpdate, CheckUpdate, FetchUpdate, GetUpdate, PauseUpdate, UpdateState, UpdateView, UpdateWay,
};

use crate::errors::{self, MaybeError};
use crate::parts::{Banner, Button, Card, Kind, Progress, Tone};
use crate::prefs::{self, t};
use crate::session::session;
use crate::{Text, W, icon, ipc};

/// Whole megabytes, at least one.
fn megabytes(bytes: u64) -> String {
    bytes.div_ceil(1_000_000).max(1).to_string()
}

/// The version that runs, and what the person may do about a newer one. Nothing happens unasked.
#[component]
pub fn UpdateCard() -> impl IntoView {
    let session = session();
    let update = RwSignal::new(None::<UpdateView>);
    let error = RwSignal::new(None);
    let busy = RwSignal::new(false);
    // Asked, and there was nothing newer.
    let newest = RwSignal::new(false);
    Effect::new(move |_| {
        session.update_changed.track();
        // What is new comes in the language of the screen.
        let _ = prefs::lang();
        spawn_local(async move {
            if let Ok(view) = ipc::call(GetUpdate {}).await {
                update.try_set(Some(view));
            }
        });
    });
    let act = Act { update, error, busy };
    let look = move || {
        newest.set(false);
        act.run(CheckUpdate {}, move |view| newest.set(view.state == UpdateState::Nothing));
    };
    view! {
        <Card title=W::UpdTitle>
            <div class="stack" data-t="update">
                <MaybeError error />
                {move || update.get().map(|view| body(view, act, look, newest.get()))}
            </div>
        </Card>
    }
}

/// One command at a time; its answer is what the card shows.
#[derive(Clone, Copy)]
struct Act {
    update: RwSignal<Option<UpdateView>>,
    error: RwSignal<Option<rabta_ipc::Error>>,
    busy: RwSignal<bool>,
}

impl Act {
    fn run<C: Command<Reply = UpdateView> + 'static>(
        self,
        command: C,
        then: impl FnOnce(&UpdateView) + 'static,
    ) {
        self.busy.set(true);
        spawn_local(async move {
            let answer = ipc::call(command).await;
            self.busy.try_set(false);
            match answer {
                Ok(view) => {
                    then(&view);
                    self.error.try_set(None);
                    self.update.try_set(Some(view));
                }
                Err(problem) => {
                    self.error.try_set(Some(problem));
                }
            }
        });
    }
}

fn body(view: UpdateView, act: Act, look: impl Fn() + Copy + Send + Sync + 'static, newest: bool) -> AnyView {
    if view.way == UpdateWay::Off {
        return view! { <p class="quiet">{t(W::UpdOff)}</p> }.into_any();
    }
    let version = view.version.clone();
    let of = (view.done, view.of);
    let amount = Text::with(W::UpdDone, vec![(view.done / 1_000_000).to_string(), megabytes(view.of)]);
    let bar = move || view! { <Progress label=amount of=Signal::stored(of) /> };
    let pause = view! { <Button label=W::UpdPause t="update-pause" busy=act.busy on_press=move || act.run(PauseUpdate {}, |_| ()) /> };
    let notes = (!view.notes.is_empty())
        .then(|| view! { <p><bdi data-t="update-notes">{view.notes.clone()}</bdi></p> });
    match view.state {
        UpdateState::Nothing => {
            let words = if newest { W::UpdNewest.into() } else { Text::with(W::UpdNothing, vec![view.current]) };
            view! {
                <div class="row apart">
                    <p class="grow" data-t="update-words">{words.view()}</p>
                    <Button label=W::UpdLook t="update-look" icon=icon::REFRESH busy=act.busy on_press=look />
                </div>
            }
            .into_any()
        }
        UpdateState::Offered => {
            let problem = (!view.problem.is_empty()).then(|| {
                let (title, body) = errors::words(&view.problem);
                view! { <Banner title=title body=body tone=Tone::Look code=view.problem.clone() t="error" /> }
            });
            let (begun, label) = if view.done > 0 { (true, W::UpdGoOn) } else { (false, W::UpdFetch) };
            view! {
                {problem}
                <p class="strong" data-t="update-words">{Text::with(W::UpdOffer, vec![version, megabytes(view.of)]).view()}</p>
                {notes}
                {begun.then(bar)}
                <div class="row apart">
                    <p class="quiet grow">{t(W::UpdHint)}</p>
                    <Button label t="update-fetch" kind=Kind::Main busy=act.busy on_press=move || act.run(FetchUpdate {}, |_| ()) />
                </div>
            }
            .into_any()
        }
        UpdateState::Fetching => {
            let waits = (!view.problem.is_empty()).then(|| view! { <p class="quiet">{t(W::UpdRetry)}</p> });
            view! { {notes} {bar()} {waits} <div class="row">{pause}</div> }.into_any()
        }
        UpdateState::Waits => {
            view! { {notes} {bar()} <p class="quiet">{t(W::UpdWaits)}</p> <div class="row">{pause}</div> }.into_any()
        }
        UpdateState::Ready => {
            let how = if view.way == UpdateWay::Own {
                view! { <div class="row"><Button label=W::UpdApply t="update-apply" kind=Kind::Main busy=act.busy on_press=move || act.run(ApplyUpdate {}, |_| ()) /></div> }
                    .into_any()
            } else {
                view! { <p>{t(W::UpdAsk)}</p> <p><span class="ltr" data-t="update-file">{view.file}</span></p> }.into_any()
            };
            view! {
                <p class="strong" data-t="update-words">{Text::with(W::UpdReady, vec![version]).view()}</p>
                {notes}
                {how}
            }
            .into_any()
        }
        UpdateState::Applied => {
            view! { <p class="strong" data-t="update-words">{Text::with(W::UpdApplied, vec![version]).view()}</p> }.into_any()
        }
    }
}
