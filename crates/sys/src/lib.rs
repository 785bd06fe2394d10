//! The one crate where `unsafe` is allowed, each block with its SAFETY. Everything public is safe to call.

#[cfg(feature = "sqlcipher")]
pub mod sqlcipher;

#[cfg(all(feature = "tun", target_os = "linux"))]
pub mod tun;
