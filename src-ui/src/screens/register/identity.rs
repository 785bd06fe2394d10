use std::sync::Arc;

use leptos::prelude::*;
use rabta_domain::Private;
use rabta_domain::patient::Sex;
use rabta_ipc::patient::Find;

use super::age::AgeQuestion;
use super::form::Form;
use crate::parts::{Check, Choice, Combobox, Field, Found, Opt, Pick};
use crate::prefs::say;
use crate::{Text, W, format, ipc};

/// More than a name may have, so that one that is too long is said rather than cut.
const ROOM: u32 = 400;

/// Who: name in both scripts, relation, sex, age; a newborn under the mother's name.
#[component]
pub fn Identity(new: bool) -> impl IntoView {
    let form = expect_context::<Form>();
    let relation_label = Text::live(move || {
        say(match form.relation.get().as_str() {
            "HUSB" => W::HusbandName,
            "MTH" => W::MotherName,
            "GUARD" => W::GuardianName,
            _ => W::FatherName,
        })
        .to_owned()
    });
    view! {
        <div class="stack" style="--gap:18px">
            <div class="name-row">
                <Field label=W::FullName t="name" value=form.name max=ROOM hint=W::FullNameHint error=form.error("name") />
                <Field label=W::NameOther t="name-other" value=form.name_other max=ROOM optional_word=true error=form.error("name-other") />
                <Pick
                    label=W::Prefix
                    t="prefix"
                    value=form.prefix
                    options=[("", Text::from(W::PrefixNone))]
                        .into_iter()
                        .chain(["Mst", "Bibi", "Haji", "Hajjan", "Dr", "Hafiz", "Maulvi", "Sardar"].map(|p| (p, Text::from(p))))
                        .collect()
                />
            </div>
            {new.then(|| view! { <Check label=W::Newborn t="newborn" value=form.newborn hint=W::NewbornHint /> })}
            <Show when=move || form.newborn.get() && new>
                <NewbornFields />
            </Show>
            <div class="name-row back">
                <Pick
                    label=W::RelationKind
                    t="relation"
                    value=form.relation
                    options=vec![
                        ("FTH", W::RelFather.into()),
                        ("HUSB", W::RelHusband.into()),
                        ("MTH", W::RelMother.into()),
                        ("GUARD", W::RelGuardian.into()),
                    ]
                />
                <Field label=relation_label t="relation-name" value=form.relation_name max=ROOM error=form.error("relation-name") />
            </div>
            <Choice
                label=W::Sex
                t="sex"
                value=form.sex
                options=vec![Opt::new("female", W::SexFemale), Opt::new("male", W::SexMale), Opt::new("other", W::SexX)]
                error=form.error("sex")
            />
            <AgeQuestion />
        </div>
    }
}

/// The mother, found among the patients, and the birth order.
#[component]
fn NewbornFields() -> impl IntoView {
    let form = expect_context::<Form>();
    let typed = RwSignal::new(form.mother.get_untracked().map(|mother| mother.1).unwrap_or_default());
    form.age.kind.set("days".to_owned());
    let search = Arc::new(|q: String| {
        let answer = async move {
            let found = ipc::call(Find { q: Private(q), offset: 0, limit: 8 }).await;
            let rows = found.map(|found| found.rows).unwrap_or_default();
            rows.into_iter()
                .filter(|card| card.sex != Sex::Male)
                .map(|card| Found {
                    note: format!(
                        "{}, {}",
                        format::age(card.age),
                        card.mr.as_ref().map(|mr| mr.0.as_str()).unwrap_or("")
                    ),
                    text: card.name.0.clone(),
                    id: card.id,
                })
                .collect::<Vec<_>>()
        };
        Box::pin(answer) as std::pin::Pin<Box<dyn Future<Output = Vec<Found>>>>
    });
    view! {
        <div class="grid-2">
            <Combobox
                label=W::NewbornMother
                t="mother"
                text=typed
                search
                from=2
                hint=W::NewbornMotherHint
                error=form.error("mother")
                on_input=move || form.mother.set(None)
                on_take=move |found: Found| {
                    if form.relation_name.with_untracked(String::is_empty) {
                        form.relation.set("MTH".to_owned());
                        form.relation_name.set(found.text.clone());
                    }
                    form.mother.set(Some((found.id, found.text)));
                }
            />
            <Choice
                label=W::BirthOrder
                t="birth-order"
                value=form.birth_order
                options=vec![Opt::new("1", W::BirthFirst), Opt::new("2", W::BirthSecond), Opt::new("3", W::BirthThird)]
            />
        </div>
    }
}
