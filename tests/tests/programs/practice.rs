//! Practice with invented patients, from the first screen: a color of its own, templates, the way out; and a second
//! person at the same laptop.

mod in_a_window {
    use anyhow::{Result, ensure};
    use rabta_tests::{
        story::{By, DOCTOR, NURSE, World, ask_to_take_over, take_over},
        window::{Window, by},
    };
    use serde_json::json;

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

        // Once more, with a medicine to print.
        window.click("template").await?;
        window.click("template-medicine").await?;
        window.click("template-fill").await?;
        // The page is drawn anew, with the way back on it.
        window.see("template-undo").await?;
        window.see("medicine-line").await?;
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
        let mut world = World::of_test("people").await?;
        let window = world.open_empty_clinic().await?;
        world.colleague_joins(&window).await?;
        window.reads("me-name", DOCTOR.name).await?;
        // The passphrase once, the PIN from then on.
        ask_to_take_over(&window, &NURSE, By::Passphrase).await?;
        world.shoot_every_way(&window, "Who works now?").await?;
        window.click("back").await?;
        take_over(&window, &NURSE, By::Passphrase).await?;
        take_over(&window, &DOCTOR, By::Pin).await?;
        window.close().await
    }
}
