//! Beside the visit: the last one at a glance.

use leptos::prelude::*;
use rabta_ipc::visit::LastVisit;

use super::judged::vital_code;
use super::words;
use crate::parts::Card;
use crate::prefs::t;
use crate::{Text, W, format};

/// The last visit, or that there was none.
#[component]
pub fn Aside(#[prop(optional_no_strip)] last: Option<Box<LastVisit>>) -> impl IntoView {
    let Some(last) = last else {
        return view! { <Card title=W::VisitLastVisit t="last-visit"><p class="quiet">{t(W::VisitNoLast)}</p></Card> }.into_any();
    };
    let form = last.form;
    let day = last.day;
    let diagnoses: Vec<String> = form.diagnoses.iter().map(|d| d.text.0.clone()).collect();
    let values = values(&form.vitals);
    let medicines = form
        .medicines
        .into_iter()
        .map(|line| {
            let again = line.clone();
            view! {
                <li class="stack" style="--gap:0">
                    <span class="strong"><bdi>{move || words::medicine(&line)}</bdi></span>
                    <span class="small">{move || words::dose(&again)}</span>
                </li>
            }
        })
        .collect_view();
    let line = |word: W, text: String| {
        (!text.trim().is_empty()).then(|| view! { <dt>{t(word)}</dt><dd><bdi>{text}</bdi></dd> })
    };
    view! {
        <Card title=Text::live(move || format!("{} \u{00B7} {}", crate::prefs::say(W::VisitLastVisit), format::day(&day))) t="last-visit">
            <dl class="facts tall">
                {line(W::VisitComplaint, form.complaint.0)}
                {line(W::VisitDiagnosis, diagnoses.join(", "))}
                {line(W::VisitPlan, form.plan.0)}
                {(!values.is_empty()).then(|| view! { <dt>{t(W::VisitVitals)}</dt><dd>{values}</dd> })}
            </dl>
        </Card>
        <Card title=W::VisitLastMedicines t="last-medicines">
            <ul class="stack" style="--gap:10px">{medicines}</ul>
        </Card>
    }
    .into_any()
}

/// Values of a form as short lines: "Pulse 88 /min"; the two pressures as one.
fn values(vitals: &[rabta_domain::vitals::Measured]) -> Vec<AnyView> {
    use rabta_domain::vitals::Vital;
    let lower = vitals.iter().find(|m| m.vital == Vital::Diastolic).map(|m| m.value.clone());
    vitals
        .iter()
        .filter(|m| m.vital != Vital::Diastolic || !vitals.iter().any(|m| m.vital == Vital::Systolic))
        .map(|m| {
            let pair = m.vital == Vital::Systolic;
            let code = if pair { "bp" } else { vital_code(m.vital) };
            let value = match &lower {
                Some(lower) if pair => format!("{}/{lower}", m.value),
                _ => m.value.clone(),
            };
            let unit = format::unit(&m.unit).to_owned();
            view! {
                <span style="display:block">
                    <span class="small quiet">{move || format::vital(code)}</span>
                    " "
                    <span class="ltr">{value} " " {unit}</span>
                </span>
            }
            .into_any()
        })
        .collect()
}
