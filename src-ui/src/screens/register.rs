use leptos::prelude::*;
#[component]
pub fn RegisterScreen() -> impl IntoView { view! { <p>"x"</p> } }
