//! axe-core in a page: what a screen reader, a keyboard or weak eyes would stumble over (WCAG 2.1, levels A and AA).

use std::{path::PathBuf, sync::OnceLock};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::webdriver::Session;

/// `RABTA_AXE`, which xtask sets: npm's `axe-core/axe.min.js`.
fn source() -> Result<&'static str> {
    static SOURCE: OnceLock<String> = OnceLock::new();
    if let Some(text) = SOURCE.get() {
        return Ok(text);
    }
    let path = std::env::var_os("RABTA_AXE").map(PathBuf::from);
    let path = path.context("RABTA_AXE does not say where axe-core is; `cargo xtask test` sets it")?;
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("reading {}; `cargo xtask setup` fetches it", path.display()))?;
    Ok(SOURCE.get_or_init(|| text))
}

/// Fails where axe finds something on the page as it is now; `what` names the page.
pub async fn check(session: &Session, what: &str) -> Result<()> {
    session.eval(&format!("if (!window.axe) {{ {}\n}}", source()?), json!([])).await?;
    let script = "const done = arguments[arguments.length - 1]; \
        axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'], resultTypes: ['violations'] }) \
        .then((found) => done(found.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)), \
              (why) => done([String(why)]))";
    let found = session.eval_later(script, json!([])).await?;
    let found: Vec<&str> = found.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    ensure!(found.is_empty(), "{what}: {found:#?}");
    Ok(())
}
