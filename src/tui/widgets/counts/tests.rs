//! The strip over live windows, whole histories and the ends of time.

use super::*;
use proptest::prelude::*;

fn strip(histogram: &Histogram, columns: usize, zoom: u32) -> String {
    let columns = histogram.columns(columns, zoom);
    columns.iter().map(|c| bar(c.level, false)).collect()
}

fn totals(histogram: &Histogram, columns: usize, zoom: u32) -> Vec<u64> {
    let columns = histogram.columns(columns, zoom);
    columns.iter().map(|c| c.counts.total()).collect()
}

#[test]
fn bars_are_as_high_as_their_part_of_the_highest() {
    let mut histogram = Histogram::new(8, 1000, Keep::All);
    for (second, count) in [(0, 80), (1, 1), (2, 40), (4, 79)] {
        histogram.add(second * 1000 + 7, Verdict::Good, count);
    }
    assert_eq!(strip(&histogram, 8, 0), "█▁▄ █");
    assert_eq!(strip(&histogram, 3, 0), "▅ █");
    assert_eq!(strip(&histogram, 8, 1), "█▄█");
    assert_eq!(histogram.columns(8, 1)[1].start, 2000);
    assert_eq!(strip(&Histogram::new(8, 1000, Keep::All), 8, 0), "");
    assert_eq!(bar(3, true), '-');
}

#[test]
fn a_column_has_the_tone_of_most_and_of_the_worse_of_equals() {
    let mut histogram = Histogram::new(8, 10, Keep::Newest);
    for (time, verdict, count) in [
        (0, Verdict::Good, 3),
        (0, Verdict::Bad, 2),
        (10, Verdict::Bad, 2),
        (10, Verdict::Good, 2),
        (20, Verdict::None, 1),
        (40, Verdict::Good, 1),
    ] {
        histogram.add(time, verdict, count);
    }
    let verdicts: Vec<_> = histogram.columns(5, 0).iter().map(|c| c.verdict).collect();
    assert_eq!(
        verdicts,
        [
            Some(Verdict::Good),
            Some(Verdict::Bad),
            Some(Verdict::None),
            None,
            Some(Verdict::Good)
        ]
    );
}

#[test]
fn a_live_window_moves_on_and_forgets() {
    let mut histogram = Histogram::new(4, 1000, Keep::Newest);
    for second in 0..6 {
        histogram.add(second * 1000, Verdict::None, 1 + second.cast_unsigned());
    }
    assert_eq!(totals(&histogram, 9, 0), [3, 4, 5, 6]);
    histogram.add(1000, Verdict::None, 7);
    histogram.add(3000, Verdict::None, 1);
    assert_eq!(histogram.outside(), 7);
    assert_eq!(totals(&histogram, 9, 0), [3, 5, 5, 6]);
    histogram.advance(7500);
    assert_eq!(totals(&histogram, 9, 0), [5, 6, 0, 0]);
    histogram.add(99_000, Verdict::None, 1);
    assert_eq!(totals(&histogram, 9, 0), [0, 0, 0, 1]);
}

#[test]
fn a_whole_history_fits_however_long_it_is() {
    let mut histogram = Histogram::new(4, 1, Keep::All);
    for time in [100, 103, 101, 90, 1000, -1000] {
        histogram.add(time, Verdict::Good, 1);
    }
    assert_eq!(totals(&histogram, 9, 0).iter().sum::<u64>(), 6);
    assert_eq!(histogram.width(), 512);
    assert_eq!(histogram.outside(), 0);
}

#[test]
fn zooming_out_ends_with_the_whole_window() {
    let histogram = Histogram::new(3600, 1000, Keep::Newest);
    assert_eq!(histogram.zooms(80), 6);
    assert_eq!(histogram.zooms(3600), 0);
    assert_eq!(histogram.zooms(0), 0);
}

#[test]
fn the_ends_of_time_do_no_harm() {
    for keep in [Keep::Newest, Keep::All] {
        let mut histogram = Histogram::new(16, 1, keep);
        for time in [0, i64::MAX, i64::MIN, 5, i64::MIN, i64::MAX] {
            histogram.add(time, Verdict::Bad, u64::MAX);
            histogram.advance(time);
            for zoom in [0, 1, 40] {
                assert!(histogram.columns(9, zoom).len() <= 9);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_event_is_lost_and_columns_keep_to_their_number(
        events in prop::collection::vec((-5000..5000i64, 0..3u8, 1..9u64), 0..60),
        buckets in 1..40usize,
        width in 1..50i64,
        columns in 0..50usize,
        zoom in 0..6u32,
        all in any::<bool>(),
    ) {
        let keep = if all { Keep::All } else { Keep::Newest };
        let mut histogram = Histogram::new(buckets, width, keep);
        let mut added = 0;
        for (time, verdict, count) in &events {
            let verdict = [Verdict::Good, Verdict::Bad, Verdict::None][usize::from(*verdict)];
            histogram.add(*time, verdict, *count);
            added += count;
        }
        let drawn = histogram.columns(columns, zoom);
        prop_assert!(drawn.len() <= columns);
        for pair in drawn.windows(2) {
            prop_assert_eq!(pair[1].start - pair[0].start, histogram.width() << zoom);
        }
        let whole: u64 = totals(&histogram, 10_000, zoom).iter().sum();
        if all {
            prop_assert_eq!(whole, added);
        } else {
            prop_assert!(whole + histogram.outside() <= added);
        }
        prop_assert!(drawn.iter().all(|c| (c.level == 0) == (c.counts.total() == 0)));
        if drawn.iter().any(|c| c.level > 0) {
            prop_assert!(drawn.iter().any(|c| c.level == 8));
        }
    }

    #[test]
    fn a_live_window_holds_what_is_new_enough(
        events in prop::collection::vec((0..500i64, 1..9u64), 1..60),
    ) {
        let mut histogram = Histogram::new(10, 10, Keep::Newest);
        for (time, count) in &events {
            histogram.add(*time, Verdict::None, *count);
        }
        let newest = events.iter().map(|(time, _)| time / 10).max().unwrap();
        let held: u64 = events.iter().filter(|(t, _)| t / 10 > newest - 10).map(|(_, c)| c).sum();
        prop_assert_eq!(totals(&histogram, 10, 0).iter().sum::<u64>(), held);
    }
}
