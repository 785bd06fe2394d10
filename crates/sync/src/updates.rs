//! Fetching a new version of the program from the HIE: over the same pinned line as everything else, from any byte on.

use rabta_wire::update;
use reqwest::{Method, Response, StatusCode, header};

use crate::{HieClient, HieError};

/// The rest of a package, piece by piece.
pub struct Rest {
    answer: Response,
    /// Where it begins: what was asked for, or 0 where the server sends the file whole.
    pub from: u64,
}

impl Rest {
    /// The next bytes; `None` behind the last.
    pub async fn next(&mut self) -> Result<Option<impl AsRef<[u8]>>, HieError> {
        crate::client::next(&mut self.answer).await
    }
}

impl HieClient {
    /// The signed list and its signature. `None` where the HIE has none.
    pub async fn release(&self) -> Result<Option<(Vec<u8>, Vec<u8>)>, HieError> {
        let Some(list) = self.small(update::RELEASE).await? else { return Ok(None) };
        Ok(self.small(update::SIGNATURE).await?.map(|signature| (list, signature)))
    }

    async fn small(&self, name: &str) -> Result<Option<Vec<u8>>, HieError> {
        let path = format!("{}/{name}", update::PATH);
        match self.authorized(|| self.request(Method::GET, &path)).await {
            Ok(answer) => crate::client::bytes(answer, update::MOST).await.map(Some),
            Err(HieError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A package of the list (its name held to [`update::is_name`] by the caller), from byte `from` on.
    pub async fn package(&self, name: &str, from: u64) -> Result<Rest, HieError> {
        let path = format!("{}/{name}", update::PATH);
        let request = || self.request(Method::GET, &path).header(header::RANGE, format!("bytes={from}-"));
        let answer = self.authorized(request).await?;
        let from = if answer.status() == StatusCode::PARTIAL_CONTENT { begins(&answer, from)? } else { 0 };
        Ok(Rest { answer, from })
    }
}

/// Where a part begins, as the server says it.
fn begins(answer: &Response, asked: u64) -> Result<u64, HieError> {
    let range = answer.headers().get(header::CONTENT_RANGE).and_then(|v| v.to_str().ok());
    let from = range.and_then(|r| r.strip_prefix("bytes ")?.split('-').next()?.parse::<u64>().ok());
    from.filter(|from| *from == asked).ok_or(HieError::Malformed("another range than was asked for"))
}
