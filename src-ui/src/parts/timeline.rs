use leptos::prelude::*;

use super::Tint;
use crate::Text;

/// One point of a [`Timeline`].
#[derive(Clone)]
pub struct Moment {
    pub when: Text,
    pub what: Text,
    /// More words, where there are any.
    pub more: Option<Text>,
    pub tint: Tint,
    /// Where a tap leads.
    pub href: Option<String>,
}

/// What happened, newest first.
#[component]
pub fn Timeline(moments: Vec<Moment>) -> impl IntoView {
    let items = moments
        .into_iter()
        .map(|moment| {
            let pin = match moment.tint {
                Tint::Grey => "pin",
                Tint::Teal => "pin teal",
                Tint::Amber => "pin amber",
                Tint::Red | Tint::SolidRed => "pin red",
            };
            let what = moment.what.view();
            view! {
                <li>
                    <span class=pin aria-hidden="true"></span>
                    <div>
                        <p class="when">{moment.when.view()}</p>
                        {match moment.href {
                            Some(href) => view! { <a class="strong" data-t="moment" href=href><bdi>{what}</bdi></a> }.into_any(),
                            None => view! { <p class="strong"><bdi>{what}</bdi></p> }.into_any(),
                        }}
                        {moment.more.map(|more| view! { <p class="small"><bdi>{more.view()}</bdi></p> })}
                    </div>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="tl" data-t="timeline">{items}</ol> }.into_any()
}
