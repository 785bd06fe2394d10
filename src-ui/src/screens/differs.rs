//! Details of which two values stand: both side by side, who wrote them and when. Nothing is chosen until somebody chooses.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::patient::{Choice as ToDecide, DecideDetails, Differs, Said};

use crate::errors::MaybeError;
use crate::parts::{Banner, Button, Choice, Kind, Opt, Tone};
use crate::prefs::say;
use crate::{W, format, icon, ipc};

/// Names of the answers, in their order: more than a few values of one detail are never there at once.
const ANSWERS: [&str; 4] = ["1", "2", "3", "4"];

/// On a patient's page.
#[component]
pub fn TwoValues(patient: String, differs: Vec<Differs>) -> impl IntoView {
    let (busy, error) = (RwSignal::new(false), RwSignal::new(None));
    let ours = differs.iter().all(|differs| differs.ours);
    let picks: Vec<(RwSignal<String>, Differs)> =
        differs.into_iter().map(|differs| (RwSignal::new(String::new()), differs)).collect();
    let fields = picks
        .iter()
        .map(|(pick, differs)| {
            let options = ANSWERS.into_iter().zip(&differs.values).map(|(answer, said)| {
                Opt::new(answer, [value(&differs.field, said), who(said)].join(" \u{2014} "))
            });
            let (options, label) = (options.collect(), label(&differs.field));
            view! { <Choice label t="differs-value" value=*pick options off=!ours /> }.into_any()
        })
        .collect_view();
    let signals: Vec<RwSignal<String>> = picks.iter().map(|(pick, _)| *pick).collect();
    // Nobody picks blindly: one of each first.
    let off = Signal::derive(move || signals.iter().any(|pick| pick.with(String::is_empty)));
    let decide = move || {
        busy.set(true);
        let choices = picks.iter().filter_map(|(pick, differs)| {
            let at = ANSWERS.iter().position(|answer| pick.with_untracked(|pick| pick == answer))?;
            Some(ToDecide { field: differs.field.clone(), version: differs.values[at].version.clone() })
        });
        let told = DecideDetails { id: patient.clone(), choices: choices.collect() };
        spawn_local(async move {
            let answer = ipc::call(told).await;
            busy.try_set(false);
            error.try_set(answer.err());
        });
    };
    view! {
        <Banner title=W::DiffersTitle body=W::DiffersBody tone=Tone::Look t="differs">
            {fields} <MaybeError error />
            {ours
                .then(|| {
                    view! {
<p>
                            <Button label=W::DiffersSave t="decide" kind=Kind::Main icon=icon::CHECK busy off on_press=decide />
                        </p>
                    }
                })}
        </Banner>
    }
    .into_any()
}

/// "Dr Amna, BHU Kot Radha, 2 h ago".
fn who(said: &Said) -> String {
    let ago = format::ago(said.at);
    let parts = [said.by.as_str(), said.facility.as_str(), &ago].into_iter().filter(|part| !part.is_empty());
    parts.map(isolated).collect::<Vec<_>>().join(format::comma())
}

/// A name or a number of one script inside a line of another neither moves nor turns round.
fn isolated(text: &str) -> String {
    ["\u{2068}", text, "\u{2069}"].concat()
}

fn label(field: &str) -> W {
    match field {
        "name" => W::Name,
        "name-other" => W::NameOther,
        "relation" => W::RelationKind,
        "sex" => W::Sex,
        "age" => W::Age,
        "phones" => W::Phone,
        "place" => W::Village,
        "papers" => W::RegisterPapers,
        "guardian" => W::GuardianHead,
        _ => W::NewbornMother,
    }
}

/// A value in words.
fn value(field: &str, said: &Said) -> String {
    let words = match field {
        "relation" => said.relation.as_ref().map(|r| format::relation(r, said.sex)).unwrap_or_default(),
        "sex" => format::sex(said.sex).to_owned(),
        "age" if said.age.is_some() => format!("{} {}", format::age(said.age), said.text.0),
        _ => said.text.0.clone(),
    };
    isolated(if words.is_empty() { say(W::Unknown) } else { &words })
}
