// Small makers of elements. Text is only ever set as text; names are cleaned of marks that turn the writing around.

import { plain, raw } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

/** `make("p", { class: "error", on: { click } }, "text", node)`. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A drawing of index.html: `p-…` are pictures, `i-…` are the signs on buttons. */
export function drawing(id, className) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#${id}`);
  svg.append(use);
  return svg;
}

/** The symbol's own class is the color of the disk behind it. */
export const picture = (name) => drawing(`p-${name}`, `picture ${document.getElementById(`p-${name}`).getAttribute("class") ?? ""}`);
export const sign = (name) => drawing(`i-${name}`, "sign");

/** A name from outside: no marks of direction, no control characters, one line, not endless. */
export const cleanName = (name) =>
  [...String(name ?? "").replace(/[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF\s]+/gu, " ").trim()].slice(0, 60).join("");

/** The same for words of several lines. */
export const cleanText = (text) =>
  [...String(text ?? "").replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n]|[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/gu, " ").replace(/\n{3,}/g, "\n\n").trim()].slice(0, 2000).join("");

/** The sentence with its holes filled by isolated names and numbers. */
export function sentence(key, values = {}) {
  return raw(key).split(/(\{\w+\})/).filter(Boolean).map((part) => {
    const hole = /^\{(\w+)\}$/.exec(part);
    return hole ? make("bdi", { "data-hole": hole[1] }, String(values[hole[1]] ?? "")) : part;
  });
}

/** `link`: an address that the phone's own programs open, in place of something to do here. */
export const button = ({ t, word, kind = "", sign: picture, press, pressed, values, link }) =>
  make(link ? "a" : "button", { type: link ? null : "button", href: link, class: link ? `link ${kind}` : kind, "data-t": t, "aria-pressed": pressed === undefined ? null : String(pressed), on: press ? { click: press } : {} },
    picture && sign(picture), make("span", {}, plain(word, values)));

export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
