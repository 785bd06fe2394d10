//! The pages of the app, one module each.

pub mod ask;
pub mod call;
mod differs;
mod find;
mod me;
mod nearby;
mod outside;
mod patient;
mod register;
mod stick;
mod sync;
mod today;
mod update;
mod visit;

use leptos::prelude::*;
use rabta_domain::patient::Registration;

use crate::router::Route;

/// What one page leaves for the next, in memory only: never in the address.
#[derive(Clone, Copy)]
pub struct Carried {
    /// What was typed in Find, for the new patient's name and for coming back.
    pub typed: RwSignal<String>,
    /// A registration that was left before it was finished.
    pub unfinished: RwSignal<Option<Registration>>,
}

impl Default for Carried {
    fn default() -> Self {
        Carried { typed: RwSignal::new(String::new()), unfinished: RwSignal::new(None) }
    }
}

/// The page of a route.
pub fn show(route: Route) -> AnyView {
    match route {
        Route::Today => view! { <today::TodayScreen /> }.into_any(),
        Route::Find => view! { <find::FindScreen /> }.into_any(),
        Route::Register => view! { <register::RegisterScreen amends=None /> }.into_any(),
        Route::Amend(id) => view! { <register::RegisterScreen amends=Some(id) /> }.into_any(),
        Route::Patient(id) => view! { <patient::PatientScreen id /> }.into_any(),
        Route::Visit(id) => view! { <visit::VisitScreen id /> }.into_any(),
        Route::VisitPage(id) => view! { <visit::VisitPageScreen id /> }.into_any(),
        Route::Sync => view! { <sync::SyncScreen /> }.into_any(),
        Route::Me => view! { <me::MeScreen /> }.into_any(),
        Route::Ask(visit) => view! { <ask::AskScreen visit /> }.into_any(),
        Route::Asks => view! { <ask::AsksScreen /> }.into_any(),
        Route::Case(id) => view! { <ask::CaseScreen id /> }.into_any(),
        Route::Advice(id) => view! { <ask::AdviceScreen id /> }.into_any(),
        Route::Call(id) => view! { <call::CallScreen id /> }.into_any(),
        Route::Phone(id) => view! { <call::PhoneScreen id /> }.into_any(),
    }
}
