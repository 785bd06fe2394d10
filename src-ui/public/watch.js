// The page's own watch. A program that has trapped, or whose answer got lost, cannot say so itself: this does, and opens
// the page again, once. All that was saved is on the disk, and a call runs in the shell. What it tells the shell is which
// kind of stop it was and where in the program: words of ours and numbers.
const STUCK_MS = 10_000, ONCE_IN_MS = 60_000, LOOK_MS = 1_000;
const SAYS = {
  en: ["This page stopped. What you saved is safe.", "Open it again"],
  ur: ["یہ صفحہ رک گیا۔ جو محفوظ ہوا وہ محفوظ ہے۔", "دوبارہ کھولیں"],
};

const kind = (error) => {
  const words = String(error?.message ?? "");
  if (/stack/i.test(words)) return "stack";
  if (/unreachable/i.test(words)) return "unreachable";
  if (/memory/i.test(words)) return "memory";
  return "other";
};
const places = (error) =>
  [...String(error?.stack ?? "").matchAll(/wasm-function\[(\d+)\]/g)].slice(0, 16).map((m) => Number(m[1]));
const isTrap = (error) =>
  error instanceof WebAssembly.RuntimeError || (error instanceof RangeError && /stack/i.test(error.message));

let stopped = false;
const stop = async (why, at) => {
  if (stopped) return;
  stopped = true;
  try { await window.__TAURI__?.core.invoke("rabta", { name: "page-stopped", body: { why, at } }); } catch { /* the shell is gone too */ }
  const now = Date.now(), last = Number(sessionStorage.getItem("rabta.stopped"));
  if (!(last && Math.abs(now - last) < ONCE_IN_MS)) {
    sessionStorage.setItem("rabta.stopped", String(now));
    return location.reload();
  }
  const [words, again] = SAYS[document.documentElement.lang] ?? SAYS.en;
  const [box, toast, text, button] = ["div", "div", "span", "button"].map((name) => document.createElement(name));
  box.className = "toasts";
  box.setAttribute("role", "alert");
  box.dataset.t = "page-stopped";
  toast.className = "toast";
  text.textContent = words;
  button.className = "b plain";
  button.dataset.t = "open-again";
  button.textContent = again;
  button.onclick = () => location.reload();
  toast.append(text, button);
  box.append(toast);
  document.body.append(box);
  button.focus();
};

addEventListener("error", (event) => { if (isTrap(event.error)) stop(kind(event.error), places(event.error)); });
addEventListener("unhandledrejection", (event) => { if (isTrap(event.reason)) stop(kind(event.reason), places(event.reason)); });

// The same "loading" for so long, on a page that this laptop answers alone: its answer will not come. A photo on its way, or
// a server behind a slow link, may take as long as it takes.
const OURS = new Set(["today", "find", "patient", "visit", "visit-page", "sync"]);
let waiting = null, since = 0;
setInterval(() => {
  const ours = OURS.has(document.documentElement.dataset.screen);
  const now = performance.now(), loading = ours ? document.querySelector('main [data-t="loading"]') : null;
  if (loading !== waiting || !loading) { waiting = loading; since = now; return; }
  if (now - since > STUCK_MS) stop("no-answer", []);
}, LOOK_MS);
