//! Every page of the window, wide and narrow, from left to right and from right to left, light and dark: axe-core finds
//! nothing (WCAG 2.1, levels A and AA, and its best practices), and the Tab key reaches every control.

mod in_a_window {
    use std::collections::BTreeSet;

    use anyhow::{Result, ensure};
    use rabta_tests::{
        display::{NARROW, WIDE},
        story::{AYESHA, DOCTOR, World},
        window::Window,
    };
    use serde_json::json;

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
        window
            .eval("document.querySelectorAll('[data-tabbed]').forEach((e) => delete e.dataset.tabbed)")
            .await?;
        ensure!(missed.is_empty(), "{what}: Tab does not reach {names:#}");
        Ok(())
    }

    /// The page as it is, in both sizes, directions and themes. Its words stay: going to the Me page for others would
    /// leave it. Ends as it began.
    async fn check(window: &Window, problems: &mut Vec<String>, what: &str) -> Result<()> {
        for (size, named) in [(WIDE, "wide"), (NARROW, "narrow")] {
            window.resize(size).await?;
            for (lang, dir, theme) in [("en", "ltr", "light"), ("ur", "rtl", "dark")] {
                let dress = format!(
                    "const h = document.documentElement; h.dir = '{dir}'; h.dataset.theme = '{theme}'; h.lang = '{lang}'"
                );
                window.eval(&dress).await?;
                // A color on its way from one theme to the other is neither's.
                let still = "return !document.getAnimations().some((a) => a instanceof CSSTransition)";
                window
                    .wait("the colors to have changed", async || {
                        Ok((window.eval(still).await? == json!(true)).then_some(()))
                    })
                    .await?;
                if let Err(found) = window.check_access(&format!("{what}, {named}, {dir}, {theme}")).await {
                    problems.push(format!("{found:#}"));
                }
            }
            window.eval("const h = document.documentElement; h.dir = 'ltr'; h.dataset.theme = 'light'; h.lang = 'en'").await?;
        }
        window.resize(WIDE).await?;
        if let Err(found) = walk(window, what).await {
            problems.push(format!("{found:#}"));
        }
        Ok(())
    }

    #[tokio::test]
    async fn no_page_stops_a_screen_reader_a_keyboard_or_weak_eyes() -> Result<()> {
        let world = World::of_test("access").await?;
        let mut problems = Vec::new();
        let window = world.open(DOCTOR).await?;
        window.screen("gate-language").await?;
        check(&window, &mut problems, "gate-language").await?;
        window.click("lang-en").await?;
        window.screen("gate-code").await?;
        window.press("\u{E031}").await?;
        window.see("help-line").await?;
        check(&window, &mut problems, "gate-code with its help").await?;
        window.press("\u{E00C}").await?;
        window.gone("help-line").await?;
        check(&window, &mut problems, "gate-code").await?;
        window.click("practice").await?;
        window.screen("today").await?;
        check(&window, &mut problems, "today").await?;
        window.click("help-open").await?;
        window.see("help").await?;
        check(&window, &mut problems, "help").await?;
        window.press("\u{E00C}").await?;
        window.gone("help").await?;
        ensure!(world.find(&window, "Maryam").await? > 1);
        check(&window, &mut problems, "find").await?;
        window.click("new-patient").await?;
        window.screen("register").await?;
        check(&window, &mut problems, "register").await?;
        world.find(&window, "Maryam Fatima").await?;
        window.click("result").await?;
        window.screen("patient").await?;
        check(&window, &mut problems, "patient").await?;
        window.click("start-visit").await?;
        window.screen("visit").await?;
        window.click_css("[data-t=template][data-id=cough-cold]").await?;
        window.click("template-diagnosis").await?;
        window.click("template-medicine").await?;
        window.click("template-fill").await?;
        window.see("template-undo").await?;
        window.click("allergy-state-known").await?;
        window.fill("allergen", "penicillin").await?;
        window.click("allergen-option").await?;
        window.fill("vital-temperature", "104.5").await?;
        window.fill("vital-spo2", "88").await?;
        check(&window, &mut problems, "visit").await?;
        window.fill("medicine", "amoxi").await?;
        window.click("medicine-option").await?;
        window.see("clash-dialog").await?;
        check(&window, &mut problems, "clash").await?;
        window.click("clash-remove").await?;
        window.gone("clash-dialog").await?;
        window.click("check-and-sign").await?;
        window.screen("visit-page").await?;
        window.see("findings").await?;
        window.click("prescription").await?;
        check(&window, &mut problems, "visit-page, to check").await?;
        window.click("go-on").await?;
        window.screen("visit").await?;
        window.click("danger-none").await?;
        window.click("pregnant-no").await?;
        window.click("check-and-sign").await?;
        window.screen("visit-page").await?;
        window.click("sign-and-print").await?;
        window.see("printed-file").await?;
        check(&window, &mut problems, "visit-page, signed").await?;
        window.click("ask-specialist").await?;
        window.screen("ask").await?;
        window.click("consent-given").await?;
        check(&window, &mut problems, "ask").await?;
        for (go, screen) in [("go-asks", "asks"), ("sync-chip", "sync"), ("go-me", "me")] {
            window.click(go).await?;
            window.screen(screen).await?;
            check(&window, &mut problems, screen).await?;
        }
        // Every component in all its states, in both directions at once.
        window.eval("location.hash = '#/gallery'").await?;
        window.screen("gallery").await?;
        window.see("gallery-rtl").await?;
        check(&window, &mut problems, "gallery").await?;
        ensure!(problems.is_empty(), "{}", problems.join("\n"));
        window.close().await
    }

    /// What needs a server and a colleague: joining, locking, the Me page, a case, the advice, a link to a phone.
    #[tokio::test]
    async fn nor_do_the_pages_of_a_joined_laptop() -> Result<()> {
        let mut world = World::of_test("access-joined").await?;
        let mut problems = Vec::new();
        let clinic = world.open_both().await?;
        let (doctor, specialist) = (&clinic.doctor, &clinic.specialist);
        doctor.click("go-me").await?;
        doctor.screen("me").await?;
        check(doctor, &mut problems, "me").await?;
        for (press, screen, seen) in [
            ("open-passphrase", "new-passphrase", "old-passphrase"),
            ("open-pin", "new-pin", "pin"),
            ("ask-lease", "more-days", "lease-code"),
        ] {
            doctor.click(press).await?;
            doctor.screen(screen).await?;
            doctor.see(seen).await?;
            check(doctor, &mut problems, screen).await?;
            doctor.click("back").await?;
            doctor.screen("me").await?;
        }
        doctor.click("switch-person").await?;
        doctor.screen("switch").await?;
        check(doctor, &mut problems, "switch").await?;
        doctor.click("back").await?;
        doctor.screen("me").await?;
        doctor.control('l').await?;
        doctor.screen("screen-lock").await?;
        check(doctor, &mut problems, "screen-lock").await?;
        doctor.fill("pin", rabta_tests::story::PIN).await?;
        doctor.click("unlock-pin").await?;
        doctor.screen("me").await?;
        doctor.click("lock-vault").await?;
        doctor.screen("unlock").await?;
        check(doctor, &mut problems, "unlock").await?;
        world.unlock(doctor).await?;
        world.register(doctor, &AYESHA).await?;
        world.write_visit(doctor).await?;
        world.ask_specialist(doctor).await?;
        check(doctor, &mut problems, "case, the doctor's").await?;
        specialist.click("go-asks").await?;
        specialist.see("ask-row").await?;
        check(specialist, &mut problems, "asks, the specialist's").await?;
        specialist.click("ask-row").await?;
        specialist.screen("case").await?;
        specialist.see("note").await?;
        check(specialist, &mut problems, "case, the specialist's").await?;
        specialist.click("move-accepted").await?;
        world.ring(doctor, specialist).await?;
        check(doctor, &mut problems, "a call comes in").await?;
        world.accept(doctor, specialist).await?;
        check(doctor, &mut problems, "call").await?;
        world.hang_up(doctor, specialist).await?;
        world.advise(specialist).await?;
        check(specialist, &mut problems, "advice, signed").await?;
        doctor.click("go-asks").await?;
        doctor.see("ask-row").await?;
        doctor.click("ask-row").await?;
        doctor.see("advice").await?;
        check(doctor, &mut problems, "case, to decide").await?;
        ensure!(world.find(doctor, AYESHA.name).await? > 0);
        doctor.click("result").await?;
        doctor.screen("patient").await?;
        doctor.click("call-at-home").await?;
        doctor.screen("phone").await?;
        check(doctor, &mut problems, "phone").await?;
        ensure!(problems.is_empty(), "{}", problems.join("\n"));
        clinic.doctor.close().await?;
        clinic.specialist.close().await
    }
}
