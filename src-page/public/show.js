// How a screen is put on the page: picture, heading, words, buttons, the notes above them, and the two tools that are always there.

import { button, make, picture, sentence, sign } from "./draw.js";
import { kept } from "./link.js";
import * as speaker from "./say.js";
import { agree, hasCamera, visit } from "./visit.js";
import { has, language, plain, speakLanguage } from "./words.js";

const root = document.documentElement;
const main = document.getElementById("screen");
export const $ = (t) => document.querySelector(`[data-t="${t}"]`);

let current = () => {};
let spoken = { prompt: "", text: "" };
let readOn = false;

export function go(screen) {
  current = screen;
  screen();
}

export const redraw = () => current();

/** Puts one screen in place of the last; the loudspeaker says `prompt`, or else what is written. */
export function show(name, { pic, title, text = [], body = [], buttons = [], stage = null, values = {}, prompt = name, say = [] }) {
  const fresh = root.dataset.screen !== name;
  const held = document.activeElement?.dataset?.t;
  root.dataset.screen = name;
  root.toggleAttribute("data-stage", false);
  if (stage) root.dataset.stage = stage;
  root.removeAttribute("aria-busy");
  delete main.dataset.t;
  const heading = title && make("h1", { tabindex: "-1" }, sentence(title, values));
  main.replaceChildren(
    ...(stage === "call" ? body : [
      notes(),
      make("div", { class: "top" }, pic && picture(pic), heading, text.map((key) => make("p", {}, sentence(key, values))), body),
      buttons.length ? make("div", { class: "buttons" }, buttons.map(button)) : "",
    ]));
  document.title = title ? plain(title, values) : plain("title");
  const words = [title, ...text, ...say].filter(Boolean).map((key) => plain(key, values)).join(" ");
  spoken = { prompt, text: has(`${prompt}_say`) ? plain(`${prompt}_say`, values) : words };
  if (fresh) {
    heading?.focus({ preventScroll: true });
    scrollTo(0, 0);
    speaker.hush();
    if (readOn && stage !== "call") speaker.say(spoken.prompt, spoken.text);
  } else if (held) $(held)?.focus({ preventScroll: true });
  tools();
}

/** The two buttons that are always there. */
function tools() {
  const other = language() === "ur" ? "en" : "ur";
  const languageButton = $("language");
  languageButton.replaceChildren(plain("language"));
  languageButton.lang = other;
  languageButton.onclick = () => {
    speakLanguage(other);
    kept.set("language", other);
    speaker.hush();
    redraw();
    if (readOn) speaker.say(spoken.prompt, spoken.text);
  };
  speakerButton();
}

export function speakerButton() {
  const speak = $("speak");
  const on = speaker.speaking();
  // The doctor is heard in a call, and nobody else.
  speak.hidden = root.dataset.stage === "call" || !speaker.canSay(spoken.prompt);
  speak.setAttribute("aria-pressed", String(on));
  speak.replaceChildren(sign(on ? "stop" : "say"), make("span", {}, plain(on ? "speak_stop" : "speak")));
}

$("speak").onclick = () => {
  // Who listens to one screen listens to the next ones too, until they stop it.
  readOn = !speaker.speaking();
  if (readOn) speaker.say(spoken.prompt, spoken.text);
  else speaker.hush();
};

export function notes() {
  const shown = [];
  const note = (t, picture, key, act) => shown.push(make("div", { class: "note", "data-t": `note-${t}` }, sign(picture), make("span", {}, plain(key)), act && button(act)));
  const inRoom = root.dataset.screen === "waiting" || root.dataset.screen === "call";
  if (inRoom && visit.notes.has("phone")) note("phone", "call", "note_phone", { t: "retry", word: "note_again", press: visit.rejoin });
  if (inRoom && visit.notes.has("microphone")) note("microphone", "mic-off", "note_microphone", { t: "retry", word: "note_again", press: visit.rejoin });
  if (inRoom && visit.notes.has("offline")) note("offline", "network", "note_offline");
  if (inRoom && visit.listenOnly) note("listen", "ear", "note_listen", { t: "retry", word: "note_again", press: visit.rejoin });
  if (root.dataset.screen === "waiting" && visit.notes.has("camera")) note("camera", "camera-off", "note_camera");
  if (visit.notes.has("back")) note("back", "yes", "note_back");
  if (visit.lowBattery) {
    const picture = inRoom ? visit.call?.cameraOn && hasCamera() : root.dataset.screen === "join" && visit.consent === "video";
    if (picture || root.dataset.screen === "consent") note("battery", "battery", "note_battery", picture && { t: "voice-only", word: "voice_only", press: toVoice });
  }
  return make("div", { class: "notes", role: "status" }, shown);
}

function toVoice() {
  agree("voice");
  visit.room?.camera(false);
  redraw();
}

export const dots = () => make("div", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i"));
