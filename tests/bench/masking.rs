//! Speed of masking a log: 50 secrets, a log in which some of them appear, in pieces as an engine
//! sends them. Prints megabytes a second; `tests/bench/run` puts it into the table.

use std::time::Instant;

use cki::base::redact::Redactor;
use cki::base::secret::Secret;

/// The size of the log, and of a piece of it, in bytes.
const LOG: usize = 256 << 20;
const PIECE: usize = 32 << 10;

#[expect(clippy::disallowed_macros, reason = "a benchmark has no `Ui`: printing is what it is for")]
fn main() {
    let secrets: Vec<Secret> = (0..50)
        .map(|n| Secret::new(format!("cki-reference-token-{:x}{:05x}", n * 7_919, n * 104_729)))
        .collect();
    let began = Instant::now();
    let redactor = Redactor::new(&secrets);
    let prepared = began.elapsed();
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
    let mut best = f64::MAX;
    for _ in 0..5 {
        let mut stream = redactor.stream();
        let mut out = Vec::with_capacity(2 * PIECE);
        let mut done = 0;
        let began = Instant::now();
        'log: loop {
            for piece in text.chunks(PIECE) {
                out.clear();
                stream.push(piece, &mut out);
                done += piece.len();
                if done >= LOG {
                    break 'log;
                }
            }
        }
        stream.finish(&mut out);
        best = best.min(began.elapsed().as_secs_f64());
    }
    println!("{:.0} MB/s, prepared in {:.1} ms", LOG as f64 / best / 1e6, prepared.as_secs_f64() * 1e3);
}
