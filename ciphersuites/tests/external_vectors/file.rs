//! A file of vectors, and its trials.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use libtest_mimic::Trial;
use serde_json::Value;
use trellis_ciphersuites::Backend;

/// What an entry is about; `Err` if this crate has nothing to run it on, with the reason.
pub(crate) type Label = Result<String, String>;

#[derive(Clone, Copy)]
pub(crate) struct File {
    pub(crate) path: &'static str,
    /// How many entries there are at least: those of the revision that the tests were written for.
    pub(crate) entries: usize,
    pub(crate) label: fn(&Value) -> Label,
    /// Panics if the entry does not hold.
    pub(crate) check: fn(Backend, &Value),
}

impl File {
    pub(crate) fn trials(self, folder: &Path) -> Vec<Trial> {
        let entries = match self.read(folder) {
            Ok(entries) => entries,
            // A folder without the file is a broken folder, not an absent one.
            Err(reason) => return vec![Trial::test(self.path, || Err(reason.into()))],
        };
        let number = entries.len();
        let count = Trial::test(format!("{}: {} entries", self.path, self.entries), move || {
            assert!(number >= self.entries, "only {number}");
            Ok(())
        });
        let trials = entries.into_iter().enumerate().flat_map(|(index, entry)| {
            let name = format!("{} {index}", self.path);
            match (self.label)(&entry) {
                Ok(label) => self.on_every_backend(&format!("{name}, {label}"), entry),
                Err(reason) => vec![ignored(&format!("{name}: {reason}"))],
            }
        });
        [count].into_iter().chain(trials).collect()
    }

    fn read(self, folder: &Path) -> Result<Vec<Value>, String> {
        let text = fs::read_to_string(folder.join(self.path)).map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    fn on_every_backend(self, name: &str, entry: Value) -> Vec<Trial> {
        let entry = Arc::new(entry);
        Backend::available()
            .map(|backend| {
                let entry = Arc::clone(&entry);
                Trial::test(format!("{name}, {}", backend.name()), move || {
                    (self.check)(backend, &entry);
                    Ok(())
                })
            })
            .collect()
    }
}

/// A trial that there is nothing to run for. It fails if it is asked to run all the same.
pub(crate) fn ignored(reason: &str) -> Trial {
    let message = reason.to_owned();
    Trial::test(reason, || Err(message.into())).with_ignored_flag(true)
}
