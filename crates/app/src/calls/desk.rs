//! What the window is shown of the call, kept here so that a reloaded window finds it.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rabta_call::CallSession;
use rabta_domain::registration::is_forbidden;
use rabta_ipc::{
    Event,
    call::{CallItem, CallView},
};
use rabta_wire::Id;

use super::stretch::Stretch;
use crate::Inner;

/// The call as the window sees it; `None` and empty when there is none.
#[derive(Default)]
pub(crate) struct Desk {
    pub view: Option<CallView>,
    /// Chat lines and stills, oldest first.
    pub items: Vec<CallItem>,
    /// How the running call has gone so far.
    pub stretches: Vec<Stretch>,
    /// Who was last heard of as connected to the HIE, or not.
    pub online: BTreeMap<Id, bool>,
    lines: usize,
    stills: Vec<u32>,
}

impl Desk {
    /// A call begins with an empty desk.
    pub fn clear(&mut self) {
        *self = Self { online: std::mem::take(&mut self.online), ..Self::default() };
    }

    /// Shows `view`, and tells the window if it changed.
    pub fn show(&mut self, app: &Arc<Inner>, view: Option<CallView>) {
        if self.view != view {
            self.view.clone_from(&view);
            let _ = app.events.send(Event::Call { call: view });
        }
    }

    /// Puts new chat lines and whole stills on the desk. `at`: milliseconds since 1970.
    pub fn collect(&mut self, app: &Arc<Inner>, session: &CallSession, seen: &rabta_call::CallView, at: i64) {
        let lines = seen.chat.iter().skip(self.lines);
        let mut fresh: Vec<CallItem> = lines
            .map(|line| CallItem::Chat { mine: line.from_us, at, text: cleaned(&line.text).into() })
            .collect();
        self.lines = seen.chat.len();
        for still in &seen.stills {
            let whole = still.from_us || still.done == still.bytes;
            if !whole || self.stills.contains(&still.number) {
                continue;
            }
            let Some(jpeg) = session.still(still.number) else { continue };
            self.stills.push(still.number);
            let url = format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg));
            fresh.push(CallItem::Still { mine: still.from_us, at, url: url.into() });
        }
        for item in fresh {
            self.items.push(item.clone());
            let _ = app.events.send(Event::CallItem { item });
        }
    }
}

/// A line from outside: nothing in it turns the writing around or is unseen; its line breaks stay.
fn cleaned(text: &str) -> String {
    let text: String = text.chars().map(|c| if is_forbidden(c) && c != '\n' { ' ' } else { c }).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_as_it_is_stored_without_what_turns_it_around() {
        assert_eq!(
            cleaned("take\u{202e} owt\u{2066} \u{feff}now\u{7}\nand rest"),
            "take  owt   now \nand rest"
        );
        assert_eq!(
            cleaned("<b>گھر\u{200c}میں</b>"),
            "<b>گھر\u{200c}میں</b>",
            "markup is text, and joiners are letters"
        );
    }
}
