//! The vault itself: a backup to a stick, and another key.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::gate::{BackUp, BackupView, ChangeKey, GetBackup};

use crate::errors::MaybeError;
use crate::parts::{Banner, Button, Card, Field, Kind, Progress, Tone, toast};
use crate::prefs::{say, say_with, t};
use crate::{Text, W, dom, format, icon, ipc};

/// How often the running backup is asked how far it is, milliseconds.
const EVERY: i32 = 500;

#[component]
pub fn VaultCard() -> impl IntoView {
    let view = RwSignal::new(None::<BackupView>);
    let place = RwSignal::new(String::new());
    let error = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let done = RwSignal::new(None::<String>);
    let changing = RwSignal::new(false);
    look(view, place);
    let back_up = move || {
        busy.set(true);
        error.set(None);
        done.set(None);
        spawn_local(async move {
            let answer = ipc::call(BackUp { place: place.get_untracked() }).await;
            busy.try_set(false);
            match answer {
                Ok(made) => {
                    done.try_set(Some(made.path));
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
            look(view, place);
        });
        look(view, place);
    };
    let change = move || {
        changing.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = ipc::call(ChangeKey {}).await;
            changing.try_set(false);
            match answer {
                Ok(()) => toast(W::KeyChanged),
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let running = move || view.with(|view| view.as_ref().is_some_and(|view| !view.doing.is_empty()));
    let how_far = Signal::derive(move || {
        view.with(|view| view.as_ref().map_or((0, 0), |view| (view.progress.done, view.progress.of)))
    });
    let label = Text::live(move || {
        let checking = view.with(|view| view.as_ref().is_some_and(|view| view.doing == "checking"));
        say(if checking { W::BackupChecking } else { W::BackupCopying }).to_owned()
    });
    let last = move || match view.with(|view| view.as_ref().and_then(|view| view.last_at)) {
        Some(at) => say_with(W::BackupLast, &[&format::ago(at)]),
        None => say(W::BackupNever).to_owned(),
    };
    let places = move || {
        let places = view.with(|view| view.as_ref().map(|view| view.places.clone()).unwrap_or_default());
        let button = |path: String| {
            let chosen = path.clone();
            view! { <Button label=Text::Fixed(path) t="backup-at" kind=Kind::Plain icon=icon::FOLDER on_press=move || place.set(chosen.clone()) /> }
        };
        places.into_iter().map(button).collect_view()
    };
    let hint = Text::live(move || {
        let none = view.with(|view| view.as_ref().is_some_and(|view| view.places.is_empty()));
        if none { say(W::BackupPlaceHint).to_owned() } else { String::new() }
    });
    view! {
        <Card title=W::BackupTitle t="vault">
            <div class="stack">
                <p class="quiet">{t(W::BackupBody)}</p>
                <p class="small" data-t="backup-last">{last}</p>
                <MaybeError error />
                {move || done.get().map(|path| {
                    view! { <Banner title=Text::with(W::BackupDone, vec![path]) tone=Tone::Info t="backup-done" /> }
                })}
                <Field label=W::BackupPlace t="backup-place" value=place hint ltr=true icon=icon::FOLDER />
                <div class="row">{places}</div>
                <Show when=running>
                    <Progress label=label.clone() of=how_far />
                </Show>
                <div class="row">
                    <Button label=W::BackupNow t="back-up" kind=Kind::Main icon=icon::SHIELD busy on_press=back_up />
                </div>
                <hr />
                <div class="row apart">
                    <p class="quiet grow">{t(W::KeyBody)}</p>
                    <Button label=W::KeyChange t="change-key" icon=icon::KEY busy=changing on_press=change />
                </div>
            </div>
        </Card>
    }
    .into_any()
}

/// Asks how it stands, and again for as long as a backup runs.
fn look(view: RwSignal<Option<BackupView>>, place: RwSignal<String>) {
    spawn_local(async move {
        let Ok(now) = ipc::call(GetBackup {}).await else { return };
        if let (true, Some(first)) =
            (place.try_with_untracked(String::is_empty) == Some(true), now.places.first())
        {
            place.try_set(first.clone());
        }
        let running = !now.doing.is_empty();
        // The page was left.
        if view.try_set(Some(now)).is_some() {
            return;
        }
        if running {
            dom::after(EVERY, move || look(view, place));
        }
    });
}
