use leptos::prelude::*;

use crate::W;
use crate::prefs::say_with;
use crate::session::session;

/// How long this side waited for voice and picture, in small print and as attributes.
#[component]
pub fn CallFigures() -> impl IntoView {
    let session = session();
    let figures = Memo::new(move |_| session.call.with(|call| call.as_ref().and_then(|call| call.figures)));
    let text = |ms: Option<u32>| ms.map(|ms| ms.to_string()).unwrap_or_default();
    let known = |ms: Option<u32>| ms.map_or_else(|| "-".to_owned(), |ms| ms.to_string());
    move || {
        let figures = figures.get()?;
        let (audio, video) = (figures.accept_to_first_audio_ms, figures.accept_to_first_video_ms);
        Some(view! {
            <p
                class="code"
                data-t="call-figures"
                data-audio-ms=text(audio)
                data-video-ms=text(video)
                data-frames=figures.frames.to_string()
            >
                {move || say_with(W::CallFigures, &[&known(audio), &known(video), &figures.frames.to_string()])}
            </p>
        })
    }
}
