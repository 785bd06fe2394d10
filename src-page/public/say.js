// The loudspeaker. A prompt has an id; a recording of it is played if there is one, else the phone's own voice reads the text.
// Only voices that live in the phone are used: a remote one would carry the doctor's name to somebody else's server.

import { language } from "./words.js";

/** Recorded prompts, as "ur/word": then `say/ur/word.opus` is played. A prompt with a name in it has to stay with the voice. */
const RECORDED = new Set();

const speech = window.speechSynthesis;
let playing = null;
let onChange = () => {};

const voice = () => speech?.getVoices().find((v) => v.localService && v.lang.toLowerCase().replace("_", "-").split("-")[0] === language());

export const canSay = (prompt) => RECORDED.has(`${language()}/${prompt}`) || Boolean(voice());

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

export function say(prompt, text) {
  hush();
  const id = `${language()}/${prompt}`;
  const mine = RECORDED.has(id) ? recording(id) : reading(text);
  if (!mine) return;
  playing = mine;
  mine.start(() => {
    if (playing !== mine) return;
    playing = null;
    onChange();
  });
  onChange();
}

function recording(id) {
  const sound = new Audio(`say/${id}.opus`);
  return {
    start(done) {
      sound.onended = sound.onerror = done;
      sound.play().catch(done);
    },
    stop: () => sound.pause(),
  };
}

function reading(text) {
  const chosen = voice();
  if (!chosen) return null;
  const said = new SpeechSynthesisUtterance(text);
  said.voice = chosen;
  said.lang = chosen.lang;
  said.rate = 0.9;
  return {
    start(done) {
      said.onend = said.onerror = done;
      speech.speak(said);
    },
    stop: () => speech.cancel(),
  };
}
