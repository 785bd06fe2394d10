// The room from the inside: the call's screen, what the room and the phone report, and the one question before leaving.
// It is fetched with `room.js` when Join was pressed.

import { CALL_WORDS } from "./call-words.js";
import { button, cleanText, clock, make, picture, sentence } from "./draw.js";
import { keepAwake } from "./phone.js";
import * as speaker from "./say.js";
import { $, go, notes, redraw, show } from "./show.js";
import * as third from "./third.js";
import { hasCamera, visit } from "./visit.js";
import { addWords, plain } from "./words.js";

const root = document.documentElement;
const far = $("far");
const dialog = $("leave-dialog");

addWords(CALL_WORDS);

/** The ways out of here, which are the page's: `finish(why)`, `waiting()`, `pollNow()`. */
let ways;
/** Set when the patient said that they leave: "hung-up" from a call, "left" from the waiting room. */
let leaving = null;
export const enter = (theWays) => {
  ways = theWays;
  leaving = null;
  heardOf = sentSeen = 0;
  third.forget();
  watchMicrophone(visit.stream, microphoneChanged);
};

const sheet = make("link", { rel: "stylesheet", href: "call.css" });
document.head.append(sheet);
/** The room opens when its style is there, or cannot be had. */
export const styled = new Promise((done) => { sheet.onload = sheet.onerror = done; });

// ---- What is reported ----

export function roomChanged(state) {
  const was = visit.call.phase;
  visit.call = state;
  if (state.phase === "ended") return ways.finish(leaving ?? state.why);
  const talking = state.phase === "in-call" || state.phase === "searching";
  if (state.phase === "in-call" && Number.isFinite(state.seconds)) visit.begun = Date.now() - state.seconds * 1000;
  if (state.phase === "searching" && was !== "searching") visit.lost = Date.now();
  if (talking && !visit.begun) visit.begun = Date.now();
  if (talking && was !== "in-call" && was !== "searching") {
    speaker.hush();
    ring();
    visit.notes.delete("offline");
  }
  go(talking ? callScreen : ways.waiting);
}

function microphoneChanged(what) {
  visit.notes.delete("phone");
  visit.notes.delete("microphone");
  if (what === "taken") visit.notes.add("phone");
  if (what === "lost") visit.notes.add("microphone");
  redraw();
}

/** A phone call takes the microphone away ("taken"), gives it back ("here"), or for good ("lost"). */
function watchMicrophone(stream, onChange) {
  const track = stream?.getAudioTracks()[0];
  if (!track) return;
  let timer;
  const settle = (what, wait) => {
    clearTimeout(timer);
    timer = setTimeout(() => onChange(what), wait);
  };
  // A headset that is plugged in mutes the track for a moment; that is not a phone call.
  track.addEventListener("mute", () => settle("taken", 1000));
  track.addEventListener("unmute", () => settle("here", 0));
  track.addEventListener("ended", () => settle("lost", 0));
}

/** Two soft notes and a shake: the phone may lie on the table when the doctor comes. */
function ring() {
  navigator.vibrate?.([200, 100, 200]);
  try {
    const sound = new AudioContext();
    [660, 880].forEach((pitch, i) => {
      const note = sound.createOscillator();
      const loud = sound.createGain();
      const at = sound.currentTime + i * 0.22;
      note.frequency.value = pitch;
      loud.gain.setValueAtTime(0.15, at);
      loud.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
      note.connect(loud).connect(sound.destination);
      note.start(at);
      note.stop(at + 0.4);
    });
    setTimeout(() => sound.close(), 1500);
  } catch { /* The screen says it too. */ }
}

// ---- What is written and sent ----

/** How many of the doctor's lines were put away, and of our pictures spoken of. */
let heardOf = 0;
let sentSeen = 0;

/** The doctor's last line, until the patient has put it away. */
function saidCard() {
  const { said = [] } = visit.call;
  if (said.length <= heardOf) return null;
  const text = cleanText(said.at(-1));
  const line = [{ id: "said", text }];
  return make("div", { class: "said", role: "status", "data-t": "said" }, make("p", { dir: "auto" }, text), make("div", { class: "two" },
    speaker.canSay(line) && button({ t: "said-listen", word: "said_listen", sign: "say", press: () => speaker.say(line, true) }),
    button({ t: "said-done", word: "said_done", sign: "yes", press: () => { heardOf = said.length; speaker.hush(); redraw(); } })));
}

function stillLine() {
  const { stills = 0, stillsThere = 0 } = visit.call;
  if (stills <= sentSeen) return null;
  if (stillsThere >= stills) setTimeout(() => { sentSeen = Math.max(sentSeen, stills); redraw(); }, 5000);
  return make("p", { class: "muted", role: "status", "data-t": "still-state" }, plain(stillsThere >= stills ? "still_there" : "still_going"));
}

/** Nothing is sent that was not asked for: the picture is what the small window shows. */
function askForStill() {
  ask("still", "camera", "camera", () => visit.room?.still());
}

// ---- The questions ----

/** One question with two answers; `no` is what a press beside it means, too. */
function ask(kind, noSign, yesSign, yes, no = () => {}) {
  const gentle = kind === "still";
  dialog.replaceChildren(
    make("h1", {}, plain(`${kind}_title`)),
    make("div", { class: "buttons" },
      button({ t: `${gentle ? "still" : "hang-up"}-no`, word: `${kind}_no`, kind: gentle ? "plain" : "main", sign: gentle ? "no" : noSign, press: () => dialog.close("no") }),
      button({ t: `${gentle ? "still" : "hang-up"}-yes`, word: `${kind}_yes`, kind: gentle ? "main" : "red", sign: yesSign, press: () => dialog.close("yes") })));
  dialog.setAttribute("aria-label", plain(`${kind}_title`));
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (!visit.call) return;
    if (dialog.returnValue === "yes") yes(); else no();
  };
  dialog.showModal();
}

export function askToLeave() {
  if (!visit.call || dialog.open) return;
  const kind = root.dataset.screen === "call" ? "end" : "leave";
  const go = () => {
    leaving = root.dataset.screen === "call" ? "hung-up" : "left";
    if (!visit.room) return ways.finish(leaving);
    // The room says goodbye before it ends; a dead link must not hold the patient for it.
    setTimeout(() => { if (visit.call && leaving) ways.finish(leaving); }, 1000);
    visit.room.hangUp();
  };
  const stay = () => { if (!history.state?.call) history.pushState({ call: true }, ""); };
  ask(kind, kind === "end" ? "call" : "yes", "end", go, stay);
}

addEventListener("popstate", () => askToLeave());
addEventListener("beforeunload", (event) => { if (visit.call) event.returnValue = ""; });

// ---- Put away, and back ----

let cameraWasOn = false;
document.addEventListener("visibilitychange", () => {
  if (!visit.call) return;
  if (document.hidden) {
    cameraWasOn = visit.call.cameraOn && hasCamera();
    if (cameraWasOn) visit.room?.camera(false);
    return;
  }
  keepAwake();
  if (cameraWasOn) visit.room?.camera(true);
  cameraWasOn = false;
  ways.pollNow();
  listen();
  visit.notes.add("back");
  redraw();
  setTimeout(() => { visit.notes.delete("back"); redraw(); }, 4000);
});

/** A browser may hold the doctor's voice back until a press. */
function listen() {
  if (!far.srcObject) return;
  far.play().then(() => false, (why) => why.name === "NotAllowedError").then((hold) => {
    if (hold === visit.hear) return;
    visit.hear = hold;
    redraw();
  });
}
far.addEventListener("loadedmetadata", listen);

// ---- The screen ----

function callScreen() {
  const { micOn, cameraOn, farCamera, phase } = visit.call;
  const searching = phase === "searching";
  const alone = visit.call.doctor === "here" || searching;
  root.dataset.near = hasCamera() && cameraOn ? "yes" : "no";
  root.dataset.far = farCamera && !searching && alone ? "yes" : "no";
  const speaks = visit.stream && !visit.listenOnly;
  const controls = [
    speaks && { t: "mute", word: micOn ? "mute" : "unmute", sign: micOn ? "mic" : "mic-off", pressed: !micOn, press: () => visit.room?.microphone(!visit.call.micOn) },
    hasCamera() && { t: "camera", word: cameraOn ? "camera_off" : "camera_on", sign: cameraOn ? "camera" : "camera-off", pressed: !cameraOn, press: () => visit.room?.camera(!visit.call.cameraOn) },
    hasCamera() && cameraOn && !searching && { t: "still", word: "still", sign: "still", press: askForStill },
    { t: "hang-up", word: "hang_up", kind: "red", sign: "end", press: askToLeave },
  ].filter(Boolean);
  root.dataset.screen = "call";
  show("call", {
    stage: "call",
    body: [
      notes(),
      third.question(),
      third.away(),
      visit.hear && make("div", { class: "buttons" }, button({ t: "hear", word: "hear", kind: "green", sign: "say", press: listen })),
      saidCard(),
      stillLine(),
      speaks && !micOn && make("p", { class: "muted", role: "status" }, plain("muted")),
      make("div", { class: "bar" }, make("h1", {}, make("bdi", {}, third.who())), make("time", { "data-t": "clock" })),
      make("div", { class: "controls" }, controls.map(button)),
    ].filter(Boolean),
  });
  document.querySelector(".far-voice").replaceChildren(
    picture(searching ? "offline" : "doctor"),
    searching ? make("h2", { "data-t": "searching" }) : make("h2", {}, make("bdi", {}, visit.doctor)),
    make("p", { role: searching ? "status" : null }, plain(searching ? "searching_text" : "voice_only")));
  third.draw();
  tick();
}

/** Writes the seconds in place, so that a reader is not told of every one of them. */
function tick() {
  if (root.dataset.screen !== "call" || !visit.call) return;
  const since = (moment) => clock(Math.max(0, (Date.now() - moment) / 1000));
  $("clock").textContent = since(visit.begun);
  $("searching")?.replaceChildren(...sentence("searching", { time: since(visit.lost) }));
}
setInterval(tick, 1000);
