//! Asks a window to close, as the cross in its corner does: the few requests of the X11 protocol that this takes, since
//! a hidden screen has no window manager and WebDriver only ends the process. (X Window System Protocol, version 11;
//! ICCCM, section 4.2.8.1.)

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
};

use anyhow::{Context, Result, bail, ensure};

const GET_GEOMETRY: u8 = 14;
const GET_IMAGE: u8 = 73;
const GET_WINDOW_PROPERTY: u8 = 20;
const INTERN_ATOM: u8 = 16;
const QUERY_TREE: u8 = 15;
const SEND_EVENT: u8 = 25;
const CLIENT_MESSAGE: u8 = 33;

/// Sends WM_DELETE_WINDOW to the windows of the process `pid` on `display`, such as `:7`.
pub fn ask_to_close(display: &str, pid: u32) -> Result<()> {
    let mut server = Server::connect(display)?;
    let protocols = server.atom("WM_PROTOCOLS")?;
    let delete = server.atom("WM_DELETE_WINDOW")?;
    let owner = server.atom("_NET_WM_PID")?;
    let mut asked = 0;
    for window in server.children(server.root)? {
        let its = server.property(window, owner)?.first() == Some(&pid);
        if its && server.property(window, protocols)?.contains(&delete) {
            server.send(window, protocols, delete)?;
            asked += 1;
        }
    }
    ensure!(asked > 0, "the process {pid} has no window on {display}");
    // An answer to a later request: the server has carried out the earlier ones.
    server.atom("WM_PROTOCOLS").map(drop)
}

/// What the window of the process `pid` shows on `display`, as a PNG. WebKit's driver has no picture of a page that is
/// painted by the CPU: it waits for one forever.
pub fn picture(display: &str, pid: u32) -> Result<Vec<u8>> {
    let mut server = Server::connect(display)?;
    let owner = server.atom("_NET_WM_PID")?;
    let mut largest = (0, 0, 0);
    for window in server.children(server.root)? {
        if server.property(window, owner)?.first() == Some(&pid) {
            let answer = server.ask(GET_GEOMETRY, window.to_le_bytes().to_vec())?;
            let (width, height) = (u16_at(&answer, 16)?, u16_at(&answer, 18)?);
            largest = largest.max((width, height, window));
        }
    }
    let (width, height, window) = largest;
    ensure!(window != 0, "the process {pid} has no window on {display}");
    let pixels = server.pixels(window, width, height)?;
    let image =
        image::RgbImage::from_raw(width.into(), height.into(), pixels).context("pixels are missing")?;
    let mut png = std::io::Cursor::new(Vec::new());
    image.write_to(&mut png, image::ImageFormat::Png)?;
    Ok(png.into_inner())
}

struct Server {
    line: UnixStream,
    root: u32,
}

impl Server {
    fn connect(display: &str) -> Result<Self> {
        let number = display.trim_start_matches(':').split('.').next().unwrap_or_default();
        let mut line = UnixStream::connect(format!("/tmp/.X11-unix/X{number}"))
            .with_context(|| format!("the screen {display}"))?;
        // Little-endian, version 11.0, without authorization.
        line.write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        let head = read(&mut line, 8)?;
        let body = read(&mut line, 4 * usize::from(u16_at(&head, 6)?))?;
        ensure!(head[0] == 1, "the screen {display} takes no clients");
        let vendor = usize::from(u16_at(&body, 16)?).next_multiple_of(4);
        let formats = usize::from(*body.get(21).context("a setup reply")?) * 8;
        let root = u32_at(&body, 32 + vendor + formats)?;
        Ok(Self { line, root })
    }

    fn atom(&mut self, name: &str) -> Result<u32> {
        let length = u16::try_from(name.len())?;
        let mut request = [length.to_le_bytes(), [0, 0]].concat();
        request.extend(name.as_bytes());
        u32_at(&self.ask(INTERN_ATOM, request)?, 8)
    }

    fn children(&mut self, window: u32) -> Result<Vec<u32>> {
        let answer = self.ask(QUERY_TREE, window.to_le_bytes().to_vec())?;
        let count = usize::from(u16_at(&answer, 16)?);
        (0..count).map(|n| u32_at(&answer, 32 + 4 * n)).collect()
    }

    /// A property of 32-bit values; empty where there is none.
    fn property(&mut self, window: u32, name: u32) -> Result<Vec<u32>> {
        const MOST: u32 = 64;
        let request = [window, name, 0, 0, MOST].into_iter().flat_map(u32::to_le_bytes).collect();
        let answer = self.ask(GET_WINDOW_PROPERTY, request)?;
        let count = if answer[1] == 32 { u32_at(&answer, 16)? as usize } else { 0 };
        (0..count).map(|n| u32_at(&answer, 32 + 4 * n)).collect()
    }

    /// Red, green, blue of each pixel, from a screen of 24 bits in 32, little-endian.
    fn pixels(&mut self, window: u32, width: u16, height: u16) -> Result<Vec<u8>> {
        const Z_PIXMAP: u8 = 2;
        let mut request = window.to_le_bytes().to_vec();
        request.extend([0, 0, width, height].into_iter().flat_map(u16::to_le_bytes));
        request.extend(u32::MAX.to_le_bytes());
        self.request_with(GET_IMAGE, Z_PIXMAP, request)?;
        let answer = self.answer()?;
        ensure!(answer[1] == 24, "the screen has {} bits a pixel", answer[1]);
        Ok(answer[32..].chunks_exact(4).flat_map(|p| [p[2], p[1], p[0]]).collect())
    }

    fn send(&mut self, window: u32, kind: u32, what: u32) -> Result<()> {
        let mut request = [window, 0].map(u32::to_le_bytes).concat();
        request.extend([CLIENT_MESSAGE, 32, 0, 0]);
        request.extend([window, kind, what, 0, 0, 0, 0].into_iter().flat_map(u32::to_le_bytes));
        self.request(SEND_EVENT, request)
    }

    fn request(&mut self, opcode: u8, body: Vec<u8>) -> Result<()> {
        self.request_with(opcode, 0, body)
    }

    fn request_with(&mut self, opcode: u8, data: u8, mut body: Vec<u8>) -> Result<()> {
        body.resize(body.len().next_multiple_of(4), 0);
        let length = u16::try_from(body.len() / 4 + 1)?.to_le_bytes();
        self.line.write_all(&[opcode, data, length[0], length[1]])?;
        Ok(self.line.write_all(&body)?)
    }

    /// A request's whole reply.
    fn ask(&mut self, opcode: u8, body: Vec<u8>) -> Result<Vec<u8>> {
        self.request(opcode, body)?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Vec<u8>> {
        loop {
            let mut answer = read(&mut self.line, 32)?;
            match answer[0] {
                0 => bail!("the screen refused a request: error {}", answer[1]),
                1 => {
                    let more = u32_at(&answer, 4)? as usize * 4;
                    answer.extend(read(&mut self.line, more)?);
                    return Ok(answer);
                }
                // An event that nobody asked for.
                _ => {}
            }
        }
    }
}

fn read(line: &mut UnixStream, count: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    line.read_exact(&mut bytes).context("the screen's answer")?;
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16> {
    let part = bytes.get(at..at + 2).context("a short answer")?;
    Ok(u16::from_le_bytes(part.try_into()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    let part = bytes.get(at..at + 4).context("a short answer")?;
    Ok(u32::from_le_bytes(part.try_into()?))
}
