//! Whether a page stops a screen reader, a keyboard or weak eyes: axe-core finds nothing (WCAG 2.1, levels A and AA, and
//! its best practices), and the Tab key reaches every control.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::{
    display::{NARROW, WIDE},
    story::World,
    window::Window,
};

/// In which language a page is looked at, and in which colors.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub lang: &'static str,
    theme: &'static str,
}

/// From left to right, dark on light.
pub const ENGLISH: Look = Look { lang: "en", theme: "light" };
/// From right to left, light on dark.
pub const URDU: Look = Look { lang: "ur", theme: "dark" };

/// Names of what Tab should reach on the page, in its own order.
const REACHABLE: &str = "
    const shown = (e) => { const r = e.getBoundingClientRect(); const s = getComputedStyle(e);
        return r.width > 0 && r.height > 0 && s.visibility !== 'hidden' && !e.closest('[inert], [hidden]') };
    // An open dialog keeps the keyboard to itself.
    const root = [...document.querySelectorAll('dialog[open]')].pop() ?? document;
    const all = [...root.querySelectorAll('a[href], button, input, select, textarea, [tabindex]')]
        .filter((e) => e.tabIndex >= 0 && !e.disabled && shown(e))
        // Of a set of radio buttons one is reached, the arrows go on from there.
        .filter((e) => e.type !== 'radio' || e.checked || ![...document.getElementsByName(e.name)].some((o) => o.checked || o !== e && o.compareDocumentPosition(e) & 4));
    all.forEach((e, n) => { e.dataset.tabbed = n });
    return all.length";

/// Which of them has the keyboard; null: none.
const HERE: &str = "const e = document.activeElement; return e?.dataset?.tabbed ?? null";

/// What was found wrong, page by page; nothing of it stops the walk.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<String>,
    not_looked_for: bool,
}

impl Problems {
    /// For a walk that shows the pages and leaves the looking to the tests.
    pub fn not_looked_for() -> Self {
        Self { found: Vec::new(), not_looked_for: true }
    }

    /// Fails with everything that was found.
    pub fn none(self) -> Result<()> {
        ensure!(self.found.is_empty(), "{}", self.found.join("\n"));
        Ok(())
    }

    /// The page as it is, in both sizes. Its words are in the look's language already: whoever walks chose it in the app.
    pub async fn check(&mut self, window: &Window, look: Look, what: &str) -> Result<()> {
        if self.not_looked_for {
            return Ok(());
        }
        let lang = window.eval("return document.documentElement.lang").await?;
        ensure!(lang == json!(look.lang), "{what}: the page is in {lang}, not in {}", look.lang);
        let before = window.eval("return document.documentElement.dataset.theme ?? null").await?;
        let dress = format!("document.documentElement.dataset.theme = '{}'", look.theme);
        window.eval(&dress).await?;
        for (size, named) in [(WIDE, "wide"), (NARROW, "narrow")] {
            window.resize(size).await?;
            // A color on its way from one theme to the other is neither's.
            let still = "return !document.getAnimations().some((a) => a instanceof CSSTransition)";
            window
                .wait("the colors to have changed", async || {
                    Ok((window.eval(still).await? == json!(true)).then_some(()))
                })
                .await?;
            window.keep_picture(&format!("{what} {named} {}", look.lang)).await?;
            if let Err(found) = window.check_access(&format!("{what}, {named}, {look:?}")).await {
                self.found.push(format!("{found:#}"));
            }
        }
        window.resize(WIDE).await?;
        let undress = format!(
            "const h = document.documentElement; \
             const was = {before}; if (was === null) delete h.dataset.theme; else h.dataset.theme = was"
        );
        window.eval(&undress).await?;
        if let Err(found) = walk(window, what).await {
            self.found.push(format!("{found:#}"));
        }
        Ok(())
    }

    /// A page whose language can be changed where it stands or by a visit of the Me page, in every look. Ends in English.
    pub async fn check_every_way(&mut self, world: &World, window: &Window, what: &str) -> Result<()> {
        if self.not_looked_for {
            return Ok(());
        }
        for look in [URDU, ENGLISH] {
            world.speak(window, look.lang).await?;
            window.settled().await?;
            self.check(window, look, what).await?;
        }
        Ok(())
    }
}

/// Presses Tab until it comes round, and says which controls it never reached.
async fn walk(window: &Window, what: &str) -> Result<()> {
    window.eval("document.activeElement?.blur?.()").await?;
    let count = window.eval(REACHABLE).await?.as_u64().unwrap_or(0);
    let mut seen = BTreeSet::new();
    for _ in 0..count + 3 {
        window.tab().await?;
        if let Some(n) = window.eval(HERE).await?.as_str() {
            seen.insert(n.parse::<u64>()?);
        }
    }
    let missed: Vec<u64> = (0..count).filter(|n| !seen.contains(n)).collect();
    let names = window
        .eval(&format!(
            "return {}.map((n) => document.querySelector(`[data-tabbed=\"${{n}}\"]`)?.outerHTML.slice(0, 120))",
            json!(missed)
        ))
        .await?;
    window.eval("document.querySelectorAll('[data-tabbed]').forEach((e) => delete e.dataset.tabbed)").await?;
    ensure!(missed.is_empty(), "{what}: Tab does not reach {names:#}");
    Ok(())
}
