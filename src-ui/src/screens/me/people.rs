//! Who has a way into this laptop's records; the next one joins, one is taken off.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::role::{self, Act};
use rabta_ipc::gate::{GetStatus, Member, RemovePerson};

use super::gate;
use crate::errors::MaybeError;
use crate::parts::{Button, Card, Dialog, Face, Kind, Tag, Tint, toast};
use crate::prefs::t;
use crate::session::session;
use crate::{Text, W, format, icon, ipc};

/// Everybody, who is at work now, and what may be done about them.
#[component]
pub fn People() -> impl IntoView {
    let session = session();
    let admits = Memo::new(move |_| {
        session.me.with(|me| me.as_ref().is_some_and(|me| role::may(&me.role, Act::Admit)))
    });
    let asked = RwSignal::new(None::<Member>);
    let open = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None);
    let remove = move || {
        let Some(member) = asked.get_untracked() else { return };
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = ipc::call(RemovePerson { person: member.person.id }).await;
            // Who is there now, also where somebody else was faster.
            if let Ok(status) = ipc::call(GetStatus {}).await {
                session.status.try_set(Some(status));
            }
            busy.try_set(false);
            open.try_set(false);
            match answer {
                Ok(()) => toast(Text::with(W::PeopleRemoved, vec![member.person.name])),
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let row = move |member: Member| {
        let (name, role, active) = (member.person.name.clone(), member.person.role.clone(), member.active);
        let ask = move || {
            asked.set(Some(member.clone()));
            open.set(true);
        };
        view! {
            <li class="row" style="--gap:12px" data-t="member">
                <Face name=name.clone() />
                <div class="grow">
                    <p class="strong"><bdi>{name.clone()}</bdi></p>
                    <p class="small quiet">{move || format::role(&role)}</p>
                </div>
                {active.then(|| view! { <Tag label=W::PeopleAtWork tint=Tint::Teal icon=icon::CHECK /> })}
                {(!active && admits.get())
                    .then(|| {
                        let label = Text::with(W::PeopleRemove, vec![name]);
                        view! { <Button label t="remove-person" kind=Kind::Plain icon=icon::TRASH on_press=ask /> }
                    })}
            </li>
        }
        .into_any()
    };
    let title = Text::live(move || {
        let name = asked.with(|asked| asked.as_ref().map(|m| m.person.name.clone()).unwrap_or_default());
        crate::prefs::say_with(W::PeopleRemoveTitle, &[&name])
    });
    let foot = move || {
        view! {
            <Button label=W::Cancel t="remove-no" on_press=move || open.set(false) />
            <Button label=W::Remove t="remove-yes" kind=Kind::Danger icon=icon::TRASH busy on_press=remove />
        }
    };
    view! {
        <Card title=W::MePeople t="people">
            <div class="stack">
                <ul class="stack" style="--gap:8px">
                    {move || session.status.get().map(|status| status.people.into_iter().map(row).collect_view())}
                </ul>
                <MaybeError error />
                <div class="row">
                    <Button label=W::MeSwitch t="switch-person" kind=Kind::Main icon=icon::USERS on_press=|| gate("#switch") />
                    <Show when=move || admits.get()>
                        <Button label=W::MeAdd t="add-person" icon=icon::USER_PLUS on_press=|| gate("#add-person") />
                    </Show>
                </div>
            </div>
        </Card>
        <Dialog title open t="remove-dialog" foot>
            <p>{t(W::PeopleRemoveBody)}</p>
        </Dialog>
    }
    .into_any()
}
