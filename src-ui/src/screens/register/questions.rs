use leptos::prelude::*;
use rabta_ipc::patient::{Likeness, SharedCnic};

use crate::parts::{Button, Dialog, Kind};
use crate::prefs::{say, t};
use crate::screens::find::ResultRow;
use crate::{Text, W, icon};

/// Who might be the same person, before a second record is made.
#[component]
pub fn MaybeSame(
    open: RwSignal<bool>,
    alike: RwSignal<Vec<Likeness>>,
    #[prop(into)] on_new: Callback<()>,
    /// With the Patient id.
    #[prop(into)]
    on_same: Callback<(String,)>,
) -> impl IntoView {
    let foot = move || {
        view! {
            <Button
                label=W::MaybeSameNone
                t="not-same"
                icon=icon::USER_PLUS
                on_press=move || {
                    open.set(false);
                    on_new.run(());
                }
            />
        }
    };
    view! {
        <Dialog title=W::MaybeSameTitle open t="maybe-same" foot>
            <div class="stack">
                <p>{t(W::MaybeSameBody)}</p>
                <div class="card">
                    <div class="body flush rows">
                        {move || {
                            alike
                                .get()
                                .into_iter()
                                .map(|likeness| {
                                    let id = likeness.card.id.clone();
                                    let because = likeness.because;
                                    let because = Text::live(move || {
                                        because.iter().map(|code| reason(code)).collect::<Vec<_>>().join(" \u{00B7} ")
                                    });
                                    view! {
                                        <ResultRow
                                            card=likeness.card
                                            selected=Signal::stored(false)
                                            t="same"
                                            because
                                            on_open=move || {
                                                open.set(false);
                                                on_same.run((id.clone(),));
                                            }
                                        />
                                    }
                                })
                                .collect_view()
                        }}
                    </div>
                </div>
            </div>
        </Dialog>
    }
}

fn reason(code: &str) -> String {
    say(match code {
        "cnic" => W::BecauseCnic,
        "phone" => W::BecausePhone,
        "name" => W::BecauseName,
        "relation" => W::BecauseRelation,
        "village" => W::BecauseVillage,
        "age" => W::BecauseAge,
        _ => return code.to_owned(),
    })
    .to_owned()
}

/// A CNIC that another record has: whose is it?
#[component]
pub fn CnicUsed(open: RwSignal<bool>, #[prop(into)] on_answer: Callback<(SharedCnic,)>) -> impl IntoView {
    let answer = move |whose: SharedCnic| {
        open.set(false);
        on_answer.run((whose,));
    };
    let option = move |label: W, hint: W, test: &'static str, whose: SharedCnic| {
        view! {
            <button type="button" class="person" data-t=test on:click=move |_| answer(whose)>
                <span class="grow">
                    <span class="strong">{t(label)}</span>
                    <br />
                    <span class="small quiet">{t(hint)}</span>
                </span>
            </button>
        }
    };
    view! {
        <Dialog
            title=W::CnicUsedTitle
            open
            t="cnic-used"
            foot=move || view! { <Button label=W::Cancel t="cnic-back" kind=Kind::Plain on_press=move || open.set(false) /> }
        >
            <div class="stack">
                <p>{t(W::CnicUsedBody)}</p>
                <div class="people">
                    {option(W::CnicHead, W::CnicHeadHint, "cnic-head", SharedCnic::FamilyHead)}
                    {option(W::CnicThis, W::CnicThisHint, "cnic-this", SharedCnic::ThisPatient)}
                    {option(W::CnicUnsure, W::CnicUnsureHint, "cnic-unsure", SharedCnic::Unsure)}
                </div>
            </div>
        </Dialog>
    }
}
