//! Answers that are cut, bent or that lie about their lengths. The program ends with an error or
//! asks again; it does not panic, hang, take memory for what a length claims, or show what was
//! never in the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use kafka_protocol::messages::ApiKey;

use crate::both::{Reader, read};
use crate::made::{Dice, numbered, produce};
use crate::proxy::{Asked, Meddle, Proxy};
use crate::support::{all_of, kafka, with_topic};
use crate::watched::run;

/// What is always done. Every combination of answer and damage is in 24 runs in a row.
const RUNS: u64 = 48;
/// At a time: most of a run is waiting.
const SIDE_BY_SIDE: u64 = 8;
/// KiB.
const MOST_RESIDENT: u64 = 200 << 10;
const MOST_RESERVED: u64 = 1500 << 10;

const APIS: [ApiKey; 4] = [
    ApiKey::ApiVersions,
    ApiKey::Metadata,
    ApiKey::ListOffsets,
    ApiKey::Fetch,
];

#[derive(Debug, Clone, Copy)]
enum Damage {
    /// It ends in the middle, and so does the connection.
    Cut,
    /// It ends in the middle, and its length says so.
    Short,
    /// Some bits are turned.
    Flip,
    /// A length or a count somewhere claims far more than there is.
    Claim,
    /// Its own length is another.
    Size,
    /// Nothing in it means anything.
    Noise,
}

const DAMAGES: [Damage; 6] = [
    Damage::Cut,
    Damage::Short,
    Damage::Flip,
    Damage::Claim,
    Damage::Size,
    Damage::Noise,
];

struct Fuzz {
    seed: u64,
    api: ApiKey,
    damage: Damage,
    /// Of the answers of its kind, in a hundred; the first is always damaged.
    share: u64,
    seen: AtomicU64,
    done: Arc<AtomicU64>,
}

impl Fuzz {
    fn new(seed: u64, done: &Arc<AtomicU64>) -> Self {
        let damage = DAMAGES[(seed / 4 % 6) as usize];
        // A broker that always hangs up is one that is down: that is waited for, for ever.
        let most = if matches!(damage, Damage::Cut) {
            60
        } else {
            100
        };
        Self {
            seed,
            api: APIS[(seed % 4) as usize],
            damage,
            share: [0, 30, most][(Dice(seed).below(3)) as usize],
            seen: AtomicU64::new(0),
            done: Arc::clone(done),
        }
    }

    fn say(&self) -> String {
        let (seed, share) = (self.seed, self.share);
        format!("run {seed}: {:?} of {:?}, {share} %", self.damage, self.api)
    }
}

impl Meddle for Fuzz {
    fn answer(&self, asked: &Asked, frame: &mut Vec<u8>) -> bool {
        if !asked.direct || asked.api != self.api {
            return false;
        }
        let number = self.seen.fetch_add(1, Ordering::Relaxed);
        let mut dice = Dice(self.seed << 20 ^ number);
        if number > 0 && dice.below(100) >= self.share {
            return false;
        }
        self.done.fetch_add(1, Ordering::Relaxed);
        damage(self.damage, number == 0, &mut dice, frame);
        matches!(self.damage, Damage::Cut)
    }
}

/// Where the structure is, half of the time: anywhere in the first bytes. Never in the name of the
/// host, for the program must not go and look for another.
fn place(dice: &mut Dice, frame: &[u8]) -> usize {
    const HOST: &[u8] = b"127.0.0.1";
    let host = frame.windows(HOST.len()).position(|part| part == HOST);
    loop {
        let end = match dice.below(2) {
            0 => frame.len().min(150),
            _ => frame.len(),
        };
        let place = 4 + dice.below(end as u64 - 4) as usize;
        let around = host.is_some_and(|host| (host - 6..host + HOST.len()).contains(&place));
        if !around {
            return place;
        }
    }
}

fn damage(damage: Damage, first: bool, dice: &mut Dice, frame: &mut Vec<u8>) {
    match damage {
        Damage::Cut => frame.truncate(place(dice, frame)),
        Damage::Short => {
            frame.truncate(place(dice, frame));
            let length = frame.len() as u32 - 4;
            frame[..4].copy_from_slice(&length.to_be_bytes());
        }
        Damage::Flip => {
            for _ in 0..=dice.below(4) {
                let place = place(dice, frame);
                frame[place] ^= 1 << dice.below(8);
            }
        }
        Damage::Claim => {
            const CLAIMS: [&[u8]; 6] = [
                &[0x7f, 0xff, 0xff, 0xff],
                &[0xff, 0xff, 0xff, 0xff],
                &[0x3f, 0xff, 0xff, 0xf0],
                &[0xff, 0xff, 0xff, 0xff, 0x07],
                &[0xff, 0xff, 0xff, 0xff, 0x0f],
                &[0x7f, 0xff],
            ];
            let claim = CLAIMS[dice.below(6) as usize];
            let place = place(dice, frame);
            let end = frame.len().min(place + claim.len());
            frame[place..end].copy_from_slice(&claim[..end - place]);
        }
        Damage::Size => {
            let length = frame.len() as u32 - 4;
            let lie = match dice.below(if first { 6 } else { 3 }) {
                0 => u32::MAX,
                1 => i32::MAX as u32,
                2 => 0,
                // Whoever waits for the rest does so for ten seconds: once is enough.
                3 => 99_999_999,
                4 => length + 1 + dice.below(40) as u32,
                _ => length - 1 - dice.below(u64::from(length - 1)) as u32,
            };
            frame[..4].copy_from_slice(&lie.to_be_bytes());
        }
        Damage::Noise => {
            // The request's number stays, else nobody would look at the rest.
            let noise = dice.bytes(frame.len() - 8);
            frame[8..].copy_from_slice(&noise);
        }
    }
}

/// The lines were all in the log, in this order: nothing is made up, and nothing comes twice.
#[track_caller]
fn are_some_of(lines: &str, wanted: &[String], what: &str) -> usize {
    let mut rest = wanted.iter();
    let mut count = 0;
    for line in lines.lines() {
        let short = &line[..line.len().min(80)];
        assert!(rest.any(|w| w == line), "{what}: line {count}: '{short}'");
        count += 1;
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_answers_do_no_harm() {
    let Some(host) = kafka() else { return };
    let runs = std::env::var("EVTAP_TEST_FUZZ").map_or(RUNS, |runs| runs.parse().unwrap());
    let (_, topic) = with_topic(&host, "fuzz", 1, &[]).await;
    for (i, codec) in ["none", "lz4", "gzip", "snappy", "zstd"].iter().enumerate() {
        let how = [("compression.type", *codec), ("linger.ms", "20")];
        let first = i as u64 * 3000;
        let events = (first..first + 3000).map(|n| numbered(n, 1, 400));
        produce(&host, &topic, &how, events);
    }
    let wanted = read(&*Reader::Rdkafka.open(&host, ""), &all_of(&topic)).await;
    let wanted = Arc::new(wanted.values());
    let done = Arc::new(AtomicU64::new(0));
    thread::scope(|scope| {
        for lane in 0..SIDE_BY_SIDE {
            let (host, topic, wanted, done) = (&host, &topic, &wanted, &done);
            let lane = move || {
                for seed in (lane..runs).step_by(SIDE_BY_SIDE as usize) {
                    once(host, topic, wanted, Fuzz::new(seed, done));
                }
            };
            thread::Builder::new().spawn_scoped(scope, lane).unwrap();
        }
    });
    assert!(done.load(Ordering::Relaxed) >= runs, "not all were damaged");
}

#[expect(clippy::print_stderr, reason = "shown when a run fails, and on demand")]
fn once(host: &str, topic: &str, wanted: &[String], fuzz: Fuzz) {
    let what = fuzz.say();
    let api = fuzz.api;
    let damage = fuzz.damage;
    let proxy = Proxy::start(host, fuzz);
    let url = format!("kafka://{}/{topic}", proxy.address());
    let ran = run(&["read", &url, "-X", Reader::Direct.property(), "-o", "raw"]);
    let count = are_some_of(&ran.out, wanted, &what);
    eprintln!(
        "{what}: {:?} after {:?}, {count} events, {} KiB of {}: {}",
        ran.code, ran.took, ran.resident, ran.reserved, ran.err
    );
    assert!(!ran.err.contains("panicked"), "{what}: {}", ran.err);
    match ran.code {
        // An offset that is another is believed; all else is noticed.
        Some(0) if matches!(damage, Damage::Cut | Damage::Size) => {
            assert_eq!(count, wanted.len(), "{what}: {}", ran.err);
        }
        Some(0) => {}
        Some(3 | 4) => assert!(ran.err.contains("evtap: "), "{what}: {}", ran.err),
        code => panic!("{what}: {code:?}: {}", ran.err),
    }
    assert!(ran.resident < MOST_RESIDENT, "{what}: {} KiB", ran.resident);
    assert!(
        ran.reserved < MOST_RESERVED,
        "{what}: {} KiB reserved",
        ran.reserved
    );
    assert!(
        proxy.asked().iter().any(|a| a.direct && a.api == api),
        "{what}: never asked"
    );
}

/// Turns a bit in the middle of so many answers with events: what the checksum is for.
struct Bent {
    left: AtomicU64,
}

impl Meddle for Bent {
    fn answer(&self, asked: &Asked, frame: &mut Vec<u8>) -> bool {
        if asked.direct && asked.api == ApiKey::Fetch && frame.len() > 2000 {
            let less = |left: u64| left.checked_sub(1);
            let update = self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            if update.is_ok() {
                let middle = frame.len() / 2;
                frame[middle] ^= 4;
            }
        }
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bent_event_is_noticed() {
    let Some(host) = kafka() else { return };
    for (codec, times) in [
        ("none", 1),
        ("lz4", 1),
        ("none", u64::MAX),
        ("lz4", u64::MAX),
    ] {
        let (_, topic) = with_topic(&host, "bent", 1, &[]).await;
        let how = [("compression.type", codec), ("linger.ms", "50")];
        produce(&host, &topic, &how, (0..3000).map(|n| numbered(n, 1, 400)));
        let wanted = read(&*Reader::Rdkafka.open(&host, ""), &all_of(&topic)).await;
        let left = AtomicU64::new(times);
        let proxy = Proxy::start(&host, Bent { left });
        let url = format!("kafka://{}/{topic}", proxy.address());
        let ran = run(&["read", &url, "-X", Reader::Direct.property(), "-o", "raw"]);
        let count = are_some_of(&ran.out, &wanted.values(), codec);
        let told = format!("{codec} {times}: {count} events: {}", ran.err);
        assert!(proxy.asked().iter().any(|a| a.direct), "{told}");
        // Asked for again, or told.
        match ran.code {
            Some(0) if times == 1 => assert_eq!(count, 3000, "{told}"),
            Some(3 | 4) => assert!(ran.err.contains("damaged: its CRC"), "{told}"),
            _ => panic!("{told}"),
        }
    }
}
