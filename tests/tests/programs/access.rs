//! Every page of the window, wide and narrow, in English and light, in Urdu and dark: axe-core finds nothing (WCAG 2.1,
//! levels A and AA, and its best practices), and the Tab key reaches every control. Pages that only come in some story are
//! looked at where that is told: moves of an ask, three in a call, a broken glass, what shuts people out.

mod in_a_window {
    use anyhow::{Context, Result, ensure};
    use rabta_tests::{
        Run,
        access::{ENGLISH, Look, Problems, URDU},
        pages, process,
        run::checkout,
        story::{AYESHA, DOCTOR, PASSPHRASE, PIN, SPECIALIST, World},
        window::{App, Window},
    };

    #[tokio::test]
    async fn no_page_stops_a_screen_reader_a_keyboard_or_weak_eyes() -> Result<()> {
        in_practice(ENGLISH).await
    }

    #[tokio::test]
    async fn nor_in_urdu() -> Result<()> {
        in_practice(URDU).await
    }

    async fn in_practice(look: Look) -> Result<()> {
        let world = World::of_test(&format!("access-{}", look.lang)).await?;
        let mut problems = Problems::default();
        let window = world.open(DOCTOR).await?;
        window.screen("gate-language").await?;
        problems.check(&window, ENGLISH, "gate-language").await?;
        window.click(&format!("lang-{}", look.lang)).await?;
        window.screen("gate-code").await?;
        window.press("\u{E031}").await?;
        window.see("help-line").await?;
        problems.check(&window, look, "gate-code with its help").await?;
        window.press("\u{E00C}").await?;
        window.gone("help-line").await?;
        problems.check(&window, look, "gate-code").await?;
        window.click("practice").await?;
        window.screen("today").await?;
        problems.check(&window, look, "today").await?;
        window.click("help-open").await?;
        window.see("help").await?;
        problems.check(&window, look, "help").await?;
        window.press("\u{E00C}").await?;
        window.gone("help").await?;
        ensure!(world.find(&window, "Maryam").await? > 1);
        problems.check(&window, look, "find").await?;
        window.click("new-patient").await?;
        window.screen("register").await?;
        problems.check(&window, look, "register").await?;
        world.find(&window, "Maryam Fatima").await?;
        window.click("result").await?;
        window.screen("patient").await?;
        problems.check(&window, look, "patient").await?;
        window.click("amend").await?;
        window.screen("amend").await?;
        problems.check(&window, look, "amend").await?;
        window.eval("history.back()").await?;
        window.screen("patient").await?;
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
        problems.check(&window, look, "visit").await?;
        window.fill("medicine", "amoxi").await?;
        window.click("medicine-option").await?;
        window.see("clash-dialog").await?;
        problems.check(&window, look, "clash").await?;
        window.click("clash-remove").await?;
        window.gone("clash-dialog").await?;
        window.click("check-and-sign").await?;
        window.screen("visit-page").await?;
        window.see("findings").await?;
        window.click("prescription").await?;
        problems.check(&window, look, "visit-page, to check").await?;
        window.click("go-on").await?;
        window.screen("visit").await?;
        window.click("danger-none").await?;
        window.click("pregnant-no").await?;
        window.click("check-and-sign").await?;
        window.screen("visit-page").await?;
        window.click("sign-and-print").await?;
        window.see("printed-file").await?;
        problems.check(&window, look, "visit-page, signed").await?;
        window.click("ask-specialist").await?;
        window.screen("ask").await?;
        window.click("consent-given").await?;
        problems.check(&window, look, "ask").await?;
        for (go, screen) in [("go-asks", "asks"), ("sync-chip", "sync"), ("go-me", "me")] {
            window.click(go).await?;
            window.screen(screen).await?;
            problems.check(&window, look, screen).await?;
        }
        problems.none()?;
        window.close().await
    }

    /// Every component in all its states, in both directions at once: a page of its own in an empty window.
    #[tokio::test]
    async fn nor_does_any_state_of_a_component() -> Result<()> {
        let run = Run::of_test("access-gallery")?;
        let address = format!("http://{}/", pages::serve(checkout().join("target/gallery")).await?);
        let mut app = App::new("gallery", run.path("data"));
        app.program = Some(process::built("examples/bare-window")?);
        let window = Window::open(&run, app).await?;
        let mut problems = Problems::default();
        for look in [ENGLISH, URDU] {
            window.go(&address).await?;
            window.eval(&format!("localStorage.setItem('rabta.lang', '{}')", look.lang)).await?;
            window.go(&address).await?;
            window.screen("gallery").await?;
            window.see("gallery-rtl").await?;
            problems.check(&window, look, "gallery").await?;
        }
        problems.none()
    }

    /// What needs a server and a colleague: joining, locking, the Me page, a case, the advice, a link to a phone.
    #[tokio::test]
    async fn nor_do_the_pages_of_a_joined_laptop() -> Result<()> {
        joined(ENGLISH).await
    }

    #[tokio::test]
    async fn nor_do_those_in_urdu() -> Result<()> {
        joined(URDU).await
    }

    /// Joins as [`World::join`] does, looking at each page.
    async fn joins(window: &Window, code: &str, look: Look, problems: &mut Problems) -> Result<()> {
        window.click(&format!("lang-{}", look.lang)).await?;
        window.screen("gate-code").await?;
        window.fill("code", code).await?;
        window.click("check-code").await?;
        window.screen("gate-confirm").await?;
        window.see("invited-name").await?;
        problems.check(window, look, "gate-confirm").await?;
        window.click("confirm").await?;
        for (screen, field, secret, next) in
            [("gate-passphrase", "passphrase", PASSPHRASE, "next"), ("gate-pin", "pin", PIN, "join")]
        {
            window.screen(screen).await?;
            window.fill(field, secret).await?;
            window.fill(&format!("{field}-again"), secret).await?;
            problems.check(window, look, screen).await?;
            window.click(next).await?;
        }
        window.screen("gate-recovery").await?;
        window.see("recovery-code").await?;
        problems.check(window, look, "gate-recovery").await?;
        let code = "return document.querySelector('[data-t=recovery-code]').dataset.code";
        let code = window.eval(code).await?;
        window.click("written").await?;
        window.screen("gate-recovery-ask").await?;
        problems.check(window, look, "gate-recovery-ask").await?;
        window.fill("recovery", code.as_str().context("a code")?).await?;
        window.click("compare").await?;
        window.screen("gate-pull").await?;
        window.see("start").await?;
        problems.check(window, look, "gate-pull").await?;
        window.click("start").await?;
        window.screen("today").await
    }

    async fn joined(look: Look) -> Result<()> {
        let mut world = World::of_test(&format!("access-joined-{}", look.lang)).await?;
        let mut problems = Problems::default();
        let codes = world.found_empty_clinic().await?;
        let (doctor, specialist) = (&world.open(DOCTOR).await?, &world.open(SPECIALIST).await?);
        joins(doctor, &codes.doctor.code, look, &mut problems).await?;
        world.join(specialist, SPECIALIST, &codes.specialist.code).await?;
        world.speak(specialist, look.lang).await?;
        doctor.click("go-me").await?;
        doctor.screen("me").await?;
        problems.check(doctor, look, "me").await?;
        for (press, screen, seen) in [
            ("open-passphrase", "new-passphrase", "old-passphrase"),
            ("open-pin", "new-pin", "pin"),
            ("ask-lease", "more-days", "lease-code"),
        ] {
            doctor.click(press).await?;
            doctor.screen(screen).await?;
            doctor.see(seen).await?;
            problems.check(doctor, look, screen).await?;
            doctor.click("back").await?;
            doctor.screen("me").await?;
        }
        doctor.click("switch-person").await?;
        doctor.screen("switch").await?;
        problems.check(doctor, look, "switch").await?;
        doctor.click("back").await?;
        doctor.screen("me").await?;
        doctor.control('l').await?;
        doctor.screen("screen-lock").await?;
        problems.check(doctor, look, "screen-lock").await?;
        doctor.fill("pin", rabta_tests::story::PIN).await?;
        doctor.click("unlock-pin").await?;
        doctor.screen("me").await?;
        doctor.click("lock-vault").await?;
        doctor.screen("unlock").await?;
        problems.check(doctor, look, "unlock").await?;
        world.unlock(doctor).await?;
        // What is typed and chosen here is said in English.
        world.speak(doctor, "en").await?;
        world.register(doctor, &AYESHA).await?;
        world.write_visit(doctor).await?;
        world.ask_specialist(doctor).await?;
        world.speak(doctor, look.lang).await?;
        problems.check(doctor, look, "case, the doctor's").await?;
        specialist.click("go-asks").await?;
        specialist.see("ask-row").await?;
        problems.check(specialist, look, "asks, the specialist's").await?;
        specialist.click("ask-row").await?;
        specialist.screen("case").await?;
        specialist.see("note").await?;
        problems.check(specialist, look, "case, the specialist's").await?;
        specialist.click("move-accepted").await?;
        world.ring(doctor, specialist).await?;
        problems.check(doctor, look, "a call comes in").await?;
        world.accept(doctor, specialist).await?;
        problems.check(doctor, look, "call").await?;
        world.hang_up(doctor, specialist).await?;
        specialist.click("answer-writing").await?;
        specialist.screen("advice").await?;
        specialist.fill("advice-medicine", "paracetamol").await?;
        specialist.click("advice-medicine-option").await?;
        specialist.fill("advice-dose", "1+1+1").await?;
        specialist.fill("advice-days", "3").await?;
        specialist.see("note").await?;
        problems.check(specialist, look, "advice, being written").await?;
        specialist.click("advice-line-ready").await?;
        world.advise(specialist).await?;
        // Where pictures are kept, they are taken in both languages.
        world.speak(specialist, look.lang).await?;
        problems.check(specialist, look, "advice, signed").await?;
        doctor.click("go-asks").await?;
        doctor.see("ask-row").await?;
        doctor.click("ask-row").await?;
        doctor.see("advice").await?;
        problems.check(doctor, look, "case, to decide").await?;
        ensure!(world.find(doctor, AYESHA.name).await? > 0);
        doctor.click("result").await?;
        doctor.screen("patient").await?;
        doctor.click("call-at-home").await?;
        doctor.screen("phone").await?;
        problems.check(doctor, look, "phone").await?;
        problems.none()?;
        world.hie.stop()
    }
}
