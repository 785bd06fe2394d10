use std::sync::Arc;

use leptos::prelude::*;
use rabta_ipc::patient::Places;

use super::form::{Form, PHONES, PhoneFields};
use crate::parts::{Button, Check, Combobox, Field, Found, Kind, Pick};
use crate::prefs::{lang, say};
use crate::words::Lang;
use crate::{Text, W, icon, ipc};

const OWNERS: [(&str, W); 9] = [
    ("self", W::PhoneSelf),
    ("husband", W::PhoneHusband),
    ("wife", W::PhoneWife),
    ("father", W::PhoneFather),
    ("mother", W::PhoneMother),
    ("son", W::PhoneSon),
    ("brother", W::PhoneBrother),
    ("neighbor", W::PhoneNeighbor),
    ("other", W::PhoneOther),
];

/// The names of each phone's fields: number, owner, call, text, voice, hours.
const NAMES: [[&str; 6]; PHONES] = [
    ["phone", "phone-owner", "phone-call", "phone-text", "phone-voice", "phone-hours"],
    ["phone-2", "phone-2-owner", "phone-2-call", "phone-2-text", "phone-2-voice", "phone-2-hours"],
    ["phone-3", "phone-3-owner", "phone-3-call", "phone-3-text", "phone-3-voice", "phone-3-hours"],
];

/// Whose phone, in words.
pub fn phone_owner(code: &str) -> W {
    OWNERS.iter().find(|owner| owner.0 == code).map_or(W::PhoneOther, |owner| owner.1)
}

/// Where the patient lives and how to reach them safely.
#[component]
pub fn Contact() -> impl IntoView {
    let form = expect_context::<Form>();
    let search = Arc::new(|q: String| {
        let urdu = lang() == Lang::Ur;
        let answer = async move {
            let rows = ipc::call(Places { q }).await.unwrap_or_default();
            rows.into_iter()
                .map(|row| {
                    let (text, note) = if urdu && !row.name_ur.is_empty() {
                        (row.name_ur, row.within_ur)
                    } else {
                        (row.name, row.within)
                    };
                    Found { id: row.id, text, note }
                })
                .collect::<Vec<_>>()
        };
        Box::pin(answer) as std::pin::Pin<Box<dyn Future<Output = Vec<Found>>>>
    });
    let village_hint = Text::live(move || {
        let free =
            form.village_id.get().is_none() && form.village.with(|text| text.trim().chars().count() > 2);
        say(if free { W::VillageFree } else { W::VillageHint }).to_owned()
    });
    view! {
        <div class="stack" style="--gap:18px">
            <div class="grid-2">
                <Combobox
                    label=W::Village
                    t="village"
                    text=form.village
                    search
                    hint=village_hint
                    error=form.error("village")
                    on_input=move || form.village_id.set(None)
                    on_take=move |found: Found| form.village_id.set(Some(found.id))
                />
                <Field label=W::Landmark t="landmark" value=form.landmark hint=W::LandmarkHint optional_word=true />
            </div>
            {form
                .phones
                .into_iter()
                .zip(NAMES)
                .enumerate()
                .map(|(i, (fields, names))| {
                    view! {
                        <Show when=move || { form.phones_shown.get() > i }>
                            <PhoneQuestion fields names />
                        </Show>
                    }
                })
                .collect_view()}
            <Show when=move || { form.phones_shown.get() < PHONES }>
                <div>
                    <Button
                        label=W::AddPhone
                        t="add-phone"
                        kind=Kind::Plain
                        icon=icon::PLUS
                        on_press=move || form.phones_shown.update(|n| *n += 1)
                    />
                </div>
            </Show>
        </div>
    }
}

#[component]
fn PhoneQuestion(fields: PhoneFields, names: [&'static str; 6]) -> impl IntoView {
    let form = expect_context::<Form>();
    let odd = Signal::derive(move || {
        let digits: String = fields.number.with(|n| n.chars().filter(char::is_ascii_digit).collect());
        (digits.starts_with("03") && digits.len() != 11).then(|| say(W::PhoneOdd).to_owned())
    });
    let has = move || fields.number.with(|n| !n.trim().is_empty());
    // Said only after the field was left: nobody is wrong while typing.
    let left = RwSignal::new(false);
    let warning = Signal::derive(move || odd.get().filter(|_| left.get()));
    view! {
        <div class="stack" style="--gap:8px">
            <div class="grid-2">
                <Field
                    label=W::Phone
                    t=names[0]
                    value=fields.number
                    ltr=true
                    input_mode="tel"
                    hint=W::PhoneHint
                    warning
                    error=form.error(names[0])
                    max=30
                    on_input=move || left.set(false)
                    on_leave=move || left.set(true)
                />
                <Pick
                    label=W::PhoneOwner
                    t=names[1]
                    value=fields.owner
                    options=OWNERS.into_iter().map(|(code, word)| (code, Text::from(word))).collect()
                />
            </div>
            <Show when=has>
                <div class="row" style="--gap:4px 20px">
                    <Check label=W::SafeCall t=names[2] value=fields.call />
                    <Check label=W::SafeText t=names[3] value=fields.text />
                    <Check label=W::VoiceOnly t=names[4] value=fields.voice />
                </div>
                <div style="max-inline-size:280px">
                    <Field label=W::PhoneHours t=names[5] value=fields.hours optional_word=true max=60 />
                </div>
            </Show>
        </div>
    }
}
