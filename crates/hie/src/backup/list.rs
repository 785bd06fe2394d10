//! The backups that were made from this database, as the operator's page shows them.

use std::path::{Path, PathBuf};

use sqlx::SqliteConnection;

use super::Made;

/// One that no newer one has taken the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its manifest.
    pub file: PathBuf,
    /// Milliseconds since 1970.
    pub made_at: i64,
    /// Of the database's file.
    pub bytes: u64,
    /// Of pieces that earlier backups did not have.
    pub new_bytes: u64,
    /// Its manifest is in its folder now, as the HIE sees it.
    pub there: bool,
}

/// Notes one that was read back whole, and those whose place it took.
pub(super) async fn note(
    tx: &mut SqliteConnection,
    folder: &Path,
    made: &Made,
    removed: &[PathBuf],
    now: i64,
) -> Result<(), sqlx::Error> {
    let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = folder.to_string_lossy().into_owned();
    for file in removed {
        sqlx::query("UPDATE backup SET removed = 1 WHERE folder = ? AND name = ?")
            .bind(&folder)
            .bind(name(file))
            .execute(&mut *tx)
            .await?;
    }
    let sql = "INSERT INTO backup (folder, name, made_at, seq, bytes, new_bytes) VALUES (?, ?, ?, ?, ?, ?)";
    sqlx::query(sql)
        .bind(folder)
        .bind(name(&made.file))
        .bind(now)
        .bind(made.seq.cast_signed())
        .bind(made.bytes.cast_signed())
        .bind(made.new_bytes.cast_signed())
        .execute(tx)
        .await?;
    Ok(())
}

/// At most `most` of them, the newest first.
pub async fn kept(db: &mut SqliteConnection, most: u32) -> Result<Vec<Kept>, sqlx::Error> {
    let sql = "SELECT folder, name, made_at, bytes, new_bytes FROM backup WHERE removed = 0 ORDER BY id DESC LIMIT ?";
    let rows: Vec<(String, String, i64, i64, i64)> = sqlx::query_as(sql).bind(most).fetch_all(db).await?;
    let kept = rows.into_iter().map(|(folder, name, made_at, bytes, new_bytes)| {
        let file = Path::new(&folder).join(name);
        let there = file.is_file();
        Kept { file, made_at, bytes: bytes.unsigned_abs(), new_bytes: new_bytes.unsigned_abs(), there }
    });
    Ok(kept.collect())
}
