//! The `rabta-hie` program: serves, or does an operator's command.

use clap::Parser as _;
use rabta_hie::cli::{Cli, Command, Unwell, as_owner, operate};

#[tokio::main]
async fn main() -> std::process::ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("RABTA_LOG")
                .unwrap_or_else(|_| "info,sqlx=warn".into()),
        )
        .init();
    let result = match Cli::parse().command {
        Command::Serve(serve) => run(serve.config()).await,
        command => operate(command).await.map(|text| print(&text)),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(e) => {
            match e.downcast_ref() {
                Some(Unwell(found)) => print(found),
                None => tracing::error!("{e:#}"),
            }
            std::process::ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout)]
fn print(text: &str) {
    println!("{text}");
}

async fn run(config: rabta_hie::Config) -> anyhow::Result<()> {
    as_owner(&config.data)?;
    let handle = rabta_hie::serve(config).await?;
    let pin: String = handle.spki_sha256.iter().map(|b| format!("{b:02x}")).collect();
    print(&format!(r#"{{"listening":"{}","spki_sha256":"{pin}"}}"#, handle.addr));
    stopped().await?;
    handle.shutdown().await;
    Ok(())
}

/// Until SIGTERM or Ctrl-C.
async fn stopped() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut term = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = term.recv() => Ok(()),
            done = tokio::signal::ctrl_c() => done,
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
