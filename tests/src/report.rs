//! The page that tells a run's story: each chapter with its pictures and times.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::window::Window;

/// Collects the story while it happens and writes `report.html` with its pictures beside it.
pub struct Report {
    folder: PathBuf,
    chapters: Vec<Chapter>,
    started: Instant,
    /// What the chapters measured, as (what, value).
    pub figures: Vec<(String, String)>,
}

struct Chapter {
    name: String,
    title: String,
    took: Option<Duration>,
    pictures: Vec<Picture>,
}

struct Picture {
    file: String,
    caption: String,
    narrow: bool,
}

impl Report {
    pub fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder.join("pictures"))?;
        let folder = folder.to_owned();
        Ok(Self { folder, chapters: Vec::new(), started: Instant::now(), figures: Vec::new() })
    }

    pub fn file(&self) -> PathBuf {
        self.folder.join("report.html")
    }

    /// Begins a chapter: a short name for machines, a title for people.
    pub fn begin(&mut self, name: &str, title: &str) {
        eprintln!("==> {title}");
        let chapter =
            Chapter { name: name.to_owned(), title: title.to_owned(), took: None, pictures: Vec::new() };
        self.chapters.push(chapter);
    }

    /// Ends it, with the time that it took.
    pub fn end(&mut self, took: Duration) {
        if let Some(chapter) = self.chapters.last_mut() {
            chapter.took = Some(took);
            eprintln!("    done in {} ms", took.as_millis());
        }
    }

    /// The chapter that runs, or the last.
    pub fn step(&self) -> &str {
        self.chapters.last().map_or("start", |c| c.name.as_str())
    }

    /// Adds a picture of the window as it is.
    pub async fn shoot(&mut self, window: &Window, caption: &str) -> Result<()> {
        window.settled().await?;
        window.pictured().await?;
        let png = window.screenshot().await.with_context(|| format!("a picture of {}", window.name()))?;
        self.add(window.name(), png, caption)
    }

    /// Adds a picture, a PNG, of what `of` shows.
    pub fn add(&mut self, of: &str, png: Vec<u8>, caption: &str) -> Result<()> {
        let number: usize = self.chapters.iter().map(|c| c.pictures.len()).sum();
        let width = width_of(&png).context("the picture is not a PNG")?;
        let file = format!("pictures/{:02}-{}-{}.png", number + 1, self.step(), of);
        fs::write(self.folder.join(&file), png)?;
        let picture = Picture { file, caption: caption.to_owned(), narrow: width < 760 };
        self.chapters.last_mut().context("a chapter was begun")?.pictures.push(picture);
        Ok(())
    }

    /// `[{"name":…,"ms":…}]` of the chapters that ended.
    pub fn steps(&self) -> Value {
        let of = |c: &Chapter| c.took.map(|took| json!({ "name": c.name, "ms": took.as_millis() as u64 }));
        self.chapters.iter().filter_map(of).collect()
    }

    /// Writes the page. `wrong` is what stopped the run, if something did.
    pub fn write(&self, wrong: Option<&str>) -> Result<PathBuf> {
        let mut page = String::from(HEAD);
        let total = self.started.elapsed().as_secs();
        let _ = write!(
            page,
            "<h1>One visit, from no network to signed advice</h1><p class=lead>Played through the real \
            windows against the real server in {} min {} s. Nobody in it exists.</p>",
            total / 60,
            total % 60
        );
        if let Some(wrong) = wrong {
            let _ = write!(
                page,
                "<p class=wrong><b>Stopped at \u{201c}{}\u{201d}:</b> {}</p>",
                escape(self.step()),
                escape(wrong)
            );
        }
        if !self.figures.is_empty() {
            page.push_str("<dl>");
            for (what, value) in &self.figures {
                let _ = write!(page, "<div><dt>{}</dt><dd>{}</dd></div>", escape(what), escape(value));
            }
            page.push_str("</dl>");
        }
        for (number, chapter) in self.chapters.iter().enumerate() {
            let took =
                chapter.took.map_or("not finished".to_owned(), |t| format!("{:.1} s", t.as_secs_f64()));
            let _ = write!(
                page,
                "<section id=\"{}\"><h2><span>{}</span>{}<small>{took}</small></h2><div class=row>",
                escape(&chapter.name),
                number + 1,
                escape(&chapter.title)
            );
            for picture in &chapter.pictures {
                let class = if picture.narrow { "narrow" } else { "wide" };
                let (file, caption) = (escape(&picture.file), escape(&picture.caption));
                let _ = write!(
                    page,
                    "<figure class={class}><a href=\"{file}\"><img loading=lazy src=\"{file}\" alt=\"{caption}\"></a>\
                    <figcaption>{caption}</figcaption></figure>"
                );
            }
            page.push_str("</div></section>");
        }
        page.push_str("</main></body></html>\n");
        fs::write(self.file(), page)?;
        Ok(self.file())
    }
}

/// A PNG's width stands in its first chunk.
fn width_of(png: &[u8]) -> Option<u32> {
    let bytes = png.get(16..20)?;
    png.starts_with(b"\x89PNG").then(|| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const HEAD: &str = r#"<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Rabta: the main job</title><style>
:root{color-scheme:light;--ink:#1f2623;--soft:#5d6763;--line:#e1ded7;--teal:#0b5d5b;--paper:#faf9f6}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 "Atkinson Hyperlegible Next","Atkinson Hyperlegible",system-ui,sans-serif}
main{max-width:1440px;margin:0 auto;padding:48px 24px 96px}h1{font-size:34px;line-height:1.2;margin:0 0 8px}
.lead{color:var(--soft);margin:0 0 32px;font-size:18px}.wrong{border:2px solid #a4262c;border-radius:8px;padding:12px 16px;background:#fff}
dl{display:flex;flex-wrap:wrap;gap:12px;margin:0 0 40px}dl div{background:#fff;border:1px solid var(--line);border-radius:8px;padding:10px 16px}
dt{color:var(--soft);font-size:14px}dd{margin:0;font-size:22px;font-variant-numeric:tabular-nums}
section{border-top:1px solid var(--line);padding:32px 0 8px}h2{display:flex;align-items:baseline;gap:12px;font-size:22px;margin:0 0 16px}
h2 span{background:var(--teal);color:#fff;border-radius:99px;min-width:32px;text-align:center;font-size:16px;line-height:32px}
h2 small{color:var(--soft);font-weight:400;font-size:15px;margin-inline-start:auto;font-variant-numeric:tabular-nums}
.row{display:flex;flex-wrap:wrap;gap:24px;align-items:flex-start}figure{margin:0 0 16px}figure.wide{flex:1 1 560px;max-width:690px}figure.narrow{flex:0 0 240px}
img{width:100%;display:block;border:1px solid var(--line);border-radius:8px;background:#fff}figcaption{color:var(--soft);font-size:15px;margin-top:6px}
</style></head><body><main>
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_where_a_run_stopped_and_no_text_becomes_markup() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut report = Report::new(folder.path()).expect("a report");
        report.begin("set-up", "Joining <the> clinic");
        report.end(Duration::from_millis(1200));
        report.begin("visit", "A visit");
        let page = fs::read_to_string(report.write(Some("no <button>")).expect("written")).expect("a page");
        assert!(page.contains("Joining &lt;the&gt; clinic") && page.contains("no &lt;button&gt;"));
        assert!(page.contains("Stopped at \u{201c}visit\u{201d}"));
        assert_eq!(report.steps(), json!([{ "name": "set-up", "ms": 1200 }]));
    }
}
