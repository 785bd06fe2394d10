//! What becomes of an ask besides being answered, in the real windows of both sides: asked back, declined, asked again,
//! the patient gone, its time over, cancelled, passed on; two who take it at once; and calls that nobody takes.

mod in_a_window {
    use std::time::Duration;

    use anyhow::{Context, Result, ensure};
    use rabta_tests::{
        access::{ENGLISH, Problems, URDU},
        display::{NARROW, WIDE},
        story::{AYESHA, Clinic, Person, SPECIALIST, World},
        window::{Window, by},
    };
    use serde_json::json;

    const SECOND: Person = Person {
        key: "second",
        name: "Dr Bilal Ahmed",
        registration: "54322-P",
        phone: "068-0000124",
        ..SPECIALIST
    };

    /// It rings for a minute before it says that nobody answers.
    const RINGS_OUT: Duration = Duration::from_secs(120);

    /// A move that asks first: its dialog, the reason, yes.
    async fn makes(window: &Window, t: &str, reason: &str) -> Result<()> {
        window.click(t).await?;
        window.see("move-dialog").await?;
        if !reason.is_empty() {
            let off = format!("return document.querySelector('{}').disabled", by("move-yes"));
            ensure!(window.eval(&off).await? == json!(true), "{t}: without a word why");
            window.fill("move-reason", reason).await?;
        }
        window.click("move-yes").await?;
        window.gone("move-dialog").await
    }

    /// The one ask on Today stands so, in words; it is opened from there.
    async fn today_says(window: &Window, words: &str) -> Result<()> {
        window.click("go-today").await?;
        window.screen("today").await?;
        window.reads("ask-state", words).await?;
        window.click("ask-row").await?;
        window.one_of_screens(&["case", "advice"]).await.map(drop)
    }

    async fn stands(world: &World, window: &Window, state: &str) -> Result<()> {
        world.ask_stands_at(window, &[state]).await
    }

    /// These words are on the page, wherever.
    async fn shows(window: &Window, words: &str) -> Result<()> {
        window.wait(words, async || Ok(window.all_text().await?.contains(words).then_some(()))).await
    }

    async fn nothing_waits(window: &Window) -> Result<()> {
        window.click("go-today").await?;
        window.screen("today").await?;
        window.gone("ask-row").await
    }

    /// The visit's next ask, from Today.
    async fn asks_again(world: &mut World, doctor: &Window) -> Result<()> {
        doctor.click("go-today").await?;
        doctor.click("draft-row").await?;
        doctor.screen("visit").await?;
        world.ask_specialist(doctor).await
    }

    /// The dialog as it is, wide and narrow.
    async fn shoot_dialog(world: &mut World, window: &Window, caption: &str) -> Result<()> {
        if world.report.is_none() {
            return Ok(());
        }
        world.shoot(window, caption).await?;
        window.resize(NARROW).await?;
        world.shoot(window, &format!("{caption}, narrow")).await?;
        window.resize(WIDE).await
    }

    #[tokio::test]
    async fn an_ask_comes_back_with_a_question_is_declined_asked_again_and_outlives_the_patients_stay()
    -> Result<()> {
        let mut world = World::of_test("ask-moves").await?;
        let mut problems = Problems::default();
        let Clinic { doctor, specialist } = world.open_asked().await?;

        // A question comes back, and its answer.
        specialist.click("move-asked-back").await?;
        specialist.see("move-dialog").await?;
        problems.check(&specialist, ENGLISH, "the dialog of a move").await?;
        specialist.click("move-back").await?;
        makes(&specialist, "move-asked-back", "How fast does she breathe?").await?;
        stands(&world, &specialist, "asked-back").await?;
        today_says(&doctor, "A question came back").await?;
        doctor.reads("happened", "How fast does she breathe?").await?;
        let label = "return document.querySelector('[data-t=message]')?.labels?.[0]?.innerText ?? ''";
        let label = doctor.eval(label).await?;
        ensure!(
            label.as_str().is_some_and(|label| label.contains("nswer")),
            "an answer is asked for: {label}"
        );
        doctor.fill("message", "44 a minute").await?;
        doctor.click("send-message").await?;
        stands(&world, &doctor, "accepted").await?;
        stands(&world, &specialist, "accepted").await?;
        specialist.reads("message-line", "44 a minute").await?;

        // Declined: nobody else is there, the doctor is told to refer, and why it was declined.
        makes(&specialist, "move-declined", "In surgery until noon").await?;
        stands(&world, &doctor, "nobody-on-duty").await?;
        doctor.see("nobody-seen").await?;
        doctor.reads("happened", "In surgery until noon").await?;
        stands(&world, &specialist, "nobody-on-duty").await?;
        specialist.click("go-today").await?;
        today_says(&doctor, "No one answers").await?;
        doctor.click("move-requested").await?;
        stands(&world, &doctor, "requested").await?;
        doctor.gone("nobody-seen").await?;
        today_says(&specialist, "Sent, not seen yet").await?;
        specialist.click("move-accepted").await?;
        stands(&world, &doctor, "accepted").await?;

        // The patient left: an answer is still wanted, and comes.
        doctor.click("move-patient-left").await?;
        doctor.reads("move-dialog", "still wanted").await?;
        doctor.click("move-yes").await?;
        stands(&world, &doctor, "patient-left").await?;
        stands(&world, &specialist, "patient-left").await?;
        today_says(&doctor, "Patient left").await?;
        today_says(&specialist, "Patient left").await?;
        doctor.click("go-today").await?;
        world.advise(&specialist).await?;
        nothing_waits(&specialist).await?;
        today_says(&doctor, "Advice is here").await?;
        doctor.see("advice").await?;
        doctor.click("done").await?;
        nothing_waits(&doctor).await?;

        // The same visit, another question, and nobody who answers it in a week.
        asks_again(&mut world, &doctor).await?;
        today_says(&specialist, "Sent, not seen yet").await?;
        specialist.click("move-accepted").await?;
        stands(&world, &doctor, "accepted").await?;
        world.hie.stop()?;
        world.hie.wrapper =
            ["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "faketime", "-f", "+8d"].map(str::to_owned).to_vec();
        world.hie.start().await?;
        for window in [&doctor, &specialist] {
            window.click("sync-chip").await?;
            window.screen("sync").await?;
            window.click("sync-now").await?;
        }
        doctor.click("go-asks").await?;
        doctor
            .wait_within(RINGS_OUT, "the ask's time to be over", async || {
                Ok((doctor.count("ask-row").await? == 1
                    && doctor.sees_now("ask-row").await?
                    && doctor.text("state").await?.contains("Time ran out"))
                .then_some(()))
            })
            .await?;
        today_says(&doctor, "Time ran out").await?;
        world.shoot_every_way(&doctor, "Nobody answered in a week: asked again").await?;
        doctor.click("move-requested").await?;
        stands(&world, &doctor, "requested").await?;
        today_says(&specialist, "Sent, not seen yet").await?;

        // Cancelled: it leaves the queue, and says why to whoever has it open.
        makes(&doctor, "move-cancelled", "Sent to the hospital").await?;
        stands(&world, &doctor, "cancelled").await?;
        stands(&world, &specialist, "cancelled").await?;
        specialist.reads("happened", "Sent to the hospital").await?;
        nothing_waits(&doctor).await?;
        nothing_waits(&specialist).await?;

        // Once more, and the patient takes the consent back: the specialist has nothing of the case any more.
        asks_again(&mut world, &doctor).await?;
        today_says(&specialist, "Sent, not seen yet").await?;
        specialist.see("note").await?;
        for look in [URDU, ENGLISH] {
            world.speak(&doctor, look.lang).await?;
            doctor.click("take-back").await?;
            doctor.see("take-back-dialog").await?;
            shoot_dialog(&mut world, &doctor, &format!("The consent is taken back, in {}", look.lang))
                .await?;
            problems.check(&doctor, look, "taking the consent back").await?;
            doctor.click(if look.lang == "ur" { "take-back-no" } else { "take-back-yes" }).await?;
            doctor.gone("take-back-dialog").await?;
        }
        doctor.reads("note-consent", "Consent withdrawn").await?;
        stands(&world, &doctor, "cancelled").await?;
        doctor.gone("take-back").await?;
        world.shoot_every_way(&doctor, "The consent was taken back: the clinic's page").await?;
        specialist.gone("note").await?;
        specialist.reads("error", "took the consent back").await?;
        world.shoot_every_way(&specialist, "The consent was taken back: the specialist's page").await?;
        nothing_waits(&doctor).await?;
        nothing_waits(&specialist).await?;
        problems.none()?;
        doctor.close().await?;
        specialist.close().await?;
        world.hie.stop()
    }

    #[tokio::test]
    async fn of_two_who_take_it_one_has_it_passes_it_on_and_a_call_is_busy_declined_or_not_heard()
    -> Result<()> {
        let mut world = World::of_test("ask-race").await?;
        let mut problems = Problems::default();
        let Clinic { doctor, specialist } = world.open_both().await?;
        let code = world.hie.enroll(&SECOND)?;
        let second = world.open_and_join(SECOND, &code.code).await?;
        world.register(&doctor, &AYESHA).await?;
        world.write_visit(&doctor).await?;
        world.ask_specialist(&doctor).await?;

        // Both look at it, and press at the same moment.
        for window in [&specialist, &second] {
            window.click("go-asks").await?;
            window.click("ask-row").await?;
            window.screen("case").await?;
            window.see("note").await?;
            window.see("move-accepted").await?;
        }
        let (one, two) = tokio::join!(specialist.click("move-accepted"), second.click("move-accepted"));
        // Where one of them was faster than the other's hand, there is nothing left to press.
        one.or(two)?;
        world.ask_stands_at(&doctor, &["accepted"]).await?;
        let late = doctor
            .wait("one of them to be told", async || {
                let told = (specialist.sees_now("elsewhere").await?, second.sees_now("elsewhere").await?);
                ensure!(told != (true, true), "nobody has it");
                Ok((told != (false, false)).then_some(told.0))
            })
            .await?;
        let (has, has_name, late, late_name) = match late {
            true => (&second, SECOND.name, &specialist, SPECIALIST.name),
            false => (&specialist, SPECIALIST.name, &second, SECOND.name),
        };
        late.reads("elsewhere", has_name).await?;
        late.gone("note").await?;
        ensure!(!late.sees_now("next").await? && !late.sees_now("message").await?, "the case is the other's");
        shows(&doctor, has_name).await?;
        world.shoot_every_way(late, "Two took it at once: with whom it is").await?;
        has.see("answer-writing").await?;

        // It is passed on to whom one chooses.
        for look in [URDU, ENGLISH] {
            world.speak(has, look.lang).await?;
            has.click("move-passed-on").await?;
            has.see("to-person").await?;
            shoot_dialog(&mut world, has, &format!("Passed on: to whom, in {}", look.lang)).await?;
            problems.check(has, look, "whom it is passed on to").await?;
            ensure!(has.count("to-person").await? == 1, "oneself is not among them");
            if look.lang == "ur" {
                has.click("move-back").await?;
                has.gone("move-dialog").await?;
            }
        }
        has.click_with_text("to-person", late_name).await?;
        has.fill("move-reason", "Yours: it is the skin").await?;
        has.click("move-yes").await?;
        has.gone("move-dialog").await?;
        has.reads("elsewhere", late_name).await?;
        world.ask_stands_at(&doctor, &["passed-on", "seen"]).await?;
        doctor.reads("happened", "Passed on").await?;
        doctor.reads("happened", "Yours: it is the skin").await?;
        late.click("move-accepted").await?;
        world.ask_stands_at(&doctor, &["accepted"]).await?;
        today_says(&doctor, "Accepted").await?;
        shows(&doctor, late_name).await?;

        // Each of the two has an ask, and rings about it.
        asks_again(&mut world, &doctor).await?;
        has.click("go-asks").await?;
        has.click("ask-row").await?;
        has.screen("case").await?;
        has.click("move-accepted").await?;
        world.ask_stands_at(&doctor, &["accepted"]).await?;
        world.ring(&doctor, has).await?;
        late.click("call").await?;
        late.screen("call").await?;
        ends(late, "busy", "The other side is in another call.").await?;
        world.shoot_every_way(late, "Busy").await?;
        doctor.click("call-decline").await?;
        ends(has, "declined", "The call was declined.").await?;
        doctor.gone("call-incoming").await?;
        has.click("call").await?;
        doctor.see("call-incoming").await?;
        ends(has, "no-answer", "Nobody answered.").await?;
        problems.check(has, ENGLISH, "a call that nobody took").await?;
        doctor.gone("call-incoming").await?;
        problems.none()?;
        for window in [doctor, specialist, second] {
            window.close().await?;
        }
        world.hie.stop()
    }

    async fn ends(window: &Window, reason: &str, words: &str) -> Result<()> {
        let script = format!("return document.querySelector('{}')?.dataset.reason", by("call-ended"));
        window
            .wait_within(RINGS_OUT, &format!("the call to end: {reason}"), async || {
                Ok((window.eval(&script).await? == json!(reason)).then_some(()))
            })
            .await?;
        window.reads("call-ended", words).await.context("in words")
    }
}
