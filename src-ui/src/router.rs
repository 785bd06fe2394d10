//! The app's pages as a hash route, so that the back button works and a reload comes back to the same place.
//! Only opaque ids are ever in it: no name, no MR number, no CNIC.

use leptos::ev;
use leptos::prelude::*;

use crate::dom;

/// Every page of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    Today,
    Find,
    Register,
    /// A patient's chart, by Patient id.
    Patient(String),
    /// Correcting that patient's details.
    Amend(String),
    /// The visit being written, by draft (Encounter) id.
    Visit(String),
    /// The page to check before signing, and the signed visit.
    VisitPage(String),
    /// Asking a specialist about a visit.
    Ask(String),
    /// The asks of this clinic, or the specialist's queue.
    Asks,
    /// One ask, by Task id.
    Case(String),
    /// Writing or reading the advice on an ask, by Task id.
    Advice(String),
    /// The call, beside the case it is about, by Task id.
    Call(String),
    /// Links to a patient's phone and the call to it, by Patient id.
    Phone(String),
    Sync,
    Me,
}

impl Route {
    /// Reads `#/patient/<id>`; what it does not know is Today.
    pub fn parse(hash: &str) -> Self {
        let mut parts = hash.trim_start_matches('#').trim_matches('/').split('/');
        let (page, id) = (parts.next().unwrap_or(""), parts.next().unwrap_or("").to_owned());
        match (page, id.is_empty()) {
            ("find", _) => Route::Find,
            ("register", _) => Route::Register,
            ("patient", false) => Route::Patient(id),
            ("amend", false) => Route::Amend(id),
            ("visit", false) => Route::Visit(id),
            ("visit-page", false) => Route::VisitPage(id),
            ("ask", false) => Route::Ask(id),
            ("asks", _) => Route::Asks,
            ("case", false) => Route::Case(id),
            ("advice", false) => Route::Advice(id),
            ("call", false) => Route::Call(id),
            ("phone", false) => Route::Phone(id),
            ("sync", _) => Route::Sync,
            ("me", _) => Route::Me,
            _ => Route::Today,
        }
    }

    /// The page's name, as on `<html data-screen>`.
    pub fn screen(&self) -> &'static str {
        match self {
            Route::Today => "today",
            Route::Find => "find",
            Route::Register => "register",
            Route::Patient(_) => "patient",
            Route::Amend(_) => "amend",
            Route::Visit(_) => "visit",
            Route::VisitPage(_) => "visit-page",
            Route::Ask(_) => "ask",
            Route::Asks => "asks",
            Route::Case(_) => "case",
            Route::Advice(_) => "advice",
            Route::Call(_) => "call",
            Route::Phone(_) => "phone",
            Route::Sync => "sync",
            Route::Me => "me",
        }
    }

    /// The link to it.
    pub fn href(&self) -> String {
        match self {
            Route::Patient(id)
            | Route::Amend(id)
            | Route::Visit(id)
            | Route::VisitPage(id)
            | Route::Ask(id)
            | Route::Case(id)
            | Route::Advice(id)
            | Route::Call(id)
            | Route::Phone(id) => format!("#/{}/{id}", self.screen()),
            _ => format!("#/{}", self.screen()),
        }
    }
}

/// Goes to `route`, as one step of the back button.
pub fn go(route: &Route) {
    let _ = dom::window().location().set_hash(&route.href());
}

/// Goes to `route` in place of this page: the back button does not return here.
pub fn go_instead(route: &Route) {
    let location = dom::window().location();
    let path = location.pathname().unwrap_or_default();
    let search = location.search().unwrap_or_default();
    let _ = location.replace(&format!("{path}{search}{}", route.href()));
}

pub fn back() {
    if let Ok(history) = dom::window().history() {
        let _ = history.back();
    }
}

/// The page now, following the address.
pub fn current() -> Memo<Route> {
    let read = || Route::parse(&dom::window().location().hash().unwrap_or_default());
    let route = RwSignal::new(read());
    let handle = window_event_listener(ev::hashchange, move |_| route.set(read()));
    on_cleanup(move || handle.remove());
    Memo::new(move |_| route.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_read_back_from_its_link() {
        for route in [
            Route::Today,
            Route::Find,
            Route::Register,
            Route::Patient("a".into()),
            Route::Amend("a".into()),
            Route::Visit("b".into()),
            Route::VisitPage("b".into()),
            Route::Ask("c".into()),
            Route::Asks,
            Route::Case("d".into()),
            Route::Advice("e".into()),
            Route::Call("f".into()),
            Route::Phone("g".into()),
            Route::Sync,
            Route::Me,
        ] {
            assert_eq!(Route::parse(&route.href()), route);
        }
    }

    #[test]
    fn a_page_without_its_id_or_unknown_is_today() {
        assert_eq!(Route::parse("#/patient/"), Route::Today);
        assert_eq!(Route::parse("#/nothing"), Route::Today);
        assert_eq!(Route::parse(""), Route::Today);
    }
}
