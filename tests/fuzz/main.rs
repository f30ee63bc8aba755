//! Every decoder against damaged data: bytes that were valid are bent, cut, spliced and lied in,
//! and what comes of them is checked. `EVTAP_FUZZ_RUNS` sets how many inputs each decoder gets
//! (100,000), `EVTAP_FUZZ_SEED` where the damage begins: a run that fails prints both.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

mod codec;
mod damage;
mod events;
mod formats;
mod schemas;
mod seeds;

use std::time::{Duration, Instant};

use damage::Dice;
use evtap::schema::formats::LARGEST;
use evtap::text::JsonText;

/// Inputs that each decoder gets.
const RUNS: u64 = 100_000;
/// What one input may take: 100 ms with optimisation; here there is none, and other tests run
/// beside this one.
const SOON: Duration = Duration::from_secs(5);

fn setting(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| text.trim().parse().unwrap())
}

/// Names the input if it makes the decoder panic.
struct Watch<'a> {
    decoder: &'a str,
    seed: u64,
    input: &'a [u8],
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let hex: Vec<String> = self.input.iter().map(|b| format!("{b:02x}")).collect();
            let hex = hex.concat();
            #[expect(clippy::print_stderr, reason = "for who looks into the failure")]
            {
                eprintln!(
                    "{}: EVTAP_FUZZ_SEED={} EVTAP_FUZZ_RUNS=1 does it; the input is {hex}",
                    self.decoder, self.seed
                );
            }
        }
    }
}

/// Gives damaged seeds to a decoder, which says whether it took them. `least` of a thousand must be
/// taken, and as many refused, or the damage is not what it should be.
fn fuzz(
    decoder: &str,
    least: u64,
    seeds: &[Vec<u8>],
    mut decode: impl FnMut(&[u8], &mut Dice) -> bool,
) {
    for seed in seeds {
        assert!(
            decode(seed, &mut Dice::new(0)),
            "{decoder}: {seed:?} is none"
        );
    }
    let (first, runs) = (
        setting("EVTAP_FUZZ_SEED", 1),
        setting("EVTAP_FUZZ_RUNS", RUNS),
    );
    let mut taken = 0;
    let mut input = Vec::new();
    for seed in first..first + runs {
        let mut dice = Dice::new(seed);
        damage::damage(&mut dice, seeds, &mut input);
        let watch = Watch {
            decoder,
            seed,
            input: &input,
        };
        let begun = Instant::now();
        taken += u64::from(decode(&input, &mut dice));
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        drop(watch);
    }
    if runs >= 10_000 {
        let (few, most) = (runs * least / 1000, runs * (1000 - least) / 1000);
        assert!(
            (few..=most).contains(&taken),
            "{decoder}: {taken} of {runs}"
        );
    }
}

/// What a decoder wrote is one JSON text of a bounded size.
fn is_json(out: &[u8]) {
    assert!(out.len() <= LARGEST);
    let json = JsonText::parse(out);
    assert!(json.is_ok(), "{json:?}: {}", String::from_utf8_lossy(out));
}
