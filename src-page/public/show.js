// How a screen is put on the page: picture, heading, words, buttons, the notes above them, and the two tools that are always there.

import { button, make, picture, sentence, sign } from "./draw.js";
import { kept } from "./link.js";
import * as speaker from "./say.js";
import { PROMPTS } from "./prompts.js";
import { agree, hasCamera, visit } from "./visit.js";
import { language, plain, speakLanguage } from "./words.js";

const root = document.documentElement;
const main = document.getElementById("screen");
export const $ = (t) => document.querySelector(`[data-t="${t}"]`);

let current = () => {};
/** What the loudspeaker would say: see say.js. */
let spoken = { parts: [], exact: false };
let readOn = false;

export function go(screen) {
  current = screen;
  screen();
}

export const redraw = () => current();

/**
 * Puts one screen in place of the last. The loudspeaker says its `prompts`; what has no recording it reads as it is written. `aloud`: words
 * from outside that are read before anything recorded.
 */
export function show(name, { pic, title, text = [], body = [], buttons = [], stage = null, values = {}, prompts = [name], aloud = null }) {
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
  const written = () => [title, ...text].filter(Boolean).map((key) => plain(key, values)).join(" ");
  const part = (id) => ({ id, text: id in PROMPTS ? PROMPTS[id].keys.map((key) => plain(key, { n: PROMPTS[id].n, ...values })).join(" ") : written() });
  const parts = [...prompts, ...(buttons.some(({ t }) => t === "dial") ? ["dial"] : []), ...noteNames().map((note) => `note-${note}`)].map(part);
  spoken = aloud ? { parts: [{ id: prompts[0], text: aloud }], exact: true } : { parts, exact: false };
  if (fresh) {
    heading?.focus({ preventScroll: true });
    scrollTo(0, 0);
    speaker.hush();
    if (readOn && stage !== "call") speak();
  } else if (held) $(held)?.focus({ preventScroll: true });
  tools();
}

const speak = () => speaker.say(spoken.parts, spoken.exact);

/** The two buttons that are always there. */
function tools() {
  const other = language() === "ur" ? "en" : "ur";
  $("far").parentElement.setAttribute("aria-label", plain("picture"));
  const languageButton = $("language");
  languageButton.replaceChildren(plain("language"));
  languageButton.lang = other;
  languageButton.onclick = () => {
    speakLanguage(other);
    kept.set("language", other);
    speaker.hush();
    redraw();
    if (readOn) speak();
  };
  speakerButton();
}

export function speakerButton() {
  const loud = $("speak");
  const on = speaker.speaking();
  // The doctor is heard in a call, and nobody else.
  loud.hidden = root.dataset.stage === "call" || !speaker.canSay(spoken.parts);
  loud.setAttribute("aria-pressed", String(on));
  loud.replaceChildren(sign(on ? "stop" : "say"), make("span", {}, plain(on ? "speak_stop" : "speak")));
}

$("speak").onclick = () => {
  // Who listens to one screen listens to the next ones too, until they stop it.
  readOn = !speaker.speaking();
  if (readOn) speak();
  else speaker.hush();
};

const inRoom = () => root.dataset.screen === "waiting" || root.dataset.screen === "call";
/** Whether a picture goes out, or is about to. */
const withPicture = () => (inRoom() ? visit.call?.cameraOn && hasCamera() : root.dataset.screen === "join" && visit.consent === "video");

/** The notes that belong on this screen now, the most pressing first. */
function noteNames() {
  const shown = {
    phone: inRoom() && visit.notes.has("phone"),
    microphone: inRoom() && visit.notes.has("microphone"),
    offline: inRoom() && visit.notes.has("offline"),
    listen: inRoom() && visit.listenOnly,
    camera: root.dataset.screen === "waiting" && visit.notes.has("camera"),
    battery: visit.lowBattery && (withPicture() || root.dataset.screen === "consent"),
  };
  return Object.keys(shown).filter((name) => shown[name]);
}

const SIGNS = { phone: "call", microphone: "mic-off", offline: "network", listen: "ear", camera: "camera-off", back: "yes", battery: "battery" };

export function notes() {
  const again = { t: "retry", word: "note_again", press: visit.rejoin };
  const acts = { phone: again, microphone: again, listen: again, battery: withPicture() && { t: "voice-only", word: "voice_only", press: toVoice } };
  const names = [...noteNames(), ...(visit.notes.has("back") ? ["back"] : [])];
  return make("div", { class: "notes", role: "status" }, names.map((name) =>
    make("div", { class: "note", "data-t": `note-${name}` }, sign(SIGNS[name]), make("span", {}, plain(`note_${name}`)), acts[name] && button(acts[name]))));
}

function toVoice() {
  agree("voice");
  visit.room?.camera(false);
  redraw();
}

export const dots = () => make("div", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i"));
