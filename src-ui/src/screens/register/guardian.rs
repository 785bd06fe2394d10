use leptos::prelude::*;

use super::form::Form;
use crate::W;
use crate::parts::{Field, Pick};
use crate::prefs::t;

/// For a child: who consents, and whom to call.
#[component]
pub fn GuardianFields() -> impl IntoView {
    let form = expect_context::<Form>();
    // Mostly it is the father or mother who was just named.
    let (relation, name) = (form.relation.get_untracked(), form.relation_name.get_untracked());
    if form.guardian_name.with_untracked(String::is_empty) && !name.trim().is_empty() && relation != "HUSB" {
        form.guardian_relation.set(relation);
        form.guardian_name.set(name);
    }
    view! {
        <div class="stack">
            <p class="quiet small">{t(W::GuardianWhy)}</p>
            <div class="grid-2">
                <Field label=W::GuardianName t="guardian-name" value=form.guardian_name error=form.error("guardian-name") />
                <Pick
                    label=W::GuardianRelation
                    t="guardian-relation"
                    value=form.guardian_relation
                    options=vec![
                        ("FTH", W::RelFather.into()),
                        ("MTH", W::RelMother.into()),
                        ("GRPRN", W::RelGrandparent.into()),
                        ("BRO", W::RelBrother.into()),
                        ("SIS", W::RelSister.into()),
                        ("UNCLE", W::RelUncle.into()),
                        ("AUNT", W::RelAunt.into()),
                        ("GUARD", W::GuardianOther.into()),
                    ]
                />
                <Field label=W::GuardianPhone t="guardian-phone" value=form.guardian_phone ltr=true input_mode="tel" max=30 optional_word=true error=form.error("guardian-phone") />
                <Field
                    label=W::GuardianCnic
                    t="guardian-cnic"
                    value=form.guardian_cnic
                    ltr=true
                    max=20
                    hint=W::CnicHint
                    optional_word=true
                    error=form.error("guardian-cnic")
                />
            </div>
        </div>
    }
}
