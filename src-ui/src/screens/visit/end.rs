//! How the visit ends: where the patient goes, when to come back at once, the follow-up.

use leptos::prelude::*;

use super::draft::draft;
use super::words::DISPOSITION;
use crate::parts::{Area, Button, Card, Choice, Field, Kind, Opt};
use crate::prefs::say;
use crate::screens::register::{parse_day, show_day};
use crate::{Text, W, format};

/// Follow-ups that are one press away, in days.
const SOON: [i64; 4] = [3, 7, 14, 30];

#[component]
pub fn End() -> impl IntoView {
    let draft = draft();
    let disposition = draft.text(|f| f.disposition.clone(), |f, v| f.disposition = v);
    let advice = draft.text(|f| f.return_advice.0.clone(), |f, v| f.return_advice = v.into());
    let event = draft.text(|f| f.follow_up.event.clone(), |f, v| f.follow_up.event = v);
    let day = draft
        .text(|f| f.follow_up.day.map(show_day).unwrap_or_default(), |f, v| f.follow_up.day = parse_day(&v));
    let left = RwSignal::new(true);
    let odd = Signal::derive(move || {
        let typed = day.get();
        if typed.trim().is_empty() || !left.get() {
            return None;
        }
        match parse_day(&typed) {
            None => Some(say(W::AgeBadDate).to_owned()),
            Some(day) if day < format::local_date() => Some(say(W::VisitPastDay).to_owned()),
            Some(_) => None,
        }
    });
    let soon = SOON
        .into_iter()
        .map(|n| {
            let set = move || {
                if let Some(on) = format::local_date().checked_add(time::Duration::days(n)) {
                    day.set(show_day(on));
                }
            };
            view! { <Button label=Text::with(W::VisitInDays, vec![n.to_string()]) t="follow-up-soon" kind=Kind::Plain on_press=set /> }
        })
        .collect_view();
    view! {
        <Card title=W::VisitEnd t="end">
            <div class="stack">
                <Choice
                    label=W::VisitDisposition
                    t="disposition"
                    value=disposition
                    options=DISPOSITION.into_iter().map(|(code, word)| Opt::new(code, word)).collect()
                />
                <Area label=W::VisitReturnAdvice t="return-advice" value=advice lines=2 />
                <div class="grid-2">
                    <div class="stack" style="--gap:4px">
                        <Field
                            label=W::VisitFollowUpDay
                            t="follow-up"
                            value=day
                            ltr=true
                            hint=W::DateHint
                            warning=odd
                            max=12
                            on_input=move || left.set(false)
                            on_leave=move || left.set(true)
                        />
                        <div class="row" style="--gap:2px">{soon}</div>
                    </div>
                    <Field label=W::VisitFollowUpEvent t="follow-up-event" value=event hint=W::VisitFollowUpEventHint max=120 />
                </div>
            </div>
        </Card>
    }
}
