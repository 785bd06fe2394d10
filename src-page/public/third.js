// A third person in the call: the question before they come, their picture, and who is away.

import { button, cleanName, make, picture, sentence } from "./draw.js";
import * as speaker from "./say.js";
import { $, redraw } from "./show.js";
import { visit } from "./visit.js";
import { plain } from "./words.js";

const root = document.documentElement;
const box = $("third");

/** The question that was read aloud, and who was said to have joined. */
let asked = null;
let joined = null;
export const forget = () => { asked = joined = null; };

const nameOf = (name) => cleanName(name) || plain("another_doctor");
const spoken = (id, key, name) => [{ id, text: plain(key, { name }) }];

/** Who wants to join, until the patient answers. */
export function question() {
  const { wanted } = visit.call;
  if (wanted === null || wanted === undefined) { asked = null; return null; }
  const name = nameOf(wanted);
  const aloud = () => speaker.say(spoken("wanted", "wanted_say", name), true);
  if (asked !== wanted) {
    asked = wanted;
    navigator.vibrate?.(200);
    aloud();
  }
  const answer = (yes) => { speaker.hush(); visit.room?.answer(yes); redraw(); };
  return make("div", { class: "said", role: "alertdialog", "aria-label": plain("wanted_title", { name }), "data-t": "wanted" },
    make("h2", {}, sentence("wanted_title", { name })),
    make("p", {}, plain("wanted_text")),
    make("div", { class: "buttons" },
      button({ t: "wanted-yes", word: "wanted_yes", kind: "green", sign: "yes", press: () => answer(true) }),
      make("div", { class: "two" },
        button({ t: "wanted-no", word: "wanted_no", sign: "no", press: () => answer(false) }),
        button({ t: "wanted-listen", word: "said_listen", sign: "say", press: aloud }))));
}

/** Draws the third person's picture and name, and says once that they are here. */
export function draw() {
  const { third, doctor } = visit.call;
  const there = third && third.phase !== "left";
  // Who is there alone is large.
  root.dataset.third = !there ? "none" : doctor === "here" || third.phase !== "here" ? "small" : "large";
  if (!there) return;
  const name = nameOf(third.name);
  box.dataset.picture = third.camera && third.phase === "here" ? "yes" : "no";
  box.querySelector("figcaption").replaceChildren(picture("doctor"), make("bdi", {}, name));
  if (third.phase === "here" && joined !== name) {
    joined = name;
    speaker.say(spoken("joined", "joined", name), true);
  }
}

/** Who is at the top of the screen: the doctor, or who is there without them. */
export function who() {
  const { third, doctor } = visit.call;
  return doctor === "left" && third?.phase === "here" ? nameOf(third.name) : visit.doctor;
}

/** Who is away, in words. */
export function away() {
  const { third, doctor, phase } = visit.call;
  if (!third) return null;
  const line = (key, name) => make("p", { class: "muted", role: "status", "data-t": "away" }, sentence(key, { name }));
  const third_ = nameOf(third.name);
  if (phase === "in-call" && doctor === "searching") return line("away", visit.doctor);
  if (phase === "in-call" && doctor === "left") return line("has_left", visit.doctor);
  if (third.phase === "connecting") return line("coming", third_);
  if (third.phase === "searching") return line("away", third_);
  return third.phase === "left" ? line("has_left", third_) : null;
}
