//! What nobody may learn from how long an answer takes: whether a client or a dossier exists. Told by the statements
//! that the portal runs, which are the same; so this file has one test and a process of its own.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

#[path = "flow/support/mod.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod support;

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use platform::db::STATEMENTS;
use support::provider::Who;
use support::{Browser, Portal};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// The statements that ran, each with how many rows it gave.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == STATEMENTS {
            let mut line = Line::default();
            event.record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }
    }
}

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if ["statement", "rows"].contains(&field.name()) {
            write!(self.0, "{} {value:?}; ", field.name()).unwrap();
        }
    }
}

impl Statements {
    /// What ran since the last time, in alphabetical order: some run beside each other.
    fn taken(&self) -> Vec<String> {
        let mut ran = std::mem::take(&mut *self.0.lock().unwrap());
        ran.sort();
        ran
    }
}

/// Asks for access, sees the tile and the page of the request, and tries a code.
async fn asks(browser: &mut Browser, bsn: &str, birth_date: &str) -> Vec<(u16, usize)> {
    let fields = [
        ("relation", "representative"),
        ("birth_date", birth_date),
        ("bsn", bsn),
        ("organisation", "zonnehof"),
    ];
    let mut answers = Vec::new();
    let mut note = |answer: (reqwest::StatusCode, String), page: &str| {
        answers.push((answer.0.as_u16(), page.len()));
        answer.1
    };
    note(browser.get("/request").await, &browser.page);
    note(browser.post("/request", &fields).await, &browser.page);
    let draft = browser.between("name=\"draft\" value=\"", "\"").unwrap();
    let at = note(browser.post("/request/overview", &[("draft", &draft)]).await, &browser.page);
    note(browser.get("/").await, &browser.page);
    let request = at.trim_end_matches("/sent").to_owned();
    note(browser.get(&request).await, &browser.page);
    let code = [("activation_code", "AAAA-AAAA")];
    note(browser.post(&format!("{request}/activate"), &code).await, &browser.page);
    answers
}

#[tokio::test]
async fn t43_t44_whether_a_client_or_a_dossier_exists_costs_the_same() {
    let statements = Statements::default();
    let subscriber = tracing_subscriber::registry().with(statements.clone());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let portal = Portal::start().await;

    let mut seen = Vec::new();
    // The first one meets what is read once; then the right combination, a wrong number, a wrong date, and right again.
    for (person, bsn, birth_date) in [
        ("anna", "999990032", "1-3-1941"),
        ("bert", "999990019", "1-2-1940"),
        ("cees", "999990032", "1-2-1940"),
        ("dora", "999990019", "2-2-1940"),
        ("eefs", "999990019", "1-2-1940"),
    ] {
        let mut browser = portal.signed_in(Who::user(person, "Iemand"), "/").await;
        statements.taken();
        let answers = asks(&mut browser, bsn, birth_date).await;
        seen.push((answers, statements.taken()));
    }
    let (_, ran) = &seen[1];
    assert!(ran.iter().any(|line| line.contains("INSERT INTO links")), "{ran:#?}");
    assert!(ran.iter().any(|line| line.contains("SET code_failures")), "{ran:#?}");
    for (answers, other) in &seen[2..] {
        assert_eq!(ran, other);
        assert_eq!(&seen[1].0, answers);
    }

    // Somebody's dossier, and none.
    let mut browser = portal.signed_in(Who::user("fien", "Iemand"), "/").await;
    let mut seen = Vec::new();
    for dossier in ["h2m9xw", "x9y8z7", "d4k7tq", "nobody"] {
        statements.taken();
        let (status, _) = browser.get(&format!("/dossiers/{dossier}/home")).await;
        seen.push((status, browser.page.replace(dossier, "NAME"), statements.taken()));
    }
    assert!(seen[0].2.iter().any(|line| line.contains("INSERT INTO access_log")), "{:#?}", seen[0].2);
    for other in &seen[1..] {
        assert_eq!(&seen[0], other);
    }
}
