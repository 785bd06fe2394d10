//! The admin socket: one JSON line there, one back.

use std::{
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};

use super::{Reply, Request};
use crate::App;

const LINE: u64 = 1_000_000;

/// Where the socket of a data folder is: in it, or, where that path is too long for a socket (108 bytes), under the
/// system's folder for temporary files.
pub fn path(data: &Path) -> PathBuf {
    let full = data.canonicalize().unwrap_or_else(|_| data.to_owned());
    let inside = full.join("admin.sock");
    if inside.as_os_str().len() < 100 {
        return inside;
    }
    let name = hex::encode(&Sha256::digest(full.as_os_str().as_encoded_bytes())[..12]);
    std::env::temp_dir().join(format!("rabta-hie-{name}.sock"))
}

/// Answers until the server stops.
pub fn listen(app: Arc<App>, data: &Path) -> io::Result<()> {
    let path = path(data);
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let owner = std::fs::metadata(&path)?.uid();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = app.stopping.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    // The file's mode says who may come; this also says it in the moment before that is set.
                    Ok((stream, _)) if stream.peer_cred().is_ok_and(|peer| [0, owner].contains(&peer.uid())) => {
                        drop(tokio::spawn(answer(app.clone(), stream)));
                    }
                    Ok(_) => tracing::warn!("another user knocked at the admin socket"),
                    Err(e) => tracing::warn!(error = %e, "the admin socket"),
                },
            }
        }
        let _ = std::fs::remove_file(path);
    });
    Ok(())
}

async fn answer(app: Arc<App>, stream: UnixStream) {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    if BufReader::new(reader.take(LINE)).read_line(&mut line).await.is_err() {
        return;
    }
    let reply = match serde_json::from_str::<Request>(&line) {
        Err(_) => Reply::Failed("this command is not of this version of rabta-hie".into()),
        Ok(request) => match super::run_in(&app, request).await {
            Ok(reply) => reply,
            Err(e) => Reply::Failed(e.to_string()),
        },
    };
    let mut text = serde_json::to_string(&reply).unwrap_or_default();
    text.push('\n');
    let _ = writer.write_all(text.as_bytes()).await;
}

/// Asks the server that runs on `data`.
pub async fn ask(data: &Path, request: &Request) -> io::Result<Reply> {
    let path = path(data);
    // Under a shared folder somebody else might have put a socket there.
    if std::fs::metadata(&path)?.uid() != std::fs::metadata(data)?.uid() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the admin socket belongs to another user",
        ));
    }
    let mut stream = UnixStream::connect(&path).await?;
    let mut text = serde_json::to_string(request)?;
    text.push('\n');
    stream.write_all(text.as_bytes()).await?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await?;
    Ok(serde_json::from_str(&line)?)
}
