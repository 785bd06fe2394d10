//! What stops a signature and what deserves a look, in words, each with the way to its field.

use std::cell::RefCell;

use leptos::prelude::*;
use rabta_domain::visit::{Finding, VisitForm};

use super::judged::vital_code;
use super::words;
use crate::parts::{Card, Draw, Tag, Tint};
use crate::prefs::{say, say_count, say_with, t};
use crate::router::{self, Route};
use crate::{Text, W, dom, format, icon};

thread_local! {
    /// The field that the writing page goes to once it is drawn.
    static WANTED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The field that was asked for, once.
pub fn take_wanted() -> Option<String> {
    WANTED.with(|wanted| wanted.borrow_mut().take())
}

/// Puts the keyboard into the field of a finding.
pub fn go_to(field: &str) {
    let selector = match field.split_once('.') {
        Some(("vitals", code)) => format!("#vital-{code}"),
        Some(("tests", code)) => match code {
            "malaria-rdt" => "#test-malaria".to_owned(),
            "pregnancy-test" => "#test-pregnancy".to_owned(),
            _ => format!("#test-{code}"),
        },
        Some(("medicines", id)) => format!("[data-id=\"{id}\"] input"),
        _ => match field {
            "danger" => "[data-t=danger-none]".to_owned(),
            "allergies" => "[data-t=allergy-state] input".to_owned(),
            "pregnancy" => "[data-t=pregnant] input".to_owned(),
            "diagnoses" => "#diagnosis".to_owned(),
            "photos" => "[data-t=photo-intimate]".to_owned(),
            "disposition" => "[data-t=disposition] input".to_owned(),
            "follow_up" => "#follow-up".to_owned(),
            other => format!("#{other}"),
        },
    };
    dom::focus(&selector);
    if let Some(element) = dom::document().query_selector(&selector).ok().flatten() {
        let options = leptos::web_sys::ScrollIntoViewOptions::new();
        options.set_block(leptos::web_sys::ScrollLogicalPosition::Center);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// A finding in words. `form` gives names to the lines that it points to.
pub fn sentence(finding: &Finding, form: &VisitForm) -> String {
    let about = subject(&finding.field, form);
    let with = |word: W| say_with(word, &[&about]);
    let plain = |word: W| say(word).to_owned();
    match finding.code.as_str() {
        "danger-signs-not-asked" => plain(W::FindingDanger),
        "complaint-missing" => plain(W::FindingComplaint),
        "allergies-not-asked" => plain(W::FindingAllergiesNotAsked),
        "allergies-empty" => plain(W::FindingAllergiesEmpty),
        "pregnancy-not-asked" => plain(W::FindingPregnancyNotAsked),
        "pregnancy-unexpected" => plain(W::FindingPregnancyUnexpected),
        "lmp-in-the-future" => plain(W::FindingLmpFuture),
        "lmp-too-long-ago" => plain(W::FindingLmpOld),
        "pregnancy-weeks-impossible" => plain(W::FindingWeeks),
        "vital-impossible" | "test-impossible" => with(W::FindingImpossible),
        "vital-not-a-number" | "test-not-a-number" => with(W::FindingNotNumber),
        "vital-unlikely" | "test-unlikely" => with(W::FindingUnlikely),
        "vital-critical" | "test-critical" => with(W::FindingCritical),
        "pressure-half" => plain(W::FindingPressureHalf),
        "weight-missing" => plain(W::FindingWeight),
        "photo-intimate" => plain(W::FindingIntimate),
        "diagnosis-missing" => plain(W::FindingDiagnosis),
        "dose-unreadable" => with(W::FindingDose),
        "strength-missing" => with(W::FindingStrength),
        "controlled-remote" => with(W::FindingControlled),
        "days-many" => with(W::FindingDays),
        "allergy-clash" => with(W::FindingClash),
        "allergy-clash-kept" => with(W::FindingClashKept),
        "medicine-twice" => with(W::FindingTwice),
        "disposition-missing" => plain(W::FindingDisposition),
        "follow-up-past" => plain(W::FindingFollowUp),
        other => say_with(W::FindingOther, &[other]),
    }
}

fn subject(field: &str, form: &VisitForm) -> String {
    match field.split_once('.') {
        Some(("vitals", code)) => {
            let found = form.vitals.iter().find(|m| vital_code(m.vital) == code);
            match found {
                Some(m) => format!("{} {} {}", format::vital(code), m.value, format::unit(&m.unit)),
                None => format::vital(code),
            }
        }
        Some(("tests", code)) => {
            let same = |t: &rabta_domain::vitals::Tested| {
                serde_json::to_value(t.test).ok().and_then(|v| v.as_str().map(|s| s == code)).unwrap_or(false)
            };
            match form.tests.iter().find(|t| same(t)) {
                Some(t) => format!("{} {} {}", say(words::test(t.test)), t.value, format::unit(&t.unit))
                    .trim()
                    .to_owned(),
                None => code.to_owned(),
            }
        }
        Some(("medicines", id)) => {
            form.medicines.iter().find(|m| m.id == id).map(|m| m.generic.clone()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// The list on top of the page, those that stop first.
#[component]
pub fn Findings(visit: String, findings: Vec<Finding>, form: VisitForm) -> impl IntoView {
    let stops = findings.iter().filter(|f| f.stops).count();
    let mut findings = findings;
    findings.sort_by_key(|f| !f.stops);
    if findings.is_empty() {
        return view! {
            <p class="row" data-t="no-findings" style="color:var(--teal-ink)">
                <Draw icon=icon::CIRCLE_CHECK />
                <span>{t(W::PageNothingStops)}</span>
            </p>
        }
        .into_any();
    }
    let form = StoredValue::new(form);
    let visit = StoredValue::new(visit);
    let rows = findings
        .into_iter()
        .map(|finding| {
            let (word, tint, sign) = if finding.stops {
                (W::PageStop, Tint::Red, icon::STOP)
            } else {
                (W::PageLook, Tint::Amber, icon::ALERT)
            };
            let field = finding.field.clone();
            let (code, stops) = (finding.code.clone(), finding.stops);
            let text = move || form.with_value(|form| sentence(&finding, form));
            let go = move |event: leptos::ev::MouseEvent| {
                event.prevent_default();
                WANTED.with(|wanted| *wanted.borrow_mut() = Some(field.clone()));
                router::go(&Route::Visit(visit.get_value()));
            };
            view! {
                <button
                    type="button"
                    class="r"
                    data-t="finding"
                    data-code=code
                    data-stops=stops.to_string()
                    title=t(W::PageGoField)
                    on:click=go
                >
                    <Tag label=word tint icon=sign />
                    <span class="grow">{text}</span>
                    <Draw icon=icon::CHEVRON_END />
                </button>
            }
        })
        .collect_view();
    let title = Text::live(move || match stops {
        0 => format!("{}. {}", say(W::PageNothingStops), say(W::PageFindings)),
        n => say_count(n, W::PageOneStops, W::PageStops),
    });
    view! { <Card title flush=true t="findings">{rows}</Card> }.into_any()
}
