//! The code on a printed prescription, typed or pasted: who signed it, when, for how many medicines; works offline.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::Private;
use rabta_ipc::Error;
use rabta_ipc::visit::{PaperProof, PaperVerdict, VerifyPaper};

use crate::errors::MaybeError;
use crate::parts::{Area, Banner, Button, Card, Kind, LinkButton, Tone};
use crate::prefs::{say, say_count, t};
use crate::router::Route;
use crate::{Text, W, dom, format, icon, ipc};

#[component]
pub fn VerifyCard() -> impl IntoView {
    let code = RwSignal::new(String::new());
    let proof = RwSignal::new(None::<PaperProof>);
    let error = RwSignal::new(None::<Error>);
    let busy = RwSignal::new(false);
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let typed = code.get_untracked();
        if busy.get_untracked() || typed.trim().is_empty() {
            return dom::focus("#paper-code");
        }
        busy.set(true);
        (error.set(None), proof.set(None));
        spawn_local(async move {
            let answer = ipc::call(VerifyPaper { code: Private(typed) }).await;
            busy.try_set(false);
            match answer {
                Ok(told) => {
                    proof.try_set(Some(told));
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    view! {
        <Card title=W::VerifyTitle t="verify">
            <form class="stack" novalidate on:submit=send>
                <Area label=W::VerifyCode t="paper-code" value=code hint=W::VerifyHint lines=3 on_input=move || proof.set(None) />
                <div class="row"><Button label=W::VerifyNow t="verify-paper" icon=icon::SHIELD submit=true busy /></div>
                <MaybeError error />
                <div aria-live="polite">{move || proof.get().map(|proof| view! { <Proof proof /> })}</div>
            </form>
        </Card>
    }
    .into_any()
}

/// What the code proves, in words.
#[component]
fn Proof(proof: PaperProof) -> impl IntoView {
    let (title, body, tone) = match proof.verdict {
        PaperVerdict::Genuine => (W::VerifyGenuine, W::VerifyGenuineBody, Tone::Info),
        PaperVerdict::GenuineSignerRevoked => {
            (W::VerifyGenuineRevoked, W::VerifyGenuineRevokedBody, Tone::Look)
        }
        PaperVerdict::NotACode => (W::VerifyNotACode, W::VerifyNotACodeBody, Tone::Look),
        PaperVerdict::Mistyped => (W::VerifyMistyped, W::VerifyMistypedBody, Tone::Look),
        PaperVerdict::NewerProgram => (W::VerifyNewer, W::VerifyNewerBody, Tone::Look),
        PaperVerdict::UnknownSigner => (W::VerifyUnknown, W::VerifyUnknownBody, Tone::Look),
        PaperVerdict::Forged => (W::VerifyForged, W::VerifyForgedBody, Tone::Stop),
        PaperVerdict::Revoked => (W::VerifyRevoked, W::VerifyRevokedBody, Tone::Stop),
    };
    let verdict = serde_json::to_value(proof.verdict).ok().and_then(|v| v.as_str().map(str::to_owned));
    let signer = proof.signer.map(|signer| {
        let role = signer.role;
        view! {
            <dt>{t(W::VerifySigner)}</dt>
            <dd>
                <bdi>{signer.name}</bdi>
                " "
                <span class="small quiet">
                    {move || format::role(&role)}
                    {signer.registration.map(|number| view! { " \u{00B7} " <span class="ltr">{number}</span> })}
                </span>
            </dd>
            <dt>{t(W::Facility)}</dt>
            <dd><bdi>{signer.facility}</bdi></dd>
        }
    });
    let day = proof.day.map(|day| view! { <dt>{t(W::VerifyDay)}</dt><dd>{move || format::day(&day)}</dd> });
    let medicines = proof.medicines.map(|count| {
        let words = move || match count {
            u8::MAX => say(W::VerifyMany).to_owned(),
            n => say_count(usize::from(n), W::VerifyOneMedicine, W::VerifyMedicines),
        };
        view! { <dt>{t(W::Medicines)}</dt><dd>{words}</dd> }
    });
    let visit = proof.visit.map(|id| {
        let href = Route::VisitPage(id).href();
        view! { <div class="row"><LinkButton label=W::VerifyOpen t="verify-visit" kind=Kind::Usual icon=icon::DOCUMENT href /></div> }
    });
    let corrected = proof
        .corrected
        .then(|| view! { <Banner title=W::VerifyCorrected tone=Tone::Look t="verify-corrected" /> });
    view! {
        <div class="stack" style="--gap:12px" data-t="proof" data-verdict=verdict>
            <Banner title=Text::from(title) body=Text::from(body) tone t="proof-verdict" />
            {corrected}
            <dl class="facts">{signer}{day}{medicines}</dl>
            {visit}
        </div>
    }
    .into_any()
}
