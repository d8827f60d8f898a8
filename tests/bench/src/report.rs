//! The report: tables in Markdown, and plots beside them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::figures::{Spread, number};
use crate::load::Operation;
use crate::measure::{AT_ONCE, Engine, Limit, Measured, PEERS_GRANTS, Role, SHARED, Sample, Size, Subject};
use crate::plot::{Chart, svg};
use crate::targets;

/// Writes it, and prints the table of targets.
pub fn write(folder: &Path, size: &Size, measured: &Measured) {
    fs::create_dir_all(folder).unwrap();
    for (name, charts) in plots(size, measured) {
        fs::write(folder.join(name), svg(&charts)).unwrap();
    }
    let text = text(size, measured);
    fs::write(folder.join("README.md"), &text).unwrap();
    let targets = text.split("## ").find(|part| part.starts_with("Targets")).unwrap_or_default();
    println!("\n{}", targets.trim_end());
}

/// What should have been measured of ours and was not.
pub fn missing(measured: &Measured) -> Vec<String> {
    let mut missing = Vec::new();
    for subject in measured.subjects.iter().filter(|subject| matches!(subject.role, Role::Ours(..))) {
        for operation in Operation::ALL {
            let rounds = subject.figures.get(&operation).map_or(&[][..], Vec::as_slice);
            let is_there = |round: &Sample| {
                let share = Limit::of(operation).is_none() || round.share.is_some_and(f64::is_finite);
                let jwks = operation != Operation::SignIn || round.jwks_p99.is_some_and(f64::is_finite);
                let rest = [round.rate, round.p50, round.p99, round.cpu, round.switches];
                share && jwks && round.rate > 0.0 && rest.iter().all(|figure| figure.is_finite())
            };
            if rounds.is_empty() || !rounds.iter().all(is_there) {
                missing.push(format!("{}, {}", name(subject), operation.name()));
            }
        }
        if subject.start.is_empty() || subject.idle <= 0.0 || subject.after <= 0.0 {
            missing.push(format!("{}, start and memory", name(subject)));
        }
    }
    if measured.limits.len() != 4 || measured.commits.iter().any(Vec::is_empty) {
        missing.push("limits".into());
    }
    missing
}

fn name(subject: &Subject) -> String {
    match subject.role {
        Role::Ours(engine, accounts) => {
            format!("ours, {}, {} accounts", engine.name(), number(accounts as f64))
        }
        Role::OidcProviderFull => {
            format!("{}, {} grants", subject.provider.plan.name, number(PEERS_GRANTS as f64))
        }
        Role::OidcProvider | Role::Glewlwyd => subject.provider.plan.name.clone(),
    }
}

/// Whether it stands in the comparison: ours with the fewest accounts, and peers.
fn is_compared(subject: &Subject, size: &Size) -> bool {
    !matches!(subject.role, Role::Ours(_, accounts) if accounts != size.accounts[0])
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn machine() -> String {
    let [cpu, memory] =
        [("/proc/cpuinfo", "model name"), ("/proc/meminfo", "MemTotal")].map(|(file, field)| {
            let text = read(file);
            let line = text.lines().find(|line| line.starts_with(field)).unwrap_or_default();
            line.split_once(':').map_or("unknown", |(_, value)| value.trim()).to_owned()
        });
    let memory: f64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    format!(
        "{cpu}, {} cores, {:.1} GiB of memory, Linux {}",
        crate::raw::threads(),
        memory / 1_048_576.0,
        read("/proc/sys/kernel/osrelease")
    )
}

fn text(size: &Size, measured: &Measured) -> String {
    let mut out = String::new();
    let others = Spread::of(measured.others.iter().map(|share| share * 100.0));
    let _ = writeln!(
        out,
        "# What the identity provider does\n\n\
         {} on {}. {AT_ONCE} requests at once, {} rounds of {} s each; of every figure the median and, in brackets, the \
         least and the most of the rounds. Load and servers share the cores. Other programs had {} % of all cores \
         meanwhile: above a few per cent, measure again. How to read all this: the README beside the bench.\n",
        platform::clock::Clock::system().now().rfc3339(),
        machine(),
        size.rounds,
        size.seconds,
        others.text()
    );
    for left_out in &measured.left_out {
        let _ = writeln!(out, "Left out: {left_out}\n");
    }
    out.push_str("## Targets\n\n| what | wanted | measured | |\n|---|---|---|---|\n");
    for target in targets::all(measured, size) {
        let verdict = match target.is_met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let found = target.measured.as_deref().unwrap_or("not measured");
        let _ = writeln!(out, "| {} | {} | {found} | {verdict} |", target.what, target.wanted);
    }

    out.push_str("\n## Limits of the machine\n\n| all cores | a second |\n|---|---|\n");
    for (limit, found) in &measured.limits {
        let spread = Spread::of(found.iter().copied());
        let _ = writeln!(out, "| {} | {} |", limit.name(), spread.text());
    }
    for (rows, found) in [1, SHARED].iter().zip(&measured.commits) {
        let spread = Spread::of(found.iter().copied());
        let what = if *rows == 1 { "of one row".into() } else { format!("of {rows} rows") };
        let _ = writeln!(out, "| durable commits in SQLite, {what}, one thread | {} |", spread.text());
    }

    out.push_str(
        "\n## Operations\n\nProcessor time and voluntary switches are the provider's, for each operation; \"beside\" is the \
         processor time of PostgreSQL and Redis. The share is of the limit that the operation is compared with.\n\n\
         ![operations a second](rates.svg)\n\n![processor time](cpu.svg)\n\n![99th percentile](latency.svg)\n",
    );
    for operation in Operation::ALL {
        let limit = Limit::of(operation).map_or("share".into(), |limit| format!("share of {}", limit.name()));
        let _ = writeln!(
            out,
            "\n### {}\n\n| | a second | p50, ms | p99, ms | processor, µs | beside, µs | switches | {limit} |\n\
             |---|---|---|---|---|---|---|---|",
            operation.name()
        );
        for subject in &measured.subjects {
            let Some(rounds) = subject.figures.get(&operation) else { continue };
            let spread = |part: fn(&Sample) -> f64| Spread::of(rounds.iter().map(part)).text();
            let shares: Option<Vec<f64>> = rounds.iter().map(|round| round.share).collect();
            let share = shares.map_or(String::new(), |shares| {
                format!("{} %", Spread::of(shares.iter().map(|share| share * 100.0)).text())
            });
            let has_beside = !subject.provider.plan.beside.is_empty();
            let beside = if has_beside { spread(|round| round.cpu_beside) } else { String::new() };
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {beside} | {} | {share} |",
                name(subject),
                spread(|round| round.rate),
                spread(|round| round.p50),
                spread(|round| round.p99),
                spread(|round| round.cpu),
                spread(|round| round.switches),
            );
        }
    }
    out.push_str("\nJWKS while people sign in, 99th percentile:\n\n| | ms |\n|---|---|\n");
    for subject in &measured.subjects {
        let rounds = subject.figures.get(&Operation::SignIn).into_iter().flatten();
        let found: Vec<f64> = rounds.filter_map(|round| round.jwks_p99).collect();
        if !found.is_empty() {
            let _ = writeln!(out, "| {} | {} |", name(subject), Spread::of(found).text());
        }
    }

    let _ = writeln!(
        out,
        "\n## Start and memory\n\nTo the first answer, with its database there already. Memory after all the load above; \
         of the first, after {} sign-ins. Hashing passwords takes {} MB of that in ours.\n\n\
         ![start and memory](memory.svg)\n\n| | start, ms | idle, MB | after the load, MB |\n|---|---|---|---|",
        number(measured.sign_ins as f64),
        number(targets::pool_mb())
    );
    for subject in &measured.subjects {
        let start = Spread::of(subject.start.iter().copied()).text();
        let [idle, after] = [subject.idle, subject.after].map(number);
        let _ = writeln!(out, "| {} | {start} | {idle} | {after} |", name(subject));
    }

    let _ = writeln!(
        out,
        "\n## More accounts\n\nEach account has a device, a session, a grant, a refresh token and a year of rows in the audit \
         log. How many times as much as with {} accounts: processor time, the database's included, and rate.\n\n\
         ![growth](growth.svg)\n\n| | | processor time | rate |\n|---|---|---|---|",
        number(size.accounts[0] as f64)
    );
    for (label, many, few) in grown(size, measured) {
        for operation in Operation::ALL {
            let cpu = measured.ratio(operation, many, few, |round| round.cpu + round.cpu_beside);
            let rate = measured.ratio(operation, many, few, |round| round.rate);
            let Some((cpu, rate)) = cpu.zip(rate) else { continue };
            let _ = writeln!(out, "| {label} | {} | {} | {} |", operation.name(), cpu.text(), rate.text());
        }
    }
    out
}

/// Those with more accounts, each with what it is compared with.
fn grown(size: &Size, measured: &Measured) -> Vec<(String, Role, Role)> {
    let all = size.accounts[1..].iter().flat_map(|accounts| {
        [Engine::Sqlite, Engine::Postgres].map(|engine| {
            let label = format!("{}, {} accounts", engine.name(), number(*accounts as f64));
            (label, Role::Ours(engine, *accounts), Role::Ours(engine, size.accounts[0]))
        })
    });
    all.filter(|(_, many, few)| measured.subject(*many).is_some() && measured.subject(*few).is_some())
        .collect()
}

fn plots(size: &Size, measured: &Measured) -> Vec<(&'static str, Vec<Chart>)> {
    let compared = || measured.subjects.iter().filter(|subject| is_compared(subject, size));
    let charts = |unit: &str, part: fn(&Sample) -> f64| -> Vec<Chart> {
        let chart = |operation: Operation| {
            let bars = compared().filter_map(|subject| {
                let rounds = subject.figures.get(&operation)?;
                Some((name(subject), Spread::of(rounds.iter().map(part))))
            });
            Chart { title: format!("{}: {unit}", operation.name()), bars: bars.collect(), limit: None }
        };
        Operation::ALL.into_iter().map(chart).collect()
    };
    let once = |title: &str, part: &dyn Fn(&Subject) -> Spread| Chart {
        title: title.into(),
        bars: measured.subjects.iter().map(|subject| (name(subject), part(subject))).collect(),
        limit: None,
    };
    let growth = grown(size, measured).into_iter().map(|(label, many, few)| {
        let bars = Operation::ALL.into_iter().filter_map(|operation| {
            let ratio = measured.ratio(operation, many, few, |round| round.cpu + round.cpu_beside)?;
            Some((operation.name(), ratio))
        });
        Chart {
            title: format!("{label}: processor time, times that of {}", number(size.accounts[0] as f64)),
            bars: bars.collect(),
            limit: Some(1.2),
        }
    });
    vec![
        ("rates.svg", charts("a second", |round| round.rate)),
        ("cpu.svg", charts("processor time of each, µs", |round| round.cpu + round.cpu_beside)),
        ("latency.svg", charts("99th percentile, ms", |round| round.p99)),
        (
            "memory.svg",
            vec![
                once("start to first answer, ms", &|subject| Spread::of(subject.start.iter().copied())),
                once("memory, idle, MB", &|subject| Spread::of([subject.idle])),
                once("memory after the load, MB", &|subject| Spread::of([subject.after])),
            ],
        ),
        ("growth.svg", growth.collect()),
    ]
}
