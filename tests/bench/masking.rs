//! Speed of masking logs: 50 secrets, of which some appear, and the log in pieces as an engine sends them.
//! Prints megabytes a second of CPU time, for the usual log first; `tests/bench/run` puts that into the table. The other
//! kinds have what the search for secrets in other forms might stumble over: numbers, escapes, long lines.
//! Each has two sizes, since the speed may not depend on the size.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use cki::base::redact::Redactor;
use cki::base::secret::Secret;

/// Bytes of the usual log, of the two sizes of each other kind, and of a piece.
const LOG: usize = 256 << 20;
const SIZES: [usize; 2] = [6 << 20, 48 << 20];
const PIECE: usize = 32 << 10;

/// Numbers for the content of logs, the same in each run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// Appends a line, or another unit, of a log.
type Line = fn(&mut String, &mut Numbers) -> std::fmt::Result;

/// Kinds of logs.
const KINDS: [(&str, Line); 10] = [
    ("access log of nginx", |log, numbers| {
        let ip = [(); 4].map(|()| numbers.below(256).to_string()).join(".");
        let (second, id, size) = (numbers.below(60), numbers.below(100_000), numbers.below(40_000));
        writeln!(
            log,
            "{ip} - - [22/Nov/2026:10:07:{second:02} +0000] \"GET /api/v4/projects/{id}/jobs?page=2&per_page=100 HTTP/1.1\" 200 {size} \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\" 0.0{second}"
        )
    }),
    ("JSON lines", |log, numbers| {
        let (id, took, trace) = (numbers.below(1 << 40), numbers.below(1_000_000), numbers.next());
        writeln!(
            log,
            r#"{{"time":"2026-11-22T10:00:00.{took:06}Z","level":"info","logger":"cki.component","message":"handled \"{id}\" of queue\twebhooks","trace":"{trace:016x}","ms":{took},"tags":["a","b"],"ratio":0.{id}}}"#
        )
    }),
    ("time in seconds, names and values", |log, numbers| {
        let (fraction, id, size) = (numbers.below(1_000_000), numbers.below(100_000), numbers.below(4096));
        writeln!(
            log,
            "1795341600.{fraction:06} level=info id={id} size={size} state=ok addr=10.0.{}.7:5432",
            id % 256
        )
    }),
    ("commits and digests", |log, numbers| {
        let words = [(); 5].map(|()| format!("{:016x}", numbers.next()));
        writeln!(
            log,
            "commit {}\n {} -> sha256:{} layer.tar",
            &words.concat()[..40],
            &words[1][..8],
            words[1..].concat()
        )
    }),
    ("progress bar", |log, numbers| {
        let done = usize::try_from(numbers.below(40)).unwrap_or(0);
        write!(
            log,
            "\r\x1b[K\x1b[32m{:>3}%\x1b[0m |{}{}| {}/120 [00:{done:02}<01:10,  1.71it/s]",
            done * 5 / 2,
            "█".repeat(done),
            " ".repeat(40 - done),
            done * 3
        )
    }),
    ("progress bar of backspaces", |log, numbers| {
        let done = numbers.below(100);
        write!(log, "{}fetching {done:>2} %", "\x08".repeat(13))
    }),
    ("`hexdump -C`", |log, numbers| {
        let bytes = [(); 16].map(|()| u8::try_from(numbers.below(256)).unwrap_or(0));
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let shown = |byte: &u8| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' };
        let text: String = bytes.iter().map(shown).collect();
        writeln!(log, "{:08x}  {}  {}  |{text}|", log.len() / 79 * 16, hex(&bytes[..8]), hex(&bytes[8..]))
    }),
    ("numbers in one line of JSON", |log, numbers| {
        write!(log, "{},{}.{},", numbers.below(256), numbers.below(1000), numbers.below(1 << 30))
    }),
    ("base64 in lines", |log, numbers| {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut letter = || char::from(ALPHABET[usize::try_from(numbers.below(64)).unwrap_or(0)]);
        let line: String = (0..76).map(|_| letter()).collect();
        writeln!(log, "{line}")
    }),
    ("text in another script", |log, numbers| {
        writeln!(log, "Обработано сообщений: {}, очередь «вебхуки» — готово", numbers.below(1000))
    }),
];

/// Returns the usual log.
fn usual(secrets: &[Secret]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in 0.. {
        if text.len() > 1 << 20 {
            break;
        }
        text.extend_from_slice(
            format!("2026-11-22T10:00:{:02} INFO cki.component: handled message {line} of queue webhooks in {} ms\n", line % 60, line * 37 % 991)
                .as_bytes(),
        );
        if line % 100 == 0 {
            text.extend_from_slice(b"token=");
            text.extend_from_slice(secrets[line % 50].expose().as_bytes());
            text.push(b'\n');
        }
    }
    text
}

/// Returns the CPU time of this thread so far: other programs take none of it.
fn used() -> Duration {
    let times = fs_err::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = times.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok());
    Duration::from_nanos(first.unwrap_or(0))
}

/// Masks a text, again and again up to a size; returns the megabytes a second of the fastest run.
fn speed(redactor: &Redactor, text: &[u8], size: usize, runs: usize) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..runs {
        let mut stream = redactor.stream();
        let mut out = Vec::with_capacity(2 * PIECE);
        let mut done = 0;
        let began = used();
        'log: loop {
            for piece in text.chunks(PIECE) {
                out.clear();
                stream.push(piece, &mut out);
                done += piece.len();
                if done >= size {
                    break 'log;
                }
            }
        }
        stream.finish(&mut out);
        best = best.min((used() - began).as_secs_f64());
    }
    size as f64 / best / 1e6
}

#[expect(clippy::disallowed_macros, reason = "a benchmark has no `Ui`: printing is what it is for")]
fn main() -> std::fmt::Result {
    let secrets: Vec<Secret> = (0..50)
        .map(|n| Secret::new(format!("cki-reference-token-{:x}{:05x}", n * 7_919, n * 104_729)))
        .collect();
    let began = Instant::now();
    let redactor = Redactor::new(&secrets);
    let prepared = began.elapsed();
    let text = usual(&secrets);
    println!(
        "{:.0} MB/s, prepared in {:.1} ms",
        speed(&redactor, &text, LOG, 5),
        prepared.as_secs_f64() * 1e3
    );
    // A short secret leaves the search little to skip.
    let short = Redactor::new(secrets.iter().chain([&Secret::new("hunter")]));
    println!("{:.0} with a secret of six characters", speed(&short, &text, LOG / 4, 3));
    for (name, line) in KINDS {
        let (mut log, mut numbers) = (String::new(), Numbers(7));
        let mut speeds = Vec::new();
        for size in SIZES {
            while log.len() < size {
                line(&mut log, &mut numbers)?;
            }
            speeds.push(format!("{:.0}", speed(&redactor, &log.as_bytes()[..size], size, 3)));
        }
        let [small, large] = SIZES.map(|size| size >> 20);
        println!("{} in {name} of {small} and {large} MiB", speeds.join(" and "));
    }
    Ok(())
}
