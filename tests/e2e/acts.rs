//! What people do in several of these stories, and what the stories look at afterwards.

use std::time::Duration;

use idp::config::{Config, SigningAlgorithm};
use idp::delivery::Caught;
use platform::clock::Timestamp;
use platform::db::{AssertSqlSafe, Db, Engine, Query};
use reqwest::Method;
use tests::{Browser, Page, Person, RelyingParty, Tokens, World};
use tokio::task::JoinSet;

/// The sentence for every password that did not sign somebody in.
pub const NOT_SIGNED_IN: &str = "De combinatie klopt niet";
/// The page of a mailed link that is used up or too old.
pub const LINK_INVALID: &str = "Deze link werkt niet meer";

/// A configuration whose clients get ID tokens of this algorithm.
pub fn signs_with(algorithm: SigningAlgorithm) -> impl FnOnce(&mut Config) {
    move |config| {
        let clients = config.portals.iter_mut().flat_map(|portal| &mut portal.clients);
        clients.for_each(|client| client.id_token_signed_response_alg = Some(algorithm));
    }
}

/// A browser that was never here, sent to the sign-in page by a portal.
pub async fn at_sign_in(world: &World) -> Browser {
    let mut browser = world.browser();
    browser.open(&world.relying_party().authorize_url(&[])).await;
    assert!(browser.has("login-page"), "{}", browser.text());
    browser
}

/// A browser in which a person has signed in with password and code: a known device from now on.
pub async fn signed_in(world: &World, person: &Person) -> Browser {
    let mut browser = at_sign_in(world).await;
    browser.sign_in(world, person).await;
    assert!(is_back(&browser), "{}", browser.text());
    browser
}

/// Whether the browser is back at the portal with an authorization code.
pub fn is_back(browser: &Browser) -> bool {
    let url = &browser.page.url;
    url.as_str().starts_with("http://127.0.0.1:9999/cb") && url.query_pairs().any(|(name, _)| name == "code")
}

/// Gives a password on the sign-in page that is shown, and sees it refused.
pub async fn refused(browser: &mut Browser, person: &Person, password: &str) {
    browser.submit("login-submit", &[("email", person.email), ("password", password)]).await;
    assert_eq!(browser.page.status, 422, "{}", browser.text());
    assert!(browser.text().contains(NOT_SIGNED_IN), "{}", browser.text());
}

/// Five wrong passwords from a browser that nobody knows.
pub async fn lock(world: &World, person: &Person) {
    let stranger = at_sign_in(world).await;
    let name =
        if stranger.has("username") { ("username", person.username()) } else { ("email", person.email) };
    let wrong = |_| vec![(name.0, name.1.to_owned()), ("password", "Fout-Wachtwoord-99".to_owned())];
    at_once(vec![stranger; 5], "login-submit", wrong).await;
}

/// Fills and sends the same form in several browsers at the same moment; what they show afterwards.
pub async fn at_once(
    browsers: Vec<Browser>,
    id: &'static str,
    typed: impl Fn(usize) -> Vec<(&'static str, String)>,
) -> Vec<Browser> {
    let mut all = JoinSet::new();
    for (number, mut browser) in browsers.into_iter().enumerate() {
        let typed = typed(number);
        all.spawn(async move {
            let typed: Vec<(&str, &str)> =
                typed.iter().map(|(name, value)| (*name, value.as_str())).collect();
            browser.submit(id, &typed).await;
            browser
        });
    }
    all.join_all().await
}

/// How often something was noted about a person's account.
pub async fn noted(world: &World, person: &Person, event: &str) -> usize {
    let id = world.account(person).await.id;
    let entries = world.idp.store.audit(Some(&id), 1_000).await.unwrap();
    entries.iter().filter(|entry| entry.event == event).count()
}

/// Changes one person's account row as no page can.
pub async fn set_column(world: &World, person: &Person, sql: &'static str, value: Option<i64>) {
    let query = Query::new(sql).bind(value).bind(person.email.to_owned());
    assert_eq!(world.idp.store.db().execute(query).await.unwrap(), 1);
}

/// Takes the phone from an account, as if it had just been confirmed.
pub async fn without_phone(world: &World, person: &Person) {
    let sql = "UPDATE accounts SET phone_sealed = NULL, phone_verified_at = $1 WHERE email = $2";
    set_column(world, person, sql, None).await;
}

/// Makes the password of an account a temporary one.
pub async fn temporary_until(world: &World, person: &Person, until: Timestamp) {
    let sql = "UPDATE accounts SET temporary_password_until = $1 WHERE email = $2";
    set_column(world, person, sql, Some(until.0)).await;
}

/// The tables of a program, but what the migrations and SQLite keep for themselves.
pub async fn tables(db: &Db) -> Vec<String> {
    let sql = match db.engine() {
        Engine::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Engine::Postgres => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'"
        }
    };
    let rows = Query::new(sql).fetch_all(db).await.unwrap();
    let names = rows.iter().map(|row| row.try_get::<String, _>(0).unwrap());
    names.filter(|name| !name.starts_with("_sqlx") && !name.starts_with("sqlite_")).collect()
}

/// One text column of a table.
pub async fn column(world: &World, sql: &str) -> Vec<String> {
    let rows = Query::new(AssertSqlSafe(sql.to_owned())).fetch_all(world.idp.store.db()).await.unwrap();
    rows.iter().map(|row| row.try_get(0).unwrap()).collect()
}

/// The code in an SMS.
pub fn code_of(sms: &Caught) -> String {
    sms.text.lines().last().unwrap().rsplit_once('#').unwrap().1.to_owned()
}

/// A code of the same length that is not `code`.
pub fn another(code: &str) -> String {
    let last = if code.ends_with('7') { '8' } else { '7' };
    format!("{}{last}", &code[..code.len() - 1])
}

/// The code that a mail offers to type.
pub fn typed_code_of(mail: &Caught) -> String {
    let is_code = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
    mail.text.lines().map(str::trim).find(is_code).expect("a code to type").to_owned()
}

/// What a page says, without what is new in every answer: tokens and ids (long words) and what was typed.
pub fn lasting(page: &Page, typed: &str) -> String {
    let body = page.body.replace(typed, "TYPED");
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut lasting = String::new();
    let mut word = String::new();
    for c in body.chars().chain(['\n']) {
        if is_word(c) {
            word.push(c);
            continue;
        }
        let is_time = word.len() == 13 && word.bytes().all(|byte| byte.is_ascii_digit());
        let is_long = word.len() >= 20 || is_time;
        lasting.push_str(if is_long { "LONG" } else { &word });
        lasting.push(c);
        word.clear();
    }
    lasting
}

/// The cookies that an answer sets, without their values.
pub fn cookies_set(page: &Page) -> Vec<String> {
    let line = |value: &reqwest::header::HeaderValue| {
        let line = value.to_str().unwrap();
        let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
        format!("{};{attributes}", pair.split('=').next().unwrap())
    };
    page.headers.get_all("set-cookie").iter().map(line).collect()
}

/// How many answers of each kind are timed where two kinds have to take the same time.
pub const TIMED: usize = 15;

/// Fails if answers of one kind take longer than those of another by more than a margin that nobody sees through a
/// network: Mann and Whitney's test (1947) on the one kind less the margin and the other, in both directions. At
/// four standard errors chance alone hardly ever fails; noise of the machine makes it more lenient, never
/// stricter.
pub fn take_the_same_time(kinds: &[(&str, Vec<Duration>)]) {
    const MARGIN: f64 = 0.010;
    for (one, times) in kinds {
        for (other, others) in kinds.iter().filter(|(other, _)| other != one) {
            let pairs = times
                .iter()
                .flat_map(|a| others.iter().map(move |b| (a.as_secs_f64() - MARGIN, b.as_secs_f64())));
            let wins = pairs.map(|(a, b)| if a > b { 1.0 } else { 0.0 }).sum::<f64>();
            let count = |times: &[Duration]| f64::from(u32::try_from(times.len()).unwrap());
            let (n, m) = (count(times), count(others));
            let z = (wins - n * m / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt();
            assert!(z < 4.0, "{one} takes longer than {other}: {times:?}, {others:?}");
        }
    }
}

#[test]
fn the_comparison_of_times_sees_what_a_stopwatch_sees() {
    let of =
        |start: u64, step: u64| (0..TIMED as u64).map(|n| Duration::from_millis(start + n * step)).collect();
    take_the_same_time(&[("one", of(250, 2)), ("other", of(253, 2))]);
    for slower in [of(300, 2), of(275, 1)] {
        let kinds = [("one", of(250, 1)), ("other", slower)];
        assert!(std::panic::catch_unwind(|| take_the_same_time(&kinds)).is_err());
    }
}

/// Presses the switch to the other language in the form `id`, with this typed so far.
pub async fn switch_language(browser: &mut Browser, typed: &[(&str, &str)]) {
    let url = browser.page.body.split("formaction=\"").nth(1).expect("a switch").split('"').next().unwrap();
    let url = browser
        .page
        .url
        .join(&url.replace("&amp;", "&").replace("&#x2F;", "/").replace("&#x3D;", "="))
        .unwrap();
    let (_, mut fields) = browser.form_of("typed");
    for (name, value) in typed {
        fields.retain(|(known, _)| known != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    browser.request(Method::POST, &url, Some(&fields)).await;
    browser.follow().await;
}

/// `acr` and `amr` of the sign-in that has just come back.
pub async fn earned(browser: &Browser, client: &RelyingParty) -> (String, Vec<String>) {
    let code = client.answered(browser, "code").unwrap();
    let tokens = Tokens(client.redeem(&code).await.json().await.unwrap());
    let claims = tokens.claims("id_token");
    let amr = claims["amr"].as_array().unwrap().iter().map(|method| method.as_str().unwrap().to_owned());
    (claims["acr"].as_str().unwrap().to_owned(), amr.collect())
}
