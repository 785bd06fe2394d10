use leptos::prelude::*;
#[component]
pub fn GalleryScreen() -> impl IntoView { view! { <p>"x"</p> } }
