use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::patient::{Allergies, Registration};
use rabta_domain::vitals::number;
use rabta_ipc::Error;
use rabta_ipc::patient::{Chart, ChartLine, OpenPatient, VisitRow, VitalTrend};
use rabta_ipc::visit::StartVisit;

use super::today::AskLine;
use crate::errors::MaybeError;
use crate::parts::{Button, Card, Empty, Kind, LinkButton, Moment, Skeleton, Tag, Timeline, Tint, TinyChart};
use crate::prefs::{say, say_with, t};
use crate::router::{self, Route};
use crate::session::session;
use crate::{Text, W, dom, format, icon, ipc};

/// A patient's chart, asked for again whenever something of the patient changes, and why it did not come.
pub type Loaded = (RwSignal<Option<Chart>>, RwSignal<Option<Error>>);

/// Opens the patient: the band shows who it is from now on.
pub fn load(id: StoredValue<String>) -> Loaded {
    let session = session();
    let (chart, error) = (RwSignal::new(None::<Chart>), RwSignal::new(None));
    // Nobody else's name may stand above this page while it loads.
    if session.patient.with_untracked(|now| now.as_ref().is_some_and(|now| now.card.id != id.get_value())) {
        session.close();
    }
    Effect::new(move |before: Option<()>| {
        let changed = session.patient_changed.get().1;
        if before.is_some() && changed != id.get_value() {
            return;
        }
        spawn_local(async move {
            let Some(wanted) = id.try_get_value() else { return };
            let answer = ipc::call(OpenPatient { id: wanted }).await;
            // The page was left meanwhile: the answer is for nobody.
            if id.try_get_value().is_none() {
                return;
            }
            match answer {
                Ok(answer) => {
                    session.open(answer.card.clone(), Some(answer.hie_seen_at));
                    if let Some(emergency) = &answer.emergency {
                        session.mark_emergency(emergency.until);
                    }
                    error.set(None);
                    chart.set(Some(answer));
                }
                Err(problem) => {
                    // It was here for a time that is over: nothing of it stays on the screen.
                    if problem.code == "not-found" {
                        chart.set(None);
                        session.close();
                    }
                    error.set(Some(problem));
                }
            }
        });
    });
    (chart, error)
}

/// The chart: last visit and last medicines at one glance, then everything else.
#[component]
pub fn PatientScreen(id: String) -> impl IntoView {
    let busy = RwSignal::new(false);
    let id = StoredValue::new(id);
    let (chart, error) = load(id);
    let start = move || {
        busy.set(true);
        spawn_local(async move {
            let answer = ipc::call(StartVisit { patient: id.get_value() }).await;
            busy.try_set(false);
            match answer {
                Ok(visit) => router::go(&Route::Visit(visit.id)),
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    // With the band above it, which moves everything down; and nothing is begun before it says with whom.
    let known = Memo::new(move |_| chart.with(Option::is_some));
    // Whoever came here by Enter begins by Enter; what somebody else has the keyboard on stays.
    Effect::new(move |_| {
        if known.get() {
            dom::after(30, || {
                if dom::nothing_has_the_keyboard() {
                    dom::focus("[data-t=start-visit]");
                }
            });
        }
    });
    let draft =
        Memo::new(move |_| chart.with(|chart| chart.as_ref().is_some_and(|chart| chart.draft.is_some())));
    let open_for_a_time =
        move || chart.with(|chart| chart.as_ref().and_then(|chart| chart.emergency.clone()));
    // Apart from the rest: what is chosen and not yet said stays while something else of the chart changes.
    let differs = Memo::new(move |_| {
        let versions = |chart: &Chart| {
            let all = chart.differs.iter().flat_map(|differs| &differs.values);
            all.map(|said| said.version.clone()).collect::<Vec<_>>()
        };
        chart.with(|chart| chart.as_ref().map(versions).unwrap_or_default())
    });
    let ours =
        Memo::new(move |_| chart.with(|chart| chart.as_ref().is_none_or(|chart| chart.emergency.is_none())));
    view! {
        // Another facility's record has nothing to press: the keyboard scrolls it all the same.
        <div class="page" tabindex=move || (!ours.get()).then_some("0")>
            <h1 class="sr">{t(W::Patient)}</h1>
            {move || open_for_a_time().map(|emergency| view! { <super::outside::OpenForATime emergency /> })}
            <div
                class="actions"
                hidden=move || !ours.get()
                style:visibility=move || if known.get() { "visible" } else { "hidden" }
            >
                {move || {
                    let label = if draft.get() { W::GoOnVisit } else { W::StartVisit };
                    view! { <Button label t="start-visit" kind=Kind::Main big=true icon=icon::STETHOSCOPE busy on_press=start /> }
                }}
                <LinkButton
                    label=W::PhoneCall
                    t="call-at-home"
                    icon=icon::PHONE
                    href=id.with_value(|id| Route::Phone(id.clone()).href())
                />
                <LinkButton
                    label=W::CorrectDetails
                    t="amend"
                    icon=icon::PEN
                    href=id.with_value(|id| Route::Amend(id.clone()).href())
                />
            </div>
            <MaybeError error />
            {move || {
                if differs.with(Vec::is_empty) {
                    return None;
                }
                let differs = chart.with_untracked(|chart| chart.as_ref().map(|chart| chart.differs.clone()))?;
                Some(view! { <super::differs::TwoValues patient=id.get_value() differs /> })
            }}
            {move || match chart.get() {
                None if error.with(Option::is_some) => ().into_any(),
                None => view! { <Card><Skeleton lines=6 /></Card> }.into_any(),
                Some(chart) => body(chart),
            }}
        </div>
    }
}

/// Everything of a chart but its patient's name.
pub fn body(chart: Chart) -> AnyView {
    let asks = (!chart.asks.is_empty()).then(|| {
        let rows = chart.asks.into_iter().map(|row| view! { <AskLine row /> }).collect_view();
        view! { <Card title=W::Asks flush=true t="chart-asks">{rows}</Card> }
    });
    let visits = if chart.visits.is_empty() {
        view! { <Empty icon=icon::NOTE title=W::NoVisits body=W::NoVisitsBody t="no-visits" /> }.into_any()
    } else {
        view! { <Timeline moments=chart.visits.into_iter().map(moment).collect() /> }.into_any()
    };
    let allergies = match &chart.card.allergies {
        Allergies::NotAsked => {
            view! { <Tag label=W::AllergyNotAsked tint=Tint::Amber icon=icon::ALLERGY /> }.into_any()
        }
        Allergies::NoneKnown => view! { <Tag label=W::AllergyNone icon=icon::CHECK /> }.into_any(),
        Allergies::Known(_) => lines(chart.allergies, W::NoProblems),
    };
    let vaccines = (!chart.immunizations.is_empty())
        .then(|| view! { <Card title=W::Immunizations>{lines(chart.immunizations, W::NoProblems)}</Card> });
    let values = (!chart.vitals.is_empty()).then(|| {
        let values =
            trends(chart.vitals).into_iter().map(|trend| view! { <TrendLine trend /> }).collect_view();
        view! { <Card title=W::LastValues t="last-values"><div class="stack">{values}</div></Card> }
    });
    view! {
        <div class="two">
            <div class="stack" style="--gap:20px">
                {asks}
                <Card title=W::Visits t="visits">{visits}</Card>
                <Card title=W::Medicines t="medicines">{lines(chart.medicines, W::NoMedicines)}</Card>
            </div>
            <div class="side stack" style="--gap:20px">
                <Card title=W::Allergies t="allergies">{allergies}</Card>
                {values}
                <Card title=W::Problems t="problems">{lines(chart.problems, W::NoProblems)}</Card>
                {vaccines}
                <Card title=W::Details t="details">{details(chart.registration)}</Card>
            </div>
        </div>
    }
    .into_any()
}

fn moment(row: VisitRow) -> Moment {
    let custody = row.custody;
    let (word, tint) = format::custody(custody);
    let href = row.ours.then(|| Route::VisitPage(row.id.clone()).href());
    let diagnoses = row.diagnoses.iter().map(|d| d.0.clone()).collect::<Vec<_>>().join(format::comma());
    let (day, facility, by) = (row.day, row.facility, row.by);
    let (ours, days, source) = (row.ours, row.days, if row.here { W::SourceHere } else { W::SourceOther });
    Moment {
        when: Text::live(move || {
            let place = if by.is_empty() { facility.clone() } else { say_with(W::ByAt, &[&by, &facility]) };
            let age = if days == 0 {
                String::new()
            } else {
                format!(" ({})", say_with(W::DaysAgo, &[&days.to_string()]))
            };
            let line = format!("{}{age} \u{00B7} {place} \u{00B7} {}", format::day(&day), say(source));
            if ours { format!("{line} \u{00B7} {}", say(word)) } else { line }
        }),
        what: Text::from(if diagnoses.is_empty() { row.reason.0.clone() } else { diagnoses.clone() }),
        more: (!diagnoses.is_empty() && !row.reason.is_empty()).then(|| Text::from(row.reason.0.clone())),
        tint: if ours { tint } else { Tint::Grey },
        href,
    }
}

fn lines(lines: Vec<ChartLine>, none: W) -> AnyView {
    if lines.is_empty() {
        return view! { <p class="quiet">{t(none)}</p> }.into_any();
    }
    let items = lines
        .into_iter()
        .map(|line| {
            let (day, source) = (line.day, line.source);
            let when = move || {
                let day = format::day(&day);
                if source.is_empty() { day } else { say_with(W::ByAt, &[&day, &source]) }
            };
            view! {
                <li class="stack" style="--gap:0">
                    <span class="strong"><bdi>{line.text.0}</bdi></span>
                    {(!line.more.is_empty()).then(|| view! { <span><bdi>{line.more.0}</bdi></span> })}
                    <span class="small quiet">{when}</span>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="stack" style="--gap:10px">{items}</ul> }.into_any()
}

/// One line of last values: a vital, or blood pressure as the pair that it is.
#[derive(Clone)]
struct Trend {
    vital: String,
    /// As shown: "150/100".
    last: String,
    unit: String,
    day: String,
    values: Vec<f64>,
}

fn trends(vitals: Vec<VitalTrend>) -> Vec<Trend> {
    let lower = vitals.iter().find(|trend| trend.vital == "diastolic").cloned();
    vitals
        .into_iter()
        .filter(|trend| trend.vital != "diastolic")
        .filter_map(|trend| {
            let (day, value) = trend.points.last().cloned()?;
            let pressure = trend.vital == "systolic";
            let below = lower.as_ref().filter(|_| pressure).and_then(|lower| {
                lower.points.iter().rev().find(|point| point.0 == day).map(|point| point.1.clone())
            });
            Some(Trend {
                last: below.map_or_else(|| value.clone(), |below| format!("{value}/{below}")),
                vital: if pressure { "bp".to_owned() } else { trend.vital },
                unit: format::unit(&trend.unit).to_owned(),
                values: trend.points.iter().filter_map(|point| Some(number(&point.1)?.to_f64())).collect(),
                day,
            })
        })
        .collect()
}

#[component]
fn TrendLine(trend: Trend) -> impl IntoView {
    let Trend { vital, last, unit, day, values } = trend;
    let label = vital.clone();
    view! {
        <div class="trend" data-t="trend">
            <div>
                <p class="small quiet">{move || format::vital(&vital)}</p>
                <p><span class="ltr"><span class="strong">{last}</span>" " <span class="small quiet">{unit}</span></span></p>
            </div>
            <TinyChart values label=Text::live(move || format::vital(&label)) />
            <span class="small quiet nowrap">{move || format::day(&day)}</span>
        </div>
    }
    .into_any()
}

fn details(registration: Registration) -> AnyView {
    let phones = registration
        .phones
        .into_iter()
        .map(|phone| {
            let owner = super::register::phone_owner(&phone.owner);
            let safe = phone.safe_to_call;
            view! {
                <dt>{t(W::Phone)}</dt>
                <dd>
                    <span class="ltr">{phone.number.0}</span>
                    " "
                    <span class="small quiet">{t(owner)} {safe.then(|| view! { <span>{format::comma}{t(W::SafeCall)}</span> })}</span>
                </dd>
            }
        })
        .collect_view();
    let papers = registration
        .papers
        .into_iter()
        .map(|paper| {
            let kind = super::register::paper_word(&paper.kind);
            view! { <dt>{t(kind)}</dt><dd><span class="ltr">{paper.number.0}</span></dd> }
        })
        .collect_view();
    let (village, landmark) = (registration.place.text.0, registration.place.landmark.0);
    view! {
        <dl class="facts">
            {(!village.is_empty()).then(|| view! { <dt>{t(W::Village)}</dt><dd><bdi>{village}</bdi></dd> })}
            {(!landmark.is_empty()).then(|| view! { <dt>{t(W::Landmark)}</dt><dd><bdi>{landmark}</bdi></dd> })}
            {phones}
            {papers}
            {registration
                .guardian
                .map(|guardian| view! { <dt>{t(W::GuardianHead)}</dt><dd><bdi>{guardian.name.0}</bdi></dd> })}
        </dl>
    }
    .into_any()
}
