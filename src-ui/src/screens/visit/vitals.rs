//! Vital signs in one row, each judged at once by the limits for the patient's age, with the last value below.

use leptos::prelude::*;
use rabta_domain::vitals::{Measured, Verdict, Vital, judge_pressure};

use super::draft::{Draft, draft};
use super::judged::{Judged, vital_code};
use crate::parts::{Card, Check, Choice, NumberField, Opt};
use crate::prefs::{say, say_with};
use crate::{Text, W, dom, format};

/// Under this age the upper arm is measured.
const MUAC_UNTIL: u32 = 60;

#[component]
pub fn Vitals() -> impl IntoView {
    let draft = draft();
    let months = draft.age();
    let written = |vital: Vital| draft.form.with_untracked(|f| f.vitals.iter().any(|m| m.vital == vital));
    let child = (months.low < MUAC_UNTIL || written(Vital::Muac))
        .then(|| view! { <One draft vital=Vital::Muac t="vital-muac" confirm="confirm-muac" decimals=1 /> });
    let head = (months.low < 24 || written(Vital::HeadCircumference)).then(|| {
        view! { <One draft vital=Vital::HeadCircumference t="vital-head-circumference" confirm="confirm-head-circumference" decimals=1 /> }
    });
    let estimated = draft.bound(
        draft.form.with_untracked(|f| {
            let weight = f.vitals.iter().find(|m| m.vital == Vital::Weight);
            weight.map_or("measured", |m| if m.estimated { "estimated" } else { "measured" }).to_owned()
        }),
        |f, how| {
            if let Some(weight) = f.vitals.iter_mut().find(|m| m.vital == Vital::Weight) {
                weight.estimated = how == "estimated";
            }
        },
    );
    let has_weight =
        Memo::new(move |_| draft.form.with(|f| f.vitals.iter().any(|m| m.vital == Vital::Weight)));
    view! {
        <Card title=W::VisitVitals t="vitals">
            <div class="vitals one">
                <One draft vital=Vital::Systolic t="vital-systolic" confirm="confirm-systolic" next="#vital-diastolic" />
                <One draft vital=Vital::Diastolic t="vital-diastolic" confirm="confirm-diastolic" />
                <One draft vital=Vital::Pulse t="vital-pulse" confirm="confirm-pulse" />
                <One draft vital=Vital::Breathing t="vital-breathing" confirm="confirm-breathing" />
                <One draft vital=Vital::Spo2 t="vital-spo2" confirm="confirm-spo2" />
                <One draft vital=Vital::Temperature t="vital-temperature" confirm="confirm-temperature" decimals=1 />
                <div class="stack" style="--gap:4px">
                    <One draft vital=Vital::Weight t="vital-weight" confirm="confirm-weight" decimals=2 />
                    <Show when=move || has_weight.get()>
                        <Choice
                            label=W::VisitWeightHow
                            hide_label=true
                            t="weight-how"
                            value=estimated
                            options=vec![Opt::new("measured", W::VisitMeasured), Opt::new("estimated", W::VisitEstimated)]
                        />
                    </Show>
                </div>
                <One draft vital=Vital::Height t="vital-height" confirm="confirm-height" decimals=1 />
                {child}
                {head}
            </div>
        </Card>
    }
}

/// One value with its unit, its verdict and the last value.
#[component]
fn One(
    draft: Draft,
    vital: Vital,
    t: &'static str,
    confirm: &'static str,
    #[prop(optional)] decimals: u8,
    /// Where three digits move on to.
    #[prop(optional)]
    next: Option<&'static str>,
) -> impl IntoView {
    let age = draft.age();
    let units = vital.units();
    let now = draft.form.with_untracked(|f| f.vitals.iter().find(|m| m.vital == vital).cloned());
    let value = RwSignal::new(now.as_ref().map(|m| m.value.clone()).unwrap_or_default());
    let unit = RwSignal::new(now.as_ref().map_or(units[0].to_owned(), |m| m.unit.clone()));
    let confirmed = RwSignal::new(now.is_some_and(|m| m.confirmed));
    let measured = move || Measured {
        vital,
        value: value.get(),
        unit: unit.get(),
        estimated: false,
        confirmed: confirmed.get(),
    };
    let write = move || {
        let measured = untrack(measured);
        draft.edit(|f| {
            let at = f.vitals.iter().position(|m| m.vital == vital);
            match (at, measured.value.is_empty()) {
                (Some(at), true) => {
                    f.vitals.remove(at);
                }
                (Some(at), false) => {
                    let estimated = f.vitals[at].estimated;
                    f.vitals[at] = Measured { estimated, ..measured };
                }
                (None, false) => f.vitals.push(measured),
                (None, true) => {}
            }
        });
    };
    let typed = move || {
        // Another number has to be confirmed anew.
        confirmed.set(false);
        write();
        if let Some(next) = next
            && value.with_untracked(|v| v.len() == 3)
        {
            dom::focus(next);
        }
    };
    // Nobody is wrong while typing: "1" of "120" is no impossible pressure. A whole number is judged at once.
    let resting = RwSignal::new(true);
    let judged = Memo::new(move |_| {
        let measured = measured();
        if measured.value.is_empty() {
            return None;
        }
        let mut judged = Judged::measured(&measured, age);
        if vital == Vital::Diastolic && !matches!(judged.verdict, Verdict::Impossible | Verdict::NotANumber) {
            let upper = draft.form.with(|f| f.vitals.iter().find(|m| m.vital == Vital::Systolic).cloned());
            if let Some(upper) = upper {
                let pair =
                    judge_pressure(&upper.value, &measured.value, upper.confirmed || measured.confirmed);
                if pair != Verdict::Usual {
                    judged.verdict = pair;
                }
            }
        }
        Some(judged)
    });
    let early = move |verdict| {
        matches!(verdict, Verdict::Impossible | Verdict::Unlikely | Verdict::NotANumber) && !resting.get()
    };
    let shown = Memo::new(move |_| judged.get().filter(|judged| !early(judged.verdict)));
    let error = Signal::derive(move || {
        let judged = shown.get()?;
        match judged.verdict {
            Verdict::Impossible
                if vital == Vital::Diastolic
                    && Judged::measured(&measured(), age).verdict != Verdict::Impossible =>
            {
                Some(say(W::VisitPressureOrder).to_owned())
            }
            Verdict::Impossible => Some(say(W::VisitImpossible).to_owned()),
            Verdict::NotANumber => Some(say(W::VisitNotNumber).to_owned()),
            _ => None,
        }
    });
    let asks = Memo::new(move |_| {
        confirmed.get() || shown.get().is_some_and(|judged| judged.verdict == Verdict::Unlikely)
    });
    let label = short(vital);
    let last = last_value(draft, vital);
    view! {
        <div
            class="vital"
            data-verdict=move || shown.get().map_or("", |judged| judged.class())
            on:focusin=move |_| resting.set(false)
            on:focusout=move |_| resting.set(true)
        >
            <NumberField
                label
                t
                value
                decimals
                unit=Text::live(move || format::unit(&unit.get()).to_owned())
                error
                on_input=typed
            />
            {move || {
                shown
                    .get()
                    .filter(|judged| !matches!(judged.verdict, Verdict::Impossible | Verdict::NotANumber))
                    .map(Judged::view)
            }}
            <Show when=move || asks.get()>
                <Check label=W::VisitConfirm t=confirm value=confirmed on_change=write />
            </Show>
            {(vital == Vital::Temperature).then(|| view! { <Unit units unit on_change=write t="unit-temperature" /> })}
            {last}
        </div>
    }
    .into_any()
}

/// What fits above a narrow field.
fn short(vital: Vital) -> Text {
    let word = match vital {
        Vital::Systolic => W::ShortSystolic,
        Vital::Diastolic => W::ShortDiastolic,
        Vital::Breathing => W::ShortBreathing,
        Vital::Temperature => W::ShortTemperature,
        Vital::HeadCircumference => W::ShortHead,
        other => return Text::live(move || format::vital(vital_code(other))),
    };
    word.into()
}

/// The unit as two small buttons: what was typed stays as it is, only what it means changes.
#[component]
pub fn Unit(
    units: &'static [&'static str],
    unit: RwSignal<String>,
    #[prop(into)] on_change: Callback<()>,
    t: &'static str,
) -> impl IntoView {
    let options = units.iter().map(|code| Opt::new(code, format::unit(code))).collect();
    view! {
        <div class="units">
            <Choice label=W::VisitUnitSwitch hide_label=true t value=unit options on_change />
        </div>
    }
}

/// "last 150"; the day stands in the side column, and in the tip.
fn last_value(draft: Draft, vital: Vital) -> Option<AnyView> {
    let (value, unit, day) = draft.view.with_value(|view| {
        let last = view.last.as_ref()?;
        let measured = last.form.vitals.iter().find(|m| m.vital == vital)?;
        Some((measured.value.clone(), measured.unit.clone(), last.day.clone()))
    })?;
    let show_unit = vital == Vital::Temperature;
    let text = move || {
        let value = if show_unit { format!("{value} {}", format::unit(&unit)) } else { value.clone() };
        say_with(W::VisitLast, &[&value])
    };
    Some(
        view! { <p class="small quiet" data-t="vital-last" title=move || format::day(&day)>{text}</p> }
            .into_any(),
    )
}
