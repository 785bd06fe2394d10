//! The demo: `rabta-demo [--auto]`. With a display it opens both apps for people to try; without one, or with
//! `--auto`, it plays the main job by itself, writes `report.html` and ends with one JSON object.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{
    process::{Command, ExitCode},
    time::Instant,
};

use anyhow::{Context, Result};
use rabta_tests::{
    Run,
    display::Display,
    process::{self, Kept, POLL},
    report::Report,
    story::{CallFigures, DOCTOR, Person, SPECIALIST, World},
};
use serde_json::{Value, json};

/// What a plain cold may cost a doctor who has forty patients a morning: keys and taps beyond typing, and the time of a
/// steady hand.
const COLD_PRESSES: u32 = 12;
const COLD_MS: u64 = 90_000;

#[tokio::main]
async fn main() -> ExitCode {
    let asked = std::env::args().any(|a| a == "--auto");
    let result = match Display::own() {
        Some(_) if !asked => watch().await.map_err(|error| ("demo".to_owned(), error)),
        display => {
            if display.is_none() && !asked {
                eprintln!("There is no display: a hidden one is used, and the main job plays by itself.");
            }
            play().await.map(|object| println!("{object}"))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err((step, error)) => {
            eprintln!("\nStopped at {step}: {error:#}");
            println!("{}", json!({ "ok": false, "step": step, "error": format!("{error:#}") }));
            ExitCode::FAILURE
        }
    }
}

/// Plays everything; the object for the last line, or the step that went wrong.
async fn play() -> Result<Value, (String, anyhow::Error)> {
    let start = |error| ("start".to_owned(), error);
    let run = Run::kept("demo").map_err(start)?;
    let report = Report::new(run.folder()).map_err(start)?;
    let mut world = World::new(run).map_err(start)?;
    world.report = Some(report);
    let told = world.tell().await;
    let report = world.report.take().expect("the report was put there above");
    let step = report.step().to_owned();
    let wrong = told.as_ref().err().map(|error| format!("{error:#}"));
    let file = report.write(wrong.as_deref()).map_err(|error| (step.clone(), error))?;
    eprintln!("\nThe story: {}", file.display());
    let figures = told.map_err(|error| (step, error))?;
    let cold = &figures.plain_cold;
    if cold.presses > COLD_PRESSES || cold.ms > COLD_MS {
        let long = anyhow::anyhow!("{} presses and {} ms for a plain cold", cold.presses, cold.ms);
        return Err(("plain-cold".to_owned(), long));
    }
    Ok(json!({
        "ok": true,
        "report": file,
        "steps": report.steps(),
        "call": waited(&figures.call),
        "patient_call": waited(&figures.patient_call),
        "plain_cold": {
            "presses": figures.plain_cold.presses,
            "letters": figures.plain_cold.typed,
            "ms": figures.plain_cold.ms,
        },
        "offline": { "visits_saved": figures.visits_saved, "visits_at_hie_after": figures.visits_at_hie_after },
    }))
}

fn waited(call: &CallFigures) -> Value {
    json!({
        "accept_to_first_audio_ms": call.accept_to_first_audio_ms,
        "accept_to_first_video_ms": call.accept_to_first_video_ms,
    })
}

/// Opens both apps on the person's own display, until both are closed.
async fn watch() -> Result<()> {
    let mut world = World::new(Run::kept("demo-live")?)?;
    let start = Instant::now();
    eprintln!("==> Starting the HIE and loading the sample clinic's patients");
    let codes = world.found_clinic().await?;
    eprintln!("    done in {:.0} s", start.elapsed().as_secs_f64());
    let mut doctor = open(&world, DOCTOR)?;
    let mut specialist = open(&world, SPECIALIST)?;
    println!(
        "\nTwo windows are open: {}'s at {} and {}'s at {}.\n\n\
         1. In each, choose a language and paste its code:\n\n   the doctor's      {}\n   the specialist's  {}\n\n\
         2. As the doctor: find somebody (try \"Iqra\", or \"\u{639}\u{627}\u{626}\u{634}\u{6C1}\"), or register a new patient, and write a visit.\n\
         3. Ask a specialist. The ask appears in the other window; open it there and press Call.\n\
         4. As the specialist: write the advice and sign it. As the doctor: decide on each line, sign, print.\n\n\
         Cameras and microphones play recordings. The data is in {}.\n\
         Close both windows, or press Ctrl+C, to end.\n",
        DOCTOR.name,
        DOCTOR.facility,
        SPECIALIST.name,
        SPECIALIST.facility,
        codes.doctor.code,
        codes.specialist.code,
        world.run.folder().display(),
    );
    while !(doctor.has_ended() && specialist.has_ended()) {
        tokio::select! {
            stop = tokio::signal::ctrl_c() => {
                stop?;
                break;
            }
            () = tokio::time::sleep(POLL * 10) => {}
        }
    }
    world.hie.stop()
}

fn open(world: &World, person: Person) -> Result<Kept> {
    let mut app = Command::new(process::built("rabta")?);
    let data = world.run.path(person.key);
    app.env("RABTA_DATA", &data).envs(person.media());
    app.env("XDG_DATA_HOME", data.with_extension("xdg")).env("XDG_CACHE_HOME", data.with_extension("cache"));
    Kept::start(person.key, &mut app, &world.run.log(person.key)).context("opening a window")
}
