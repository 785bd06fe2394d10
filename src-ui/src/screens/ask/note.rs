use leptos::prelude::*;
use rabta_domain::vitals::Verdict;
use rabta_ipc::ask::Note;
use rabta_ipc::visit::SignedBy;

use super::photos::Photos;
use super::words;
use crate::parts::{Tag, Tint};
use crate::prefs::{say_with, t};
use crate::{Text, W, format, icon};

/// The referral note, one page: danger signs, values with the abnormal ones first, the sections, the photos large,
/// the consent, who signed. The same page in the preview and at the specialist's.
#[component]
pub fn NotePage(note: Note) -> impl IntoView {
    let dangers = if note.danger_signs.is_empty() {
        view! { <p class="small quiet">{t(W::CaseNoDanger)}</p> }.into_any()
    } else {
        let tags = note
            .danger_signs
            .iter()
            .map(|code| {
                let code = code.clone();
                view! { <Tag label=Text::live(move || words::danger(&code)) tint=Tint::SolidRed icon=icon::ALERT long=true t="note-danger" /> }
            })
            .collect_view();
        view! { <div class="row" role="group" aria-label=t(W::CaseDanger)>{tags}</div> }.into_any()
    };
    let vitals = note
        .vitals
        .iter()
        .map(|vital| {
            let (word, class) = words::verdict(vital.verdict);
            let code = vital.vital.clone();
            let odd = vital.verdict != Verdict::Usual;
            view! {
                <div class=class data-t="note-vital" data-vital=vital.vital.clone()>
                    <span class="small">{move || format::vital(&code)}</span>
                    <b><span class="ltr">{vital.value.clone()}</span> " " <small class="ltr">{format::unit(&vital.unit).to_owned()}</small></b>
                    <span class="small">
                        {odd.then(|| view! { <crate::parts::Draw icon=icon::ALERT /> " " })} {t(word)}
                    </span>
                </div>
            }
        })
        .collect_view();
    let sections = note
        .sections
        .into_iter()
        .map(|section| {
            let title = section.title.clone();
            let body = if section.lines.is_empty() {
                view! { <p class="quiet">{t(words::empty(&section.empty))}</p> }.into_any()
            } else {
                section
                    .lines
                    .into_iter()
                    .map(|line| view! { <p dir="auto" class="said">{line.0}</p> })
                    .collect_view()
                    .into_any()
            };
            view! {
                <section class="part" data-t="note-section" data-section=section.title>
                    <h2>{move || words::section(&title)}</h2>
                    {body}
                </section>
            }
        })
        .collect_view();
    let wished = !note.wishes.is_empty();
    let wishes = note
        .wishes
        .into_iter()
        .map(|code| view! { <Tag label=Text::live(move || words::wish(&code)) tint=Tint::Amber t="note-wish" /> })
        .collect_view();
    let no_vitals = note.vitals.is_empty();
    let photos = note.photos;
    let (consent, tint) = words::consent(&note.consent);
    let preview = note.at == 0;
    view! {
        <div class="stack note" data-t="note">
            {dangers}
            {if no_vitals {
                view! { <p class="small quiet">{t(W::CaseNoVitals)}</p> }.into_any()
            } else {
                view! { <div class="values">{vitals}</div> }.into_any()
            }}
            {(!photos.is_empty()).then(|| view! { <div class="shots"><Photos photos /></div> })}
            <div class="parts">{sections}</div>
            {wished.then(|| view! { <section class="part"><h2>{t(W::AskWishes)}</h2><div class="row">{wishes}</div></section> })}
            {(!preview)
                .then(|| {
                    view! {
                        <div class="row apart">
                            <Tag label=consent tint icon=icon::SHIELD t="note-consent" />
                            {note.signed.map(|signed| view! { <Signed signed /> })}
                        </div>
                    }
                })}
        </div>
    }
    .into_any()
}

/// Who signed, when, and whether the signature verified here and now.
#[component]
pub fn Signed(signed: SignedBy) -> impl IntoView {
    let verified = signed.verified;
    let signed = StoredValue::new(signed);
    view! {
        <div class="row small" data-t="signed-by" data-verified=verified.to_string()>
            <span>
                {move || {
                    signed
                        .with_value(|signed| {
                            let who = match &signed.registration {
                                Some(number) => format!("{}{}{}{}{number}", signed.name, format::comma(), format::role(&signed.role), format::comma()),
                                None => format!("{}{}{}", signed.name, format::comma(), format::role(&signed.role)),
                            };
                            format!("{} \u{00B7} {}", say_with(W::PageSignedBy, &[&who]), words::moment(signed.at))
                        })
                }}
            </span>
            <Tag
                label=if verified { W::PageVerified } else { W::PageNotVerified }
                tint=if verified { Tint::Teal } else { Tint::SolidRed }
                icon=if verified { icon::CIRCLE_CHECK } else { icon::STOP }
                t="verified"
            />
            <span class="code ltr">{signed.with_value(|signed| signed.fingerprint.clone())}</span>
        </div>
    }
    .into_any()
}
