//! The app: everything behind the gate.

use leptos::prelude::*;

fn main() {
    console_error_panic_hook::set_once();
    rabta_ui::prefs::show();
    mount_to_body(|| view! { <rabta_ui::frame::App /> });
}
