//! Limits that hold for many at once, and room for what people leave who have proved nothing: T51 and T53.

use std::time::Duration;

use idp::config::{Client, Config, TokenEndpointAuthMethod};
use platform::db::Query;
use reqwest::{Method, StatusCode};
use tests::{Backend, Browser, Person, RelyingParty, World};
use url::Url;

use crate::acts::{another, at_once, at_sign_in, code_of, is_back, signed_in};

fn public_client() -> Client {
    Client {
        client_id: "native".into(),
        token_endpoint_auth_method: TokenEndpointAuthMethod::None,
        redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
        ..Client::default()
    }
}

fn from(browser: &Browser, address: &str) -> Browser {
    let mut browser = browser.clone();
    browser.extra_headers.push(("x-forwarded-for", address.to_owned()));
    browser
}

/// A world behind a proxy where one address may leave three things open, and all together five.
async fn narrow(backend: Backend) -> World {
    World::with(backend, |config: &mut Config| {
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.limits.open_per_address = 3;
        config.limits.open_in_all = 5;
        config.portals.last_mut().unwrap().clients.push(public_client());
    })
    .await
}

/// Asks what one answers who may, as often as from one address and then as from all together.
async fn is_bounded(what: &str, ask: impl AsyncFn(&'static str) -> (StatusCode, bool)) {
    for _ in 0..3 {
        assert_ne!(ask("203.0.113.1").await.0, StatusCode::TOO_MANY_REQUESTS, "{what}");
    }
    assert_eq!(ask("203.0.113.1").await, (StatusCode::TOO_MANY_REQUESTS, true), "{what}: one address");
    for _ in 0..2 {
        assert_ne!(ask("203.0.113.2").await.0, StatusCode::TOO_MANY_REQUESTS, "{what}");
    }
    assert_eq!(ask("203.0.113.3").await, (StatusCode::TOO_MANY_REQUESTS, true), "{what}: all together");
}

fn told(page: &tests::Page) -> (StatusCode, bool) {
    (page.status, page.headers.contains_key("retry-after"))
}

#[tokio::test]
async fn t53_rows_of_anonymous_requests_are_bounded_by_address_and_in_all() {
    for backend in Backend::ALL {
        let world = narrow(backend).await;
        let party = world.relying_party();
        let fresh = world.browser();

        is_bounded("/authorize", async |address| {
            let mut browser = from(&fresh, address);
            browser.open(&party.authorize_url(&[])).await;
            told(&browser.page)
        })
        .await;
        world.advance(Duration::from_hours(1));

        // A page of ours that needs a session begins a sign-in too.
        is_bounded("/account", async |address| {
            let mut browser = from(&fresh, address);
            browser.open(&format!("{}/account", world.issuer)).await;
            told(&browser.page)
        })
        .await;
        world.advance(Duration::from_hours(1));

        let native = RelyingParty::new(&world.issuer, "native", None);
        let request = Url::parse(&native.authorize_url(&[])).unwrap();
        let form: Vec<(String, String)> = request.query_pairs().into_owned().collect();
        let (native, form, par) = (&native, &form, format!("{}/par", world.issuer));
        is_bounded("/par", async |address| {
            let sent = native.http.post(&par).header("x-forwarded-for", address).form(form);
            let answer = sent.send().await.unwrap();
            (answer.status(), answer.headers().contains_key("retry-after"))
        })
        .await;
        // What expired makes room again.
        world.advance(Duration::from_mins(2));
        let again = native.http.post(&par).header("x-forwarded-for", "203.0.113.1").form(form);
        assert_eq!(again.send().await.unwrap().status(), StatusCode::CREATED);

        // The page of a mail that may come; the same for an address that nobody has here.
        let mut page = from(&fresh, "203.0.113.9");
        page.open(&format!("{}/forgot", world.issuer)).await;
        let number = std::sync::atomic::AtomicU32::new(0);
        is_bounded("/forgot", async |address| {
            let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let nobody = format!("nobody-{number}@example.nl");
            let mut browser = page.clone();
            browser.extra_headers.clear();
            let mut browser = from(&browser, address);
            browser.submit("forgot-submit", &[("email", &nobody)]).await;
            told(&browser.page)
        })
        .await;

        // A form that is kept for the other language, for a browser that nobody is signed in to.
        let kept = Url::parse(&format!("{}/kept?page=/forgot", world.issuer)).unwrap();
        let number = std::sync::atomic::AtomicU32::new(0);
        is_bounded("/kept", async |address| {
            let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut browser = page.clone();
            browser.extra_headers.clear();
            let mut browser = from(&browser, address);
            let (_, mut fields) = browser.form_of("forgot-submit");
            fields.retain(|(name, _)| name != "email");
            fields.push(("email".into(), format!("nobody-{number}@example.nl")));
            browser.request(Method::POST, &kept, Some(&fields)).await;
            told(&browser.page)
        })
        .await;
    }
}

#[tokio::test]
async fn t53_rows_have_a_bounded_size() {
    for backend in Backend::ALL {
        let world = World::with_clients(backend, vec![public_client()]).await;
        let native = RelyingParty::new(&world.issuer, "native", None);
        for name in ["state", "nonce", "login_hint", "ui_locales", "claims", "acr_values"] {
            let long = match name {
                "claims" => format!("{{\"id_token\":{{\"{}\":null}}}}", "a".repeat(12_000)),
                _ => "a".repeat(12_000),
            };
            let url = Url::parse(&native.authorize_url(&[(name, &long)])).unwrap();
            let form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            let sent = native.http.post(format!("{}/par", world.issuer)).form(&form);
            let status = sent.send().await.unwrap().status();
            let mut browser = world.browser();
            browser.open(url.as_str()).await;
            let largest = largest_value(&world).await;
            assert!(largest <= 9_000, "{name}: {largest}");
            // What is not kept at all may be long.
            let is_kept = ["state", "nonce", "login_hint"].contains(&name);
            assert!(!is_kept || status == StatusCode::BAD_REQUEST, "{name}: {status}");
        }
        // What is long and not too long goes on as before.
        let mut browser = world.browser();
        browser.open(&native.authorize_url(&[("state", &"s".repeat(2_000))])).await;
        assert!(browser.has("login-page"), "{}", browser.text());
    }
}

/// Bytes of the longest expiring value, where they are in the database.
async fn largest_value(world: &World) -> i64 {
    if world.backend != Backend::Embedded {
        return 0;
    }
    let query = Query::new("SELECT COALESCE(MAX(LENGTH(value)), 0) FROM ephemeral");
    query.fetch_one(world.idp.store.db()).await.unwrap().try_get(0).unwrap()
}

#[tokio::test]
async fn t53_the_portals_rows_are_bounded_too() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        // As many as its default allows from one address.
        let most = world.portal.settings.limits.open_per_address;
        let room = format!("room-sign-ins:{}", "127.0.0.1");
        for _ in 0..most {
            world.portal.ephemeral.count(&room, Duration::from_hours(2)).await.unwrap();
        }
        let mut browser = world.browser();
        browser.open(&format!("{}/login", world.portal_origin)).await;
        assert_eq!(told(&browser.page), (StatusCode::TOO_MANY_REQUESTS, true), "{}", browser.text());
        world.advance(Duration::from_hours(2));
        let long = format!("/{}", "a".repeat(10_000));
        browser.open(&format!("{}/login?return_to={long}", world.portal_origin)).await;
        assert!(browser.has("login-page"), "{}", browser.text());
        if backend == Backend::Embedded {
            let query = Query::new("SELECT MAX(LENGTH(value)) FROM ephemeral");
            let largest: i64 = query.fetch_one(&world.portal.db).await.unwrap().try_get(0).unwrap();
            assert!(largest < 4_000, "{largest}");
        }
    }
}

#[tokio::test]
async fn t53_rows_that_expired_are_gone_within_the_minute() {
    let world = World::new(Backend::Embedded).await;
    at_sign_in(&world).await;
    world.advance(Duration::from_hours(25));
    idp::operators::jobs::sweep(&world.idp).await.unwrap();
    let query = Query::new("SELECT COUNT(*) FROM ephemeral");
    let left: i64 = query.fetch_one(world.idp.store.db()).await.unwrap().try_get(0).unwrap();
    assert_eq!(left, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t51_forty_wrong_passwords_at_once_are_no_more_than_the_limit() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| config.limits.sign_ins_per_address_per_hour = 10).await;
        world.add(&Person::ANNA).await;
        // A right one takes nothing.
        for _ in 0..3 {
            let mut right = at_sign_in(&world).await;
            right.give_password(&Person::ANNA).await;
            assert!(right.has("otp"), "{}", right.text());
        }
        let page = at_sign_in(&world).await;
        let wrong = |number| {
            vec![("email", format!("nobody-{number}@example.nl")), ("password", "geen-idee-12345".into())]
        };
        let done = at_once(vec![page; 40], "login-submit", wrong).await;
        let of = |status: u16| done.iter().filter(|browser| browser.page.status == status).count();
        assert_eq!((of(422), of(429)), (10, 30));
        assert!(done.iter().all(|browser| browser.page.status != 429 || told(&browser.page).1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t51_wrong_codes_at_once_are_no_more_than_the_days_limit_and_a_right_one_takes_nothing() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let anna = world.add(&Person::ANNA).await;
        let key = format!("code-failures:{}", anna.id.0);
        // Twelve of the day's fifteen are used up.
        for _ in 0..12 {
            world.idp.ephemeral.count(&key, Duration::from_hours(24)).await.unwrap();
        }
        let mut pages = Vec::new();
        for _ in 0..8 {
            let mut browser = at_sign_in(&world).await;
            browser.give_password(&Person::ANNA).await;
            assert!(browser.has("otp"), "{}", browser.text());
            pages.push(browser);
        }
        let code = code_of(world.texts(Person::ANNA.phone).await.last().unwrap());
        let mut right = pages.pop().unwrap();
        let wrong = another(&code);
        at_once(pages, "otp-submit", |_| vec![("code", wrong.clone())]).await;
        let used = world.idp.ephemeral.get(&key).await.unwrap().unwrap().version;
        assert_eq!(used, 15, "never more than the limit are looked at");
        right.submit("otp-submit", &[("code", &code)]).await;
        assert!(!is_back(&right), "nothing is left of the day");
        world.advance(Duration::from_hours(24));
        let mut next = at_sign_in(&world).await;
        next.sign_in(&world, &Person::ANNA).await;
        assert!(is_back(&next), "{}", next.text());
        assert_eq!(world.idp.ephemeral.get(&key).await.unwrap().map_or(0, |counter| counter.version), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t51_what_is_taken_at_once_is_never_more_than_there_is() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let key = format!("limited:{}", world.issuer);
        let hour = Duration::from_hours(1);
        let mut takers = tokio::task::JoinSet::new();
        for number in 0..40 {
            let (values, key) = (world.idp.ephemeral.clone(), key.clone());
            takers.spawn(async move {
                let limit = platform::ephemeral::Limit { key: &key, most: 7, window: hour };
                let taken = values.reserve(&[limit]).await.unwrap();
                // Every second one gives back what it got.
                match taken {
                    Ok(taken) if number % 2 == 0 => {
                        values.give_back(taken).await.unwrap();
                        0
                    }
                    Ok(_) => 1,
                    Err(full) => {
                        assert_eq!(full.index, 0);
                        0
                    }
                }
            });
        }
        let kept: i64 = takers.join_all().await.into_iter().sum();
        assert!(kept <= 7, "{kept}");
        let shown = world.idp.ephemeral.get(&key).await.unwrap().unwrap().version;
        assert_eq!(shown, kept, "what was given back is there again");

        // None of any, if one of them has none left; and a window that has ended takes nothing back.
        let values = &world.idp.ephemeral;
        let other = format!("other:{}", world.issuer);
        let both = |most| {
            [
                platform::ephemeral::Limit { key: &other, most: 5, window: hour },
                platform::ephemeral::Limit { key: &key, most, window: hour },
            ]
        };
        let full = values.reserve(&both(u32::try_from(kept.max(1)).unwrap())).await.unwrap();
        assert_eq!(full.is_err(), kept > 0);
        let taken = values.reserve(&both(100)).await.unwrap().unwrap();
        world.advance(hour);
        let _new = values.reserve(&both(100)).await.unwrap().unwrap();
        values.give_back(taken).await.unwrap();
        assert_eq!(values.get(&other).await.unwrap().unwrap().version, 1);
    }
}

#[tokio::test]
async fn t53_a_request_that_asks_nobody_anything_leaves_no_row() {
    let world = World::new(Backend::Embedded).await;
    let rows = async || {
        let query = Query::new("SELECT key FROM ephemeral");
        query.fetch_all(world.idp.store.db()).await.unwrap().len()
    };
    let party = world.relying_party();
    let silent = party.authorize_url(&[("prompt", "none")]);
    let mut stranger = world.browser();
    stranger.open(&silent).await;
    assert_eq!(party.answered(&stranger, "error").as_deref(), Some("login_required"));
    assert_eq!(rows().await, 0);

    world.add(&Person::ANNA).await;
    let mut browser = signed_in(&world, &Person::ANNA).await;
    let before = rows().await;
    assert!(before > 0, "who signed in was asked something");
    for url in [&silent, &party.authorize_url(&[])] {
        browser.open(url).await;
        assert!(party.answered(&browser, "code").is_some(), "{}", browser.text());
    }
    assert_eq!(rows().await, before);
}
