//! Editing somebody else's resource: what we do not know stays, byte for byte.

use super::json::{Json, JsonError, items, members};

/// The object `old` (exact text) with what `new` says. `managed` members that `new` lacks go; all others stay as
/// they are. Extensions are matched by url: those in `ours` are replaced, others stay.
pub(crate) fn object(old: &str, new: &Json, managed: &[&str], ours: &[&str]) -> Result<Json, JsonError> {
    let Json::Object(wanted) = new else { return Ok(new.clone()) };
    let mut merged: Vec<(String, Json)> = Vec::new();
    for (key, text) in members(old)? {
        let value = match wanted.iter().find(|(k, _)| *k == key) {
            _ if key == "extension" => extensions(text, new, ours)?,
            Some((_, value)) if Json::parse(text)?.canonical() == value.canonical() => {
                Json::Raw(text.to_owned())
            }
            Some((_, value)) => value.clone(),
            None if managed.contains(&key.as_str()) => Json::Null,
            None => Json::Raw(text.to_owned()),
        };
        if !value.is_nothing() {
            merged.push((key, value));
        }
    }
    for (key, value) in wanted {
        if !merged.iter().any(|(k, _)| k == key) {
            merged.push((key.clone(), value.clone()));
        }
    }
    Ok(Json::Object(merged))
}

/// The extension array `old` without ours, then those of `new`.
pub(crate) fn extensions(old: &str, new: &Json, ours: &[&str]) -> Result<Json, JsonError> {
    let mut all = Vec::new();
    for text in items(old)? {
        if !ours.contains(&Json::parse(text)?.str("url")) {
            all.push(Json::Raw(text.to_owned()));
        }
    }
    all.extend(new.items("extension").iter().cloned());
    Ok(Json::Array(all))
}

/// The array `old` with our elements replaced by `new`: an old one that `same` as a new one is merged with it,
/// other old ones stay where `ours` says no and go where it says yes.
pub(crate) fn array(
    old: &str,
    new: &[Json],
    same: impl Fn(&Json, &Json) -> bool,
    ours: impl Fn(usize, &Json) -> bool,
    merge: impl Fn(&str, &Json) -> Result<Json, JsonError>,
) -> Result<Json, JsonError> {
    let old: Vec<(&str, Json)> =
        items(old)?.into_iter().map(|t| Ok((t, Json::parse(t)?))).collect::<Result<_, JsonError>>()?;
    let mut used = vec![false; old.len()];
    let mut all = Vec::new();
    for item in new {
        match (0..old.len()).find(|&i| !used[i] && same(&old[i].1, item)) {
            Some(i) => {
                used[i] = true;
                all.push(merge(old[i].0, item)?);
            }
            None => all.push(item.clone()),
        }
    }
    let kept = (0..old.len()).filter(|&i| !used[i] && !ours(i, &old[i].1));
    all.extend(kept.map(|i| Json::Raw(old[i].0.to_owned())));
    Ok(Json::Array(all))
}
