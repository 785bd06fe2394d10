// The room: the HIE's socket, the clock and a browser's engine around the call session (session.js, WebAssembly), which is
// fetched here, after Join was pressed.

import init, { Call } from "./session.js";
import { BrowserEngine } from "./engine.js";
import { kept } from "./link.js";

/** A page that was reloaded in a call asks this often to be called again, and this many times. */
const REJOIN_MS = 3000;
const REJOINS = 20;
const RETRY_MS = [300, 1000, 2000, 4000];
/** The socket's own close code where the link is over or the call was moved (RFC 6455, section 7.4.1). */
const POLICY = 1008;

/**
 * options: `{ secret, join, rejoin, pressed, video, agreed, stream, screen: { far, third, near }, on }`; `rejoin()` gets another pass, or
 * throws `{ retry, code }`; `pressed` is when Join was, by `performance.now()`; `on` gets
 * `{ phase, why, name, micOn, cameraOn, farCamera, farMicrophone, seconds, said, stills, stillsThere, doctor, third, wanted }`.
 */
export async function start(options) {
  const { secret, screen, on } = options;
  let { join } = options;
  const now = () => performance.now();
  const open = () => new WebSocket(new URL(join.socket, location.href).href.replace(/^http/, "ws"));
  // The handshake takes its time beside the session's, which is fetched and compiled.
  const first = open();
  try {
    await init({ module_or_path: new URL("./session_bg.wasm", import.meta.url) });
  } catch (why) {
    first.close();
    throw why;
  }
  const [inst] = crypto.getRandomValues(new Uint32Array(1));
  const call = new Call(secret, JSON.stringify(join.me), inst, options.video, options.agreed);
  let engine = null, socket = null, session, timer, asking, asked = 0, tries = 0, closed = false, shown = "";

  const room = {
    microphone(value) { call.microphone(now(), value); drain(); },
    camera(value) { call.camera(now(), value); drain(); },
    /** Other tracks than before. */
    use(stream) { options.stream = stream; engine?.use(stream); },
    /** Takes a picture and sends it. */
    still() { call.still(now()); drain(); },
    /** To who wants to join. */
    answer(yes) { call.answer(now(), yes); drain(); },
    hangUp() { kept.drop("place"); call.hang_up(now()); drain(); },
    close() {
      closed = true;
      clearTimeout(timer);
      clearTimeout(asking);
      clearInterval(ticker);
      engine?.close();
      socket?.close();
    },
  };

  /** How long the patient waited from the press on Join, for whoever measures: on the far picture. */
  function waited({ type, at_ms: at }) {
    const name = { "first-audio": "audioMs", "first-video": "videoMs" }[type];
    if (name) screen.far.dataset[name] ??= String(Math.round(at - options.pressed));
  }

  const newEngine = () => new BrowserEngine({
    tell: (event) => { call.engine(now(), JSON.stringify(event)); waited(event); drain(); },
    now: () => Math.round(now()),
    stream: options.stream, near: screen.near,
    screen: (leg) => (call.is_third(now(), leg) ? screen.third : screen.far),
  });

  /** Back into the call that this tab was in before it was reloaded. */
  function rejoin() {
    clearTimeout(asking);
    const place = kept.get("place");
    const frame = place && call.rejoin(place);
    if (!frame || closed || asked >= REJOINS) return;
    asked += 1;
    if (socket?.readyState === WebSocket.OPEN) socket.send(frame);
    asking = setTimeout(rejoin, REJOIN_MS);
  }

  let draining = false;
  function drain() {
    // An engine may answer at once: its answer is taken in order, not inside.
    if (draining) return;
    draining = true;
    for (let todo; (todo = call.poll(now())) !== undefined;) {
      todo = JSON.parse(todo);
      if (todo.send && socket?.readyState === WebSocket.OPEN) socket.send(todo.send);
      if (todo.engine) {
        if (todo.engine.type === "prepare") engine = newEngine();
        engine?.command(todo.engine);
        if (todo.engine.type === "close") engine = null;
      }
    }
    draining = false;
    clearTimeout(timer);
    const due = call.deadline();
    if (due !== undefined && !closed) timer = setTimeout(() => { call.tick(now()); drain(); }, Math.max(0, due - now()));
    show();
  }

  function show() {
    if (closed) return;
    const view = JSON.parse(call.view(now()));
    // A guest has one phone, and the server says when the call was moved. So this ring was for the page before a reload: the doctor's
    // program still holds on to that one, and rings again.
    if (view.phase === "ended" && view.why === "elsewhere") Object.assign(view, { phase: "waiting", why: null });
    const place = call.place(now());
    if (place) kept.set("place", place);
    else if (view.phase === "ended") kept.drop("place");
    const state = {
      phase: view.phase, why: view.why ?? undefined, name: join.doctor, micOn: view.mic_on, cameraOn: view.camera_on,
      farCamera: view.far_camera, farMicrophone: view.far_microphone, seconds: view.phase === "searching" ? view.searching : view.seconds,
      said: view.said, stills: view.stills, stillsThere: view.stills_there, doctor: view.doctor, third: view.third, wanted: view.wanted,
    };
    const text = JSON.stringify(state);
    if (text !== shown) { shown = text; on(state); }
  }

  /** `made`: a socket on which nothing was said yet. */
  function connect(made) {
    if (closed) return;
    socket = made ?? open();
    const hello = () => socket.send(call.hello(join.token, session));
    if (socket.readyState === WebSocket.OPEN) hello(); else socket.onopen = hello;
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.refused?.code === "token") return again();
      // The call of before the reload is over.
      if (frame.refused?.code === "not-allowed" && asked) { kept.drop("place"); clearTimeout(asking); }
      call.frame(now(), data);
      if (frame.welcome) {
        session = frame.welcome.session;
        tries = 0;
        call.signaling(now(), true);
        rejoin();
      }
      drain();
    };
    socket.onclose = ({ code }) => {
      if (closed) return;
      call.signaling(now(), false);
      drain();
      if (code === POLICY) return again();
      setTimeout(connect, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
    };
  }

  /** The pass is worth nothing now: the link is over, the call was moved, or the HIE began anew. */
  async function again() {
    if (closed) return;
    socket.onclose = null;
    socket.close();
    try {
      join = await options.rejoin();
      session = undefined;
      setTimeout(connect, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
    } catch (error) {
      if (error?.retry) return void setTimeout(again, RETRY_MS.at(-1));
      room.close();
      on({ phase: "ended", why: error?.code === "elsewhere" ? "elsewhere" : "over", name: join.doctor, micOn: false, cameraOn: false, farCamera: false, farMicrophone: false, seconds: 0 });
    }
  }

  // The screen counts seconds.
  const ticker = setInterval(() => { call.tick(now()); drain(); }, 1000);
  addEventListener("online", () => { if (socket?.readyState === WebSocket.CLOSED) connect(); });
  connect(first.readyState > WebSocket.OPEN ? undefined : first);
  drain();
  return room;
}
