//! Another facility's record in an emergency, through the real windows: found by a whole number, opened with a reason,
//! marked while it is open, told to the clinic that has it.

mod in_a_window {
    use anyhow::{Result, ensure};
    use rabta_tests::{
        access::{ENGLISH, Problems, URDU},
        story::{AYESHA, CLINIC, SPECIALIST, World},
        window::{Window, by},
    };
    use serde_json::json;

    async fn looks_outside(world: &World, window: &Window, number: &str) -> Result<()> {
        world.find(window, number).await?;
        window.click("look-outside").await
    }

    #[tokio::test]
    async fn a_record_of_another_facility_is_opened_in_an_emergency_and_its_clinic_is_told() -> Result<()> {
        let mut world = World::of_test("emergency").await?;
        let clinic = world.open_both().await?;
        let (doctor, specialist) = (&clinic.doctor, &clinic.specialist);
        world.register(doctor, &AYESHA).await?;
        doctor
            .wait("the patient at the HIE", async || {
                let chip = doctor.text("sync-chip").await?;
                Ok(chip.contains("All at the HIE").then_some(()))
            })
            .await?;

        // A name looks nowhere else; a whole number does.
        ensure!(world.find(specialist, AYESHA.name).await? == 0, "she is not on the hospital's laptop");
        let off = format!("return document.querySelector('{}').disabled", by("look-outside"));
        ensure!(specialist.eval(&off).await? == json!(true), "a name is no whole number");
        looks_outside(&world, specialist, "31950-0000000-4").await?;
        specialist.see("outside-none").await?;
        looks_outside(&world, specialist, AYESHA.cnic).await?;
        specialist.see("outside-row").await?;
        ensure!(specialist.text("outside-row").await?.contains(CLINIC), "where the record is");
        world.shoot_every_way(specialist, "Found in the whole register").await?;
        let mut problems = Problems::default();
        for look in [URDU, ENGLISH] {
            world.speak(specialist, look.lang).await?;
            looks_outside(&world, specialist, AYESHA.cnic).await?;
            specialist.see("outside-row").await?;
            problems.check(specialist, look, "found outside").await?;
            specialist.click("outside-glass").await?;
            specialist.see("glass-warning").await?;
            problems.check(specialist, look, "the glass").await?;
            if look.lang == "ur" {
                specialist.click("dialog-close").await?;
                specialist.gone("glass-warning").await?;
            }
        }
        ensure!(
            specialist
                .eval(&format!("return document.querySelector('{}').disabled", by("glass-open")))
                .await?
                == json!(true)
        );
        specialist.click("glass-why-unconscious").await?;
        specialist.fill("glass-text", "Brought in unconscious after a fall; nobody is with her.").await?;
        world.shoot(specialist, "Why another facility's record is opened").await?;
        specialist.click("glass-open").await?;
        specialist.screen("patient").await?;
        specialist.reads("band-name", AYESHA.name).await?;
        specialist.see("band-emergency").await?;
        specialist.see("emergency").await?;
        ensure!(!specialist.sees_now("start-visit").await?, "it is read, and not written into");
        world.shoot_every_way(specialist, "Open for a day, and marked").await?;

        doctor.click("go-today").await?;
        doctor.screen("today").await?;
        doctor.see("notice").await?;
        let told = doctor.text("notice").await?;
        for part in [SPECIALIST.name, SPECIALIST.facility, AYESHA.name, "nobody is with her"] {
            ensure!(told.contains(part), "{part} in {told}");
        }
        world.shoot_every_way(doctor, "The clinic is told who opened whose record, and why").await?;
        problems.check_every_way(&world, doctor, "today, with a notice").await?;
        doctor.click("notice-seen").await?;
        doctor.gone("notice").await?;

        specialist.click("go-today").await?;
        specialist.screen("today").await?;
        world.shoot_every_way(specialist, "The way back to it, while it is open").await?;
        problems.check_every_way(&world, specialist, "today, with an open record").await?;
        specialist.click("emergency-row").await?;
        specialist.screen("patient").await?;
        problems.check_every_way(&world, specialist, "patient, of another facility").await?;
        problems.none()?;
        clinic.doctor.close().await?;
        clinic.specialist.close().await
    }
}
