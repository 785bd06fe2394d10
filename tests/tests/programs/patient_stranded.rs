//! A patient is never stranded: each thing that goes wrong has its own words, in both languages, and a way on that works. A real Chromium
//! as a cheap Android phone, a real HIE; the doctor's device speaks to the HIE without a window. The states are in `story::stranded`.

mod on_a_phone {
    use anyhow::{Result, ensure};
    use rabta_tests::{
        Run,
        hie::Hie,
        phone::{Phone, TestCa},
        run::alone,
        story::{AYESHA, DOCTOR, Person, World, ends, stranded},
        ward::{WORD, Ward, shows_in},
        window::by,
    };
    use serde_json::json;

    /// Plays one story of a phone on a server of its own.
    async fn ward(
        name: &str,
        doctor: &Person,
        asking: bool,
        play: impl AsyncFnOnce(&mut Ward<'_>) -> Result<()>,
    ) -> Result<()> {
        let _alone = alone().await;
        let run = Run::of_test(name)?;
        let ca = TestCa::make(&run, std::net::Ipv4Addr::LOCALHOST)?;
        let mut hie = Hie::new(&run)?;
        hie.open_door(&ca)?;
        hie.start().await?;
        hie.add_facility(doctor.facility, "clinic", &[])?;
        let mut ward = Ward::open(&run, &ca, &mut hie, doctor, "phone", asking).await?;
        play(&mut ward).await?;
        ward.phone.close().await?;
        hie.stop()
    }

    #[tokio::test]
    async fn a_link_that_does_not_open_says_why_and_what_to_do() -> Result<()> {
        let stranger = Person { name: stranded::STRANGER, ..DOCTOR };
        ward("stranded-links", &stranger, false, async |ward| stranded::links(ward).await).await
    }

    #[tokio::test]
    async fn a_phone_that_refuses_or_lacks_something_has_a_way_on() -> Result<()> {
        ward("stranded-phones", &DOCTOR, true, async |ward| stranded::phones(ward).await).await
    }

    #[tokio::test]
    async fn whoever_waits_knows_where_they_stand() -> Result<()> {
        ward("stranded-waiting", &DOCTOR, false, async |ward| stranded::waits(ward).await).await
    }

    #[tokio::test]
    async fn a_call_that_ends_badly_says_why_and_what_to_do() -> Result<()> {
        ward("stranded-ends", &DOCTOR, false, async |ward| ends::ends(ward).await).await
    }

    #[tokio::test]
    async fn what_the_doctor_left_is_read_days_later_on_that_phone_only() -> Result<()> {
        ward("stranded-after", &DOCTOR, false, async |ward| left_by_the_doctor(ward).await).await
    }

    async fn left_by_the_doctor(ward: &Ward<'_>) -> Result<()> {
        let phone = &ward.phone;
        let link = ward.link().await?;
        ward.fresh().await?;
        ward.wait_in_the_room(&link).await?;
        let note = json!({
            "next_step": "Drink a glass of water after each loose stool.\nCome back on Monday.", "lang": "en",
            "doctor": "Dr Ayesha\u{202E} Khan", "date": "2026-11-22", "paper": true,
            "warning": "Blood in the stool or no urine for a day: come at once.",
            "medicines": [
                { "name": "ORS <b>sachet</b>", "how": "one in a liter of boiled water", "days": 3, "when": ["morning", "noon", "evening", "night"] },
                { "name": "Zinc 20 mg", "how": "one tablet", "days": 1, "when": ["night", "tea-time"] },
            ],
        });
        let paper: Vec<u8> =
            b"%PDF-1.7\n".iter().copied().chain((0..90_000_u32).map(|n| (n % 251) as u8)).collect();
        // Who has left sees it come, and may still talk to the doctor.
        phone.tap("hang-up").await?;
        phone.tap("hang-up-yes").await?;
        phone.screen("ended").await?;
        ward.desk.leave(&link, &note, Some(&paper)).await?;
        phone.screen("after").await?;
        phone.tap("talk").await?;
        phone.screen("consent").await?;
        ward.desk.act(&link, "close").await?;

        // Another tab, as on the next day: the word, and it is there.
        ward.fresh().await?;
        ward.say_the_word(&link).await?;
        ward.shows("after", "Drink a glass of water", "اب کیا کرنا ہے").await?;
        let read = phone.eval("return [...document.querySelectorAll('.medicine')].map((m) => [m.querySelector('h3').textContent, [...m.querySelectorAll('.take')].map((t) => t.innerText.trim()).join()])").await?;
        ensure!(
            read == json!([["ORS <b>sachet</b>", "Morning,Noon,Evening,Night"], ["Zinc 20 mg", "Night"]]),
            "{read}"
        );
        phone.eval("window.kept = []; const make = URL.createObjectURL; URL.createObjectURL = (blob) => { blob.arrayBuffer().then((b) => window.kept.push([blob.type, b.byteLength, String.fromCharCode(...new Uint8Array(b, 0, 5))])); return make.call(URL, blob); }").await?;
        phone.tap("paper").await?;
        let kept = phone
            .wait("the prescription", async || {
                let kept = phone.eval("return window.kept[0] ?? null").await?;
                Ok((!kept.is_null()).then_some(kept))
            })
            .await?;
        ensure!(kept == json!(["application/pdf", paper.len(), "%PDF-"]), "{kept}");

        // A phone that never had the call: its memory of it is gone.
        ward.fresh().await?;
        phone.go(&link.url()).await?;
        phone.eval("localStorage.clear()").await?;
        ward.say_the_word(&link).await?;
        ward.shows("after-elsewhere", "Open it on the other phone", "اسے دوسرے فون پر کھولیں").await?;
        Ok(())
    }

    #[tokio::test]
    async fn a_call_survives_what_happens_to_a_phone() -> Result<()> {
        let mut world = World::of_test("stranded-call").await?;
        let ca = world.let_phones_in()?;
        let window = world.open_empty_clinic().await?;
        world.register(&window, &AYESHA).await?;
        let (phone, url) = world.waits_for(&window, &ca, "phone").await?;
        phone.reads("#screen", "The doctor is here").await?;
        window.click("link-call").await?;
        phone.screen("call").await?;
        world.sees_the_patient(&window).await?;
        shows_in(&phone, "call", "#screen", "Mute", "آواز بند").await?;

        // Back asks first.
        phone.back().await?;
        phone.see("hang-up-no").await?;
        phone.check_access("end-dialog").await?;
        phone.tap("hang-up-no").await?;
        phone.sees_them().await?;

        // Put away, the picture stops; back, it goes on.
        let sends = "return document.querySelector('[data-t=near]').srcObject.getVideoTracks()[0].enabled";
        for (away, sending) in [(true, false), (false, true)] {
            phone.put_away(away).await?;
            phone
                .wait("the camera's state", async || {
                    Ok((phone.eval(sends).await? == json!(sending)).then_some(()))
                })
                .await?;
        }
        phone.see("note-back").await?;

        // The phone rings.
        let track = |what: &str| {
            format!(
                "document.querySelector('[data-t=near]').srcObject.getAudioTracks()[0].dispatchEvent(new Event('{what}'))"
            )
        };
        phone.eval(&track("mute")).await?;
        shows_in(&phone, "call", "[data-t=note-phone]", "until your phone call ends", "فون کال ختم ہونے")
            .await?;
        phone.eval(&track("unmute")).await?;

        // The doctor writes; it is read in large letters until it is put away, and markup is text.
        window.click("chat-go").await?;
        window.fill("chat-box", "Take <b>two</b> tablets now").await?;
        window.click("chat-send").await?;
        shows_in(
            &phone,
            "call",
            "[data-t=said]",
            "Take <b>two</b> tablets now",
            "Take <b>two</b> tablets now",
        )
        .await?;
        phone.tap("said-done").await?;
        phone
            .wait("no line", async || {
                Ok((phone.eval("return !document.querySelector('[data-t=said]')").await? == json!(true))
                    .then_some(()))
            })
            .await?;

        // A picture is asked for, and goes.
        phone.tap("still").await?;
        phone.tap("still-no").await?;
        phone.tap("still").await?;
        phone.check_access("still-dialog").await?;
        phone.tap("still-yes").await?;
        phone.reads("[data-t=still-state]", "The doctor has your picture").await?;
        window.see("still-line").await?;

        // A reload: the phone offers to go back, and is in the same call again without anybody at the laptop.
        let seconds = format!("return document.querySelector('{}').innerText", by("call-seconds"));
        let call = window.eval(&seconds).await?;
        phone
            .eval("window.addEventListener('beforeunload', (e) => e.stopImmediatePropagation(), true)")
            .await?;
        phone.reload().await?;
        phone.screen("join").await?;
        phone.reads("#screen", "Your call is still open").await?;
        phone.tap("join").await?;
        phone.screen("call").await?;
        phone.sees_them().await?;
        ensure!(window.eval(&seconds).await?.as_str() > call.as_str(), "it is another call");

        // Another phone with the same link: when the doctor agrees the running call goes there.
        let other = Phone::open(&world.run, &ca, "other", "en").await?;
        other.go(&url).await?;
        other.screen("word").await?;
        other.type_into("word", WORD).await?;
        other.tap("word-go").await?;
        other.screen("elsewhere").await?;
        other.tap("move").await?;
        other.tap("consent-video").await?;
        window.click("move-yes").await?;
        phone.screen("elsewhere").await?;
        other.screen("call").await?;
        other.sees_them().await?;
        let phone = {
            phone.close().await?;
            other
        };

        // The laptop's battery is empty: the phone looks for the doctor, who is back in the call when she calls again.
        window.kill()?;
        shows_in(
            &phone,
            "call",
            "[data-t=searching]",
            "Searching for the doctor",
            "ڈاکٹر سے رابطہ ڈھونڈ رہے ہیں",
        )
        .await?;
        phone.reads(".far-voice", "Stay here. The call comes back by itself.").await?;
        let window = world.reopen(DOCTOR).await?;
        world.unlock(&window).await?;
        world.find(&window, AYESHA.name).await?;
        window.click("result").await?;
        window.screen("patient").await?;
        window.click("call-at-home").await?;
        window.click("link-call").await?;
        world.sees_the_patient(&window).await?;
        phone.sees_them().await?;
        window.reads("call-agreed", "Agreed on the phone: picture and voice").await?;
        window.click("hang-up").await?;
        shows_in(&phone, "ended", "#screen", "the doctor may send what to do next", "ڈاکٹر بھیج سکتے ہیں")
            .await?;
        phone.close().await?;
        window.close().await?;
        world.hie.stop()
    }
}
