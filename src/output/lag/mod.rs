//! How far groups are behind, and why: as JSON and as tables.

mod json;
mod text;

pub use json::json;
pub use text::text;

#[cfg(test)]
mod tests {
    use crate::broker::{Group, GroupOffset};
    use crate::event::{Position, Timestamp};
    use crate::inspect::lag::{LagReport, Limits, Probe, Trend};

    #[test]
    fn a_partition_that_nobody_leads_has_no_end() {
        let one = Group {
            name: "g".to_owned(),
            offsets: vec![GroupOffset {
                topic: "t".into(),
                committed: Some(Position::offset(7)),
                silent: Some("no broker leads it".to_owned()),
                ..GroupOffset::default()
            }],
            ..Group::default()
        };
        let (groups, trend) = ([one], Trend::default());
        let probe = Probe::new(&groups);
        let report = LagReport::new(&groups, &probe, &trend, Timestamp(0), Limits::default());
        let json = super::json(&report);
        let row = &json["groups"][0]["partitions"][0];
        assert!(row["hw"].is_null() && row["log_start"].is_null() && row["raw"].is_null());
        assert_eq!(
            (&row["committed"], &row["why"]),
            (&7.into(), &"OFFLINE".into())
        );
        let mut text = Vec::new();
        super::text(&mut text, &report, false);
        let text = String::from_utf8(text).unwrap();
        let line = text.lines().find(|line| line.starts_with("t/0")).unwrap();
        let cells: Vec<&str> = line.split_whitespace().take(5).collect();
        assert_eq!(cells, ["t/0", "7", "-", "-", "-"]);
        assert!(line.ends_with("OFFLINE: no broker leads it"), "{line}");
    }
}
