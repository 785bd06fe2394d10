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
    use rabta_ipc::call::LegView;

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

    fn call(id: &str, phase: &str, ended: Option<&str>) -> Event {
        let leg = LegView {
            leg: 0,
            person: "p".into(),
            name: "Dr Saira Malik".into(),
            role: "specialist".into(),
            phase: phase.into(),
            ended: None,
            level: 0,
            waiting_seconds: 0,
            far_muted: false,
            far_camera_off: false,
            verified: false,
            agreed: None,
        };
        let call = CallView {
            call: id.into(),
            ask: "a".into(),
            link: None,
            outgoing: false,
            legs: vec![leg],
            muted: false,
            camera_off: false,
            has_camera: true,
            has_microphone: true,
            seconds: 0,
            ended: ended.map(str::to_owned),
            figures: None,
            asked: vec![],
        };
        Event::Call { call: Some(call) }
    }

    #[test]
    fn whoever_rings_is_named_once_a_call_even_after_news() {
        let (mut bell, now) = (Bell::default(), Instant::now());
        let rings = Some(Call::Rings { name: "Dr Saira Malik".into() });
        assert_eq!(bell.hears(&news(), true, now), Some(Call::News));
        assert_eq!(bell.hears(&call("1", "incoming", None), true, now), rings, "news do not silence a call");
        assert_eq!(
            bell.hears(&call("1", "incoming", None), true, now),
            None,
            "each event of one call tells it again"
        );
        assert_eq!(bell.hears(&call("2", "incoming", None), true, now), rings, "another call");
    }

    #[test]
    fn who_turns_away_while_it_rings_is_called_back() {
        let (mut bell, now) = (Bell::default(), Instant::now());
        assert_eq!(bell.hears(&call("1", "incoming", None), false, now), None);
        assert!(bell.hears(&call("1", "incoming", None), true, now).is_some());
    }

    #[test]
    fn what_does_not_ring_here_is_silent() {
        let (mut bell, now) = (Bell::default(), Instant::now());
        for phase in ["calling", "ringing", "connecting", "in-call", "weak", "waiting", "ended"] {
            assert_eq!(bell.hears(&call("1", phase, None), true, now), None, "{phase}");
        }
        assert_eq!(bell.hears(&call("1", "incoming", Some("no-answer")), true, now), None, "it is over");
        assert_eq!(bell.hears(&Event::Call { call: None }, true, now), None);
    }

    #[test]
    fn a_ring_is_said_in_the_language_of_the_screen_and_names_no_patient() {
        let rings = Call::Rings { name: "Dr Saira Malik".into() };
        assert_eq!(rings.words(Lang::En), "Dr Saira Malik is calling");
        assert!(rings.words(Lang::Ur).starts_with("Dr Saira Malik "));
        assert_ne!(Call::News.words(Lang::En), Call::News.words(Lang::Ur));
    }
}
