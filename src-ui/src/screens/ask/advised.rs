use leptos::prelude::*;
use rabta_ipc::ask::SignedAdvice;

use super::decide::Decisions;
use super::line::LineWords;
use super::note::Signed;
use super::open::Open;
use crate::parts::{Card, Tag};
use crate::prefs::{say_with, t};
use crate::session::session;
use crate::{W, format, icon};

/// The signed advice, if there is one: diagnosis, what to do, medicines in words, danger signs, follow-up. The doctor
/// with the patient decides on each medicine here.
#[component]
pub fn Advised(open: Open) -> impl IntoView {
    let advice = open.part(|view| view.advice.clone());
    let session = session();
    move || {
        let SignedAdvice { form, signed } = advice.get().flatten()?;
        let diagnoses = form
            .diagnoses
            .iter()
            .map(|one| {
                view! {
                    <p class="row">
                        <bdi class="strong">{one.text.0.clone()}</bdi>
                        <span class="small quiet ltr">{one.code.clone()}</span>
                        {(one.certainty == "provisional").then(|| view! { <Tag label=W::CertaintyProvisional /> })}
                    </p>
                }
            })
            .collect_view();
        let part = |word: W, name: &'static str, text: String| {
            (!text.trim().is_empty()).then(|| {
                view! {
                    <section class="part" data-t=name>
                        <h3>{t(word)}</h3>
                        <p dir="auto" class="said">{text}</p>
                    </section>
                }
            })
        };
        let decides = !session.is_specialist();
        let medicines = if form.medicines.is_empty() {
            None
        } else if decides {
            Some(view! { <Decisions open lines=form.medicines.clone() /> }.into_any())
        } else {
            let lines = form
                .medicines
                .iter()
                .map(|line| view! { <li class="picked"><LineWords line=line.clone() /></li> });
            Some(view! { <section class="part"><h3>{t(W::Medicines)}</h3><ul>{lines.collect_view()}</ul></section> }.into_any())
        };
        let (day, event) = (form.follow_up.day, form.follow_up.event.clone());
        let follow = (day.is_some() || !event.is_empty()).then(|| {
            view! {
                <section class="part" data-t="advised-follow-up">
                    <h3>{t(W::VisitFollowUp)}</h3>
                    <p>
                        {move || day.map(|day| say_with(W::DueOn, &[&format::date(day)]))} " " <bdi>{event}</bdi>
                    </p>
                </section>
            }
        });
        Some(view! {
            <Card title=W::AdviceTitle t="advice" beside=view! { <crate::parts::Draw icon=icon::ADVICE /> }.into_any()>
                <div class="stack">
                    {(!form.diagnoses.is_empty())
                        .then(|| view! { <section class="part" data-t="advised-diagnoses"><h3>{t(W::VisitDiagnosis)}</h3>{diagnoses}</section> })}
                    {part(W::AdvicePlan, "advised-plan", form.plan.0.clone())}
                    {medicines}
                    {part(W::AdviceDanger, "advised-danger", form.danger_signs.0.clone())}
                    {follow}
                    <Signed signed />
                </div>
            </Card>
        })
    }
}
