import init from "./gate.js";
init({ module_or_path: new URL("./gate_bg.wasm", import.meta.url) });
