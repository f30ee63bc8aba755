//! Where the consumer groups stood when a capture was recorded, as a JSON document: an attachment of
//! the capture. Without it, what is lost cannot be told from what is blocked.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::document::Kind;
use crate::broker::{Epochs, Group, GroupOffset, Member, OpenTransaction, Result};
use crate::event::{Position, PositionStyle, Timestamp};

/// The name of the attachment.
pub(super) const NAME: &str = "evtap.groups.json";

const DOCUMENT: Kind = Kind {
    list: "groups",
    what: "the consumer groups",
};

#[derive(Serialize, Deserialize)]
struct Row {
    name: String,
    state: String,
    kind: String,
    #[serde(default)]
    members: Vec<MemberRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epochs: Option<(i32, i32)>,
    #[serde(default)]
    offsets: Vec<OffsetRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    untold: Option<String>,
}

type Place = (String, u32);

#[derive(Serialize, Deserialize)]
struct MemberRow {
    id: String,
    #[serde(default)]
    client: String,
    #[serde(default)]
    host: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epoch: Option<i32>,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    by_pattern: bool,
    #[serde(default)]
    owned: Vec<Place>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<Vec<Place>>,
}

#[derive(Serialize, Deserialize)]
struct OffsetRow {
    topic: String,
    partition: u32,
    /// `offset` or `entry`.
    style: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    committed: Option<String>,
    first: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stable: Option<String>,
    end: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    silent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw_lag: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retention_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transaction: Option<TransactionRow>,
}

#[derive(Serialize, Deserialize)]
struct TransactionRow {
    producer: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    first: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<i64>,
}

fn places(of: &[(Arc<str>, u32)]) -> Vec<Place> {
    of.iter()
        .map(|(topic, n)| (topic.to_string(), *n))
        .collect()
}

fn from_places(of: Vec<Place>) -> Vec<(Arc<str>, u32)> {
    of.into_iter().map(|(topic, n)| (topic.into(), n)).collect()
}

impl Row {
    fn of(group: &Group) -> Self {
        let member = |member: &Member| MemberRow {
            id: member.id.clone(),
            client: member.client.clone(),
            host: member.host.clone(),
            epoch: member.epoch,
            topics: member.topics.iter().map(ToString::to_string).collect(),
            by_pattern: member.by_pattern,
            owned: places(&member.owned),
            target: member.target.as_deref().map(places),
        };
        Self {
            name: group.name.clone(),
            state: group.state.clone(),
            kind: group.kind.clone(),
            members: group.members.iter().map(member).collect(),
            epochs: group.epochs.map(|e| (e.group, e.assignment)),
            offsets: group.offsets.iter().map(OffsetRow::of).collect(),
            untold: group.untold.clone(),
        }
    }

    fn group(self) -> Result<Group, String> {
        let member = |row: MemberRow| Member {
            id: row.id,
            client: row.client,
            host: row.host,
            epoch: row.epoch,
            topics: row.topics.into_iter().map(Into::into).collect(),
            by_pattern: row.by_pattern,
            owned: from_places(row.owned),
            target: row.target.map(from_places),
        };
        let offsets = self.offsets.into_iter().map(OffsetRow::offset);
        Ok(Group {
            name: self.name,
            state: self.state,
            kind: self.kind,
            members: self.members.into_iter().map(member).collect(),
            epochs: self
                .epochs
                .map(|(group, assignment)| Epochs { group, assignment }),
            offsets: offsets.collect::<Result<_, _>>()?,
            untold: self.untold,
        })
    }
}

impl OffsetRow {
    fn of(offset: &GroupOffset) -> Self {
        let text = |position: Position| position.display(offset.style).to_string();
        Self {
            topic: offset.topic.to_string(),
            partition: offset.partition,
            style: match offset.style {
                PositionStyle::Offset => "offset".to_owned(),
                PositionStyle::Entry => "entry".to_owned(),
            },
            committed: offset.committed.map(text),
            first: text(offset.first),
            stable: offset.stable.map(text),
            end: text(offset.end),
            silent: offset.silent.clone(),
            raw_lag: offset.raw_lag,
            pending: offset.pending,
            member: offset.member.clone(),
            retention_ms: offset.retention_ms,
            transaction: offset.transaction.as_ref().map(|open| TransactionRow {
                producer: open.producer,
                id: open.id.clone(),
                first: text(open.first),
                since: open.since.map(|t| t.0),
            }),
        }
    }

    fn offset(self) -> Result<GroupOffset, String> {
        let style = match self.style.as_str() {
            "offset" => PositionStyle::Offset,
            "entry" => PositionStyle::Entry,
            other => return Err(format!("'{other}' is no style of positions")),
        };
        let position = |text: &str| {
            Position::parse(text, style).ok_or_else(|| format!("'{text}' is no position"))
        };
        let optional = |text: &Option<String>| text.as_deref().map(position).transpose();
        let transaction = self.transaction.map(|open| {
            Ok::<_, String>(OpenTransaction {
                first: position(&open.first)?,
                producer: open.producer,
                id: open.id,
                since: open.since.map(Timestamp),
            })
        });
        Ok(GroupOffset {
            committed: optional(&self.committed)?,
            first: position(&self.first)?,
            stable: optional(&self.stable)?,
            end: position(&self.end)?,
            transaction: transaction.transpose()?,
            topic: self.topic.into(),
            partition: self.partition,
            style,
            silent: self.silent,
            raw_lag: self.raw_lag,
            pending: self.pending,
            member: self.member,
            retention_ms: self.retention_ms,
        })
    }
}

/// The document.
pub(super) fn to_json(groups: &[Group]) -> Result<Vec<u8>> {
    DOCUMENT.write(&groups.iter().map(Row::of).collect::<Vec<_>>())
}

/// Reads a document; `place` is named when it is none.
pub(super) fn from_json(json: &[u8], place: &str) -> Result<Vec<Group>> {
    let rows: Vec<Row> = DOCUMENT.read(json, place)?;
    rows.into_iter()
        .map(|row| row.group().map_err(|why| DOCUMENT.damaged(place, &why)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> Group {
        let entry = |major, minor| Position { major, minor };
        Group {
            name: "g\u{1b}".into(),
            state: "Stable".into(),
            kind: "consumer".into(),
            members: vec![Member {
                epoch: Some(7),
                owned: vec![("t".into(), 1)],
                target: Some(Vec::new()),
                ..Member::named("m1")
            }],
            epochs: Some(Epochs {
                group: 8,
                assignment: 7,
            }),
            offsets: vec![GroupOffset {
                topic: "t".into(),
                partition: 1,
                style: PositionStyle::Entry,
                committed: Some(entry(5, 6)),
                stable: Some(entry(7, 0)),
                end: entry(9, 1),
                raw_lag: Some(3),
                transaction: Some(OpenTransaction {
                    producer: 1,
                    id: Some("x".into()),
                    first: entry(7, 0),
                    since: Some(Timestamp(4)),
                }),
                ..GroupOffset::default()
            }],
            untold: None,
        }
    }

    #[test]
    fn groups_are_read_back_as_they_were_written() {
        let all = vec![group(), Group::default()];
        let json = to_json(&all).unwrap();
        assert_eq!(from_json(&json, "x.mcap").unwrap(), all);
    }

    #[test]
    fn a_document_that_is_none_says_what_is_wrong() {
        let good = String::from_utf8(to_json(&[group()]).unwrap()).unwrap();
        for (from, to, said) in [
            ("\"version\": 1", "\"version\": 2", "version 2"),
            ("5-6", "5-x", "'5-x' is no position"),
            ("\"entry\"", "\"else\"", "'else' is no style"),
            ("\"offsets\": [", "\"offsets\": [17,", "invalid type"),
        ] {
            assert!(good.contains(from), "{from}");
            let error = from_json(good.replace(from, to).as_bytes(), "x.mcap").unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
