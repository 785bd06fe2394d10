// What the doctor left after the call: the next step in large words, each medicine with sun and moon, and the prescription to keep. It is
// opened here with a key from the link; the server had it sealed. Fetched when there is something.

import { Unreachable, post } from "./api.js";
import { AFTER_WORDS } from "./after-words.js";
import { cleanName, cleanText, drawing, make, sentence, sign } from "./draw.js";
import { kept, phoneOf, unseal } from "./link.js";
import { $, dots, go, show } from "./show.js";
import { isWay, newWay, visit } from "./visit.js";
import { addWords, language, plain } from "./words.js";

addWords(AFTER_WORDS);

const sheet = make("link", { rel: "stylesheet", href: "after.css" });
document.head.append(sheet);
const styled = new Promise((done) => { sheet.onload = sheet.onerror = done; });

const TIMES = ["morning", "noon", "evening", "night"];
const MOST_MEDICINES = 30;
/** 300 kB on 64 kb/s, twice. */
const PAPER_PATIENCE = 90_000;

const asked = (part) => ({ open: visit.open, word: visit.word, device: phoneOf(visit.open), part });

/** The page's `reach`, `refused` and `dial`, and `talk` where a call by this link is still possible. */
export async function read({ reach, refused, dial, talk }) {
  const answer = await reach("/v1/p/after", asked("note"));
  if (!answer) return;
  if (answer.status === 409) return go(() => elsewhereScreen(dial));
  if (answer.status !== 200) return void (refused(answer) || go(() => brokenScreen(dial)));
  kept.set("word", visit.word);
  const mine = newWay();
  let note;
  try {
    note = told(JSON.parse(new TextDecoder().decode(await unseal(visit.secret, "note", answer.body))));
  } catch {
    return go(() => brokenScreen(dial));
  }
  await styled;
  if (isWay(mine)) go(() => noteScreen(note, talk));
}

/** Only what is known of it, cleaned, and not endless. */
function told(raw) {
  const medicine = ({ name, how, days, when }) => ({
    name: cleanName(name), how: cleanText(how), days: Number.isInteger(days) && days > 0 && days < 1000 ? days : null,
    when: TIMES.filter((time) => Array.isArray(when) && when.includes(time)),
  });
  return {
    next: cleanText(raw.next_step), warning: cleanText(raw.warning), doctor: cleanName(raw.doctor), date: cleanName(raw.date),
    lang: raw.lang === "ur" || raw.lang === "en" ? raw.lang : null, paper: raw.paper === true,
    medicines: (Array.isArray(raw.medicines) ? raw.medicines : []).slice(0, MOST_MEDICINES).map(medicine),
  };
}

// ---- Screens ----

function noteScreen(note, talk) {
  const own = (tag, text, attributes = {}) => make(tag, { dir: "auto", lang: note.lang, ...attributes }, text);
  const days = (n) => plain(n === 1 ? "after_days_1" : "after_days_n", { n });
  const medicines = note.medicines.map(({ name, how, days: n, when }) => make("li", { class: "medicine" },
    own("h3", name), how && own("p", how),
    when.length ? make("ul", { class: "times" }, TIMES.map((time) => make("li", { class: when.includes(time) ? "take" : "not", "aria-hidden": when.includes(time) ? null : "true" },
      drawing(`t-${time}`, "time"), make("span", {}, plain(`after_${time}`))))) : null,
    n && make("p", { class: "days" }, days(n))));
  const aloud = [plain("after_title"), note.next, ...note.medicines.map(({ name, how, days: n, when }) =>
    [name, how, when.map((time) => plain(`after_${time}`)).join(", "), n && days(n)].filter(Boolean).join(". ")), note.warning].filter(Boolean).join(".\n");
  show("after", {
    title: "after_title", aloud: !note.lang || note.lang === language() ? aloud : null,
    body: [
      own("p", note.next, { class: "next", "data-t": "next-step" }),
      note.warning && make("p", { class: "watch" }, sign("warning"), own("span", note.warning)),
      medicines.length ? make("section", {}, make("h2", {}, plain("after_medicines")), make("ol", { class: "medicines" }, medicines)) : null,
      make("p", { class: "from" }, sentence("after_from", { doctor: note.doctor, date: note.date })),
      make("p", { class: "error", role: "alert", "data-t": "paper-failed", hidden: true }, plain("after_paper_failed")),
    ].filter(Boolean),
    buttons: [
      note.paper && { t: "paper", word: "after_paper", kind: "main", sign: "paper", press: () => keep(note) },
      talk && { t: "talk", word: "after_talk", sign: "call", press: talk },
    ].filter(Boolean),
  });
}

function elsewhereScreen(dial) {
  show("after-elsewhere", { pic: "elsewhere", title: "after_elsewhere_title", text: ["after_elsewhere_text"], prompts: ["after_elsewhere"], buttons: [dial()].filter(Boolean) });
}

function brokenScreen(dial) {
  show("after-broken", { pic: "broken", title: "after_broken_title", text: ["after_broken_text"], buttons: [dial()].filter(Boolean) });
}

/** Fetches the prescription and hands it to the phone, which keeps it among its downloads. */
async function keep(note) {
  const button = $("paper");
  if (button.disabled) return;
  const words = button.querySelector("span");
  button.disabled = true;
  words.replaceChildren(plain("after_paper_wait"), dots());
  $("paper-failed").hidden = true;
  try {
    const { status, body } = await post("/v1/p/after", asked("paper"), PAPER_PATIENCE);
    if (status !== 200) throw new Unreachable(String(status));
    const address = URL.createObjectURL(new Blob([await unseal(visit.secret, "paper", body)], { type: "application/pdf" }));
    make("a", { href: address, download: `rabta-${/^[\d-]{10}$/.test(note.date) ? note.date : "prescription"}.pdf` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch {
    const failed = $("paper-failed");
    if (failed) failed.hidden = false;
  }
  words.replaceChildren(plain("after_paper"));
  button.disabled = false;
}
