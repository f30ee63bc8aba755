//! The job and where its progress stands: what is asked of the cluster about it, and how it is
//! shared out.

use super::super::direct::member::{Companion, words};
use super::super::error::Failure;
use super::assign::{Given, share_out};
use super::ledger::Ledger;
use super::looker::{self, Looker};
use super::trouble::Trouble;
use crate::broker::exact::{Job, Progress};

pub(super) struct Books {
    pub(super) looker: Looker,
    pub(super) job: Job,
    pub(super) ledger: Ledger,
}

impl Books {
    /// What each member gets.
    pub(super) async fn lead(
        &self,
        companions: &[Companion],
        leader: &str,
    ) -> Result<Vec<(String, Vec<u8>)>, Trouble> {
        let progress = self.look(false).await?;
        let left = self.ledger.left(&progress);
        let mut members: Vec<&Companion> = companions.iter().collect();
        members.sort_by_key(|member| (&member.instance, &member.id));
        let first = members.iter().position(|member| member.id == leader);
        let shares = share_out(
            &left,
            members.len(),
            first.unwrap_or_default(),
            self.job.undivided,
        );
        let given = |mine: Vec<u32>| {
            let slots: Vec<usize> = mine.iter().map(|&slot| slot as usize).collect();
            let mut places = self.ledger.places(&slots);
            places.sort_unstable();
            let own = Given {
                members: members.len() as u32,
                slots: self.ledger.slots() as u32,
                mine,
            };
            words::given(&places, &own.to_bytes())
        };
        let ids = members.iter().map(|member| member.id.clone());
        Ok(ids.zip(shares.into_iter().map(given)).collect())
    }

    /// How far everything is. With `stable_only` it is an error when a transaction that is still
    /// open may change that.
    pub(super) async fn look(&self, stable_only: bool) -> Result<Vec<Option<Progress>>, Trouble> {
        let group = &self.job.name;
        let places = self.ledger.all_places();
        let rows = self.looker.commits(group, places, stable_only).await?;
        if let Some((row, _)) = rows.iter().find(|(row, _)| row.error != 0) {
            let failure = Failure::from_number(row.error);
            return Err(Trouble::of(failure, &looker::asking(group)));
        }
        let committed = rows.iter().filter_map(|(row, text)| {
            let offset = u64::try_from(row.offset).ok()?;
            Some((&row.place, offset, &**text))
        });
        Ok(self.ledger.read(committed)?)
    }
}
