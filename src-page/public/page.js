// The patient's page: which screen is shown, and what leads from one to the next.
// A screen is a function that draws itself from `visit`; it can be drawn again at any time (the language changed, a note came).

import { Unreachable, post } from "./api.js";
import { cleanName, make, sentence, sign } from "./draw.js";
import { contactPhone, deviceId, kept, openCode, rememberPhone, takeSecret, wordCode } from "./link.js";
import * as phone from "./phone.js";
import * as speaker from "./say.js";
import { $, dots, go, redraw, show, speakerButton } from "./show.js";
import { agree, hasCamera, isWay, newWay, visit } from "./visit.js";
import { plain, speakLanguage } from "./words.js";

const root = document.documentElement;
const main = document.getElementById("screen");
const far = $("far");
const third = $("far-2");
const near = $("near");
const dialog = $("leave-dialog");

const POLL = 10_000;
const MOVE_POLL = 3_000;
const AFTER_POLL = 10_000;
const AFTER_FOR = 30 * 60_000;
const LATE_AFTER = 10 * 60_000;

// ---- Asking the server ----

const wait = (ms, also = () => {}) => new Promise((done) => { setTimeout(done, ms); also(done); });

/** Asks until there is an answer; says so while there is none. Null if the person went another way meanwhile. */
async function reach(path, body) {
  const mine = newWay();
  for (let tries = 0; ; tries += 1) {
    try {
      const answer = await post(path, body);
      if (!isWay(mine)) return null;
      if (answer.status !== 429) return answer;
      go(slowScreen);
      await wait(20_000);
    } catch (why) {
      if (!(why instanceof Unreachable)) throw why;
      if (!isWay(mine)) return null;
      await wait(Math.min(3000 + tries * 2000, 15_000), (now) => {
        addEventListener("online", now, { once: true });
        go(() => offlineScreen(now));
      });
    }
    if (!isWay(mine)) return null;
  }
}

const question = () => (visit.word ? { open: visit.open, word: visit.word, device: deviceId() } : { open: visit.open });

/** What is wrong with the link leads to its own screen; true if there was such an answer. */
function refused({ status, body }) {
  if (status === 410 && body.after) left();
  else if (status === 410 || (body.error === "wrong-word" && body.left === 0)) go(overScreen);
  else if (body.error === "wrong-word" || (status === 403 && body.error !== "not-moved")) {
    visit.word = null;
    visit.wrong = { left: body.left };
    kept.drop("word");
    go(wordScreen);
  } else if (status === 404 && body.error === "nothing-yet") talk();
  else if (status === 404 || status === 400) go(noLinkScreen);
  else return false;
  return true;
}

/** From nothing, or from any screen's "again", to where the link stands. */
async function begin() {
  if (!phone.supported()) return go(() => browserScreen());
  if (!visit.secret) return go(noLinkScreen);
  go(openingScreen);
  visit.open ||= await openCode(visit.secret);
  const answer = await reach("/v1/p/open", question());
  if (!answer) return;
  if (answer.body.contact) {
    const number = await contactPhone(visit.secret, answer.body.contact);
    if (number) kept.set("phone", number);
  }
  settle(answer);
}

function settle(answer) {
  if (refused(answer)) return;
  if (answer.body.state !== "open") return go(wordScreen);
  heard(answer.body);
  if (answer.body.after && !visit.told) return left();
  visit.wrong = null;
  visit.typed = "";
  visit.back = answer.body.bound === "here" && Boolean(visit.consent);
  if (answer.body.bound === "elsewhere" && !visit.move) go(elsewhereScreen);
  else go(visit.back ? joinScreen : consentScreen);
}

function heard(info) {
  visit.info = info;
  visit.doctor = cleanName(info.doctor) || visit.doctor;
}

/** The doctor left something: shows it to whoever has the word. */
async function left() {
  if (!visit.word) return go(wordScreen);
  const mine = newWay();
  root.setAttribute("aria-busy", "true");
  const after = await part(() => import("./after.js"), mine);
  if (after) after.read({ reach, refused, dial, talk: visit.info.state === "open" ? talk : null });
}

/** From what the doctor left to a call by the same link. */
function talk() {
  visit.told = true;
  begin();
}

/** A part of the page that comes later; tried again while the network is away. Null if the person went another way. */
async function part(load, mine) {
  for (;;) {
    try {
      const loaded = await load();
      return isWay(mine) ? loaded : null;
    } catch {
      if (!isWay(mine)) return null;
      // A browser remembers that a module failed: only a new page asks for it anew.
      go(() => offlineScreen(() => location.reload()));
      await wait(8000);
      if (isWay(mine)) location.reload();
      return null;
    }
  }
}

async function checkWord() {
  // A second press must not cost a second try.
  if (root.hasAttribute("aria-busy")) return;
  visit.typed = $("word").value;
  if (!visit.typed.trim()) {
    visit.wrong = { empty: true };
    return wordScreen();
  }
  root.setAttribute("aria-busy", "true");
  visit.word = await wordCode(visit.secret, visit.typed);
  const answer = await reach("/v1/p/open", question());
  if (!answer) return;
  visit.wrong = null;
  // Only what the word proves is kept, for a reload; the word itself never is.
  if (answer.status === 200) kept.set("word", visit.word);
  settle(answer);
}

// ---- Joining ----

function yes(how) {
  agree(how);
  if (visit.move) join(); else go(joinScreen);
}

async function join() {
  const mine = newWay();
  release();
  visit.listenOnly = false;
  visit.pressed = performance.now();
  // While the phone asks for its microphone: what comes after Join, but for the session (WebAssembly), which is heavy.
  room().catch(() => {});
  go(allowScreen);
  const got = await phone.askForMedia(visit.consent === "video");
  if (!isWay(mine)) return phone.stopMedia(got.stream);
  if (got.microphone !== "ok") return go(() => microphoneScreen(got.microphone));
  if (got.camera === "refused") visit.notes.add("camera"); else visit.notes.delete("camera");
  visit.stream = got.stream;
  await bind();
}

function listenOnly() {
  release();
  visit.listenOnly = true;
  bind();
}

async function bind() {
  go(joiningScreen);
  for (;;) {
    const answer = await reach("/v1/p/join", { ...question(), ...(visit.move && { move: true }) });
    if (!answer) return;
    if (answer.status === 202) {
      go(askedScreen);
      const mine = newWay();
      await wait(MOVE_POLL);
      if (!isWay(mine)) return;
    } else {
      if (answer.status === 200) return enter(answer.body);
      release();
      visit.move = false;
      if (answer.status === 409) return go(elsewhereScreen);
      if (answer.body.error === "not-moved") return go(notMovedScreen);
      if (!refused(answer)) go(() => endedScreen("failed"));
      return;
    }
  }
}

/** The program of the room and its screens. */
const room = () => Promise.all([import("./room.js"), import("./call.js")]);

/** `call.js`, once it is here. */
let inside = null;

async function enter(joined) {
  const mine = newWay();
  visit.move = false;
  visit.doctor = cleanName(joined.doctor) || visit.doctor;
  visit.arrived = Date.now();
  visit.told = true;
  rememberPhone(visit.open);
  visit.begun = visit.lost = 0;
  visit.call = { phase: "waiting", micOn: !visit.listenOnly, cameraOn: hasCamera(), farCamera: false, seconds: 0 };
  near.srcObject = hasCamera() ? visit.stream : null;
  phone.keepAwake(true);
  // The back button asks before it leaves. Never `history.back()`: where a reload came in between, that would leave the page.
  if (history.state?.spare) history.replaceState({ call: true }, ""); else if (!history.state?.call) history.pushState({ call: true }, "");
  go(waitingScreen);
  poll(mine);
  try {
    const [{ start }, call] = await room();
    await call.styled;
    if (!isWay(mine)) return;
    inside = call;
    inside.enter({ finish, waiting: waitingScreen, pollNow: () => pollNow() });
    const entered = await start({
      secret: visit.secret, join: joined, video: hasCamera(), agreed: visit.consent === "video", stream: visit.stream, screen: { far, third, near },
      rejoin: newPass, pressed: visit.pressed,
      on: (state) => { if (isWay(mine)) inside.roomChanged(state); },
    });
    if (isWay(mine)) visit.room = entered; else entered.close();
  } catch (why) {
    console.error(why?.name);
    if (isWay(mine)) finish("failed");
  }
}

/** The server began anew, or the call was moved: asks for another pass, or says why there is none. */
async function newPass() {
  const answer = await post("/v1/p/join", question()).catch(() => null);
  if (answer?.status === 200) return answer.body;
  throw { retry: !answer || answer.status === 429, code: answer?.body?.error };
}

/** Asks every ten seconds how long the line is; a missing answer is a note and no more. */
async function poll(mine) {
  while (isWay(mine)) {
    if (visit.call.phase === "waiting") {
      const answer = await post("/v1/p/open", question()).catch(() => null);
      if (!isWay(mine)) return;
      if (answer?.status === 410) return finish("over");
      if (answer) visit.notes.delete("offline"); else visit.notes.add("offline");
      if (answer?.status === 200 && answer.body.state === "open") heard(answer.body);
      if (root.dataset.screen === "waiting") redraw();
    }
    await wait(POLL, (now) => { pollNow = now; });
  }
}
let pollNow = () => {};

/** Lets go of the room, the camera and the microphone, wherever the page goes next. */
function release() {
  visit.room?.close();
  visit.room = visit.call = null;
  phone.stopMedia(visit.stream);
  visit.stream = far.srcObject = third.srcObject = near.srcObject = null;
  visit.hear = false;
  for (const note of ["phone", "microphone", "offline", "back"]) visit.notes.delete(note);
  phone.keepAwake(false);
  if (dialog.open) dialog.close("yes");
}

function rejoin() {
  newWay();
  join();
}

function finish(why) {
  newWay();
  release();
  if (history.state?.call) history.replaceState({ spare: true }, "");
  if (why === "elsewhere") return go(elsewhereScreen);
  if (why === "over") return go(overScreen);
  // A call that broke is opened again with one press; one that was left asks anew, and leaves nothing on a shared phone.
  if (["hung-up", "they-hung-up", "left"].includes(why)) {
    agree(null);
    kept.drop("word");
    kept.drop("place");
  }
  visit.over = false;
  go(() => endedScreen(why));
  const mine = newWay();
  if (["hung-up", "they-hung-up", "left"].includes(why)) awaitAfter(mine);
  else post("/v1/p/open", question()).then((answer) => {
    if (!isWay(mine) || answer.status !== 410) return;
    visit.over = true;
    redraw();
  }, () => {});
}

/** After a call, or after waiting for one: looks whether the doctor has left something, as long as somebody may be looking at the page. */
async function awaitAfter(mine) {
  for (const end = Date.now() + AFTER_FOR; isWay(mine) && Date.now() < end; await wait(AFTER_POLL, (now) => document.addEventListener("visibilitychange", now, { once: true }))) {
    if (document.hidden) continue;
    const answer = await post("/v1/p/open", question()).catch(() => null);
    if (!isWay(mine)) return;
    if (answer?.body.after) return left();
    if (answer && answer.status !== 200 && answer.status !== 429 && answer.status !== 410) return;
    if (answer?.status === 410 && !visit.over) {
      visit.over = true;
      redraw();
    }
  }
}

// ---- Screens ----

/** What is left to do is to phone. The number came sealed beside the link; where there is none, the words are the way on. */
function dial(kind = "main") {
  const number = kept.get("phone");
  return number && { t: "dial", word: "dial", kind, sign: "call", link: `tel:${number}`, values: { n: `\u2066${number}\u2069` } };
}

function openingScreen() {
  show("opening", { pic: "opening", title: "opening_title", body: [dots()] });
}

function wordScreen() {
  const { wrong } = visit;
  const key = wrong?.empty ? "word_empty" : wrong?.left === 1 ? "word_wrong_1" : "word_wrong_n";
  const aloud = wrong?.empty ? "word-empty" : wrong?.left >= 1 && wrong.left <= 4 ? `wrong-${wrong.left}` : null;
  const field = make("input", {
    "data-t": "word", id: "word", type: "text", name: "word", autocomplete: "off", autocapitalize: "none", autocorrect: "off", spellcheck: "false",
    enterkeyhint: "go", dir: "auto", maxlength: "80", "aria-label": plain("word_label"), "aria-invalid": wrong ? "true" : null, "aria-describedby": wrong ? "word-error" : null,
    on: { input: () => { visit.typed = field.value; }, keydown: (event) => { if (event.key === "Enter" && !event.isComposing) checkWord(); } },
  });
  field.value = visit.typed;
  show("word", {
    pic: "word", title: "word_title", text: ["word_text"], prompts: aloud ? [aloud, "word"] : ["word"],
    body: [field, wrong && make("p", { class: "error", id: "word-error", role: "alert", "data-t": "error" }, sentence(key, { n: wrong.left ?? "" }))].filter(Boolean),
    buttons: [{ t: "word-go", word: "word_go", kind: "main", sign: "yes", press: checkWord }],
  });
  if (wrong) {
    field.focus();
    field.select();
  }
}

function consentScreen() {
  const video = { t: "consent-video", word: "consent_video", kind: visit.lowBattery ? "" : "main", sign: "camera", press: () => yes("video") };
  const voice = { t: "consent-voice", word: "consent_voice", kind: visit.lowBattery ? "main" : "", sign: "mic", press: () => yes("voice") };
  show("consent", {
    pic: "doctor", title: "consent_title", text: ["consent_text"], values: { doctor: visit.doctor },
    buttons: [...(visit.lowBattery ? [voice, video] : [video, voice]), { t: "consent-no", word: "consent_no", kind: "plain", sign: "no", press: () => go(declinedScreen) }],
  });
}

function declinedScreen() {
  agree(null);
  show("declined", {
    pic: "declined", title: "declined_title", text: ["declined_text"],
    buttons: [{ t: "again", word: "declined_back", sign: "again", press: () => go(consentScreen) }, dial("")].filter(Boolean),
  });
}

function joinScreen() {
  const key = visit.back ? "rejoin" : "join";
  show("join", {
    pic: "join", title: `${key}_title`, text: [`${key}_text`], prompts: [key],
    buttons: [{ t: "join", word: key, kind: "green", sign: "call", press: join }, { t: "back", word: "back", kind: "plain", press: () => go(consentScreen) }],
  });
}

function allowScreen() {
  show("allow", {
    pic: "allow", title: "allow_title", text: [visit.consent === "video" ? "allow_video" : "allow_voice"],
    // Some browsers never ask, or ask where nobody looks.
    buttons: [{ t: "back", word: "back", kind: "plain", press: () => { newWay(); go(joinScreen); } }],
  });
}

function microphoneScreen(why) {
  const busy = why === "busy";
  const app = !busy && phone.insideAnApp();
  const steps = ["microphone_step_1", "microphone_step_2", "microphone_step_3"];
  show("microphone", {
    pic: busy ? "busy" : "microphone", title: busy ? "busy_title" : "microphone_title", prompts: [busy ? "busy" : app ? "microphone-app" : "microphone"],
    text: [busy ? "busy_text" : app ? "microphone_app" : "microphone_text"],
    body: busy || app ? [] : [make("ol", {}, steps.map((key) => make("li", {}, plain(key))))],
    buttons: [
      app && { t: "chrome", word: "chrome", kind: "main", sign: "call", press: phone.openInChrome },
      { t: "retry", word: "retry", kind: app ? "" : "main", sign: "again", press: join },
      { t: "listen-only", word: "listen_only", sign: "ear", press: listenOnly },
    ].filter(Boolean),
  });
}

function joiningScreen() {
  show("joining", { pic: "waiting", title: "joining_title", body: [dots()] });
}

function waitingScreen() {
  const { doctor_here: here, before_you: before = 0 } = visit.info;
  const opening = visit.call?.phase === "connecting";
  const late = !here && Date.now() - visit.arrived > LATE_AFTER;
  root.dataset.near = hasCamera() && visit.call?.cameraOn ? "yes" : "no";
  const line = before === 0 ? "before_0" : before === 1 ? "before_1" : "before_n";
  const known = Number.isInteger(before) && before >= 0;
  const stands = here ? "here" : late ? "late" : "away";
  show("waiting", {
    pic: opening ? "doctor" : "waiting", stage: "waiting", values: { doctor: visit.doctor, n: before },
    title: opening ? "connecting_title" : "waiting_title",
    text: [opening ? "connecting_text" : `waiting_${stands}`],
    prompts: opening ? ["connecting"] : [`waiting-${stands}`, ...(known && before <= 6 ? [`before-${before}`] : [])],
    body: opening || !known ? [dots()] : [
      make("div", { class: "queue", "aria-hidden": "true" }, Array.from({ length: Math.min(before, 6) + 1 }, () => sign("person"))),
      make("p", { class: "before", "data-t": "before-you" }, sentence(line, { n: before })),
    ],
    buttons: [{ t: "hang-up", word: "leave", kind: "plain", sign: "no", press: () => (inside ? inside.askToLeave() : finish("left")) }],
  });
  main.dataset.t = "waiting";
}

function endedScreen(why) {
  const key = { "hung-up": "ended", "they-hung-up": "ended", left: "left", "no-answer": "no_answer", untrusted: "untrusted" }[why] ?? "broken";
  const text = visit.over && key === "broken" ? "broken_over" : visit.over && (key === "left" || key === "no_answer") ? "over_text" : `${key}_text`;
  root.dataset.why = why ?? "failed";
  const again = !visit.over && key !== "untrusted";
  const called = key === "ended";
  const prompt = text === "broken_over" ? "broken-over" : text === "over_text" ? "over" : key;
  show("ended", {
    pic: { ended: "ended", left: "declined", untrusted: "untrusted" }[key] ?? "broken", title: `${key}_title`, text: [called ? "ended_more" : text], prompts: [prompt],
    buttons: [
      again && { t: "again", word: "again", kind: called ? "" : "main", sign: "again", press: begin },
      (key === "untrusted" || key === "no_answer" || text === "over_text" || text === "broken_over") && dial(again ? "" : "main"),
    ].filter(Boolean),
  });
}

function offlineScreen(now) {
  show("offline", { pic: "offline", title: "offline_title", text: ["offline_text"], body: [dots()], buttons: [{ t: "retry", word: "offline_now", kind: "main", sign: "again", press: now }] });
}

function slowScreen() {
  show("slow", { pic: "waiting", title: "slow_title", text: ["slow_text"], body: [dots()] });
}

function overScreen() {
  for (const key of ["word", "consent", "link", "place"]) kept.drop(key);
  show("over", { pic: "over", title: "over_title", text: ["over_text"], buttons: [dial()].filter(Boolean) });
}

function noLinkScreen() {
  show("no-link", { pic: "over", title: "no_link_title", text: ["no_link_text"], prompts: ["no_link"], buttons: [dial()].filter(Boolean) });
}

function elsewhereScreen() {
  show("elsewhere", {
    pic: "elsewhere", title: "elsewhere_title", text: ["elsewhere_text"],
    buttons: [{ t: "move", word: "move", kind: "main", sign: "call", press: moveHere }, dial("")].filter(Boolean),
  });
}

function moveHere() {
  visit.move = true;
  if (visit.consent) join(); else go(consentScreen);
}

function askedScreen() {
  show("asked", { pic: "elsewhere", title: "asked_title", text: ["asked_text"], body: [dots()] });
}

function notMovedScreen() {
  show("not-moved", { pic: "elsewhere", title: "not_moved_title", text: ["not_moved_text"], prompts: ["not_moved"], buttons: [{ t: "retry", word: "retry", sign: "again", press: begin }, dial("")].filter(Boolean) });
}

function browserScreen(copied = false) {
  show("browser", {
    pic: "browser", title: "browser_title", text: ["browser_text"],
    body: copied ? [make("p", { class: "done", role: "status", "data-t": "copied" }, plain("copied"))] : [],
    buttons: [
      phone.hasChrome() && { t: "chrome", word: "chrome", kind: "main", sign: "call", press: phone.openInChrome },
      visit.secret && { t: "copy", word: "copy", sign: "paper", press: () => phone.copyLink().then(() => go(() => browserScreen(true)), () => {}) },
    ].filter(Boolean),
  });
}

// ---- The start ----

visit.rejoin = rejoin;
addEventListener("pagehide", () => { if (visit.call) release(); });
addEventListener("pageshow", (event) => { if (event.persisted) begin(); });

const asked = new URLSearchParams(location.search).get("lang");
speakLanguage(kept.get("language") ?? asked ?? (navigator.languages ?? [navigator.language]).find((l) => /^(ur|en)/i.test(l))?.slice(0, 2).toLowerCase() ?? "en");
visit.secret = takeSecret();
visit.word = kept.get("word");
visit.consent = kept.get("consent");
speaker.watch(speakerButton);
phone.watchBattery((low) => { visit.lowBattery = low; redraw(); });
addEventListener("hashchange", () => { if (!visit.call && location.hash) location.reload(); });
begin();
// For start.js: the page is here, even if it came so late that something else was said.
root.dataset.open = "yes";
document.querySelector("header").style.removeProperty("display");
