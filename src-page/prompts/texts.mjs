// What is recorded: `node texts.mjs` writes language, prompt and text, a line each; `--check` fails where said.tsv, which make.sh
// writes beside the recordings, says something else than the page's words do.

import { readFileSync } from "node:fs";
import { CALL_WORDS } from "../public/call-words.js";
import { AFTER_WORDS } from "../public/after-words.js";
import { PROMPTS } from "../public/prompts.js";

globalThis.document = { documentElement: {} };
const { addWords, plain, speakLanguage } = await import("../public/words.js");
addWords(AFTER_WORDS);
addWords(CALL_WORDS);

const DOCTOR = { en: "The doctor", ur: "ڈاکٹر" };

const lines = Object.entries(DOCTOR).flatMap(([lang, doctor]) => {
  speakLanguage(lang);
  return Object.entries(PROMPTS).map(([id, { keys, n }]) => [lang, id, keys.map((key) => plain(key, { doctor, n, name: plain("another_doctor") })).join(" ")].join("\t"));
});
const text = `${lines.join("\n")}\n`;

if (process.argv[2] !== "--check") process.stdout.write(text);
else if (readFileSync(new URL("said.tsv", import.meta.url), "utf8") !== text) {
  console.error("the recordings do not say what the page's words do: run src-page/prompts/make.sh, or record them anew");
  process.exit(1);
}
