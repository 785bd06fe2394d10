//! A visit to read: abnormal first, then the page's order, medicines with the dose in words.

use leptos::prelude::*;
use rabta_domain::patient::PatientCard;
use rabta_domain::visit::{AllergyState, VisitForm};
use rabta_domain::vitals::{Months, Vital};

use super::draft::age_of;
use super::judged::{Judged, vital_code};
use super::photos::Thumb;
use super::words;
use crate::parts::{Card, Draw, Tag, Tint};
use crate::prefs::{say, say_with, t};
use crate::{Text, W, format, icon};

/// The visit as the specialist and every later reader sees it.
#[component]
pub fn Read(card: PatientCard, form: VisitForm) -> impl IntoView {
    let age = age_of(&card);
    view! {
        <div class="stack read" style="--gap:16px" data-t="visit-text">
            {abnormal(&form, age)}
            {reason(&form)}
            {answers(&form)}
            {measured(&form, age)}
            {assessment(&form)}
            {medicines(&form)}
            {end(&form)}
        </div>
    }
    .into_any()
}

type Line = Option<AnyView>;

/// One fact; nothing where nothing was written.
fn fact(word: W, text: String) -> Line {
    let text = text.trim().to_owned();
    (!text.is_empty()).then(|| view! { <dt>{t(word)}</dt><dd class="pre"><bdi>{text}</bdi></dd> }.into_any())
}

/// One fact whose words follow the language.
fn live(word: W, text: impl Fn() -> String + Send + Sync + 'static) -> Line {
    Some(view! { <dt>{t(word)}</dt><dd><bdi>{text}</bdi></dd> }.into_any())
}

fn coded(word: W, table: &'static [(&'static str, W)], code: &str) -> Line {
    let code = code.to_owned();
    if code.is_empty() { None } else { live(word, move || words::of(table, &code)) }
}

fn section(title: W, lines: Vec<Line>) -> AnyView {
    let lines: Vec<AnyView> = lines.into_iter().flatten().collect();
    if lines.is_empty() {
        return ().into_any();
    }
    view! { <Card title><dl class="facts">{lines}</dl></Card> }.into_any()
}

/// A value as shown, with its unit; the two pressures are one.
struct Value {
    name: Text,
    shown: String,
    judged: Vec<Judged>,
    estimated: bool,
}

fn values(form: &VisitForm, age: Months) -> Vec<Value> {
    let lower = form.vitals.iter().find(|m| m.vital == Vital::Diastolic);
    let upper = form.vitals.iter().any(|m| m.vital == Vital::Systolic);
    let vitals = form.vitals.iter().filter(|m| !(m.vital == Vital::Diastolic && upper)).map(|m| {
        let pair = lower.filter(|_| m.vital == Vital::Systolic);
        let code = if pair.is_some() { "bp" } else { vital_code(m.vital) };
        let value = pair.map_or_else(|| m.value.clone(), |lower| format!("{}/{}", m.value, lower.value));
        Value {
            name: Text::live(move || format::vital(code)),
            shown: format!("{value} {}", format::unit(&m.unit)),
            judged: [Some(m), pair].into_iter().flatten().map(|m| Judged::measured(m, age)).collect(),
            estimated: m.estimated,
        }
    });
    let tests = form.tests.iter().map(|tested| Value {
        name: words::test(tested.test).into(),
        shown: if tested.unit.is_empty() {
            tested.value.clone()
        } else {
            format!("{} {}", tested.value, format::unit(&tested.unit))
        },
        judged: vec![Judged::tested(tested, age)],
        estimated: false,
    });
    vitals.chain(tests).collect()
}

impl Value {
    /// The gravest of its verdicts that stands out.
    fn worst(&self) -> Option<Judged> {
        let mut out: Vec<Judged> = self.judged.iter().copied().filter(|j| j.stands_out()).collect();
        out.sort_by_key(|j| j.class() != "red");
        out.into_iter().next()
    }

    fn view(self) -> AnyView {
        let worst = self.worst();
        let class = format!("value {}", worst.map_or("", Judged::class));
        let code = self.shown.clone();
        let shown = move || words::of(&words::RESULT, &code);
        view! {
            <div class=class>
                <p class="small quiet">
                    {self.name.view()}
                    {self.estimated.then(|| view! { " (" {t(W::VisitEstimated)} ")" })}
                </p>
                <p class="strong"><span class="ltr">{shown}</span></p>
                {worst.map(Judged::view)}
            </div>
        }
        .into_any()
    }
}

fn abnormal(form: &VisitForm, age: Months) -> AnyView {
    let mut odd: Vec<Value> = values(form, age).into_iter().filter(|v| v.worst().is_some()).collect();
    odd.sort_by_key(|v| v.worst().is_none_or(|j| j.class() != "red"));
    let signs = form.danger.signs.clone();
    let none = odd.is_empty() && signs.is_empty();
    let signs = signs
        .into_iter()
        .map(|code| {
            let label = Text::live(move || words::of(&words::DANGER, &code));
            view! { <Tag label tint=Tint::SolidRed icon=icon::ALERT long=true t="danger-sign" /> }
        })
        .collect_view();
    let values = odd.into_iter().map(Value::view).collect_view();
    view! {
        <Card title=W::PageAbnormal t="abnormal">
            <div class="stack" style="--gap:12px">
                <div class="row">{signs}</div>
                <div class="values">{values}</div>
                {none.then(|| view! { <p class="quiet">{t(W::PageNothingAbnormal)}</p> })}
            </div>
        </Card>
    }
    .into_any()
}

fn reason(form: &VisitForm) -> AnyView {
    let complaint = [form.complaint.0.as_str(), form.complaint_since.as_str()].map(str::trim);
    let complaint = complaint.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" \u{00B7} ");
    let asked = (form.danger.asked && form.danger.signs.is_empty()).then_some(W::VisitDangerNone);
    let danger = match (asked, form.danger.asked) {
        (Some(none), _) => live(W::VisitDanger, move || say(none).to_owned()),
        (None, false) => live(W::VisitDanger, || say(W::VisitNotAsked).to_owned()),
        (None, true) => None,
    };
    let current = form.current_medicines.clone();
    let current = (!current.is_empty()).then(|| {
        let items = current
            .into_iter()
            .map(|m| {
                let source = m.source;
                view! {
                    <span style="display:block">
                        <bdi>{m.text.0}</bdi>
                        " "
                        <span class="small quiet">{move || (!source.is_empty()).then(|| words::of(&words::SOURCE, &source))}</span>
                    </span>
                }
            })
            .collect_view();
        view! { <dt>{t(W::PageCurrent)}</dt><dd>{items}</dd> }.into_any()
    });
    section(
        W::PageReason,
        vec![
            fact(W::VisitComplaint, complaint),
            fact(W::VisitHistory, form.history.0.clone()),
            coded(W::VisitInformant, &words::INFORMANT, &form.informant),
            fact(W::VisitPresent, form.present.clone()),
            danger,
            current,
        ],
    )
}

fn answers(form: &VisitForm) -> AnyView {
    let allergies = match form.allergies.state {
        AllergyState::NotAsked => live(W::Allergies, || say(W::VisitNotAsked).to_owned()),
        AllergyState::NoneKnown => live(W::Allergies, || say(W::VisitNoneKnown).to_owned()),
        AllergyState::Known => {
            let items = form
                .allergies
                .items
                .iter()
                .cloned()
                .map(|a| {
                    let (severity, reaction) = (a.severity, a.reaction.0);
                    view! {
                        <span style="display:block">
                            <bdi>{a.substance.0}</bdi>
                            " "
                            <span class="small quiet">
                                <bdi>{reaction}</bdi>
                                " "
                                {move || (!severity.is_empty()).then(|| words::of(&words::SEVERITY, &severity))}
                            </span>
                        </span>
                    }
                })
                .collect_view();
            Some(view! { <dt>{t(W::Allergies)}</dt><dd>{items}</dd> }.into_any())
        }
    };
    let pregnancy = form.pregnancy.clone();
    let pregnant = (!pregnancy.pregnant.is_empty()).then(|| {
        let words = move || {
            let answer = words::of(&words::YES_NO, &pregnancy.pregnant);
            let weeks = pregnancy
                .lmp
                .and_then(|lmp| rabta_domain::pregnancy::weeks(lmp, format::local_date()))
                .or(pregnancy.weeks);
            match weeks.filter(|_| pregnancy.pregnant != "no") {
                Some(n) => format!("{answer}, {}", say_with(W::PageWeeks, &[&n.to_string()])),
                None => answer,
            }
        };
        view! { <dt>{t(W::VisitPregnantAsk)}</dt><dd>{words}</dd> }.into_any()
    });
    let lmp = form.pregnancy.lmp.and_then(|lmp| live(W::VisitLmp, move || format::date(lmp)));
    let breastfeeding = coded(W::VisitBreastfeeding, &words::YES_NO, &form.pregnancy.breastfeeding);
    section(W::PageAnswers, vec![allergies, pregnant, lmp, breastfeeding])
}

fn measured(form: &VisitForm, age: Months) -> AnyView {
    let values = values(form, age).into_iter().map(Value::view).collect_view();
    let photos = form
        .photos
        .iter()
        .cloned()
        .map(|photo| {
            let caption = photo.caption.0;
            view! {
                <figure class="shot">
                    <Thumb id=photo.id caption=Text::from(caption.clone()) intimate=photo.intimate />
                    <figcaption class="small"><bdi>{caption}</bdi></figcaption>
                </figure>
            }
        })
        .collect_view();
    let examination = form.examination.0.trim().to_owned();
    view! {
        <Card title=W::PageFindingsBody>
            <div class="stack">
                <div class="values">{values}</div>
                {(!examination.is_empty()).then(|| view! { <p class="pre"><bdi>{examination}</bdi></p> })}
                <div class="shots">{photos}</div>
            </div>
        </Card>
    }
    .into_any()
}

fn assessment(form: &VisitForm) -> AnyView {
    let items = form
        .diagnoses
        .iter()
        .cloned()
        .map(|d| {
            let certainty = d.certainty;
            view! {
                <span style="display:block">
                    <bdi>{d.text.0}</bdi>
                    " "
                    <span class="small quiet">
                        <span class="ltr">{d.code}</span>
                        " "
                        {move || words::of(&words::CERTAINTY, &certainty)}
                    </span>
                </span>
            }
        })
        .collect_view();
    let diagnoses = (!form.diagnoses.is_empty())
        .then(|| view! { <dt>{t(W::VisitDiagnosis)}</dt><dd>{items}</dd> }.into_any());
    section(
        W::VisitAssessment,
        vec![
            diagnoses,
            fact(W::VisitProcedures, form.procedures.0.clone()),
            fact(W::VisitPlan, form.plan.0.clone()),
        ],
    )
}

fn medicines(form: &VisitForm) -> AnyView {
    if form.medicines.is_empty() {
        return ().into_any();
    }
    let lines = form
        .medicines
        .iter()
        .cloned()
        .map(|line| {
            let (named, spoken) = (line.clone(), line.clone());
            let as_written = line.course().is_some().then(|| line.dose.clone());
            view! {
                <li class="rx" data-t="medicine-read">
                    <Draw icon=icon::PILL />
                    <div class="grow">
                        <p>
                            <bdi class="strong">{move || words::medicine(&named)}</bdi>
                            " "
                            <span class="small quiet">{line.brand}</span>
                        </p>
                        <p>
                            <span dir="auto">{move || words::dose(&spoken)}</span>
                            " "
                            {as_written.map(|dose| view! { <span class="small quiet ltr">{dose}</span> })}
                        </p>
                        {(!line.note.is_empty()).then(|| view! { <p class="small"><bdi>{line.note.0}</bdi></p> })}
                        {line
                            .clash_reason
                            .map(|why| {
                                view! { <Tag label=Text::with(W::VisitClashKept, vec![why]) tint=Tint::Red icon=icon::ALERT long=true /> }
                            })}
                    </div>
                </li>
            }
        })
        .collect_view();
    view! { <Card title=W::Medicines><ol class="stack" style="--gap:12px">{lines}</ol></Card> }.into_any()
}

fn end(form: &VisitForm) -> AnyView {
    let follow = form.follow_up.clone();
    let day = follow.day.and_then(|day| live(W::VisitFollowUp, move || format::date(day)));
    section(
        W::VisitEnd,
        vec![
            coded(W::VisitDisposition, &words::DISPOSITION, &form.disposition),
            fact(W::VisitReturnAdvice, form.return_advice.0.clone()),
            day,
            fact(W::VisitFollowUpEvent, follow.event),
        ],
    )
}
