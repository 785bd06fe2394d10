//! A line that breaks while a server answers a transaction: once, after the server began to answer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The address of a line to `server` (`host:port`) whose first answer to a POST of the base never arrives, and whether that
/// happened.
pub async fn line(server: String, path: &str) -> Result<(String, Arc<AtomicBool>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let (cut, begins) = (Arc::new(AtomicBool::new(false)), format!("POST {path} "));
    let done = cut.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (server, begins, done) = (server.clone(), begins.clone(), done.clone());
            tokio::spawn(async move { carry(client, &server, begins.as_bytes(), &done).await });
        }
    });
    Ok((address, cut))
}

async fn carry(mut client: TcpStream, server: &str, begins: &[u8], done: &AtomicBool) -> Option<()> {
    let mut server = TcpStream::connect(server).await.ok()?;
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    let mut posted = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let read = read.ok().filter(|read| *read > 0)?;
                posted |= up[..read].starts_with(begins);
                server.write_all(&up[..read]).await.ok()?;
            }
            read = server.read(&mut down) => {
                let read = read.ok().filter(|read| *read > 0)?;
                if posted && !done.swap(true, Ordering::SeqCst) {
                    return None;
                }
                client.write_all(&down[..read]).await.ok()?;
            }
        }
    }
}
