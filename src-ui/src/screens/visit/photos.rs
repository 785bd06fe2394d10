//! The examination, and photos: taken anew or from a file, each with what it shows.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys;
use rabta_domain::visit::{PhotoRef, VisitForm};
use rabta_ipc::Error;
use rabta_ipc::visit::{AddPhoto, GetPhoto};

use super::draft::{Draft, draft};
use super::row::Cell;
use crate::errors::MaybeError;
use crate::parts::{Area, Button, Card, Check, Draw, Kind, PhotoThumb};
use crate::prefs::t;
use crate::{Text, W, dom, icon, ipc};

/// What was seen and felt.
#[component]
pub fn Examination() -> impl IntoView {
    let draft = draft();
    let examination = draft.text(|f| f.examination.0.clone(), |f, v| f.examination = v.into());
    view! {
        <Card>
            <div class="stack">
                <Area label=W::VisitExamination t="examination" value=examination lines=3 />
                <Photos draft />
            </div>
        </Card>
    }
}

#[component]
fn Photos(draft: Draft) -> impl IntoView {
    let ids =
        Memo::new(move |_| draft.form.with(|f| f.photos.iter().map(|p| p.id.clone()).collect::<Vec<_>>()));
    let error = RwSignal::new(None::<Error>);
    let adding = RwSignal::new(0_u32);
    let visit = draft.id();
    let chosen = move |event: leptos::ev::Event| {
        let Some(input) = event.target().and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok()) else {
            return;
        };
        let Some(files) = input.files() else { return };
        error.set(None);
        for file in (0..files.length()).filter_map(|i| files.get(i)) {
            adding.update(|n| *n += 1);
            let visit = visit.clone();
            spawn_local(async move {
                let answer = match dom::base64_of(&file).await {
                    Some(data) => {
                        let add = AddPhoto {
                            visit,
                            data: data.into(),
                            caption: Default::default(),
                            intimate: false,
                        };
                        ipc::call(add).await
                    }
                    None => Err(Error::new("not-an-image")),
                };
                adding.try_update(|n| *n = n.saturating_sub(1));
                match answer {
                    Ok(photo) if draft.form.try_with_untracked(|_| ()).is_some() => {
                        draft.edit(|f| f.photos.push(photo));
                    }
                    Ok(_) => {}
                    Err(problem) => {
                        error.try_set(Some(problem));
                    }
                }
            });
        }
        // The same file may be chosen again after it was removed.
        input.set_value("");
    };
    view! {
        <div class="stack" style="--gap:10px" data-t="photos">
            <div class="photos">
                <For each=move || ids.get() key=String::clone let:id>
                    <Photo draft id />
                </For>
            </div>
            <MaybeError error />
            <div class="row" style="--gap:12px">
                <label class="b file">
                    <Draw icon=icon::CAMERA />
                    <span>{t(W::VisitAddPhoto)}</span>
                    <input
                        type="file"
                        class="sr"
                        data-t="photo-file"
                        accept="image/*"
                        capture="environment"
                        multiple=true
                        on:change=chosen
                    />
                </label>
                <span class="small quiet grow">
                    {move || if adding.get() > 0 { t(W::VisitPhotoAdding)() } else { t(W::VisitPhotoHint)() }}
                </span>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Photo(draft: Draft, id: String) -> impl IntoView {
    let now =
        draft.form.with_untracked(|f| f.photos.iter().find(|p| p.id == id).cloned()).unwrap_or_default();
    let with = |id: String, change: fn(&mut PhotoRef, &str)| {
        move |f: &mut VisitForm, v: String| {
            if let Some(photo) = f.photos.iter_mut().find(|p| p.id == id) {
                change(photo, &v);
            }
        }
    };
    let caption = draft.bound(now.caption.0.clone(), with(id.clone(), |p, v| p.caption = v.into()));
    let intimate = RwSignal::new(now.intimate);
    let same = id.clone();
    let mark = move || {
        let on = intimate.get_untracked();
        draft.edit(|f| {
            if let Some(photo) = f.photos.iter_mut().find(|p| p.id == same) {
                photo.intimate = on;
            }
        });
    };
    let gone = id.clone();
    view! {
        <div class="item" data-t="photo-row">
            <div class="row top" style="--gap:12px;flex-wrap:nowrap">
                {
                    let id = id.clone();
                    move || view! { <Thumb id=id.clone() caption=Text::live(move || caption.get()) intimate=intimate.get() /> }
                }
                <div class="grow stack" style="--gap:4px">
                    <Cell label=W::VisitCaption t="photo-caption" id=format!("caption-{id}") value=caption />
                    <Check label=W::VisitIntimate t="photo-intimate" value=intimate on_change=mark />
                </div>
                <Button
                    label=W::Remove
                    t="photo-remove"
                    kind=Kind::Plain
                    icon=icon::TRASH
                    icon_only=true
                    on_press=move || draft.edit(|f| f.photos.retain(|p| p.id != gone))
                />
            </div>
        </div>
    }
    .into_any()
}

/// A kept photo in small; tapped, it is shown large.
#[component]
pub fn Thumb(id: String, caption: Text, intimate: bool) -> impl IntoView {
    let src = RwSignal::new(None::<String>);
    let large = RwSignal::new(None::<String>);
    let open = RwSignal::new(false);
    let id = StoredValue::new(id);
    spawn_local(async move {
        let Some(id) = id.try_get_value() else { return };
        if let Ok(data) = ipc::call(GetPhoto { id, thumb: true }).await {
            src.try_set(Some(data.0));
        }
    });
    let enlarge = move || {
        open.set(true);
        spawn_local(async move {
            let Some(id) = id.try_get_value() else { return };
            if let Ok(data) = ipc::call(GetPhoto { id, thumb: false }).await {
                large.try_set(Some(data.0));
            }
        });
    };
    let words = caption.clone();
    let title = Text::live(move || {
        let caption = words.get();
        if caption.is_empty() { crate::prefs::say(W::VisitPhotos).to_owned() } else { caption }
    });
    view! {
        {move || match src.get() {
            Some(src) => view! { <PhotoThumb src caption=caption.clone() intimate on_open=enlarge /> }.into_any(),
            None => view! { <span class="photo sk" aria-busy="true"></span> }.into_any(),
        }}
        <crate::parts::Dialog title open t="photo-large" foot=|| ()>
            {move || large.get().or_else(|| src.get()).map(|src| view! { <img src=src alt="" style="max-inline-size:100%;display:block;margin-inline:auto" /> })}
        </crate::parts::Dialog>
    }
    .into_any()
}
