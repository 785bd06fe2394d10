//! Rows of the device's and the persons' sealed keys. What is in them is the vault's business.

use rabta_wire::Id;

use super::{connect::get, sql, store::SqliteStore, write};
use crate::{error::StoreError, transaction::Transaction};

/// A sealed secret key and its public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedRow {
    pub nonce: Vec<u8>,
    pub sealed: Vec<u8>,
    pub public: Vec<u8>,
}

impl SqliteStore {
    pub(crate) async fn device_key(&self) -> Result<Option<SealedRow>, StoreError> {
        let mut reader = self.reader().await?;
        let row = sqlx::query(sql::DEVICE_KEY).fetch_optional(reader.connection()).await?;
        row.map(|row| Ok(SealedRow { nonce: get(&row, 0)?, sealed: get(&row, 1)?, public: get(&row, 2)? }))
            .transpose()
    }

    pub(crate) async fn put_device_key(&self, row: SealedRow) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let done = sqlx::query(sql::PUT_DEVICE_KEY)
            .bind(row.nonce)
            .bind(row.sealed)
            .bind(row.public)
            .execute(connection)
            .await;
        writer.finish(done.map(|_| ()).map_err(StoreError::from)).await
    }

    pub(crate) async fn person_key(&self, person: Id, kind: &str) -> Result<Option<SealedRow>, StoreError> {
        let mut reader = self.reader().await?;
        let query = sqlx::query(sql::PERSON_KEY).bind(person.0.to_vec()).bind(kind);
        let row = query.fetch_optional(reader.connection()).await?;
        row.map(|row| Ok(SealedRow { nonce: get(&row, 0)?, sealed: get(&row, 1)?, public: get(&row, 2)? }))
            .transpose()
    }

    /// Both wraps of a person's key, together.
    pub(crate) async fn put_person_keys(
        &self,
        person: Id,
        rows: Vec<(String, SealedRow)>,
    ) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let mut done = Ok(());
        for (kind, row) in rows {
            let query = sqlx::query(sql::PUT_PERSON_KEY)
                .bind(person.0.to_vec())
                .bind(kind)
                .bind(row.nonce)
                .bind(row.sealed)
                .bind(row.public);
            done = done.and(query.execute(&mut *connection).await.map(|_| ()).map_err(StoreError::from));
        }
        writer.finish(done).await
    }

    /// Forgets a person's rows but these.
    pub(crate) async fn keep_person_keys(&self, person: Id, kept: Vec<String>) -> Result<(), StoreError> {
        let kept = serde_json::to_string(&kept).expect("strings are JSON");
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let done =
            sqlx::query(sql::KEEP_PERSON_KEYS).bind(person.0.to_vec()).bind(kept).execute(connection).await;
        writer.finish(done.map(|_| ()).map_err(StoreError::from)).await
    }

    /// Salt and verifier of a person's PIN.
    pub(crate) async fn pin(&self, person: Id) -> Result<Option<(Vec<u8>, Vec<u8>)>, StoreError> {
        let mut reader = self.reader().await?;
        let row = sqlx::query(sql::PIN).bind(person.0.to_vec()).fetch_optional(reader.connection()).await?;
        row.map(|row| Ok((get(&row, 0)?, get(&row, 1)?))).transpose()
    }

    /// This laptop becomes another device, in one transaction: its key, a new life of the log, none of the old numbers, and
    /// what else `with` says.
    pub(crate) async fn become_device(&self, row: SealedRow, with: Transaction) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let done = async {
            sqlx::query(sql::PUT_DEVICE_KEY)
                .bind(row.nonce)
                .bind(row.sealed)
                .bind(row.public)
                .execute(&mut *connection)
                .await?;
            let epoch = write::log_head(connection).await?.epoch + 1;
            write::set(connection, write::LOG_EPOCH, epoch.to_be_bytes().to_vec()).await?;
            write::ops(connection, Transaction::new().close_mr_blocks().ops, None).await?;
            write::ops(connection, with.ops, None).await
        }
        .await;
        writer.finish(done.map(|_| ())).await
    }

    pub(crate) async fn drop_pin(&self, person: Id) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let done = sqlx::query(sql::DROP_PIN).bind(person.0.to_vec()).execute(connection).await;
        writer.finish(done.map(|_| ()).map_err(StoreError::from)).await
    }

    pub(crate) async fn put_pin(&self, person: Id, salt: Vec<u8>, hash: Vec<u8>) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let done =
            sqlx::query(sql::PUT_PIN).bind(person.0.to_vec()).bind(salt).bind(hash).execute(connection).await;
        writer.finish(done.map(|_| ()).map_err(StoreError::from)).await
    }
}
