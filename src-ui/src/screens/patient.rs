use leptos::prelude::*;
#[component]
pub fn PatientScreen(id: String) -> impl IntoView { { let _ = id; view! { <p>"x"</p> } } }
