//! The slope of a line through points of which some may lie anywhere: the median of the slopes
//! between all pairs (H. Theil 1950, P. K. Sen 1968). Up to 29 % of the points may be wrong.

/// A slope, and the quarter of the pairs below and above it as a band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    pub low: f64,
    pub middle: f64,
    pub high: f64,
}

/// The slope of `points` of (x, y), by x. `None` where no two have different x. Takes time and
/// memory in the square of their number.
pub(super) fn theil_sen(points: &[(f64, f64)]) -> Option<Slope> {
    let mut slopes = Vec::with_capacity(points.len() * points.len().saturating_sub(1) / 2);
    for (i, a) in points.iter().enumerate() {
        for b in points.iter().skip(i + 1) {
            let run = b.0 - a.0;
            if run > 0.0 {
                slopes.push((b.1 - a.1) / run);
            }
        }
    }
    slopes.sort_unstable_by(f64::total_cmp);
    let last = slopes.len().checked_sub(1)?;
    let at = |index: usize| slopes.get(index).copied().unwrap_or_default();
    Some(Slope {
        low: at(last / 4),
        middle: f64::midpoint(at(last / 2), at(last.div_ceil(2))),
        high: at(last - last / 4),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_points_do_not_bend_the_line() {
        let mut points: Vec<(f64, f64)> =
            (0..20).map(|x| (f64::from(x), f64::from(3 * x))).collect();
        points[4].1 = 9_000.0;
        points[17].1 = -500.0;
        let slope = theil_sen(&points).unwrap();
        assert!((slope.middle - 3.0).abs() < 1e-9, "{slope:?}");
        assert!(slope.low <= slope.middle && slope.middle <= slope.high);
    }

    #[test]
    fn a_slope_wants_two_places() {
        assert_eq!(theil_sen(&[]), None);
        assert_eq!(theil_sen(&[(1.0, 2.0), (1.0, 3.0)]), None);
        let slope = theil_sen(&[(0.0, 1.0), (2.0, 5.0)]).unwrap();
        assert_eq!((slope.low, slope.middle, slope.high), (2.0, 2.0, 2.0));
    }
}
