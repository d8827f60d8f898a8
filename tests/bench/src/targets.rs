//! What the figures should be, and whether they are.

use idp::config::PasswordRules;

use crate::figures::{Spread, number};
use crate::load::Operation;
use crate::measure::{Engine, Measured, PEERS_GRANTS, Role, Sample, Size};
use crate::raw;
use crate::server::Algorithm::{Es256, Rs256};

/// One line of the table.
pub struct Target {
    pub what: String,
    pub wanted: String,
    /// Unless it was not measured.
    pub measured: Option<String>,
    pub is_met: Option<bool>,
}

#[derive(Clone, Copy)]
enum Wanted {
    AtLeast(f64),
    Below(f64),
}

fn target(what: impl Into<String>, wanted: Wanted, unit: &str, measured: Option<Spread>) -> Target {
    let (wanted_text, is_met) = match wanted {
        Wanted::AtLeast(least) => {
            (format!("{least} {unit} or more"), measured.map(|found| found.median >= least))
        }
        Wanted::Below(most) => (format!("below {most} {unit}"), measured.map(|found| found.median < most)),
    };
    let measured = measured.map(|found| format!("{} {unit}", found.text()));
    Target { what: what.into(), wanted: wanted_text, measured, is_met }
}

/// How many times as much processor time something costs with more accounts, the database's included: of all operations,
/// the one for which that is worst.
pub fn growth(measured: &Measured, engine: Engine, accounts: [usize; 2]) -> Option<(Operation, Spread)> {
    let [few, many] = accounts.map(|count| Role::Ours(engine, count));
    let all = Operation::ALL.into_iter().filter_map(|operation| {
        Some((operation, measured.ratio(operation, many, few, |round| round.cpu + round.cpu_beside)?))
    });
    all.max_by(|left, right| left.1.median.total_cmp(&right.1.median))
}

/// All of them, for ours on the first engine with the fewest accounts unless they say otherwise.
pub fn all(measured: &Measured, size: &Size) -> Vec<Target> {
    use Wanted::{AtLeast, Below};
    let accounts = &size.accounts;
    let ours = |count: usize| Role::Ours(size.engines[0], count);
    let first = ours(accounts[0]);
    let full = accounts.iter().copied().find(|count| *count >= PEERS_GRANTS).map_or(first, ours);
    let rate = |round: &Sample| round.rate;
    let mut targets = Vec::new();
    for (algorithm, least) in [(Rs256, 2.0), (Es256, 4.0)].into_iter().filter(|_| size.peers) {
        let found = measured.ratio(Operation::Silent(algorithm), first, Role::OidcProvider, rate);
        let what = format!("silent flow, {}, against oidc-provider", algorithm.name());
        targets.push(target(what, AtLeast(least), "times", found));
    }
    for algorithm in [Rs256, Es256].into_iter().filter(|_| size.peers) {
        let found = measured.ratio(Operation::Refresh(algorithm), full, Role::OidcProviderFull, rate);
        let what = format!("refresh, {}, 100,000 grants, against oidc-provider", algorithm.name());
        targets.push(target(what, AtLeast(1.5), "times", found));
    }
    let percent = |round: &Sample| round.share.unwrap_or(f64::NAN) * 100.0;
    for (operation, least, limit) in [
        (Operation::ClientCredentials(Rs256), 90.0, "RS256 signatures alone"),
        (Operation::ClientCredentials(Es256), 50.0, "ES256 signatures alone"),
        (Operation::SignIn, 95.0, "argon2id alone"),
        (Operation::Discovery, 85.0, "hello world"),
        (Operation::Jwks, 85.0, "hello world"),
    ] {
        let found = measured.spread(first, operation, percent);
        targets.push(target(format!("{}, of {limit}", operation.name()), AtLeast(least), "%", found));
    }
    let jwks = |round: &Sample| round.jwks_p99.unwrap_or(f64::NAN);
    let found = measured.spread(first, Operation::SignIn, jwks);
    targets.push(target("JWKS while people sign in, 99th percentile", Below(25.0), "ms", found));
    for algorithm in [Rs256, Es256] {
        let found = measured.spread(first, Operation::Silent(algorithm), |round| round.switches);
        let what = format!("voluntary switches of a silent flow, {}", algorithm.name());
        targets.push(target(what, Below(12.0), "", found));
    }
    for engine in size.engines.iter().copied().filter(|engine| *engine != Engine::PostgresRedis) {
        for many in &accounts[1..] {
            let found = growth(measured, engine, [accounts[0], *many]);
            let worst =
                found.map_or(String::new(), |(operation, _)| format!(" (worst: {})", operation.name()));
            let what = format!(
                "processor time for each, {} accounts against {}, {}{worst}",
                number(*many as f64),
                number(accounts[0] as f64),
                engine.name()
            );
            targets.push(target(what, Below(1.2), "times", found.map(|(_, spread)| spread)));
        }
    }
    let subject = measured.subject(first);
    let start = subject.map(|subject| Spread::of(subject.start.iter().copied()));
    targets.push(target("start to first answer", Below(100.0), "ms", start));
    let idle = subject.map(|subject| Spread::of([subject.idle]));
    targets.push(target("memory, idle", Below(30.0), "MB", idle));
    let after = subject.map(|subject| Spread::of([subject.after - pool_mb()]));
    let what = format!("memory after {} sign-ins, without that of hashing", number(measured.sign_ins as f64));
    targets.push(target(what, Below(80.0), "MB", after));
    targets
}

/// What hashing passwords needs: so much for each thread that does.
pub fn pool_mb() -> f64 {
    let rules = PasswordRules::default();
    let threads = if rules.workers == 0 { raw::threads() } else { rules.workers };
    threads as f64 * f64::from(rules.argon2_memory_kib) * 1_024.0 / 1e6
}
