// The link's secret and what is made of it. The secret never leaves the phone: the server sees only hashes.

const utf8 = (text) => new TextEncoder().encode(text);

/** What must survive a reload of this tab, and nothing longer. Storage may be forbidden; then the page still works once. */
const memory = new Map();
export const kept = {
  get(key) {
    try { return sessionStorage.getItem(`rabta.${key}`) ?? memory.get(key) ?? null; } catch { return memory.get(key) ?? null; }
  },
  set(key, value) {
    memory.set(key, value);
    try { sessionStorage.setItem(`rabta.${key}`, value); } catch { /* The copy in memory does. */ }
  },
  drop(key) {
    memory.delete(key);
    try { sessionStorage.removeItem(`rabta.${key}`); } catch { /* There was none. */ }
  },
};

function fromBase64url(text) {
  if (!/^[A-Za-z0-9_-]{22}$/.test(text)) return null;
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/") + "=="), (c) => c.charCodeAt(0));
}

const toBase64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function sha256(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

/** Takes the secret out of the address bar, or the one that this tab kept; null if there is none. */
export function takeSecret() {
  const fragment = location.hash.slice(1);
  if (fragment) history.replaceState(history.state, "", location.pathname + location.search);
  const old = kept.get("link");
  const text = fragment || old;
  const secret = text && fromBase64url(text);
  if (!secret) return null;
  if (text !== old) for (const key of ["word", "consent", "place", "phone"]) kept.drop(key);
  kept.set("link", text);
  return secret;
}

const openBytes = (secret) => sha256(utf8("rabta link open 1"), secret);

export const openCode = async (secret) => toBase64url(await openBytes(secret));

/** What two keyboards write differently and people do not see is the same; the laptop does so too (crates/app/src/links.rs). */
function plain(word) {
  return word.normalize("NFKC").toLowerCase()
    .replace(/[\u064A\u0649]/g, "\u06CC").replace(/\u0643/g, "\u06A9").replace(/[\u0647\u06C0]/g, "\u06C1")
    .replace(/[\u200B-\u200F\u2066-\u2069\u064B-\u0652\u0640]/g, "")
    .replace(/[\u0660-\u0669\u06F0-\u06F9]/g, (digit) => String(digit.charCodeAt(0) & 15))
    .trim().replace(/\s+/g, " ");
}

export async function wordCode(secret, word) {
  const normal = plain(word);
  return toBase64url(await sha256(utf8("rabta link word 1"), await openBytes(secret), utf8(normal)));
}

/** The link as it was in the message, for handing it to another browser of the same phone. */
export const wholeLink = () => `${location.host}${location.pathname}${location.search}#${kept.get("link")}`;

export function deviceId() {
  let id = kept.get("device");
  if (!id) kept.set("device", (id = crypto.randomUUID()));
  return id;
}

/**
 * Which phone had the call by this link, beyond the tab: an id made up here, under the beginning of the link's open key. What the doctor
 * leaves afterward is for that phone, and is looked at in another tab, days later.
 */
const PHONES = "rabta.phones";
const remembered = () => { try { return JSON.parse(localStorage.getItem(PHONES)) ?? {}; } catch { return {}; } };

export function rememberPhone(open) {
  const last = Object.entries(remembered()).slice(-3);
  try { localStorage.setItem(PHONES, JSON.stringify({ ...Object.fromEntries(last), [open.slice(0, 10)]: deviceId() })); } catch { /* Then this tab alone knows. */ }
}

export const phoneOf = (open) => remembered()[open.slice(0, 10)] ?? deviceId();

/** The number to phone, which the doctor's laptop sealed beside the link (crates/wire/src/contact.rs); null if there is none. */
export async function contactPhone(secret, sealed) {
  try {
    const bytes = Uint8Array.from(atob(sealed.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    const { phone } = JSON.parse(new TextDecoder().decode(await unseal(secret, "contact", bytes)));
    return /^\+?[0-9]{3,15}$/.test(phone) ? phone : null;
  } catch { return null; }
}

/** Opens what the doctor sealed (crates/wire/src/after.rs). `part`: "note", "paper" or "contact". Throws where it does not open. */
export async function unseal(secret, part, sealed) {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8("rabta link after 1") };
  const key = await crypto.subtle.deriveKey(how, base, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
  const opened = { name: "AES-GCM", iv: sealed.subarray(0, 12), additionalData: utf8(part) };
  return new Uint8Array(await crypto.subtle.decrypt(opened, key, sealed.subarray(12)));
}
