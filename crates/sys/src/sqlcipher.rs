//! Gives an SQLCipher connection its raw key by `sqlite3_key_v2`.
//!
//! The other way, `PRAGMA key`, is a statement like any other: its text is copied by the driver and by SQLite's
//! parser, and those copies stay in freed memory. SQLCipher itself wipes its own.

#![allow(unsafe_code)]

use std::{ffi::c_int, sync::Once};

use sqlx::sqlite::LockedSqliteHandle;

/// SQLite's result code, where it was not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub i32);

/// Initializes SQLite and SQLCipher, once. Call it before the first connection: SQLite calls itself initialized
/// before SQLCipher is, so that of two first connections at the same time one is refused ("sqlcipher not
/// initialized").
pub fn initialize() {
    static ONCE: Once = Once::new();
    // SAFETY: sqlite3_initialize takes nothing, may be called from any thread and repeatedly. atexit takes a function
    // that lives as long as the program, does not unwind and ends.
    ONCE.call_once(|| unsafe {
        libsqlite3_sys::sqlite3_initialize();
        #[cfg(target_os = "linux")]
        atexit(wait_for_connections);
    });
}

#[cfg(target_os = "linux")]
unsafe extern "C" {
    /// C11, section 7.22.4.2.
    fn atexit(last: extern "C" fn()) -> c_int;
}

/// SQLCipher frees its heap and its locks when the program ends, whether or not a connection is being closed by its
/// worker's thread at that moment (then the C library aborts: "double free or corruption"). This runs before that, being
/// registered after it, and gives those threads the moment that they need.
#[cfg(target_os = "linux")]
extern "C" fn wait_for_connections() {
    use std::{fs, thread, time::Duration};

    /// As the driver names them, cut as Linux cuts names.
    const WORKER: &str = "sqlx-sqlite-wor";
    let works = || {
        let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        tasks
            .filter_map(|task| fs::read_to_string(task.path().join("comm")).ok())
            .any(|name| name.trim_end() == WORKER)
    };
    // A connection that stays open to the end does nothing: it is not waited for longer.
    for _ in 0..50 {
        if !works() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Keys the main database of a connection on which nothing was read or written yet. `spec` is SQLCipher's raw key
/// form, `x'` + 64 hexadecimal digits + `'`, no NUL at the end; the caller wipes it.
///
/// A wrong key is not noticed here but at the first read (code 26, "file is not a database").
pub fn key(connection: &mut LockedSqliteHandle<'_>, spec: &[u8]) -> Result<(), Code> {
    let length = c_int::try_from(spec.len()).map_err(|_| Code(libsqlite3_sys::SQLITE_TOOBIG))?;
    let handle = connection.as_raw_handle();
    // SAFETY: the lock guarantees that `handle` is an open connection that nobody else uses meanwhile; "main" ends
    // with a NUL; `spec` is `length` bytes long, and SQLCipher copies it before it returns.
    let code = unsafe {
        libsqlite3_sys::sqlite3_key_v2(handle.as_ptr(), c"main".as_ptr(), spec.as_ptr().cast(), length)
    };
    if code == libsqlite3_sys::SQLITE_OK { Ok(()) } else { Err(Code(code)) }
}

/// Encrypts every page of the main database of a keyed connection anew under another raw key, in one transaction. `spec`
/// as in [`key`]. Not for a database that others have open, nor for one in WAL mode: only for a copy that is nobody's yet.
pub fn rekey(connection: &mut LockedSqliteHandle<'_>, spec: &[u8]) -> Result<(), Code> {
    let length = c_int::try_from(spec.len()).map_err(|_| Code(libsqlite3_sys::SQLITE_TOOBIG))?;
    let handle = connection.as_raw_handle();
    // SAFETY: as in `key`.
    let code = unsafe {
        libsqlite3_sys::sqlite3_rekey_v2(handle.as_ptr(), c"main".as_ptr(), spec.as_ptr().cast(), length)
    };
    if code == libsqlite3_sys::SQLITE_OK { Ok(()) } else { Err(Code(code)) }
}
