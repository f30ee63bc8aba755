//! The one thread that asks a registry: a question at a time, from a bounded queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::client::{Client, Failure};
use super::disk::Disk;
use super::memory::{Failing, Memory, Outcome};
use super::{Filed, QUEUE, Question};
use crate::schema::SchemaError;

/// Starts the thread. It ends when the returned sender is gone, after the question that it is at.
pub(super) fn start(
    client: Client,
    disk: Option<Disk>,
    memory: Arc<Memory>,
) -> Result<SyncSender<Question>, SchemaError> {
    let (sender, questions) = sync_channel(QUEUE);
    let librarian = Librarian {
        client,
        disk,
        memory,
    };
    thread::Builder::new()
        .name("schema-registry".to_owned())
        .spawn(move || librarian.work(&questions))
        .map_err(|error| SchemaError(format!("no thread to ask the schema registry: {error}")))?;
    Ok(sender)
}

struct Librarian {
    client: Client,
    disk: Option<Disk>,
    memory: Arc<Memory>,
}

impl Librarian {
    fn work(&self, questions: &Receiver<Question>) {
        while let Ok(question) = questions.recv() {
            let outcome = self.answer(&question);
            self.memory.file(question, outcome);
        }
    }

    fn answer(&self, question: &Question) -> Outcome {
        // Ids of a registry on this machine may have meant other schemas yesterday: there, what is
        // kept serves only when the registry does not.
        let local = self.client.base.is_local();
        if !local && let Some(outcome) = self.kept(question, false) {
            return outcome;
        }
        if let Some((until, why)) = self.memory.pause() {
            let kept = self.kept(question, true);
            return kept.unwrap_or(Outcome::Spared { why, until });
        }
        match self.fetch(question) {
            Ok(filed) => {
                if let (Some(disk), Filed::Schema(known)) = (&self.disk, &filed) {
                    disk.write(question, known).unwrap_or_default();
                }
                self.memory.fares(None);
                let ages = matches!(
                    question,
                    Question::Latest(_) | Question::Versions(_) | Question::Subjects
                );
                Outcome::Answer { filed, ages }
            }
            Err(Failure::Missing) => Outcome::Missing,
            Err(Failure::Down(why)) => self.failed(question, why.into(), true),
            Err(Failure::Bad(why) | Failure::Unknown(why)) => {
                self.failed(question, why.into(), false)
            }
        }
    }

    fn failed(&self, question: &Question, why: Arc<str>, down: bool) -> Outcome {
        let Some(kept) = self.kept(question, true) else {
            return Outcome::Failed { why, down };
        };
        self.memory.fares(Some(Failing { why: &why, down }));
        kept
    }

    fn kept(&self, question: &Question, ages: bool) -> Option<Outcome> {
        let disk = self.disk.as_ref()?;
        let known = disk.read(question, &self.client.base.url)?;
        let filed = Filed::Schema(known);
        Some(Outcome::Answer { filed, ages })
    }

    /// A defect below must not leave everybody waiting for an answer.
    fn fetch(&self, question: &Question) -> Result<Filed, Failure> {
        let fetched = catch_unwind(AssertUnwindSafe(|| {
            super::fetch::fetch(&self.client, question)
        }));
        fetched.unwrap_or_else(|_| {
            Err(self
                .client
                .bad("asking it failed in a way that it should not"))
        })
    }
}
