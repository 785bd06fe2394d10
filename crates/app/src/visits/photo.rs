//! Photos of a visit: kept without EXIF, sent in parts when the visit or the ask is.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rabta_domain::visit::PhotoRef;
use rabta_ipc::{
    Error,
    visit::{AddPhoto, GetPhoto},
};
use rabta_store::{Attachment, RecordStore, Transaction};
use rabta_wire::{
    Id,
    envelope::{AttachmentPart, Kind},
    limits,
};

use crate::{Session, photos, session::new_id};

impl Session {
    pub(super) async fn add_photo(&self, add: AddPhoto) -> Result<PhotoRef, Error> {
        self.visit_draft(&add.visit).await?;
        let data = add.data.rsplit(',').next().unwrap_or_default();
        let bytes = STANDARD.decode(data).map_err(|_| Error::new("not-an-image"))?;
        // Decoding takes a second on a clinic's laptop: not on the thread that answers the window.
        let photo = tokio::task::spawn_blocking(move || photos::prepare(&bytes)).await;
        let photo = photo.map_err(|_| Error::new("not-an-image"))??;
        let kept = PhotoRef {
            id: new_id(),
            caption: add.caption,
            intimate: add.intimate,
            width: photo.width,
            height: photo.height,
        };
        self.commit(Transaction::new().put_attachment(Attachment {
            id: kept.id.clone(),
            content_type: "image/jpeg".into(),
            bytes: photo.jpeg.into(),
            thumb: photo.thumb.into(),
        }))
        .await?;
        Ok(kept)
    }

    pub(super) async fn get_photo(&self, get: GetPhoto) -> Result<rabta_domain::Private<String>, Error> {
        let kept = self.store().attachment(&get.id).await.map_err(|e| self.told(e))?;
        let kept = kept.ok_or_else(|| Error::new("not-found"))?;
        let bytes = if get.thumb && !kept.thumb.is_empty() { &kept.thumb } else { &kept.bytes };
        Ok(format!("data:{};base64,{}", kept.content_type, STANDARD.encode(&**bytes)).into())
    }

    /// Appends the parts of those photos that were not sent yet, each depending on `after` (what they belong to).
    pub(crate) async fn with_photos(
        &self,
        mut transaction: Transaction,
        photos: &[PhotoRef],
        patient: &str,
        task: Option<Id>,
        after: Id,
    ) -> Result<Transaction, Error> {
        for photo in photos {
            let mark = format!("photo-sent:{}", photo.id);
            if self.store().setting(&mark).await.map_err(|e| self.told(e))?.is_some() {
                continue;
            }
            let Some(kept) = self.store().attachment(&photo.id).await.map_err(|e| self.told(e))? else {
                continue;
            };
            let id: Id = photo.id.parse().map_err(|_| Error::detail("unexpected", "photo id"))?;
            // A part and its envelope's header stay below the limit of an envelope.
            let parts: Vec<&[u8]> = kept.bytes.chunks(limits::ATTACHMENT_PART).collect();
            for (index, bytes) in parts.iter().enumerate() {
                let part = AttachmentPart {
                    attachment: id,
                    index: index as u32,
                    count: parts.len() as u32,
                    content_type: kept.content_type.clone(),
                    bytes: bytes.to_vec().into(),
                };
                let mut envelope = self.envelope(Kind::AttachmentPart, Some(patient), part.to_bytes());
                envelope.task = task;
                envelope.depends.push(after);
                transaction = transaction.append(envelope);
            }
            transaction = transaction.set(mark, vec![1]);
        }
        Ok(transaction)
    }
}
