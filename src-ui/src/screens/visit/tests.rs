//! Tests at the bedside: sugar, hemoglobin, malaria, urine, pregnancy.

use leptos::prelude::*;
use rabta_domain::patient::Sex;
use rabta_domain::vitals::{PocTest, Tested, Verdict};

use super::draft::{Draft, draft};
use super::judged::Judged;
use super::vitals::Unit;
use super::words;
use crate::parts::{Card, Check, NumberField, Pick};
use crate::prefs::say;
use crate::{Text, W, format};

#[component]
pub fn Tests() -> impl IntoView {
    let draft = draft();
    let months = draft.age();
    let done = |test: PocTest| draft.form.with_untracked(|f| f.tests.iter().any(|t| t.test == test));
    let may_be_pregnant = draft.sex() != Sex::Male && months.high >= 12 * 12 && months.low < 51 * 12;
    let pregnancy = (may_be_pregnant || done(PocTest::PregnancyTest))
        .then(|| view! { <Words draft test=PocTest::PregnancyTest t="test-pregnancy" answers=&["positive", "negative", "invalid"] /> });
    const STRIP: &[&str] = &["negative", "trace", "1+", "2+", "3+", "4+"];
    view! {
        <Card title=W::VisitTests t="tests">
            <div class="vitals">
                <Number draft test=PocTest::Glucose t="test-glucose" confirm="confirm-glucose" unit_t="unit-glucose" />
                <Number draft test=PocTest::Hemoglobin t="test-hemoglobin" confirm="confirm-hemoglobin" unit_t="unit-hemoglobin" />
                <Words draft test=PocTest::MalariaRdt t="test-malaria" answers=&["positive", "negative", "invalid"] />
                <Words draft test=PocTest::UrineProtein t="test-urine-protein" answers=STRIP />
                <Words draft test=PocTest::UrineGlucose t="test-urine-glucose" answers=STRIP />
                {pregnancy}
            </div>
        </Card>
    }
}

/// Puts a result into the form in its place; an empty one takes it out.
fn put(draft: Draft, tested: Tested) {
    draft.edit(|f| {
        f.tests.retain(|t| t.test != tested.test || !tested.value.is_empty());
        match f.tests.iter_mut().find(|t| t.test == tested.test) {
            Some(place) => *place = tested,
            None if !tested.value.is_empty() => f.tests.push(tested),
            None => {}
        }
    });
}

fn now(draft: Draft, test: PocTest) -> Option<Tested> {
    draft.form.with_untracked(|f| f.tests.iter().find(|t| t.test == test).cloned())
}

#[component]
fn Number(
    draft: Draft,
    test: PocTest,
    t: &'static str,
    confirm: &'static str,
    unit_t: &'static str,
) -> impl IntoView {
    let age = draft.age();
    let units = test.units();
    let first = now(draft, test);
    let value = RwSignal::new(first.as_ref().map(|t| t.value.clone()).unwrap_or_default());
    let unit = RwSignal::new(first.as_ref().map_or(units[0].to_owned(), |t| t.unit.clone()));
    let confirmed = RwSignal::new(first.is_some_and(|t| t.confirmed));
    let tested = move || Tested { test, value: value.get(), unit: unit.get(), confirmed: confirmed.get() };
    let write = move || put(draft, untrack(tested));
    let resting = RwSignal::new(true);
    let shown = Memo::new(move |_| {
        let tested = tested();
        let judged = (!tested.value.is_empty()).then(|| Judged::tested(&tested, age))?;
        let slip = matches!(judged.verdict, Verdict::Impossible | Verdict::Unlikely | Verdict::NotANumber);
        (resting.get() || !slip).then_some(judged)
    });
    let error = Signal::derive(move || match shown.get()?.verdict {
        Verdict::Impossible => Some(say(W::VisitImpossible).to_owned()),
        Verdict::NotANumber => Some(say(W::VisitNotNumber).to_owned()),
        _ => None,
    });
    let asks =
        Memo::new(move |_| confirmed.get() || shown.get().is_some_and(|j| j.verdict == Verdict::Unlikely));
    view! {
        <div
            class="vital"
            data-verdict=move || shown.get().map_or("", Judged::class)
            on:focusin=move |_| resting.set(false)
            on:focusout=move |_| resting.set(true)
        >
            <NumberField
                label=words::test(test)
                t
                value
                decimals=1
                unit=Text::live(move || format::unit(&unit.get()).to_owned())
                error
                on_input=move || {
                    confirmed.set(false);
                    write();
                }
            />
            {move || shown.get().filter(|j| !matches!(j.verdict, Verdict::Impossible | Verdict::NotANumber)).map(Judged::view)}
            <Show when=move || asks.get()>
                <Check label=W::VisitConfirm t=confirm value=confirmed on_change=write />
            </Show>
            <Unit units unit on_change=write t=unit_t />
        </div>
    }
    .into_any()
}

#[component]
fn Words(draft: Draft, test: PocTest, t: &'static str, answers: &'static [&'static str]) -> impl IntoView {
    let age = draft.age();
    let value = RwSignal::new(now(draft, test).map(|t| t.value).unwrap_or_default());
    let tested = move || Tested { test, value: value.get(), unit: String::new(), confirmed: false };
    let judged = move || value.with(|v| !v.is_empty()).then(|| Judged::tested(&tested(), age));
    let words = answers.iter().map(|code| {
        let code = *code;
        // Isolated as it reads: "2+" stays "2+" among Urdu.
        let sign = if code.ends_with('+') { '\u{2066}' } else { '\u{2068}' };
        (code, Text::live(move || format!("{sign}{}\u{2069}", words::of(&words::RESULT, code))))
    });
    let options = [("", Text::from(W::TestNotDone))].into_iter().chain(words).collect();
    view! {
        <div class="vital" data-verdict=move || judged().map_or("", Judged::class)>
            <Pick label=words::test(test) t value options on_change=move || put(draft, untrack(tested)) />
            {move || judged().map(Judged::view)}
        </div>
    }
    .into_any()
}
