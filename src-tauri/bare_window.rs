//! A Tauri window with nothing in it. `cargo xtask bench app` compares the app's memory with this one's.

use tauri::{Builder, WebviewUrl, WebviewWindowBuilder, generate_context};

fn main() {
    let blank = "about:blank".parse().expect("this is a URL");
    Builder::default()
        .setup(|app| {
            WebviewWindowBuilder::new(app, "bare", WebviewUrl::External(blank))
                .inner_size(1366.0, 768.0)
                .build()?;
            Ok(())
        })
        .run(generate_context!())
        .expect("the window starts");
}
