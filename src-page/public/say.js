// The loudspeaker. What it says is a row of parts, `{ id, text }`: a recording is played where there is one, else the phone's own voice
// reads the text. Only voices that live in the phone are used: a remote one would carry the doctor's name to somebody else's server.

import { PROMPTS } from "./prompts.js";
import { language } from "./words.js";

const speech = window.speechSynthesis;
let playing = null;
let onChange = () => {};

/** Recordings that are wanted where there is no network, as `blob:` addresses. */
const held = new Map();
const HELD = ["offline", "note-offline"];

const file = (id) => `say-${language()}-${id}.ogg`;
const voice = () => speech?.getVoices().find((v) => v.localService && v.lang.toLowerCase().replace("_", "-").split("-")[0] === language());

export const canSay = (parts) => Boolean(voice()) || parts.some(({ id }) => id in PROMPTS);

/** Calls back whenever the loudspeaker starts, stops, or finds its voices. */
export function watch(callback) {
  onChange = callback;
  speech?.addEventListener?.("voiceschanged", () => onChange());
}

export const speaking = () => playing !== null;

export function hush() {
  const was = playing;
  playing = null;
  was?.stop();
  onChange();
}

/** Says the parts, one after the other. `exact`: the words matter more than the recording, so the phone's voice goes first. */
export async function say(parts, exact = false) {
  hush();
  const mine = (playing = { stop() {} });
  onChange();
  hold();
  for (const { id, text } of parts) {
    const read = () => reading(mine, text);
    const play = () => (id in PROMPTS ? recording(mine, file(id)) : false);
    for (const way of exact && voice() ? [read, play] : [play, read]) {
      if (playing !== mine) return;
      if (await way()) break;
    }
  }
  if (playing !== mine) return;
  playing = null;
  onChange();
}

/** Whoever listens gets the words for a lost network before it is lost. */
function hold() {
  for (const name of HELD.map(file)) {
    if (held.has(name)) continue;
    held.set(name, name);
    fetch(name, { credentials: "omit" }).then((answer) => (answer.ok ? answer.blob() : Promise.reject()))
      .then((sound) => held.set(name, URL.createObjectURL(sound))).catch(() => held.delete(name));
  }
}

/** True once it was heard, or stopped; false where it cannot be had. */
function recording(mine, name) {
  return new Promise((done) => {
    const sound = new Audio(held.get(name) ?? name);
    mine.stop = () => { sound.pause(); done(true); };
    sound.onended = () => done(true);
    sound.onerror = () => done(false);
    sound.play().catch((why) => { if (why.name !== "AbortError") done(false); });
  });
}

function reading(mine, text) {
  const chosen = voice();
  if (!chosen || !text) return false;
  return new Promise((done) => {
    const said = new SpeechSynthesisUtterance(text);
    said.voice = chosen;
    said.lang = chosen.lang;
    said.rate = 0.9;
    mine.stop = () => { speech.cancel(); done(true); };
    said.onend = () => done(true);
    said.onerror = () => done(false);
    speech.speak(said);
  });
}
