// Where the visit stands: all that the screens are drawn from.

import { kept } from "./link.js";

export const visit = {
  secret: null, open: "", word: null, typed: "", wrong: null,
  info: {}, told: false, doctor: "", consent: null, move: false, back: false,
  stream: null, listenOnly: false, room: null, call: null, arrived: 0, lost: 0, begun: 0, over: false, pressed: 0, rejoin() {},
  notes: new Set(), lowBattery: false, hear: false,
};

export const hasCamera = () => Boolean(visit.stream?.getVideoTracks().length);

/** Grows whenever the page goes another way, so that a late answer finds that nobody waits for it. */
let way = 0;
export const newWay = () => (way += 1);
export const isWay = (mine) => mine === way;

export function agree(how) {
  visit.consent = how;
  if (how) kept.set("consent", how); else kept.drop("consent");
}
