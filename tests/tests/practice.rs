//! Practice with invented patients, from the first screen: a color of its own, templates, the way out; and a second
//! person at the same laptop.

mod in_a_window {
    use anyhow::{Context, Result, ensure};
    use rabta_tests::{
        story::{DOCTOR, PASSPHRASE, PIN, Person, World},
        window::{Window, by},
    };
    use serde_json::json;

    /// Presses whoever has that name.
    async fn choose(window: &Window, name: &str) -> Result<()> {
        let find = format!(
            "return [...document.querySelectorAll('{}')].findIndex((e) => e.textContent.includes('{name}'))",
            by("person"),
        );
        let place = window.eval(&find).await?.as_u64().context("they are among them")?;
        window.click_nth("person", place as usize).await
    }

    async fn is_practice(window: &Window) -> Result<bool> {
        Ok(window.eval("return document.documentElement.hasAttribute('data-training')").await? == json!(true))
    }

    #[tokio::test]
    async fn practice_is_unmistakable_a_template_fills_a_visit_and_the_way_out_leads_back() -> Result<()> {
        let mut world = World::of_test("practice").await?;
        let window = world.open(DOCTOR).await?;
        window.click("lang-en").await?;
        window.click("practice").await?;
        window.screen("today").await?;
        window.see("practice-leave").await?;
        ensure!(is_practice(&window).await?, "every page carries the color");
        world.shoot_every_way(&window, "Practice").await?;

        ensure!(world.find(&window, "Ali Iqbal").await? > 0, "one of the invented patients");
        window.click("result").await?;
        window.screen("patient").await?;
        window.click("start-visit").await?;
        window.screen("visit").await?;
        window.see("templates").await?;
        window.click("template").await?;
        window.see("template-parts").await?;
        world.shoot(&window, "A template: what of it is wanted").await?;
        window.click("template-diagnosis").await?;
        window.click("template-fill").await?;
        window.see("template-undo").await?;
        ensure!(!window.value("complaint").await?.is_empty(), "the complaint was empty and is filled");
        ensure!(window.count("diagnosis-line").await? == 1, "the one diagnosis that was ticked");
        world.shoot_every_way(&window, "Filled in by the template").await?;
        window.click("template-undo").await?;
        let empty = format!("return document.querySelector('{}')?.value === ''", by("complaint"));
        window
            .wait("the template taken back", async || {
                Ok((window.eval(&empty).await? == json!(true)).then_some(()))
            })
            .await?;

        window.click("check-and-sign").await?;
        window.screen("visit-page").await?;
        window.click("prescription").await?;
        window.see("print-pictures").await?;
        world.shoot(&window, "Three papers, and a sheet in pictures").await?;
        window.click("go-today").await?;
        window.screen("today").await?;
        window.click("practice-leave").await?;
        window.screen("gate-code").await?;
        ensure!(!is_practice(&window).await?, "practice is over");
        ensure!(!world.vault(DOCTOR).join("records.db").exists(), "no vault was made by practicing");
        window.close().await
    }

    /// A nurse joins the doctor's laptop and takes over; the doctor comes back by PIN.
    #[tokio::test]
    async fn a_colleague_joins_the_laptop_and_takes_over() -> Result<()> {
        const NURSE: Person = Person { key: "nurse", name: "Sister Nadia", role: "nurse", ..DOCTOR };
        let mut world = World::of_test("people").await?;
        let window = world.open_empty_clinic().await?;
        let code = world.hie.enroll(&NURSE)?;
        window.click("go-me").await?;
        window.screen("me").await?;
        world.shoot_every_way(&window, "Who works at this laptop").await?;
        window.click("add-person").await?;
        window.screen("gate-code").await?;
        window.fill("code", &code.code).await?;
        window.click("check-code").await?;
        window.screen("gate-confirm").await?;
        window.reads("invited-name", NURSE.name).await?;
        window.click("confirm").await?;
        world.choose_secrets(&window).await?;
        window.screen("me").await?;
        window.reads("me-name", DOCTOR.name).await?;

        window.click("switch-person").await?;
        window.screen("switch").await?;
        world.shoot_every_way(&window, "Who works now?").await?;
        // The passphrase once, the PIN from then on.
        choose(&window, NURSE.name).await?;
        window.fill("passphrase", PASSPHRASE).await?;
        window.click("take-over").await?;
        window.screen("today").await?;
        window.click("go-me").await?;
        window.screen("me").await?;
        window.reads("me-name", NURSE.name).await?;
        window.click("switch-person").await?;
        window.screen("switch").await?;
        choose(&window, DOCTOR.name).await?;
        window.fill("pin", PIN).await?;
        window.click("take-over").await?;
        window.screen("today").await?;
        window.click("go-me").await?;
        window.screen("me").await?;
        window.reads("me-name", DOCTOR.name).await?;
        window.close().await
    }
}
