// What the phone is and does around the call: its browser, battery, screen, camera and microphone.

import { wholeLink } from "./link.js";

export const supported = () =>
  Boolean(window.isSecureContext && window.RTCPeerConnection && window.WebAssembly && window.crypto?.subtle && window.crypto.randomUUID && window.WebSocket);

/** A browser inside another app (a chat's, say) of an Android phone; Chrome can be asked for by name there. */
export const insideAnApp = () => /Android/.test(navigator.userAgent) && /; wv\)|FBAN|FBAV|Instagram|Line\/|MicroMessenger|WhatsApp|Twitter|Snapchat/.test(navigator.userAgent);

/** Whether Chrome can be asked for: an Android phone, in another browser or another app's own. */
export const hasChrome = () => /Android/.test(navigator.userAgent) && (insideAnApp() || !/Chrome\/\d+/.test(navigator.userAgent) || /OPR\/|SamsungBrowser|UCBrowser|EdgA/.test(navigator.userAgent));

/** For other browsers: the person pastes it there. */
export async function copyLink() {
  const link = `https://${wholeLink()}`;
  if (navigator.clipboard) return navigator.clipboard.writeText(link);
  const field = Object.assign(document.createElement("textarea"), { value: link, readOnly: true });
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("copy");
}

/** Made at the press and not before, so that the secret is in no element of the page. */
export const openInChrome = () => { location.href = `intent://${wholeLink()}#Intent;scheme=https;package=com.android.chrome;end`; };

/** Tells `onChange` when the battery becomes low or is no longer so. */
export async function watchBattery(onChange) {
  const battery = await navigator.getBattery?.().catch(() => null);
  if (!battery) return;
  let was = false;
  const look = () => {
    const low = battery.level <= 0.15 && !battery.charging;
    if (low !== was) onChange((was = low));
  };
  battery.addEventListener("levelchange", look);
  battery.addEventListener("chargingchange", look);
  look();
}

let lock = null;
let awake = false;

/** The system drops the lock whenever the tab is put away: call this again when it comes back. */
export async function keepAwake(on = awake) {
  awake = on;
  if (!on) {
    lock?.release().catch(() => {});
    lock = null;
  } else if (navigator.wakeLock && (!lock || lock.released)) {
    lock = await navigator.wakeLock.request("screen").catch(() => null);
    if (!awake) keepAwake(false);
  }
}

const VOICE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const PICTURE = { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 15, max: 24 } };

/** Answers `{ stream, camera, microphone }`; each of the last two is "ok", "refused", "busy" or (camera) "unasked". */
export async function askForMedia(withCamera) {
  const ask = async (what) => navigator.mediaDevices.getUserMedia(what);
  if (withCamera) {
    const both = await ask({ audio: VOICE, video: PICTURE }).catch(() => null);
    if (both) return { stream: both, camera: "ok", microphone: "ok" };
  }
  const camera = withCamera ? "refused" : "unasked";
  try {
    return { stream: await ask({ audio: VOICE }), camera, microphone: "ok" };
  } catch (why) {
    return { stream: null, camera, microphone: why.name === "NotReadableError" || why.name === "AbortError" ? "busy" : "refused" };
  }
}

export const stopMedia = (stream) => stream?.getTracks().forEach((track) => track.stop());
