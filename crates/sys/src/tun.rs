//! A TUN device: a network interface whose packets are read from and written to a file.
//!
//! Source: the kernel's Documentation/networking/tuntap.rst.

#![allow(unsafe_code)]

use std::{
    fs::{File, OpenOptions},
    io,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
};

/// Makes the interface `name` (1 to 15 bytes), down and without an address; it goes when the file is closed. Each read
/// of the file gives, each write takes, one IP packet without any header before it; neither blocks.
///
/// # Errors
/// What the kernel says: no right (`EPERM`), no such device, a name that is taken (`EBUSY`) or too long (`EINVAL`).
pub fn open(name: &str) -> io::Result<File> {
    if name.is_empty() || name.len() >= libc::IFNAMSIZ || name.bytes().any(|b| b == 0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let file =
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
    // SAFETY: all fields of `ifreq` are integers, arrays of them, or pointers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed();
    }
    // Both are below 2^15.
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: the descriptor is open for as long as `file` lives; TUNSETIFF reads and writes one `ifreq`, which
    // `request` is, and keeps no pointer to it.
    let code = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    if code < 0 { Err(io::Error::last_os_error()) } else { Ok(file) }
}
