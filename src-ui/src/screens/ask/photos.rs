use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::visit::PhotoRef;
use rabta_ipc::visit::GetPhoto;

use crate::parts::{Dialog, Skeleton};
use crate::prefs::t;
use crate::{Text, W, icon, ipc};

/// The photos of a note, large. An intimate one is covered until somebody taps it; a tap on a visible one fills the
/// window.
#[component]
pub fn Photos(photos: Vec<PhotoRef>) -> impl IntoView {
    photos.into_iter().map(|photo| view! { <Photo photo /> }).collect_view()
}

#[component]
fn Photo(photo: PhotoRef) -> impl IntoView {
    let src = RwSignal::new(String::new());
    let lost = RwSignal::new(false);
    let id = photo.id.clone();
    spawn_local(async move {
        match ipc::call(GetPhoto { id, thumb: false }).await {
            Ok(url) => {
                src.try_set(url.0);
            }
            Err(_) => {
                lost.try_set(true);
            }
        }
    });
    let intimate = photo.intimate;
    let hidden = RwSignal::new(intimate);
    let large = RwSignal::new(false);
    let caption = photo.caption.0.clone();
    let words = StoredValue::new(if caption.is_empty() { String::new() } else { caption });
    let title = Text::live(move || {
        let words = words.get_value();
        if words.is_empty() { crate::prefs::say(W::CasePhotos).to_owned() } else { words }
    });
    view! {
        <figure class="shot">
            {move || match (src.get(), lost.get()) {
                (_, true) => view! { <p class="quiet small">{t(W::ErrNotFound)}</p> }.into_any(),
                (url, _) if url.is_empty() => view! { <Skeleton lines=3 /> }.into_any(),
                (url, _) => {
                    view! {
                        <button
                            type="button"
                            class="photo"
                            class:hid=hidden
                            data-t="photo"
                            on:click=move |_| if hidden.get_untracked() { hidden.set(false) } else { large.set(true) }
                        >
                            <img src=url alt=title.clone().view() />
                            <Show when=move || hidden.get()>
                                <span class="cover"><crate::parts::Draw icon=icon::EYE_OFF />{t(W::TapToSee)}</span>
                            </Show>
                        </button>
                    }
                    .into_any()
                }
            }}
            <figcaption class="small quiet"><bdi>{words.get_value()}</bdi></figcaption>
            <Dialog title=words.get_value() open=large t="photo-large" foot=move || ()>
                <img class="whole" src=move || src.get() alt=words.get_value() />
            </Dialog>
        </figure>
    }
    .into_any()
}
