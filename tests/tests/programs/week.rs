//! A clinic's first week in the real window: a plain cold in few presses, what is ordered again, people, secrets, the
//! lease, papers, the guided first visit, help.

mod in_a_window {
    use anyhow::{Context, Result, ensure};
    use rabta_tests::{
        story::{DOCTOR, NURSE, PASSPHRASE, PIN, Pace, World, scanned},
        window::{Window, by},
    };
    use serde_json::json;

    /// Keys and taps beyond typing that a plain cold may take.
    const PRESSES: u32 = 12;

    fn read(page: &image::GrayImage) -> Option<String> {
        let (width, height) = page.dimensions();
        let mut seen =
            rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
                page.get_pixel(x as u32, y as u32).0[0]
            });
        seen.detect_grids().iter().find_map(|grid| grid.decode().ok()).map(|(_, code)| code)
    }

    /// What the newest toast says.
    async fn told(window: &Window, text: &str) -> Result<()> {
        window.reads("toast", text).await
    }

    async fn practice(world: &World) -> Result<Window> {
        let window = world.open(DOCTOR).await?;
        window.click("lang-en").await?;
        window.click("practice").await?;
        window.screen("today").await?;
        Ok(window)
    }

    async fn verdict(window: &Window, code: &str) -> Result<String> {
        window.fill("paper-code", code).await?;
        window.click("verify-paper").await?;
        window.see("proof").await?;
        let script = format!("return document.querySelector('{}')?.dataset.verdict", by("proof"));
        Ok(window.eval(&script).await?.as_str().unwrap_or_default().to_owned())
    }

    #[tokio::test]
    async fn a_plain_cold_takes_few_presses_and_what_was_ordered_is_one_press_away() -> Result<()> {
        let mut world = World::of_test("cold").await?;
        let window = practice(&world).await?;
        window.click("guide-leave").await?;
        let cold = world.plain_cold(&window, "Maryam Fatima", Pace::NONE).await?;
        ensure!(cold.presses <= PRESSES, "{} presses, of {PRESSES}", cold.presses);

        let text = std::process::Command::new("pdftotext").args([&cold.file, "-"]).output()?;
        let text = String::from_utf8_lossy(&text.stdout).into_owned();
        ensure!(text.contains("Paracetamol 500 mg") && text.contains("69.5 kg (2024"), "the paper: {text}");
        ensure!(!text.contains("kg kg") && !text.contains("DRAFT"), "the paper: {text}");

        // The paper proves who signed; a changed letter proves nothing, and says so.
        let code = scanned(&cold.file, read)?;
        window.click("go-me").await?;
        window.screen("me").await?;
        ensure!(verdict(&window, &code).await? == "genuine", "the code of our own paper");
        window.see("verify-visit").await?;
        world.shoot_every_way(&window, "A paper's code, verified offline").await?;
        let middle = code.len() / 2;
        let other = if code[middle..].starts_with('A') { "B" } else { "A" };
        let changed = format!("{}{other}{}", &code[..middle], &code[middle + 1..]);
        let seen = verdict(&window, &changed).await?;
        ensure!(["mistyped", "forged"].contains(&seen.as_str()), "a changed code is {seen}");
        ensure!(verdict(&window, "hello").await? == "not-a-code", "no code at all");

        // The same patient again: the last medicines by one press, taken back by another, and a favorite.
        ensure!(world.find(&window, "Maryam Fatima").await? == 1);
        window.click("result").await?;
        window.screen("patient").await?;
        window
            .wait("the keyboard on the button that begins a visit", async || {
                let there = window.eval("return document.activeElement?.dataset?.t").await? == "start-visit";
                Ok(there.then_some(()))
            })
            .await?;
        window.press("\u{E007}").await?;
        window.screen("visit").await?;
        window.click("repeat-last").await?;
        ensure!(window.count("medicine-line").await? == 1, "the paracetamol");
        ensure!(!window.sees_now("repeat-last").await?, "nothing is left to repeat");
        // The way back is there after the page was left, too.
        window.click("go-today").await?;
        window.click("draft-row").await?;
        window.see("medicine-line").await?;
        window.click("undo").await?;
        window.gone("medicine-line").await?;
        world.shoot_every_way(&window, "The last medicines by one press, and what is ordered often").await?;
        window.click("favorite").await?;
        window.see("medicine-line").await?;
        ensure!(window.value("dose").await? == "1+1+1", "an adult's dose as it was ordered");
        window.click("discard").await?;
        window.click("discard-yes").await?;
        window.screen("patient").await?;

        // A child: no adult's dose comes by itself.
        ensure!(world.find(&window, "Muneer").await? > 0);
        window.click("result").await?;
        window.screen("patient").await?;
        window.click("start-visit").await?;
        window.screen("visit").await?;
        window.see("favorite-child").await?;
        window.click("favorite").await?;
        ensure!(window.value("dose").await?.is_empty(), "the dose is left to be written");
        window.close().await
    }

    #[tokio::test]
    async fn the_guide_leads_through_a_first_visit_and_is_nowhere_else() -> Result<()> {
        let mut world = World::of_test("guide").await?;
        let window = practice(&world).await?;
        let at = async |step: u32| {
            let script = format!("return document.querySelector('{}')?.dataset.step", by("guide"));
            window
                .wait(&format!("the guide at step {step}"), async || {
                    Ok((window.eval(&script).await? == json!(step.to_string())).then_some(()))
                })
                .await
        };
        let marked = async |t: &str| {
            let script = format!(
                "return document.querySelector('[data-guide]')?.matches('{}, :has({0})') ?? false",
                by(t)
            );
            window
                .wait(&format!("{t} to be marked"), async || {
                    Ok((window.eval(&script).await? == json!(true)).then_some(()))
                })
                .await
        };
        at(0).await?;
        marked("go-find").await?;
        world.shoot_every_way(&window, "The guide: find a patient").await?;
        ensure!(world.find(&window, "Maryam Fatima").await? == 1);
        marked("result").await?;
        window.click("result").await?;
        at(1).await?;
        marked("start-visit").await?;
        window.click("start-visit").await?;
        at(2).await?;
        marked("danger-none").await?;
        // Left in the middle, taken up again in the same place; and the way back from another page.
        window.click("guide-leave").await?;
        window.gone("guide").await?;
        window.gone_css("[data-guide]").await?;
        window.click("guide-open").await?;
        at(2).await?;
        marked("danger-none").await?;
        window.click("go-today").await?;
        window.screen("today").await?;
        window.click("guide-back").await?;
        window.screen("visit").await?;
        window.click("danger-none").await?;
        at(3).await?;
        window.click_css(&format!("{}[data-id=cough-cold]", by("template"))).await?;
        marked("template-fill").await?;
        window.click("template-diagnosis").await?;
        window.click("template-medicine").await?;
        world.shoot(&window, "The guide: a template").await?;
        window.click("template-fill").await?;
        at(4).await?;
        window.click("allergy-state-none-known").await?;
        marked("pregnant").await?;
        window.click("pregnant-no").await?;
        at(5).await?;
        window.fill("vital-temperature", "100.2").await?;
        window.press("\u{E007}").await?;
        at(6).await?;
        window.click("check-and-sign").await?;
        at(7).await?;
        window.click("sign").await?;
        at(8).await?;
        window.click("prescription").await?;
        marked("print").await?;
        window.click("print").await?;
        at(9).await?;
        // The other papers, too, each in the patient's language.
        for (paper, press) in
            [("paper-roll", "print"), ("paper-roll", "print-pictures"), ("paper-a4", "print-pictures")]
        {
            window.click(paper).await?;
            window.click("print-lang-ur").await?;
            let before = window.text("printed-file").await?;
            window.click(press).await?;
            let file = window
                .wait("another file", async || {
                    let now = window.text("printed-file").await?;
                    Ok((now != before).then_some(now))
                })
                .await?;
            let pdf = std::fs::read(file.trim()).with_context(|| format!("reading {file}"))?;
            ensure!(pdf.starts_with(b"%PDF-"), "{file} is a PDF");
        }
        window.click("ask-specialist").await?;
        at(10).await?;
        world.shoot_every_way(&window, "The guide: the end of a first visit").await?;

        // Practice anew, and out: outside of it there is no guide.
        window.click("go-me").await?;
        window.click("reset-training").await?;
        window.screen("today").await?;
        ensure!(!window.sees_now("draft-row").await? && !window.sees_now("done-row").await?, "as at first");
        window.click("practice-leave").await?;
        window.screen("gate-code").await?;
        window.close().await
    }

    #[tokio::test]
    async fn people_secrets_and_the_lease_are_looked_after_on_the_me_page() -> Result<()> {
        const NEW_PASSPHRASE: &str = "blue kettle over nine rivers";
        const NEW_PIN: &str = "7302";
        let mut world = World::of_test("me").await?;
        let window = world.open_empty_clinic().await?;
        window.click("go-me").await?;
        window.screen("me").await?;
        ensure!(!window.sees_now("guide").await? && !window.sees_now("guide-open").await?, "no practice");
        ensure!(window.count("member").await? == 1 && window.count("remove-person").await? == 0, "alone");
        world.colleague_joins(&window).await?;
        window.reads("member", NURSE.name).await?;
        window.click("remove-person").await?;
        window.see("remove-dialog").await?;
        world.shoot(&window, "Somebody leaves this laptop").await?;
        window.click("remove-no").await?;
        ensure!(window.count("member").await? == 2, "nothing was done");
        window.click("remove-person").await?;
        window.click("remove-yes").await?;
        told(&window, NURSE.name).await?;
        ensure!(window.count("member").await? == 1);

        // The passphrase: a weak new one, a wrong old one, then both right.
        window.click("open-passphrase").await?;
        window.screen("new-passphrase").await?;
        window.fill("old-passphrase", "not mine").await?;
        window.fill("passphrase", "password").await?;
        window.fill("passphrase-again", "password").await?;
        window.click("change-secret").await?;
        window.see("field-error").await?;
        window.fill("passphrase", NEW_PASSPHRASE).await?;
        window.fill("passphrase-again", NEW_PASSPHRASE).await?;
        window.gone("field-error").await?;
        window.click("change-secret").await?;
        window.reads("field-error", "not the passphrase").await?;
        world.shoot_every_way(&window, "Another passphrase: the one of now is asked").await?;
        window.gone("wait").await?;
        window.fill("old-passphrase", PASSPHRASE).await?;
        window.click("change-secret").await?;
        window.see("secret-changed").await?;
        window.click("back").await?;
        window.screen("me").await?;
        window.click("open-pin").await?;
        window.screen("new-pin").await?;
        window.fill("old-passphrase", NEW_PASSPHRASE).await?;
        window.fill("pin", NEW_PIN).await?;
        window.fill("pin-again", NEW_PIN).await?;
        window.click("change-secret").await?;
        window.see("secret-changed").await?;
        window.click("back").await?;
        window.screen("me").await?;
        window.control('l').await?;
        window.screen("screen-lock").await?;
        window.fill("pin", PIN).await?;
        window.click("unlock-pin").await?;
        window.see("field-error").await?;
        window.fill("pin", NEW_PIN).await?;
        window.click("unlock-pin").await?;
        window.screen("me").await?;

        // The lease, by telephone before it has ended.
        let days = format!("return document.querySelector('{}')?.dataset.days", by("lease-left"));
        window
            .wait("thirty days", async || Ok((window.eval(&days).await? == json!("30")).then_some(())))
            .await?;
        window.click("ask-lease").await?;
        window.screen("more-days").await?;
        window.see("lease-challenge").await?;
        let of = async |t: &str| {
            let script = format!("return document.querySelector('{}').dataset.code", by(t));
            let code = window.eval(&script).await?;
            anyhow::Ok(code.as_str().context("a code to read out")?.to_owned())
        };
        let (device, challenge) = (of("lease-device").await?, of("lease-challenge").await?);
        window.fill("lease-code", "AAAAA-AAAAA").await?;
        window.click("renew-lease").await?;
        window.see("field-error").await?;
        world.shoot_every_way(&window, "More days by telephone").await?;
        let made = world.hie.admin(&[
            "device",
            "lease-code",
            "--device",
            &device,
            "--challenge",
            &challenge,
            "--days",
            "45",
        ])?;
        let code = made.pointer("/lease-code/code").and_then(|code| code.as_str());
        let code = code.with_context(|| format!("a code in {made}"))?.to_owned();
        window.fill("lease-code", &code).await?;
        window.click("renew-lease").await?;
        window.screen("me").await?;
        window
            .wait("the days that were granted", async || {
                Ok((window.eval(&days).await? == json!("45")).then_some(()))
            })
            .await?;

        window.click("lock-vault").await?;
        window.screen("unlock").await?;
        window.fill("passphrase", PASSPHRASE).await?;
        window.click("unlock").await?;
        window.see("field-error").await?;
        window
            .wait("to be let in with the new passphrase", async || {
                if window.sees_now("wait").await? {
                    return Ok(None);
                }
                window.fill("passphrase", NEW_PASSPHRASE).await?;
                window.click("unlock").await?;
                Ok(Some(()))
            })
            .await?;
        window.screen("today").await?;
        window.close().await
    }
}
