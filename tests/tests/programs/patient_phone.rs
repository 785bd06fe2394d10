//! The patient's phone: a real Chromium as a small Android phone, with a real certificate, in a call with the doctor's
//! window.

mod on_a_phone {
    use anyhow::{Result, ensure};
    use rabta_tests::{
        phone::{Phone, TestCa},
        story::{AYESHA, WORD, World, medicines, paper},
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

    /// The link's code in the window, read off the screen as a camera does.
    async fn on_the_screen(window: &Window) -> Result<String> {
        window.eval("document.querySelector('[data-t=link-qr]').scrollIntoView({ block: 'center' })").await?;
        let screen = image::load_from_memory(&window.screenshot().await?)?.to_luma8();
        let (width, height) = screen.dimensions();
        for times in [1, 2, 3] {
            let nearer = image::imageops::resize(
                &screen,
                width * times,
                height * times,
                image::imageops::FilterType::Triangle,
            );
            let (width, height) = nearer.dimensions();
            let mut seen =
                rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
                    nearer.get_pixel(x as u32, y as u32).0[0]
                });
            if let Some((_, text)) = seen.detect_grids().iter().find_map(|grid| grid.decode().ok()) {
                return Ok(text);
            }
        }
        anyhow::bail!("no code can be read on the screen")
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
        ensure!(on_the_screen(&window).await? == url, "the picture is of another address");
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
        let to = first.eval("return document.querySelector('[data-t=dial]')?.href").await?;
        ensure!(to == json!("tel:03000055101"), "the doctor's own number is the way on: {to}");
        first.close().await?;
        second.close().await?;
        window.close().await?;
        world.hie.stop()
    }

    /// Lets a test write on the data channel that the page has: what a page could send that somebody changed.
    const OPENS_THE_CHANNEL: &str = "const send = RTCDataChannel.prototype.send; \
        RTCDataChannel.prototype.send = function (data) { window.channel = this; return send.call(this, data); }";
    const HOSTILE: &str = "<img src=x onerror=\"window.bad=1\"><b>two</b>\u{202e}owt\u{2066}tablets";
    const CLEANED: &str = "<img src=x onerror=\"window.bad=1\"><b>two</b> owt tablets";

    /// Nothing of a line was taken for markup, and nothing in it turns the writing around. `css`: where it is.
    fn is_text(css: &str) -> String {
        format!(
            "const e = document.querySelector('{css}'); return [window.bad ?? null, e.querySelectorAll('img, b').length, \
             /[\\u202a-\\u202e\\u2066-\\u2069]/.test(e.textContent)]"
        )
    }

    #[tokio::test]
    async fn on_a_cheap_phone_and_a_thin_link_they_talk_and_hostile_lines_are_only_text() -> Result<()> {
        let (mut world, ca, window) = clinic("phone-cheap").await?;
        let url = world.make_link(&window, WORD).await?;
        let phone = Phone::open(&world.run, &ca, "phone", "en").await?;
        phone.before_load(OPENS_THE_CHANNEL).await?;
        phone.be_cheap(true).await?;
        come_in(&phone, &url).await?;
        phone.screen("waiting").await?;
        window.click("link-call").await?;
        phone.screen("call").await?;
        world.sees_the_patient(&window).await?;
        phone.sees_them().await?;
        window.reads("call-agreed", "Agreed on the phone: picture and voice").await?;
        world.shoot_every_way(&window, "What the patient agreed to").await?;

        // From the laptop.
        window.click("chat-go").await?;
        window.fill("chat-box", HOSTILE).await?;
        window.click("chat-send").await?;
        phone.reads("[data-t=said]", CLEANED).await?;
        ensure!(phone.eval(&is_text("[data-t=said]")).await? == json!([null, 0, false]));

        // From the phone, and lines that no page writes: too long for a line, for a message, for the channel.
        let line = |id: u32, text: &str| {
            let line = json!({ "type": "chat", "id": id, "text": text });
            format!("window.channel.send({})", json!(line.to_string()))
        };
        phone.eval(&line(70_001, HOSTILE)).await?;
        window.reads("chat-lines", CLEANED).await?;
        phone
            .eval(
                "for (const n of [4001, 9000, 60000, 10000000]) { \
                 try { window.channel.send(JSON.stringify({ type: 'chat', id: 80000 + n, text: 'x'.repeat(n) })); } \
                 catch { /* The browser itself sends nothing so big. */ } }",
            )
            .await?;
        phone.eval(&line(90_000, "still here")).await?;
        window.reads("chat-lines", "still here").await?;
        let lines = window.count("chat-line").await?;
        ensure!(lines == 3, "{lines} lines in place of three");
        let css = rabta_tests::window::by("chat-lines");
        ensure!(window.eval(&is_text(&css)).await? == json!([null, 0, false]));

        // And the call goes on.
        phone.sees_them().await?;
        window.click("hang-up").await?;
        phone.screen("ended").await?;
        phone.close().await?;
        window.close().await?;
        world.hie.stop()
    }

    #[tokio::test]
    async fn the_prescription_is_on_the_phone_once_the_patient_was_asked() -> Result<()> {
        let mut world = World::of_test("phone-paper").await?;
        let ca = world.let_phones_in()?;
        let window = world.open_empty_clinic().await?;
        world.register(&window, &AYESHA).await?;
        world.write_visit(&window).await?;
        world.sign_visit(&window).await?;
        let phone = world.call_at_home(&window, &ca, &AYESHA, "phone").await?;
        window.click("hang-up").await?;
        phone.screen("ended").await?;

        // Nobody was asked yet: words only.
        window.fill("after-text", "Come back on Monday.").await?;
        let ticked = "return document.querySelector('[data-t=after-medicines]').checked";
        ensure!(window.eval(ticked).await? == json!(false), "asked for the patient");
        window.click("after-send").await?;
        phone.screen("after").await?;
        phone.reads("[data-t=next-step]", "Come back on Monday.").await?;
        ensure!(medicines(&phone).await? == 0, "medicines without a yes");
        ensure!(phone.eval("return document.querySelector('[data-t=paper]')").await?.is_null());

        // The doctor sees which visit it is.
        let which = "return document.querySelector('[data-t=after-medicines]').closest('label').innerText";
        let which = window.eval(which).await?;
        // Its day is the clinic's; whether that is today is the laptop's zone's to say.
        ensure!(which.as_str().is_some_and(|text| text.contains("Cellulitis")), "{which}");
        world.shoot_every_way(&window, "Which visit's medicines go, once the patient was asked").await?;
        window.click("after-medicines").await?;
        window.fill("after-text", "Finish the tablets.").await?;
        world.shoot(&window, "The patient was asked").await?;
        window.click("after-send").await?;
        window.reads("toast", "It is on the patient's page").await?;
        phone.reload().await?;
        phone.screen("after").await?;
        phone.reads("[data-t=next-step]", "Finish the tablets.").await?;
        ensure!(medicines(&phone).await? > 0, "no medicines");
        phone.keep_picture("after-medicines").await?;
        let file = world.run.path("paper.pdf");
        std::fs::write(&file, paper(&phone).await?)?;
        let text = std::process::Command::new("pdftotext").arg(&file).arg("-").output()?;
        let text = String::from_utf8_lossy(&text.stdout).into_owned();
        ensure!(text.contains(AYESHA.name), "it is not the patient's own: {text}");
        phone.close().await?;
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
