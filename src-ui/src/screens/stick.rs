//! Records that go by a stick, and what came with it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::sync::{GetSticks, StickDone, UseStick};

use crate::errors::MaybeError;
use crate::parts::{Banner, Button, Card, Field, Kind, Tone};
use crate::prefs::{say, t};
use crate::{Text, W, icon, ipc};

/// One press for all that a stick is for; `on_done` where the counts changed.
#[component]
pub fn StickCard(on_done: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let place = RwSignal::new(String::new());
    let seen = RwSignal::new(None::<Vec<String>>);
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None);
    let done = RwSignal::new(None::<StickDone>);
    spawn_local(async move {
        let Ok(sticks) = ipc::call(GetSticks {}).await else { return };
        if let (true, Some(first)) =
            (place.try_with_untracked(String::is_empty) == Some(true), sticks.first())
        {
            place.try_set(first.clone());
        }
        seen.try_set(Some(sticks));
    });
    let press = move || {
        busy.set(true);
        error.set(None);
        done.set(None);
        spawn_local(async move {
            let answer = ipc::call(UseStick { place: place.get_untracked() }).await;
            busy.try_set(false);
            match answer {
                Ok(what) => {
                    done.try_set(Some(what));
                    on_done();
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let hint = Text::live(move || {
        let none = seen.with(|seen| seen.as_ref().is_some_and(Vec::is_empty));
        if none { say(W::BackupPlaceHint).to_owned() } else { String::new() }
    });
    view! {
        <Card title=W::StickTitle t="stick">
            <div class="stack">
                <p class="quiet">{t(W::StickBody)}</p>
                <MaybeError error />
                {move || done.get().map(told)}
                <Field label=W::BackupPlace t="stick-place" value=place hint ltr=true icon=icon::FOLDER />
                <div class="row">
                    <Button label=W::StickUse t="use-stick" kind=Kind::Main icon=icon::REFRESH busy on_press=press />
                </div>
            </div>
        </Card>
    }
    .into_any()
}

fn told(done: StickDone) -> AnyView {
    let mut lines: Vec<(Text, Tone)> = Vec::new();
    let mut line = |text: Text, tone| lines.push((text, tone));
    let number = |n: u32| n.to_string();
    if let Some(taken) = done.taken {
        line(Text::with(W::StickTaken, vec![number(taken.sent), number(taken.changes)]), Tone::Info);
        if taken.refused > 0 {
            line(Text::with(W::StickRefused, vec![number(taken.refused)]), Tone::Stop);
        }
    }
    if done.carried > 0 {
        line(Text::with(W::StickCarried, vec![number(done.carried)]), Tone::Info);
    }
    if done.waiting > 0 {
        line(Text::with(W::StickWaiting, vec![number(done.waiting)]), Tone::Look);
    }
    if let Some(written) = done.written {
        line(Text::with(W::StickWritten, vec![number(written.records), number(written.visits)]), Tone::Look);
        if written.more {
            line(W::StickMore.into(), Tone::Look);
        }
    }
    for code in &done.problems {
        let words = match code.as_str() {
            "stick-damaged" => W::StickDamaged,
            "stick-gap" => W::StickGap,
            "stick-unknown" => W::StickUnknown,
            "device-revoked" => W::StickRevoked,
            _ => W::StickOther,
        };
        line(words.into(), Tone::Stop);
    }
    if lines.is_empty() {
        lines.push((W::StickNothing.into(), Tone::Info));
    }
    let banner = |(title, tone)| view! { <Banner title=title tone t="stick-said" /> }.into_any();
    lines.into_iter().map(banner).collect_view().into_any()
}
