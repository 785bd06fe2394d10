use leptos::prelude::*;
use rabta_domain::Private;
use rabta_domain::consent::ConsentForm;

use crate::parts::{Banner, Check, Choice, Field, Opt, Pick, Tone};
use crate::prefs::t;
use crate::{W, prefs, words::Lang};

/// The consent while it is asked. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Consent {
    pub decision: RwSignal<String>,
    given_by: RwSignal<String>,
    guardian_name: RwSignal<String>,
    guardian_relation: RwSignal<String>,
    how: RwSignal<String>,
    language: RwSignal<String>,
    witness: RwSignal<String>,
    /// this-consultation, other-facilities, photos, phone-contact.
    scope: [RwSignal<bool>; 4],
    reason: RwSignal<String>,
}

const SCOPE: [&str; 4] = ["this-consultation", "other-facilities", "photos", "phone-contact"];

impl Consent {
    pub fn new() -> Self {
        let text = || RwSignal::new(String::new());
        let language = if untrack(prefs::lang) == Lang::Ur { "ur" } else { "" };
        Consent {
            decision: text(),
            given_by: text(),
            guardian_name: text(),
            guardian_relation: RwSignal::new("FTH".to_owned()),
            how: text(),
            language: RwSignal::new(language.to_owned()),
            witness: text(),
            scope: [false; 4].map(RwSignal::new),
            reason: text(),
        }
    }

    /// A child: a guardian answers.
    pub fn of_child(&self) {
        self.given_by.set("guardian".to_owned());
    }

    /// As it was left.
    pub fn restore(&self, form: ConsentForm) {
        for (code, on) in SCOPE.iter().zip(self.scope) {
            on.try_set(form.scope.iter().any(|scope| scope == code));
        }
        for (place, text) in [
            (self.decision, form.decision),
            (self.given_by, form.given_by),
            (self.guardian_name, form.guardian_name.0),
            (self.how, form.how),
            (self.language, form.language),
            (self.witness, form.witness.0),
            (self.reason, form.reason.0),
        ] {
            place.try_set(text);
        }
        if !form.guardian_relation.is_empty() {
            self.guardian_relation.try_set(form.guardian_relation);
        }
    }

    /// As it will be signed (tracked).
    pub fn form(&self) -> ConsentForm {
        let guardian = self.given_by.get() == "guardian";
        let only = |text: RwSignal<String>, there: bool| {
            if there { text.get().trim().to_owned() } else { String::new() }
        };
        let given = self.decision.get() == "given";
        ConsentForm {
            decision: self.decision.get(),
            given_by: self.given_by.get(),
            guardian_name: Private(only(self.guardian_name, guardian)),
            guardian_relation: only(self.guardian_relation, guardian),
            how: only(self.how, given),
            language: self.language.get(),
            witness: Private(only(self.witness, given)),
            scope: SCOPE
                .iter()
                .zip(self.scope)
                .filter(|(_, on)| on.get() && given)
                .map(|(code, _)| (*code).to_owned())
                .collect(),
            reason: Private(only(self.reason, self.decision.get() == "emergency")),
        }
    }
}

/// Asked before anybody outside the clinic can read: what to say, who answered, how, and for what.
#[component]
pub fn ConsentPart(consent: Consent) -> impl IntoView {
    let is = move |code: &'static str| move || consent.decision.get() == code;
    let unscoped = Signal::derive(move || consent.decision.get() == "given" && !consent.scope[0].get());
    view! {
        <div class="stack">
            <p class="aloud">{t(W::AskConsentSay)}</p>
            <Choice
                label=W::AskConsentQuestion
                t="consent"
                value=consent.decision
                options=vec![
                    Opt::new("given", W::AskGiven),
                    Opt::new("refused", W::AskRefused),
                    Opt::new("emergency", W::AskEmergency),
                ]
            />
            <Show when=move || consent.decision.with(|decision| decision == "given" || decision == "refused")>
                <Choice
                    label=W::AskGivenBy
                    t="given-by"
                    value=consent.given_by
                    options=vec![Opt::new("patient", W::AskByPatient), Opt::new("guardian", W::AskByGuardian)]
                />
                <Show when=move || consent.given_by.get() == "guardian">
                    <div class="grid-2">
                        <Field label=W::GuardianName t="guardian-name" value=consent.guardian_name />
                        <Pick
                            label=W::GuardianRelation
                            t="guardian-relation"
                            value=consent.guardian_relation
                            options=vec![
                                ("FTH", W::RelFather.into()),
                                ("MTH", W::RelMother.into()),
                                ("HUSB", W::RelHusband.into()),
                                ("GRPRN", W::RelGrandparent.into()),
                                ("BRO", W::RelBrother.into()),
                                ("SIS", W::RelSister.into()),
                                ("UNCLE", W::RelUncle.into()),
                                ("AUNT", W::RelAunt.into()),
                                ("GUARD", W::GuardianOther.into()),
                            ]
                        />
                    </div>
                </Show>
            </Show>
            <Show when=is("given")>
                <Choice
                    label=W::AskHow
                    t="consent-how"
                    value=consent.how
                    options=vec![
                        Opt::new("spoken", W::AskSpoken),
                        Opt::new("thumb", W::AskThumb),
                        Opt::new("signature", W::AskSignature),
                    ]
                />
                <div class="grid-2">
                    <Show when=move || consent.how.get() == "spoken">
                        <Field label=W::AskWitness t="witness" value=consent.witness />
                    </Show>
                    <Language consent />
                </div>
                <fieldset class="f">
                    <legend class="label">{t(W::AskScope)}</legend>
                    <div>
                    <Check label=W::AskScopeThis t="scope-this-consultation" value=consent.scope[0] />
                    <Check label=W::AskScopePhotos t="scope-photos" value=consent.scope[2] />
                    <Check label=W::AskScopeOthers t="scope-other-facilities" value=consent.scope[1] />
                    <Check label=W::AskScopePhone t="scope-phone-contact" value=consent.scope[3] />
                    </div>
                    <Show when=move || unscoped.get()>
                        <p class="hint">{t(W::AskScopeMissing)}</p>
                    </Show>
                </fieldset>
            </Show>
            <Show when=is("emergency")>
                <Field label=W::AskReasonOverride t="emergency-reason" value=consent.reason hint=W::AskOverrideHint />
            </Show>
            <Show when=is("refused")>
                <Banner title=W::AskRefused body=W::AskRefusedBody tone=Tone::Look t="refused" />
            </Show>
        </div>
    }
    .into_any()
}

/// The language in which it was explained; each in its own name.
#[component]
fn Language(consent: Consent) -> impl IntoView {
    view! {
        <Pick
            label=W::AskLanguage
            t="consent-language"
            value=consent.language
            options=vec![
                ("", "".into()),
                ("ur", "اردو".into()),
                ("pa", "پنجابی".into()),
                ("skr", "سرائیکی".into()),
                ("ps", "پښتو".into()),
                ("sd", "سنڌي".into()),
                ("bal", "بلوچی".into()),
                ("brh", "براہوئی".into()),
                ("en", "English".into()),
            ]
        />
    }
    .into_any()
}
