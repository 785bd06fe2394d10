use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::Private;
use rabta_domain::ask::State;
use rabta_ipc::ask::{Message, SendMessage, TimelineRow};

use super::open::Open;
use super::words;
use crate::parts::{Area, Button, Card, Moment, Tag, Timeline};
use crate::prefs::{say, t};
use crate::session::session;
use crate::{Text, W, format, icon, ipc};

/// What both sides wrote about the ask, and a box to write in. The clinic's answer to a question back hands the case
/// to the specialist again.
#[component]
pub fn Messages(open: Open) -> impl IntoView {
    let session = session();
    let messages = open.part(|view| view.messages.clone());
    let state = open.part(|view| view.row.state);
    let text = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let send = move |_: ()| {
        let typed = text.get_untracked();
        if typed.trim().is_empty() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let answer =
                ipc::call(SendMessage { ask: open.id(), text: Private(typed.trim().to_owned()) }).await;
            busy.try_set(false);
            if answer.is_ok() {
                text.try_set(String::new());
            }
            open.take(answer);
        });
    };
    let label = Text::live(move || {
        let answers = state.get() == Some(State::AskedBack) && !session.is_specialist();
        say(if answers { W::CaseAnswerLabel } else { W::CaseMessageLabel }).to_owned()
    });
    let closed = move || state.get().is_some_and(State::is_closed);
    view! {
        <Card title=W::CaseMessages t="messages">
            <div class="stack">
                {move || match messages.get().unwrap_or_default() {
                    all if all.is_empty() => view! { <p class="small quiet">{t(W::CaseNoMessages)}</p> }.into_any(),
                    all => view! { <ol class="talk">{all.into_iter().map(line).collect_view()}</ol> }.into_any(),
                }}
                <Show when=move || !closed()>
                    <div class="stack" style="--gap:8px">
                        <Area label=label.clone() t="message" value=text lines=2 />
                        <div class="row end">
                            <Button
                                label=W::CaseSend
                                t="send-message"
                                icon=icon::SEND
                                busy
                                off=Signal::derive(move || text.with(|text| text.trim().is_empty()))
                                on_press=send
                            />
                        </div>
                    </div>
                </Show>
            </div>
        </Card>
    }
    .into_any()
}

fn line(message: Message) -> impl IntoView {
    let (custody, tint) = format::custody(message.custody);
    let mine = message.mine;
    let by = message.by.clone();
    view! {
        <li class:mine=mine data-t="message-line" data-mine=mine.to_string()>
            <p dir="auto" class="said">{message.text.0}</p>
            <p class="small quiet row">
                <bdi>{move || if mine { say(W::CaseYou).to_owned() } else { by.clone() }}</bdi>
                <span>{move || words::moment(message.at)}</span>
                {mine.then(|| view! { <Tag label=custody tint t="message-custody" /> })}
            </p>
        </li>
    }
}

/// What happened to the ask, newest first.
#[component]
pub fn Happened(open: Open) -> impl IntoView {
    let rows = open.part(|view| view.timeline.clone());
    view! {
        <Card title=W::CaseTimeline t="happened">
            {move || {
                let moments: Vec<Moment> = rows.get().unwrap_or_default().into_iter().rev().map(point).collect();
                view! { <Timeline moments /> }
            }}
        </Card>
    }
    .into_any()
}

fn point(row: TimelineRow) -> Moment {
    let (word, tint) = words::happened(&row.what);
    let TimelineRow { what, by, at, reason, .. } = row;
    // A call's reason is how it went; a message stands in its own list.
    let more = (what != "call" && what != "message" && what != "asked" && !reason.is_empty())
        .then(|| Text::from(reason.0));
    Moment {
        when: Text::live(move || {
            if by.is_empty() { words::moment(at) } else { format!("{} \u{00B7} {by}", words::moment(at)) }
        }),
        what: word.into(),
        more,
        tint,
        href: None,
    }
}
