//! The window may be behind others when somebody rings or something comes in: then the taskbar says so, and a
//! notification of the system. Neither ever names a patient; a caller's name is a colleague's.

use std::time::{Duration, Instant};

use rabta_app::App;
use rabta_ipc::{
    Event,
    call::CallView,
    gate::{GetStatus, Lang, Status},
};
use tauri::{UserAttentionType, WebviewWindow};
use tokio::sync::broadcast::error::RecvError;

/// News of questions, at most so often.
const NEWS_EVERY: Duration = Duration::from_secs(60);

/// Listens to the app core as long as it runs.
pub(crate) fn watch(window: WebviewWindow, app: App) {
    let mut events = app.events();
    tauri::async_runtime::spawn(async move {
        let mut bell = Bell::default();
        loop {
            let event = match events.recv().await {
                Ok(event) => event,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            let away = !window.is_focused().unwrap_or(true);
            let Some(call) = bell.hears(&event, away, Instant::now()) else { continue };
            let urgent = match &call {
                Call::Rings { .. } => UserAttentionType::Critical,
                Call::News => UserAttentionType::Informational,
            };
            if let Err(error) = window.request_user_attention(Some(urgent)) {
                tracing::debug!(%error, "the taskbar cannot say it");
            }
            let status = app.handle("status", serde_json::json!(GetStatus {})).await.ok();
            let lang =
                status.and_then(|s| serde_json::from_value::<Status>(s).ok()?.lang).unwrap_or_default();
            say(call.words(lang));
        }
    });
}

/// What calls somebody to the window.
#[derive(Debug, PartialEq)]
enum Call {
    Rings { name: String },
    News,
}

impl Call {
    fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Rings { name }, Lang::En) => format!("{name} is calling"),
            (Self::Rings { name }, Lang::Ur) => format!("{name} کی کال آ رہی ہے"),
            (Self::News, Lang::En) => "There is something new in Questions".into(),
            (Self::News, Lang::Ur) => "سوالات میں کچھ نیا ہے".into(),
        }
    }
}

/// Remembers what was said already.
#[derive(Default)]
struct Bell {
    rung: Option<String>,
    news: Option<Instant>,
}

impl Bell {
    /// What to say of `event` to somebody who does not look at the window.
    fn hears(&mut self, event: &Event, away: bool, now: Instant) -> Option<Call> {
        match event {
            Event::Call { call: Some(call) } => {
                let name = incoming(call)?;
                if !away || self.rung.as_ref() == Some(&call.call) {
                    return None;
                }
                self.rung = Some(call.call.clone());
                Some(Call::Rings { name })
            }
            Event::Asks { .. } if away => {
                if self.news.is_some_and(|said| now.duration_since(said) < NEWS_EVERY) {
                    return None;
                }
                self.news = Some(now);
                Some(Call::News)
            }
            _ => None,
        }
    }
}

/// Who rings here, in a call that is not over.
fn incoming(call: &CallView) -> Option<String> {
    let rings = call.legs.iter().find(|leg| leg.phase == "incoming");
    rings.filter(|_| call.ended.is_none()).map(|leg| leg.name.clone())
}

/// A desktop without a place for notifications loses nothing else.
fn say(words: String) {
    std::thread::spawn(move || {
        let shown = notify_rust::Notification::new().appname("Rabta").summary("Rabta").body(&words).show();
        if let Err(error) = shown {
            tracing::debug!(%error, "the desktop takes no notifications");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news() -> Event {
        Event::Asks { ask: None }
    }

    #[test]
    fn who_looks_at_the_window_is_not_called_to_it() {
        let mut bell = Bell::default();
        assert_eq!(bell.hears(&news(), false, Instant::now()), None);
        assert_eq!(bell.hears(&Event::DiskFull, true, Instant::now()), None);
    }

    #[test]
    fn news_are_told_once_a_minute() {
        let (mut bell, now) = (Bell::default(), Instant::now());
        assert_eq!(bell.hears(&news(), true, now), Some(Call::News));
        assert_eq!(bell.hears(&news(), true, now + Duration::from_secs(59)), None);
        assert_eq!(bell.hears(&news(), true, now + Duration::from_secs(60)), Some(Call::News));
    }
}
