//! The patient's phone: a real Chromium as a small Android phone, with a real certificate, in a call with the doctor's
//! window.

mod on_a_phone {
    use anyhow::{Result, ensure};
    use rabta_tests::{
        phone::{Phone, TestCa},
        story::{AYESHA, WORD, World},
        window::Window,
    };
    use serde_json::json;

    /// A clinic whose HIE phones can reach; the doctor on the patient's page for calls at home.
    async fn clinic(name: &str) -> Result<(World, TestCa, Window)> {
        let mut world = World::of_test(name).await?;
        let ca = world.let_phones_in()?;
        let window = world.open_empty_clinic().await?;
        world.register(&window, &AYESHA).await?;
        window.click("call-at-home").await?;
        window.screen("phone").await?;
        Ok((world, ca, window))
    }

    async fn wait_for_state(window: &Window, words: &str) -> Result<()> {
        window.reads("link-state", words).await
    }

    /// From the opened address to the waiting room, as a patient does it.
    async fn come_in(phone: &Phone, url: &str) -> Result<()> {
        phone.go(url).await?;
        say_the_word(phone, "mango  TREE").await?;
        phone.tap("join").await
    }

    async fn say_the_word(phone: &Phone, word: &str) -> Result<()> {
        phone.screen("word").await?;
        phone.type_into("word", word).await?;
        phone.tap("word-go").await?;
        phone.tap("consent-video").await
    }

    #[tokio::test]
    async fn a_patient_comes_by_a_link_and_doctor_and_patient_see_each_other() -> Result<()> {
        let (mut world, ca, window) = clinic("phone-call").await?;
        let url = world.make_link(&window, WORD).await?;
        let message = window.value("link-message").await?;
        for private in [AYESHA.name, "BHU", "MBBS", "medicine"] {
            ensure!(!message.contains(private), "the message names {private}: {message}");
        }
        wait_for_state(&window, "Not opened yet").await?;
        let phone = Phone::open(&world.run, &ca, "phone", "en").await?;
        phone.go(&url).await?;
        phone.screen("word").await?;
        ensure!(phone.eval("return location.hash").await? == json!(""), "the secret left the address bar");
        phone.type_into("word", "apple").await?;
        phone.tap("word-go").await?;
        phone.see("error").await?;
        come_in(&phone, &url).await?;
        phone.screen("waiting").await?;
        wait_for_state(&window, "Is waiting now").await?;
        // Whoever is on Today sees it, too.
        window.click("go-today").await?;
        window.click("waiting-row").await?;
        window.screen("phone").await?;
        window.click("link-call").await?;
        phone.screen("call").await?;
        window.see("check-aloud").await?;
        world.sees_the_patient(&window).await?;
        phone.sees_them().await?;
        ensure!(!window.sees_now("call-verified").await?, "a link proves a phone, not a person");

        window.click("hang-up").await?;
        phone.screen("ended").await?;
        window.see("call-ended").await?;

        // The log names nobody and no secret.
        let secret = url.rsplit('#').next().unwrap_or_default().to_owned();
        for log in world.run.logs() {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            ensure!(!text.contains(&secret), "{} holds the link's secret", log.display());
            ensure!(!text.contains(AYESHA.name), "{} names the patient", log.display());
        }
        phone.close().await?;
        window.close().await?;
        world.hie.stop()
    }

    #[tokio::test]
    async fn the_doctor_calls_first_and_the_patients_join_takes_the_call() -> Result<()> {
        let (mut world, ca, window) = clinic("phone-join").await?;
        // Two keyboards: the laptop's and the phone's write the same word with other letters.
        let url = world.make_link(&window, "علی ۵").await?;
        let phone = Phone::open(&world.run, &ca, "phone", "ur").await?;
        phone.go(&url).await?;
        say_the_word(&phone, "علي 5").await?;
        phone.see("join").await?;
        window.click("link-call").await?;
        phone.tap("join").await?;
        phone.screen("call").await?;
        world.sees_the_patient(&window).await?;
        phone.sees_them().await?;
        phone.close().await?;
        window.close().await?;
        world.hie.stop()
    }

    #[tokio::test]
    async fn a_second_browser_is_asked_about_and_gets_the_call() -> Result<()> {
        let (mut world, ca, window) = clinic("phone-move").await?;
        let url = world.make_link(&window, WORD).await?;
        let first = Phone::open(&world.run, &ca, "first", "en").await?;
        come_in(&first, &url).await?;
        first.screen("waiting").await?;
        let second = Phone::open(&world.run, &ca, "second", "en").await?;
        second.go(&url).await?;
        second.screen("word").await?;
        second.type_into("word", WORD).await?;
        second.tap("word-go").await?;
        second.screen("elsewhere").await?;
        second.tap("move").await?;
        second.tap("consent-video").await?;
        window.click("move-yes").await?;
        first.screen("elsewhere").await?;
        second.screen("waiting").await?;
        window.click("link-call").await?;
        second.screen("call").await?;
        second.sees_them().await?;
        // The doctor ends the link: nobody comes in by it any more.
        window.click("hang-up").await?;
        window.click("link-end").await?;
        window.see("make-link-card").await?;
        first.go(&url).await?;
        first.screen("over").await?;
        first.close().await?;
        second.close().await?;
        window.close().await?;
        world.hie.stop()
    }

    #[tokio::test]
    async fn without_a_certificate_the_page_says_so_and_makes_no_link() -> Result<()> {
        let mut world = World::of_test("phone-none").await?;
        let window = world.open_empty_clinic().await?;
        world.register(&window, &AYESHA).await?;
        window.click("call-at-home").await?;
        window.screen("phone").await?;
        window.reads("no-page", "--tls-cert").await?;
        ensure!(!window.sees_now("make-link").await?, "there is nothing to press");
        world.hie.stop()?;
        window.see("no-server").await?;
        window.close().await
    }
}
