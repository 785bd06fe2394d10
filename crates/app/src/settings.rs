//! What is chosen before any vault is open: language and theme. Nothing of a patient.

use std::{fs, io, path::Path};

use rabta_ipc::gate::Lang;
use serde::{Deserialize, Serialize};

const FILE: &str = "settings.json";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub lang: Option<Lang>,
    pub theme: String,
}

impl Settings {
    /// The saved choice; the default where there is none or it cannot be read (a language is chosen again easily).
    pub fn load(folder: &Path) -> Self {
        fs::read(folder.join(FILE)).ok().and_then(|b| serde_json::from_slice(&b).ok()).unwrap_or_default()
    }

    /// Replaces the file whole, so that a power cut leaves the old or the new one.
    pub fn save(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let fresh = folder.join("settings.json.new");
        let file = fs::File::create(&fresh)?;
        serde_json::to_writer(&file, self)?;
        file.sync_all()?;
        fs::rename(fresh, folder.join(FILE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_there_after_a_restart_and_garbage_is_no_choice() {
        let folder = tempfile::tempdir().expect("a folder");
        let chosen = Settings { lang: Some(Lang::Ur), theme: "dark".into() };
        chosen.save(folder.path()).expect("it is writable");
        assert_eq!(Settings::load(folder.path()), chosen);
        fs::write(folder.path().join(FILE), b"{").expect("it is writable");
        assert_eq!(Settings::load(folder.path()), Settings::default());
    }
}
