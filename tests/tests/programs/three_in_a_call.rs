//! Three in a call, with the real windows and a real phone: both ways into it, the patient's word, leaving, coming
//! back.

mod in_a_window {
    use anyhow::{Result, ensure};
    use rabta_tests::{
        access::{ENGLISH, Problems, URDU},
        phone::{Phone, TestCa},
        story::{AYESHA, Clinic, DOCTOR, World},
        window::Window,
    };
    use serde_json::json;

    /// A clinic with an open ask that the specialist has looked at.
    async fn asked(name: &str) -> Result<(World, TestCa, Window, Window)> {
        let mut world = World::of_test(name).await?;
        let ca = world.let_phones_in()?;
        let Clinic { doctor, specialist } = world.open_asked().await?;
        Ok((world, ca, doctor, specialist))
    }

    /// The second video is gone, the first goes on.
    async fn two_go_on(phone: &Phone, video: &str) -> Result<()> {
        phone.see("away").await?;
        phone.sees_and_hears(video).await
    }

    #[tokio::test]
    async fn the_doctor_brings_the_specialist_to_the_patient_and_whoever_leaves_leaves_two() -> Result<()> {
        let (mut world, ca, doctor, specialist) = asked("three-home").await?;
        let phone = world.call_at_home(&doctor, &ca, &AYESHA, "phone").await?;
        // No means not: nobody rings.
        world.bring_in(&doctor).await?;
        phone.reads("[data-t=wanted]", "Dr Saira Malik").await?;
        phone.tap("wanted-no").await?;
        doctor.reads("asked", "The patient said no").await?;
        ensure!(!specialist.sees_now("call-incoming").await?, "it rang though the patient said no");

        world.bring_in(&doctor).await?;
        phone.see("wanted-yes").await?;
        world.shoot_every_way(&doctor, "The patient is asked").await?;
        phone.keep_picture("wanted").await?;
        phone.check_access("the question whether somebody may join").await?;
        phone.tap("wanted-yes").await?;
        specialist.see("call-incoming").await?;
        specialist.click("call-accept").await?;
        specialist.screen("call").await?;
        world.all_three(&doctor, &specialist, &phone).await?;
        specialist.see("call-record").await?;
        world.shoot_every_way(&doctor, "Three at the doctor's").await?;
        world.shoot_every_way(&specialist, "Three at the specialist's").await?;
        let mut problems = Problems::default();
        for look in [URDU, ENGLISH] {
            for (window, what) in
                [(&doctor, "three, at the doctor's"), (&specialist, "three, at the specialist's")]
            {
                world.speak(window, look.lang).await?;
                world.sees_and_hears(window, 2).await?;
                problems.check(window, look, what).await?;
            }
        }
        problems.none()?;
        phone.keep_picture("three").await?;
        phone.check_access("three in a call").await?;
        phone.tap("language").await?;
        phone.keep_picture("three-ur").await?;
        phone.tap("language").await?;

        // The specialist leaves and is asked back: the patient agreed before.
        specialist.click("hang-up").await?;
        two_go_on(&phone, "far").await?;
        world.sees_and_hears(&doctor, 1).await?;
        world.bring_in(&doctor).await?;
        specialist.click("call-accept").await?;
        world.all_three(&doctor, &specialist, &phone).await?;

        // The doctor leaves: the specialist and the patient go on.
        doctor.click("hang-up").await?;
        doctor.see("call-ended").await?;
        two_go_on(&phone, "far-2").await?;
        world.sees_and_hears(&specialist, 1).await?;
        phone.keep_picture("doctor-left").await?;
        specialist.click("hang-up").await?;
        phone.screen("ended").await?;
        // What they said with the specialist stands with the ask.
        doctor.click("go-asks").await?;
        doctor.click("ask-row").await?;
        doctor.reads("timeline", "Call").await?;
        phone.close().await?;
        doctor.close().await?;
        specialist.close().await?;
        world.hie.stop()
    }

    /// Neither the patient nor the specialist presses anything, and the call of these two is not cut.
    async fn is_back(world: &World, doctor: &Window, specialist: &Window, phone: &Phone) -> Result<()> {
        doctor.click("link-call").await?;
        world.all_three(doctor, specialist, phone).await?;
        ensure!(!specialist.sees_now("call-incoming").await?, "it rang as if it were another call");
        let asked = phone.eval("return window.asked").await?;
        ensure!(asked == json!(0), "the patient was asked again");
        Ok(())
    }

    #[tokio::test]
    async fn a_doctor_who_hung_up_or_whose_laptop_died_is_back_in_the_same_call() -> Result<()> {
        let (mut world, ca, doctor, specialist) = asked("three-back").await?;
        let phone = world.call_at_home(&doctor, &ca, &AYESHA, "phone").await?;
        world.bring_in(&doctor).await?;
        phone.tap("wanted-yes").await?;
        specialist.click("call-accept").await?;
        specialist.screen("call").await?;
        world.all_three(&doctor, &specialist, &phone).await?;
        phone
            .eval(
                "window.asked = 0; new MutationObserver(() => { \
                 if (document.querySelector('[data-t=wanted]')) window.asked += 1; }) \
                 .observe(document.body, { childList: true, subtree: true })",
            )
            .await?;

        doctor.click("hang-up").await?;
        doctor.see("call-ended").await?;
        two_go_on(&phone, "far-2").await?;
        is_back(&world, &doctor, &specialist, &phone).await?;
        phone.keep_picture("doctor-back").await?;

        // The battery of the laptop is empty: nobody hears a goodbye.
        doctor.kill()?;
        world.one_is_away(&specialist).await?;
        two_go_on(&phone, "far-2").await?;
        let doctor = world.reopen(DOCTOR).await?;
        world.unlock(&doctor).await?;
        ensure!(world.find(&doctor, AYESHA.name).await? > 0, "the patient is found");
        doctor.click("result").await?;
        doctor.screen("patient").await?;
        doctor.click("call-at-home").await?;
        doctor.screen("phone").await?;
        is_back(&world, &doctor, &specialist, &phone).await?;
        phone.close().await?;
        doctor.close().await?;
        specialist.close().await?;
        world.hie.stop()
    }

    #[tokio::test]
    async fn the_specialist_makes_a_link_from_the_case_and_calls_the_patient_at_home() -> Result<()> {
        let (mut world, ca, doctor, specialist) = asked("specialist-home").await?;
        specialist.click("go-asks").await?;
        specialist.click("ask-row").await?;
        specialist.screen("case").await?;
        let (phone, _) = world.waits_for(&specialist, &ca, "phone").await?;
        world.shoot_every_way(&specialist, "A specialist's link to a patient of another clinic").await?;
        specialist.click("link-call").await?;
        phone.screen("call").await?;
        world.sees_the_patient(&specialist).await?;
        phone.sees_them().await?;
        specialist.reads("check-aloud", AYESHA.name).await?;
        specialist.click("hang-up").await?;
        phone.screen("ended").await?;
        // The ask is over: the patient leaves the specialist's laptop, and the link with them.
        doctor.click("go-asks").await?;
        doctor.click("ask-row").await?;
        doctor.click("move-cancelled").await?;
        doctor.fill("move-reason", "Seen at home").await?;
        doctor.click("move-yes").await?;
        world.ask_stands_at(&doctor, &["cancelled"]).await?;
        specialist.click("go-today").await?;
        specialist.gone("ask-row").await?;
        ensure!(!specialist.sees_now("error").await?, "Today is shown as ever");
        phone.close().await?;
        doctor.close().await?;
        specialist.close().await?;
        world.hie.stop()
    }

    #[tokio::test]
    async fn without_an_ask_somebody_of_the_roster_is_brought_in() -> Result<()> {
        let mut world = World::of_test("three-roster").await?;
        let ca = world.let_phones_in()?;
        let clinic = world.open_both().await?;
        let (doctor, specialist) = (clinic.doctor, clinic.specialist);
        world.register(&doctor, &AYESHA).await?;
        world.three(&doctor, &specialist, &ca, &AYESHA).await?;
        doctor.close().await?;
        specialist.close().await?;
        world.hie.stop()
    }

    #[tokio::test]
    async fn the_patient_who_waits_is_brought_to_the_specialist_and_a_reload_comes_back() -> Result<()> {
        let (mut world, ca, doctor, specialist) = asked("three-clinic").await?;
        let phone = world.waits_at_home(&doctor, &ca, &AYESHA, "phone").await?;
        world.ring(&doctor, &specialist).await?;
        world.accept(&doctor, &specialist).await?;
        world.bring_in(&doctor).await?;
        phone.screen("call").await?;
        phone.see("wanted-yes").await?;
        ensure!(phone.frames_of("far-2").await? == 0, "the specialist is here before the patient said yes");
        phone.tap("wanted-yes").await?;
        world.all_three(&doctor, &specialist, &phone).await?;

        // The page is loaded anew in the middle: the same call, and the patient is asked again.
        phone.reload().await?;
        phone.screen("join").await?;
        phone.tap("join").await?;
        phone.screen("call").await?;
        phone.tap("wanted-yes").await?;
        world.all_three(&doctor, &specialist, &phone).await?;

        // The phone is lost: the two others go on, and see who is away.
        phone.close().await?;
        for window in [&doctor, &specialist] {
            world.one_is_away(window).await?;
        }
        doctor.click("hang-up").await?;
        doctor.close().await?;
        specialist.close().await?;
        world.hie.stop()
    }
}
