//! Measures a release build of the identity provider. What it measures and how to read it: `README.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement ends at the first surprise")]
#![allow(clippy::cast_precision_loss, reason = "counts are small")]

mod endpoints;
mod http;
mod load;
mod raw;
mod rotation;
mod server;

use std::process::ExitCode;
use std::time::Duration;

use load::Load;
use server::Server;

/// How long a raw limit is measured each time.
const WINDOW: Duration = Duration::from_secs(1);

/// Each figure is the median of this many rounds, each between two windows of the raw limit.
const ROUNDS: usize = 15;

struct Options {
    sign_ins: usize,
    exchanges: usize,
    at_once: usize,
}

impl Options {
    fn read() -> Self {
        let mut options = Self { sign_ins: 250, exchanges: 400, at_once: 32 };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let number = words.next().and_then(|number| number.parse::<usize>().ok());
            match (word.as_str(), number) {
                ("--sign-ins", Some(number @ 100..=20_000)) => options.sign_ins = number,
                ("--exchanges", Some(number @ 100..=20_000)) => options.exchanges = number,
                ("--at-once", Some(number @ 1..=60)) => options.at_once = number,
                _ => {
                    eprintln!(
                        "bench: [--sign-ins N from 100] [--exchanges N from 100] [--at-once N up to 60], or: endpoints, or: rotation"
                    );
                    std::process::exit(2);
                }
            }
        }
        options
    }
}

/// One line of the table.
struct Row {
    what: &'static str,
    figure: f64,
    unit: &'static str,
    /// The raw limit, and the share of it.
    raw: Option<[f64; 2]>,
    wanted: Option<f64>,
    others: Option<f64>,
}

/// Runs `work` and tells which share of all cores other processes had meanwhile.
async fn watched<T>(server: &Server, work: impl Future<Output = T>) -> (T, f64) {
    let (machine, ticks) = (server::machine_ticks(), server.ticks());
    let result = work.await;
    let [all, idle, own] = [0, 1, 2].map(|which| server::machine_ticks()[which] - machine[which]);
    let others = all.saturating_sub(idle + own + (server.ticks() - ticks));
    (result, others as f64 / all.max(1) as f64)
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The raw limit, and which share of it was reached: in each round, of the mean of the windows before and after it.
/// What the machine can do changes from one second to the next; neighbours are alike.
fn share_of(raw: &[f64], rates: &[f64]) -> [f64; 2] {
    let shares = rates.iter().zip(raw.windows(2)).map(|(rate, around)| 2.0 * rate / (around[0] + around[1]));
    [median(raw.iter().copied()), median(shares)]
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if words.next().is_some_and(|word| word == "hello")
        && let Some(port) = words.next().and_then(|port| port.parse().ok())
    {
        endpoints::hello(port);
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure())
}

async fn measure() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("rotation") => {
            let good = rotation::run(&rotation::Options::read()).await;
            return if good { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Some("endpoints") => {
            endpoints::run().await;
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let options = Options::read();
    let mut rows = Vec::new();

    println!("preparing {} accounts", options.sign_ins * ROUNDS);
    let server = Server::start(options.sign_ins * ROUNDS).await;
    let mut load = Load::new(server.port, options.at_once);
    load.a_few_requests().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = server.resident_mb();
    rows.push(Row {
        what: "memory, idle",
        figure: idle,
        unit: "MB",
        raw: None,
        wanted: Some(40.0),
        others: None,
    });

    let (mut raw, mut rates, mut jwks, mut others) = (vec![], vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        let accounts = (options.sign_ins * round)..(options.sign_ins * (round + 1));
        println!("round {}: preparing {} journeys", round + 1, accounts.len());
        let journeys = load.prepare_sign_ins(accounts).await;
        let (measured, share) = watched(&server, async {
            raw.push(raw::argon2(WINDOW));
            load.sign_in(journeys).await
        })
        .await;
        rates.push(measured.rate);
        jwks.extend(measured.jwks);
        others.push(share);
    }
    raw.push(raw::argon2(WINDOW));
    jwks.sort();
    let at = |percent: usize| jwks[(jwks.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    rows.push(Row {
        what: "sign-ins",
        figure: median(rates.iter().copied()),
        unit: "/s",
        raw: Some(share_of(&raw, &rates)),
        wanted: Some(0.9),
        others: Some(median(others.iter().copied())),
    });
    let of_jwks = |what, figure, wanted| Row { what, figure, unit: "ms", raw: None, wanted, others: None };
    rows.push(of_jwks("GET /jwks meanwhile, p50", at(50), None));
    rows.push(of_jwks("GET /jwks meanwhile, p99", at(99), Some(20.0)));
    rows.push(of_jwks("GET /jwks meanwhile, slowest", at(100), None));
    println!("raw argon2 {raw:.1?}, sign-ins {rates:.1?}, others {others:.2?}, {} times /jwks", jwks.len());

    for (what, scope) in
        [("code for tokens", "openid"), ("code for tokens and refresh token", "openid offline_access")]
    {
        let (mut raw, mut rates, mut others) = (vec![], vec![], vec![]);
        for round in 0..ROUNDS {
            println!("{what}, round {}: preparing {} codes", round + 1, options.exchanges);
            let codes = load.prepare_codes(options.exchanges, scope).await;
            let (rate, share) = watched(&server, async {
                raw.push(raw::rs256(WINDOW) / 2.0);
                load.exchange(codes).await
            })
            .await;
            rates.push(rate);
            others.push(share);
        }
        raw.push(raw::rs256(WINDOW) / 2.0);
        println!("raw RS256 / 2 {raw:.0?}, exchanges {rates:.0?}, others {others:.2?}");
        rows.push(Row {
            what,
            figure: median(rates.iter().copied()),
            unit: "/s",
            raw: Some(share_of(&raw, &rates)),
            wanted: None,
            others: Some(median(others.iter().copied())),
        });
    }
    let what = "memory, after all this";
    rows.push(Row { what, figure: server.resident_mb(), unit: "MB", raw: None, wanted: None, others: None });
    print_table(&rows, &options);
    ExitCode::SUCCESS
}

fn print_table(rows: &[Row], options: &Options) {
    println!("\n{} cores, {} requests at once\n", raw::threads(), options.at_once);
    println!("{:<34}{:>12}{:>14}{:>9}{:>12}{:>9}", "", "measured", "raw limit", "share", "wanted", "others");
    for row in rows {
        let raw = row.raw.map_or(String::new(), |[raw, _]| format!("{raw:.1} {}", row.unit));
        let share = row.raw.map_or(String::new(), |[_, share]| format!("{:.1} %", 100.0 * share));
        let wanted = match (row.wanted, row.raw) {
            (None, _) => String::new(),
            (Some(wanted), Some([_, share])) => {
                let verdict = if share >= wanted { "yes" } else { "NO" };
                format!("{:.0} %: {verdict}", wanted * 100.0)
            }
            (Some(most), None) => format!("{most:.0}: {}", if row.figure <= most { "yes" } else { "NO" }),
        };
        let others = row.others.map_or(String::new(), |share| format!("{:.1} %", share * 100.0));
        let figure = format!("{:.1} {}", row.figure, row.unit);
        println!("{:<34}{figure:>12}{raw:>14}{share:>9}{wanted:>12}{others:>9}", row.what);
    }
}
