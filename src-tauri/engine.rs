//! What WebKitGTK is told of our pages: they are forms and text on a small laptop.

use tauri::WebviewWindow;

/// Pages are painted by the CPU and one at a time. A window that composites on the GPU costs some 90 MB more, on a
/// machine without one far more than that, and ours has nothing that moves but a small picture on a canvas. The page
/// that was left for good (a locked record) is not kept for a way back.
#[cfg(target_os = "linux")]
pub(crate) fn make_frugal(window: &WebviewWindow) -> tauri::Result<()> {
    use webkit2gtk::{HardwareAccelerationPolicy, SettingsExt, WebViewExt};

    window.with_webview(|webview| {
        if let Some(settings) = WebViewExt::settings(&webview.inner()) {
            settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
            settings.set_enable_page_cache(false);
            settings.set_enable_webgl(false);
            settings.set_enable_webaudio(false);
        }
    })
}

/// The other systems' engines have no such settings.
#[cfg(not(target_os = "linux"))]
pub(crate) fn make_frugal(_: &WebviewWindow) -> tauri::Result<()> {
    Ok(())
}
