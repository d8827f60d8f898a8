//! A logout that comes from a portal: what proves it, whose page it is, and where it leads.

use reqwest::Method;
use reqwest::header::SET_COOKIE;
use tests::{Backend, Browser, Person, World};
use url::Url;

use crate::protocol_logout::is_signed_in;

const BYE: &str = "http://127.0.0.1:9999/bye";
/// The second portal of the configuration, whose client is `web`.
const SECOND: &str = "Testportaal";

fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn clears_a_session(browser: &Browser) -> bool {
    let lines = browser.page.headers.get_all(SET_COOKIE);
    lines.into_iter().any(|line| line.to_str().unwrap().contains("Max-Age=0"))
}

#[tokio::test]
async fn t48_a_logout_without_cookies_ends_clears_and_claims_nothing() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();
        let mut signed_in = world.browser();
        portal.tokens(&world, &mut signed_in, &Person::ANNA).await;
        // From now on a silent sign-in proves nothing new, so the session keeps its secret.
        world.advance(std::time::Duration::from_secs(1));
        let at = Url::parse(&format!("{}/logout", world.issuer)).unwrap();
        for pairs in [
            vec![],
            vec![("state", "s")],
            vec![("client_id", "web")],
            vec![("client_id", "web"), ("post_logout_redirect_uri", BYE)],
            vec![("id_token_hint", "x"), ("post_logout_redirect_uri", BYE)],
            // A token that nobody gave to this browser, and a field twice.
            vec![("csrf", "x"), ("client_id", "web")],
            vec![("state", "s"), ("state", "s")],
        ] {
            // As a form of another site arrives: no cookie of ours comes along.
            let mut foreign = world.browser();
            foreign.extra_headers.push(("sec-fetch-site", "cross-site".into()));
            foreign.request(Method::POST, &at, Some(&fields(&pairs))).await;
            assert!(!clears_a_session(&foreign), "{pairs:?}: {:?}", foreign.page.headers);
            assert!(!foreign.page.url.as_str().contains("csrf"));
            // And the redirect, with the cookies or without any.
            let mut owner = signed_in.clone();
            owner.page = foreign.page.clone();
            for browser in [&mut foreign, &mut owner] {
                browser.follow().await;
                assert!(
                    browser.page.url.as_str().starts_with(at.as_str()),
                    "{pairs:?}: {}",
                    browser.page.url
                );
                assert!(!browser.text().contains("U bent uitgelogd"), "{pairs:?}: {}", browser.text());
                assert!(!clears_a_session(browser), "{pairs:?}");
            }
            assert!(is_signed_in(&world, &signed_in).await, "{pairs:?}");
            if pairs.first() != pairs.get(1) || pairs.is_empty() {
                assert!(owner.has("logout-confirm"), "{pairs:?}: {}", owner.text());
                assert!(foreign.text().contains("U bent niet ingelogd"), "{pairs:?}: {}", foreign.text());
            }
        }
        // With the answer of the person, twice at once, it is said that it happened.
        let mut asked = signed_in.clone();
        asked.open(at.as_str()).await;
        let mut again = asked.clone();
        asked.submit("logout-confirm", &[]).await;
        assert!(asked.text().contains("U bent uitgelogd") && clears_a_session(&asked), "{}", asked.text());
        again.submit("logout-confirm", &[]).await;
        assert!(again.text().contains("U bent uitgelogd"), "{}", again.text());
        assert!(!is_signed_in(&world, &signed_in).await);
    }
}

/// RP-Initiated Logout 1.0 sections 2 and 3.
#[tokio::test]
async fn a_logout_with_a_client_id_is_asked_by_its_portal_and_goes_back_there() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();
        let with = |pairs: &[(&str, &str)]| {
            String::from(Url::parse_with_params(&format!("{}/logout", world.issuer), pairs).unwrap())
        };
        let first = world.idp.config.portals[0].brand.name.clone();
        let state = ("state", "the state & more");
        let mut browser = world.browser();
        let hint = portal.tokens(&world, &mut browser, &Person::ANNA).await.get("id_token").to_owned();
        for (pairs, asker, back) in [
            (vec![("client_id", "web"), ("post_logout_redirect_uri", BYE), state], SECOND, true),
            (vec![("client_id", "web"), ("post_logout_redirect_uri", BYE)], SECOND, true),
            (vec![("client_id", "web"), state], SECOND, false),
            (
                vec![("client_id", "web"), ("post_logout_redirect_uri", "http://127.0.0.1:9999/")],
                SECOND,
                false,
            ),
            (vec![("client_id", "spa"), ("post_logout_redirect_uri", BYE)], SECOND, false),
            (vec![("client_id", "nobody"), ("post_logout_redirect_uri", BYE)], &first, false),
            (vec![("post_logout_redirect_uri", BYE)], &first, false),
            // What claims to be a proof and is none, is no better than nothing.
            (
                vec![("client_id", "web"), ("id_token_hint", "x"), ("post_logout_redirect_uri", BYE)],
                SECOND,
                false,
            ),
            (
                vec![("client_id", "spa"), ("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)],
                SECOND,
                false,
            ),
        ] {
            world.advance(std::time::Duration::from_secs(1));
            let mut browser = browser.clone();
            portal.code(&world, &mut browser, &Person::ANNA).await;
            browser.open(&with(&pairs)).await;
            assert!(browser.has("logout-confirm"), "{pairs:?}: {}", browser.text());
            assert!(
                browser.page.body.contains(&format!("· {asker}</title>")),
                "{pairs:?}: {}",
                browser.text()
            );
            browser.submit("logout-confirm", &[]).await;
            if back {
                let said: Vec<_> = browser.page.url.query_pairs().into_owned().collect();
                assert!(browser.page.url.as_str().starts_with(BYE), "{pairs:?}: {}", browser.page.url);
                let state = pairs.iter().filter(|(name, _)| *name == "state").copied();
                assert_eq!(said, fields(&state.collect::<Vec<_>>()));
            } else {
                assert!(browser.has("logged-out-page"), "{pairs:?}: {}", browser.page.url);
                assert!(browser.page.body.contains(&format!("· {asker}</title>")), "{pairs:?}");
            }
            assert!(!is_signed_in(&world, &browser).await, "{pairs:?}");
            // Nobody is signed in: there is no question to answer, so that nothing is followed.
            browser.open(&with(&pairs)).await;
            assert!(browser.text().contains("U bent niet ingelogd"), "{pairs:?}: {}", browser.text());
            assert!(browser.page.body.contains(&format!("· {asker}</title>")), "{pairs:?}");
        }
    }
}

/// Whose the look of the page is.
fn title_of(browser: &Browser) -> String {
    let (_, rest) = browser.page.body.split_once("<title>").unwrap();
    rest.split_once("</title>").unwrap().0.to_owned()
}

#[tokio::test]
async fn what_a_portal_asked_for_ends_in_its_look_also_when_it_is_too_late() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let of_second = |browser: &Browser, what: &str| {
            let title = title_of(browser);
            assert!(title.ends_with(&format!("· {SECOND}")), "{what}: {title}: {}", browser.text());
        };
        let start = world.relying_party().authorize_url(&[]);

        // Requests that cannot be answered by a redirect, by GET and by POST.
        let twice = format!("{start}&scope=openid");
        let unregistered = world.relying_party().authorize_url(&[("redirect_uri", "https://evil.example/")]);
        let gone =
            world.relying_party().authorize_url(&[("request_uri", "urn:ietf:params:oauth:request_uri:x")]);
        for url in [&twice, &unregistered, &gone] {
            let mut browser = world.browser();
            browser.open(url).await;
            assert!(browser.has("op-error"), "{}", browser.text());
            of_second(&browser, url);
            let url = Url::parse(url).unwrap();
            let form: Vec<_> = url.query_pairs().into_owned().collect();
            let target = Url::parse(&format!("{}/authorize", world.issuer)).unwrap();
            browser.request(Method::POST, &target, Some(&form)).await;
            browser.follow().await;
            assert!(browser.has("op-error"), "{}", browser.text());
            of_second(&browser, url.as_str());
        }
        let mut browser = world.browser();
        browser.open(&format!("{}/logout?client_id=web&state=a&state=b", world.issuer)).await;
        assert!(browser.has("op-error"), "{}", browser.text());
        of_second(&browser, "a logout that cannot be read");

        // A form without its cookie; a sign-in of another browser; one that was open for too long.
        let mut browser = world.browser();
        browser.open(&start).await;
        let page = browser.page.clone();
        let mut without = world.browser();
        without.page = page.clone();
        without.submit("login-submit", &[("email", "x@example.nl"), ("password", "x")]).await;
        of_second(&without, "a form without its cookie");
        let mut other = world.browser();
        for target in [page.url.to_string(), page.url.as_str().replace("/password", ""), "/register".into()] {
            other.page = page.clone();
            other.open(&target).await;
            if target != "/register" && !other.has("login-page") {
                of_second(&other, &target);
            }
        }
        browser.open(page.url.as_str().replace("/signin/password", "/register").as_str()).await;
        browser
            .submit(
                "register-submit",
                &[
                    ("given_name", "Dora"),
                    ("family_name", "de Vries"),
                    ("email", "dora@example.nl"),
                    ("password", "Fiets-Molen-Regen-42"),
                ],
            )
            .await;
        of_second(&browser, "the page that waits for a mail");
        let waiting = browser.page.url.to_string();

        // A link of a mail, in another browser: the first time, the second time, and its form.
        let link = world.link("dora@example.nl", "/confirm").await;
        let mut elsewhere = world.browser();
        elsewhere.open(&link).await;
        of_second(&elsewhere, "a link");
        let mut late = elsewhere.clone();
        elsewhere.submit("confirm-submit", &[]).await;
        of_second(&elsewhere, "after a link");
        // Long enough for it to be no second click any more.
        world.advance(std::time::Duration::from_mins(2));
        late.submit("confirm-submit", &[]).await;
        assert!(late.text().contains("Deze link werkt niet meer"), "{}", late.text());
        of_second(&late, "a form of a used link");
        late.open(&link).await;
        assert!(late.text().contains("Deze link werkt niet meer"), "{}", late.text());
        of_second(&late, "a used link");

        world.advance(std::time::Duration::from_hours(25));
        browser.open(page.url.as_str()).await;
        assert!(browser.text().contains("Begin opnieuw"), "{}", browser.text());
        of_second(&browser, "a sign-in that was open for too long");
        browser.open(&waiting).await;
        assert!(browser.text().contains("Begin opnieuw"), "{}", browser.text());
        of_second(&browser, "a waiting page that was open for too long");

        // A forgotten password, by link and by code.
        let mut browser = world.browser();
        browser.open(&start).await;
        let forgot = browser.page.url.as_str().replace("/signin/password", "/forgot");
        browser.open(&forgot).await;
        browser.submit("forgot-submit", &[("email", Person::ANNA.email)]).await;
        of_second(&browser, "the page that waits for a mail");
        let link = world.link(Person::ANNA.email, "/reset").await;
        let mut late = world.browser();
        late.open(&link).await;
        of_second(&late, "a link for a new password");
        let mut second = late.clone();
        late.submit("reset-submit", &[("new_password", "Tafel-Stoel-Kast-2026")]).await;
        of_second(&late, "after a new password");
        second.submit("reset-submit", &[("new_password", "Tafel-Stoel-Kast-2027")]).await;
        assert!(second.text().contains("Deze link werkt niet meer"), "{}", second.text());
        of_second(&second, "a used link for a new password");

        // The first portal's people see the first portal, and no mark of it.
        let mut browser = world.browser();
        browser.open(&format!("{}/login", world.portal_origin)).await;
        assert!(!browser.page.url.as_str().contains("portal="), "{}", browser.page.url);
        world.advance(std::time::Duration::from_hours(25));
        browser.open(browser.page.url.clone().as_str()).await;
        assert!(
            title_of(&browser).ends_with(&world.idp.config.portals[0].brand.name),
            "{}",
            title_of(&browser)
        );
    }
}
