//! What the page calls in a WASM program. Libraries export classes of their own that nothing here makes (wasm-streams, through
//! Leptos): they would stay, with all that they call.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Classes with these beginnings are made by nobody here.
const UNUSED: &str = "IntoUnderlying";

/// Takes the unused classes out of wasm-bindgen's script; the exports that it still names.
pub fn drop_unused(script: &Path) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(script).with_context(|| format!("reading {}", script.display()))?;
    let kept = without_classes(&text);
    fs::write(script, &kept)?;
    Ok(exports(&kept))
}

/// The graph for wasm-metadce: the page reaches these.
pub fn graph(used: &BTreeSet<String>) -> Value {
    let mut graph = vec![json!({ "name": "page", "root": true, "reaches": used })];
    graph.extend(used.iter().map(|name| json!({ "name": name, "export": name })));
    Value::Array(graph)
}

fn without_classes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // How the last line of what is left out looks.
    let mut until: Option<fn(&str) -> bool> = None;
    for line in text.lines() {
        if let Some(is_last) = until {
            if is_last(line) {
                until = None;
            }
        } else if line.starts_with(&format!("export class {UNUSED}")) {
            until = Some(|line| line == "}");
        } else if line.starts_with(&format!("const {UNUSED}")) {
            until = (!line.ends_with(';')).then_some(|line| line.ends_with(';'));
        } else if !line.starts_with(&format!("if (Symbol.dispose) {UNUSED}")) {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn exports(text: &str) -> BTreeSet<String> {
    text.match_indices("wasm.")
        .filter(|(at, _)| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.'))
        .map(|(at, dot)| {
            let rest = &text[at + dot.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            rest[..end].to_owned()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "export class IntoUnderlyingSink {\n    free() {\n        wasm.__wbg_intounderlyingsink_free(ptr, 0);\n    }\n}\n\
        if (Symbol.dispose) IntoUnderlyingSink.prototype[Symbol.dispose] = 1;\n\
        export class Session {\n    free() {\n        wasm.session_free(this.ptr);\n    }\n}\n\
        const IntoUnderlyingSinkFinalization = (typeof X === 'undefined')\n    ? {}\n    : new X(ptr => wasm.gone(ptr));\n\
        const memory = wasm.memory.buffer; let mywasm.no; a.wasm.neither;\n";

    #[test]
    fn what_nobody_makes_is_left_out_and_what_is_called_is_named() {
        let kept = without_classes(SCRIPT);
        assert!(!kept.contains("Underlying") && kept.contains("class Session"));
        assert_eq!(exports(&kept).into_iter().collect::<Vec<_>>(), ["memory", "session_free"]);
        let graph = graph(&exports(&kept));
        assert_eq!(graph[0]["reaches"], json!(["memory", "session_free"]));
        assert_eq!(graph[2], json!({ "name": "session_free", "export": "session_free" }));
    }
}
