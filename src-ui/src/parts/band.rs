use leptos::prelude::*;
use rabta_domain::patient::Allergies;

use super::{Face, Tag, Tint};
use crate::prefs::say_with;
use crate::session::BandPatient;
use crate::{Text, W, dom, format, icon};

/// Older than this, what others may have written since is worth a look, milliseconds.
const STALE: i64 = 24 * 3_600_000;

/// Whose record is open: the control against "wrong patient". Always in the same place; it never scrolls away.
#[component]
pub fn PatientBand(patient: BandPatient) -> impl IntoView {
    let card = StoredValue::new(patient.card);
    let seen = patient.hie_seen_at;
    let emergency = patient.until.map(|until| {
        let label = Text::live(move || say_with(W::EmergencyUntil, &[&format::moment(until)]));
        view! { <Tag label tint=Tint::SolidRed icon=icon::CLOCK long=true t="band-emergency" /> }
    });
    let allergies = move || {
        card.with_value(|card| match &card.allergies {
            Allergies::NotAsked => {
                view! { <Tag label=W::AllergyNotAsked tint=Tint::Amber icon=icon::ALLERGY t="band-allergies" /> }.into_any()
            }
            Allergies::NoneKnown => view! { <Tag label=W::AllergyNone icon=icon::CHECK t="band-allergies" /> }.into_any(),
            Allergies::Known(items) => {
                let list = items.iter().map(|item| item.0.clone()).collect::<Vec<_>>().join(format::comma());
                view! {
                    <Tag label=Text::with(W::AllergyTo, vec![list]) tint=Tint::SolidRed icon=icon::ALERT long=true t="band-allergies" />
                }
                .into_any()
            }
        })
    };
    let pregnant = card.with_value(|card| card.pregnant_weeks).map(|weeks| {
        let label = if weeks == 0 {
            W::Pregnant.into()
        } else {
            Text::with(W::PregnantWeeks, vec![weeks.to_string()])
        };
        view! { <Tag label tint=Tint::Amber icon=icon::PREGNANT t="band-pregnant" /> }
    });
    view! {
        <header class="band" data-t="band" data-patient=card.with_value(|card| card.id.clone())>
            <Face name=card.with_value(|card| card.name.0.clone()) />
            <div class="grow">
                <div class="who">
                    <bdi class="name" data-t="band-name">{move || card.with_value(format::name)}</bdi>
                    <span class="rel">
                        {move || card.with_value(|card| card.relation.as_ref().map(|r| format::relation(r, card.sex)))}
                    </span>
                    <span class="strong nowrap" data-t="band-age">
                        {move || card.with_value(format::age_sex)}
                    </span>
                    <span class="nowrap" data-t="band-mr">
                        {move || card.with_value(|card| card.mr.as_ref().map(|mr| say_with(W::Mr, &[mr])))}
                    </span>
                </div>
                <div class="facts-line">
                    {emergency} {allergies()} {pregnant}
                    {seen
                        .map(|seen| {
                            let stale = seen.is_none_or(|at| (dom::now_ms() as i64) - at > STALE);
                            view! {
                                <span class=if stale { "tag amber" } else { "small quiet" } data-t="band-seen">
                                    {move || format::hie_seen(seen)}
                                </span>
                            }
                        })}
                </div>
            </div>
        </header>
    }
    .into_any()
}
