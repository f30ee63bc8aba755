//! Which member gets which slots. Pure.

use rdkafka::types::RDKafkaErrorCode as Code;

use super::super::error::Failure;

/// What a member is given: the slots, and how many members and slots there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Given {
    pub(super) members: u32,
    pub(super) slots: u32,
    pub(super) mine: Vec<u32>,
}

impl Given {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let words = [self.members, self.slots];
        let words = words.iter().chain(&self.mine);
        words.flat_map(|word| word.to_be_bytes()).collect()
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let strange = || Failure::new(Code::BadMessage, "a share that evtap did not write");
        let (words, rest) = bytes.as_chunks::<4>();
        let mut words = words.iter().map(|word| u32::from_be_bytes(*word));
        let (Some(members), Some(slots), []) = (words.next(), words.next(), rest) else {
            return Err(strange());
        };
        let mine: Vec<u32> = words.collect();
        if mine.iter().any(|&slot| slot >= slots) {
            return Err(strange());
        }
        Ok(Self {
            members,
            slots,
            mine,
        })
    }
}

/// Shares out what is left of each slot, the largest first, each to the member with the least to
/// do. `undivided` gives all to the one that leads, which stays the same as long as it is there.
pub(super) fn share_out(
    left: &[u64],
    members: usize,
    leader: usize,
    undivided: bool,
) -> Vec<Vec<u32>> {
    let mut shares = vec![Vec::new(); members];
    let mut loads = vec![0u64; members];
    let mut slots: Vec<usize> = (0..left.len()).filter(|&slot| left[slot] > 0).collect();
    slots.sort_by_key(|&slot| (std::cmp::Reverse(left[slot]), slot));
    for slot in slots {
        let least = (0..members).min_by_key(|&member| (loads[member], member));
        let member = if undivided { Some(leader) } else { least };
        if let Some(member) = member.filter(|&member| member < members) {
            loads[member] = loads[member].saturating_add(left[slot]);
            shares[member].push(slot as u32);
        }
    }
    for share in &mut shares {
        share.sort_unstable();
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_go_first_to_whom_has_least() {
        let shares = share_out(&[5, 0, 100, 60, 50], 2, 0, false);
        assert_eq!(shares, [vec![0, 2], vec![3, 4]]);
        assert_eq!(share_out(&[1, 1], 3, 0, false), [vec![0], vec![1], vec![]]);
        assert_eq!(share_out(&[0, 0], 1, 0, false), [Vec::<u32>::new()]);
        assert_eq!(share_out(&[u64::MAX; 2], 1, 0, false), [vec![0, 1]]);
    }

    #[test]
    fn what_is_not_divided_is_the_leaders() {
        let shares = share_out(&[5, 0, 100], 3, 1, true);
        assert_eq!(shares, [vec![], vec![0, 2], vec![]]);
    }

    #[test]
    fn everybody_has_something_while_there_is_enough() {
        for members in 1..8 {
            let left: Vec<u64> = (0..20).map(|i| (i * 7919) % 1000 + 1).collect();
            let shares = share_out(&left, members, 0, false);
            assert!(shares.iter().all(|share| !share.is_empty()));
            let mut all: Vec<u32> = shares.concat();
            all.sort_unstable();
            assert_eq!(all, (0..20).collect::<Vec<u32>>());
        }
    }

    #[test]
    fn a_share_is_read_as_it_was_written_and_nothing_else_is() {
        let given = Given {
            members: 3,
            slots: 9,
            mine: vec![0, 8],
        };
        let bytes = given.to_bytes();
        assert_eq!(Given::read(&bytes).unwrap(), given);
        for end in [0, 4, 7, bytes.len() - 1] {
            assert!(Given::read(&bytes[..end]).is_err(), "{end}");
        }
        let beyond = Given {
            mine: vec![9],
            ..given
        };
        assert!(Given::read(&beyond.to_bytes()).is_err());
    }
}
