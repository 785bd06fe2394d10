//! A PDF read back with poppler's tools (Debian: poppler-utils).
#![allow(dead_code)]

use std::{
    collections::BTreeSet,
    io::Write,
    process::{Command, Stdio},
};

pub fn poppler(tool: &str, args: &[&str], pdf: &[u8]) -> String {
    String::from_utf8_lossy(&raw(tool, args, pdf)).into_owned()
}

fn raw(tool: &str, args: &[&str], pdf: &[u8]) -> Vec<u8> {
    let mut child = Command::new(tool)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Old poppler does not know every key of a tagged PDF, and says so.
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{tool} of poppler-utils does not start: {e}"));
    let mut stdin = child.stdin.take().expect("piped");
    let pdf = pdf.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&pdf));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads all");
    assert!(output.status.success(), "{tool} refused the PDF");
    output.stdout
}

pub fn text(pdf: &[u8]) -> String {
    poppler("pdftotext", &["-layout", "-", "-"], pdf)
}

pub fn pages(pdf: &[u8]) -> usize {
    let info = poppler("pdfinfo", &["-"], pdf);
    info.lines().find_map(|l| l.strip_prefix("Pages:")).expect("a count").trim().parse().expect("a number")
}

/// The text with single spaces: a narrow page breaks lines elsewhere.
pub fn flat(pdf: &[u8]) -> String {
    let page = poppler("pdftotext", &["-", "-"], pdf);
    page.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Width and height of the first page, in millimeters.
pub fn size_mm(pdf: &[u8]) -> (f64, f64) {
    let info = poppler("pdfinfo", &["-"], pdf);
    let size = info.lines().find_map(|l| l.strip_prefix("Page size:")).expect("a size");
    let mut points = size.split_whitespace().filter_map(|word| word.parse::<f64>().ok());
    let mut next = || points.next().expect("two numbers") * 25.4 / 72.0;
    (next(), next())
}

/// Dots an inch of a thermal head.
pub const THERMAL: u32 = 203;

/// The first page at `dpi`: width, height, gray values. `smooth`: as a camera sees it, else as a thermal head's dots.
pub fn raster(pdf: &[u8], dpi: u32, smooth: bool) -> (usize, usize, Vec<u8>) {
    let (aa, dpi) = (if smooth { "yes" } else { "no" }, dpi.to_string());
    let args = ["-r", &dpi, "-gray", "-aa", aa, "-aaVector", aa, "-f", "1", "-l", "1", "-"];
    let pgm = raw("pdftoppm", &args, pdf);
    // "P5", width, height and 255, each ended by one white space; then one byte a pixel.
    let ends: Vec<usize> = (0..pgm.len()).filter(|i| pgm[*i].is_ascii_whitespace()).take(4).collect();
    let word = |from: usize, to: usize| String::from_utf8_lossy(&pgm[from..to]).into_owned();
    assert_eq!((word(0, ends[0]).as_str(), word(ends[2] + 1, ends[3]).as_str()), ("P5", "255"));
    let number = |n: usize| word(ends[n] + 1, ends[n + 1]).parse::<usize>().expect("a number");
    let (width, height, pixels) = (number(0), number(1), pgm[ends[3] + 1..].to_vec());
    assert_eq!(pixels.len(), width * height);
    (width, height, pixels)
}

/// All gray values of the first page.
pub fn gray_levels(pdf: &[u8]) -> Vec<u8> {
    raster(pdf, THERMAL, false).2.into_iter().collect::<BTreeSet<u8>>().into_iter().collect()
}

/// Leaves the page in the folder that `RABTA_PRINT_LOOK` names, for somebody's eyes.
pub fn look(name: &str, pdf: &[u8]) {
    if let Some(folder) = std::env::var_os("RABTA_PRINT_LOOK") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.pdf")), pdf).expect("a folder");
    }
}
