//! What the window may ask of the shell: one command for everything that has an answer, and the two streams.

use rabta_app::App;
use serde_json::Value;
use tauri::{
    State,
    ipc::{Channel, InvokeResponseBody},
};
use tokio::sync::broadcast::error::RecvError;

/// One command of `rabta_ipc`, by name.
#[tauri::command]
pub async fn rabta(app: State<'_, App>, name: String, body: Value) -> Result<Value, rabta_ipc::Error> {
    app.handle(&name, body).await
}

/// Streams [`rabta_ipc::Event`]s until the page that asked is gone.
#[tauri::command]
pub async fn events(app: State<'_, App>, channel: Channel<rabta_ipc::Event>) -> Result<(), rabta_ipc::Error> {
    let mut events = app.events();
    tauri::async_runtime::spawn(async move {
        loop {
            match events.recv().await {
                Ok(event) => {
                    if channel.send(event).is_err() {
                        break;
                    }
                }
                // Each event says "look again", so missed ones cost nothing but the look.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break,
            }
        }
    });
    Ok(())
}

/// Streams the call's video frames, each as `rabta_ipc::call::FrameHead` and VP8 bytes.
#[tauri::command]
pub async fn frames(
    app: State<'_, App>,
    channel: Channel<InvokeResponseBody>,
) -> Result<(), rabta_ipc::Error> {
    let mut frames = app.frames().await?;
    tauri::async_runtime::spawn(async move {
        while let Some(frame) = frames.recv().await {
            if channel.send(InvokeResponseBody::Raw(frame)).is_err() {
                break;
            }
        }
    });
    Ok(())
}
