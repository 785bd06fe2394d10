//! The shell: one window around the app core. It forwards commands, events and video frames, and knows nothing of
//! what they mean.

mod attention;
mod commands;
mod engine;
mod place;

use rabta_app::App;
use tauri::{Manager, RunEvent, WebviewUrl, WebviewWindowBuilder};

/// Runs the window until it is closed. Returns the process's exit code.
pub fn run() -> i32 {
    log_to_stderr();
    let context = tauri::generate_context!();
    let app = match place::config(&context.config().identifier) {
        Ok(config) => App::new(config),
        Err(error) => {
            tracing::error!(%error, "no place for the records");
            return 1;
        }
    };
    // For those who learn: `rabta --training`.
    if std::env::args().skip(1).any(|word| word == "--training")
        && let Err(error) = tauri::async_runtime::block_on(app.open_training())
    {
        tracing::warn!(code = error.code, "the training vault is not opened");
    }
    let built = tauri::Builder::default()
        .manage(app)
        .invoke_handler(tauri::generate_handler![commands::rabta, commands::events, commands::frames])
        .setup(|app| {
            let window = WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
                .title("Rabta")
                .inner_size(1366.0, 740.0)
                .min_inner_size(340.0, 480.0)
                .build()?;
            engine::make_frugal(&window)?;
            attention::watch(window, app.state::<App>().inner().clone());
            Ok(())
        })
        .build(context);
    let window = match built {
        Ok(window) => window,
        Err(error) => {
            tracing::error!(%error, "no window");
            return 1;
        }
    };
    window.run_return(|handle, event| {
        if let RunEvent::Exit = event {
            let app = handle.state::<App>().inner().clone();
            tauri::async_runtime::block_on(app.close());
        }
    })
}

/// To stderr, `RABTA_LOG` chooses how much (`info` by default). Lines carry opaque ids only.
fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    let filter =
        EnvFilter::try_from_env("RABTA_LOG").unwrap_or_else(|_| EnvFilter::new("info,webrtc=warn,rtc=warn"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
}
