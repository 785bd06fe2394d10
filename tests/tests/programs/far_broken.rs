//! What breaks around a visit: the devices of a call, the server's disk. Through the real windows, and HTTP.

mod in_a_window {
    use std::path::Path;

    use anyhow::{Result, ensure};
    use rabta_tests::{
        disk::SmallDisk,
        story::{AYESHA, CLINIC, DOCTOR, NewPatient, World},
        webdriver,
        window::{Window, by},
    };
    use serde_json::{Value, json};

    const NOWHERE: &str = "/nonexistent/device";

    async fn attribute(window: &Window, t: &str, name: &str) -> Result<Option<u64>> {
        let script = format!("return document.querySelector('{}')?.dataset.{name}", by(t));
        let value = window.eval(&script).await?;
        Ok(value.as_str().and_then(|text| text.parse().ok()))
    }

    /// The doctor's app, started anew with these devices.
    async fn doctor_with(world: &World, camera: &str, microphone: &str) -> Result<Window> {
        let window = world
            .open_with(DOCTOR, |app| app.env("RABTA_CAMERA", camera).env("RABTA_MICROPHONE", microphone))
            .await?;
        world.unlock(&window).await?;
        Ok(window)
    }

    /// Rings, is taken, and stands; the specialist's voice is heard at the doctor's whatever the doctor has.
    async fn talk(world: &World, doctor: &Window, specialist: &Window) -> Result<()> {
        world.ring(doctor, specialist).await?;
        doctor.click("call-accept").await?;
        doctor.screen("call").await?;
        for window in [doctor, specialist] {
            let script = format!("return document.querySelector('{}')?.dataset.phase", by("call-words"));
            window
                .wait("the call to stand", async || {
                    Ok((window.eval(&script).await? == json!("in-call")).then_some(()))
                })
                .await?;
        }
        doctor
            .wait("the specialist to be heard and seen", async || {
                let heard = attribute(doctor, "call-figures", "audioMs").await?.is_some();
                let seen = attribute(doctor, "far-video", "frames").await?.is_some_and(|n| n > 5);
                Ok((heard && seen).then_some(()))
            })
            .await
    }

    async fn heard(window: &Window) -> Result<()> {
        window
            .wait("a voice", async || Ok(attribute(window, "call-figures", "audioMs").await?.map(drop)))
            .await
    }

    async fn seen(window: &Window) -> Result<()> {
        window
            .wait("a picture", async || {
                Ok(attribute(window, "far-video", "frames").await?.filter(|n| *n > 5).map(drop))
            })
            .await
    }

    #[tokio::test]
    async fn a_call_goes_on_with_what_there_is_and_says_on_both_sides_what_is_missing() -> Result<()> {
        let mut world = World::of_test("broken-devices").await?;
        let clinic = world.open_both().await?;
        let (doctor, specialist) = (clinic.doctor, clinic.specialist);
        world.register(&doctor, &AYESHA).await?;
        doctor.click("start-visit").await?;
        doctor.screen("visit").await?;
        doctor.settled().await?;
        doctor.fill("complaint", "Cough for three weeks").await?;
        world.ask_specialist(&doctor).await?;
        world.open_ask(&specialist).await?;
        doctor.close().await?;

        // No camera: heard, not seen.
        let microphone = DOCTOR.media().into_iter().find(|(key, _)| key == "RABTA_MICROPHONE");
        let recording = microphone.map(|(_, file)| file).unwrap_or_default();
        let doctor = doctor_with(&world, NOWHERE, &recording).await?;
        talk(&world, &doctor, &specialist).await?;
        heard(&specialist).await?;
        doctor.reads("no-camera", "they can hear you").await?;
        ensure!(!doctor.sees_now("no-microphone").await?, "the microphone is there");
        specialist.reads("no-picture", "camera is off or missing").await?;
        ensure!(!specialist.sees_now("far-muted").await?, "the doctor is heard");
        world.hang_up(&doctor, &specialist).await?;
        doctor.close().await?;

        // No microphone: seen, not heard; and writes.
        let camera = DOCTOR.media().into_iter().find(|(key, _)| key == "RABTA_CAMERA");
        let recording = camera.map(|(_, file)| file).unwrap_or_default();
        let doctor = doctor_with(&world, &recording, NOWHERE).await?;
        talk(&world, &doctor, &specialist).await?;
        seen(&specialist).await?;
        doctor.reads("no-microphone", "write, and listen").await?;
        ensure!(!doctor.sees_now("no-camera").await?, "the camera is there");
        specialist.reads("far-muted", "microphone is off or missing").await?;
        doctor.fill("chat-box", "I hear you and write.").await?;
        doctor.click("chat-send").await?;
        specialist.reads("chat-line", "I hear you and write.").await?;
        world.hang_up(&doctor, &specialist).await?;
        doctor.close().await?;

        // Nothing named: this machine's own devices, of which a test machine has none.
        let doctor = doctor_with(&world, "", "").await?;
        talk(&world, &doctor, &specialist).await?;
        if !Path::new("/dev/video0").exists() {
            doctor.see("no-camera").await?;
            specialist.reads("no-picture", "camera is off or missing").await?;
        }
        if !Path::new("/dev/snd").exists() && std::env::var_os("PULSE_SERVER").is_none() {
            doctor.see("no-microphone").await?;
            specialist.see("far-muted").await?;
        }
        world.hang_up(&doctor, &specialist).await?;
        doctor.close().await?;
        specialist.close().await
    }

    async fn ready(world: &World) -> Result<(u16, String)> {
        let answer = webdriver::client()?.get(world.hie.url("/readyz")).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// PUTs a patient as another system would: the status and the answer.
    async fn put_patient(world: &World, token: &str) -> Result<(u16, Value)> {
        let id = "783597a4-0336-43a2-b4c7-66fa515bde0d";
        let patient = json!({ "resourceType": "Patient", "id": id, "name": [{ "text": "Iqra Bibi" }] });
        let request = webdriver::client()?.put(world.hie.url(&format!("/fhir/Patient/{id}")));
        let request = request.bearer_auth(token).header("content-type", "application/fhir+json");
        let answer = request.body(patient.to_string()).send().await?;
        Ok((answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null)))
    }

    #[tokio::test]
    async fn a_server_whose_disk_is_full_takes_nothing_says_so_and_goes_on_by_itself() -> Result<()> {
        let mut world = World::of_test("broken-server-disk").await?;
        let Some(disk) = SmallDisk::mount(world.hie.data(), 40)? else { return Ok(()) };
        let window = world.open_empty_clinic().await?;
        let token = world.hie.token(CLINIC)?;
        world.register(&window, &AYESHA).await?;
        world.all_at_hie(&window).await?;
        ensure!(ready(&world).await?.0 == 200, "there is room");
        let server = world.hie.pid()?;

        disk.fill()?;
        let second = NewPatient {
            name: "Iqbal Masih",
            name_ur: "اقبال مسیح",
            relation: "FTH",
            relation_name: "Yousaf Masih",
            sex: "male",
            age: "51",
            phone: "0300 0055124",
            cnic: "31950-9955124-5",
            ..AYESHA
        };
        world.register(&window, &second).await?;
        window.click("sync-chip").await?;
        window.screen("sync").await?;
        window.click("sync-now").await?;
        window.reads("sync-state", "hie-disk-full").await?;
        window.reads("sync-state", "has no room").await?;
        window.reads("sync-row", second.name).await?;
        window.see("custody").await?;
        ensure!(!window.sees_now("sync-nothing").await?, "the patient is not at the server");
        let (status, outcome) = put_patient(&world, &token).await?;
        ensure!(status == 507, "a write answers {status}: {outcome}");
        ensure!(outcome["resourceType"] == "OperationOutcome");
        ensure!(outcome.pointer("/issue/0/details/coding/0/code") == Some(&json!("disk-full")), "{outcome}");
        let (status, said) = ready(&world).await?;
        ensure!(status == 503 && said.contains("disk is full"), "/readyz: {status} {said}");

        disk.make_room()?;
        let (status, said) = ready(&world).await?;
        ensure!(status == 200, "/readyz with room again: {status} {said}");
        world.all_at_hie(&window).await?;
        ensure!(!window.text("sync-state").await?.contains("hie-disk-full"));
        ensure!(put_patient(&world, &token).await?.0 == 201, "what was refused had left nothing");
        let (_, bundle) = world.hie.fhir(&token, "Patient?_summary=count").await?;
        ensure!(bundle["total"] == json!(3), "all are there: {}", bundle["total"]);
        ensure!(world.hie.pid()? == server, "it was not started again");
        window.close().await?;
        world.hie.stop()
    }
}
