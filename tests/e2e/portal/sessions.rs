//! How a session at the portal ends, and what the one at the provider has to do with it.

use std::time::Duration;

use idp::keys::{Algorithm, When};
use platform::random::Random;
use portal_client::session::{Person as PortalPerson, SignIn, Start};
use tests::{Backend, Browser, Person, World};

use crate::care::at_portal;

const MINUTE: Duration = Duration::from_mins(1);

/// The address behind the button of the page.
fn login_url(browser: &Browser) -> String {
    let link = browser.page.body.split("id=\"login\" href=\"").nth(1).expect("a button to sign in");
    link.split('"').next().unwrap().replace("&amp;", "&")
}

#[tokio::test]
async fn t32_after_an_idle_end_at_the_portal_the_provider_asks_for_the_password() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let (mut anna, home) = (world.browser(), format!("{}/", world.portal_origin));
        at_portal(&world, &mut anna, &Person::ANNA, "/").await;
        world.advance(15 * MINUTE);
        anna.open(&format!("{home}request")).await;
        assert_eq!(anna.page.url.path(), "/signed-out");
        assert!(anna.text().contains("Log dan opnieuw in met uw wachtwoord"), "{}", anna.text());

        // The provider still knows this browser: its account page opens. The portal is content with that no longer.
        let mut thief = anna.clone();
        anna.open(&format!("{}/account", world.issuer)).await;
        assert!(!anna.has("login-page"), "{}", anna.text());
        thief.open(&login_url(&thief)).await;
        assert!(thief.has("login-page"), "{}", thief.text());
        // Not without the portal's cookies either.
        let mut thief = anna.clone();
        for jar in thief.cookies.values_mut() {
            jar.retain(|name, _| !name.contains("portal"));
        }
        thief.open(&format!("{home}login?return_to=/request")).await;
        assert_eq!(thief.page.url.path(), "/signed-out", "{}", thief.text());

        // Anna gives her password, is where she was, and that is all.
        anna.open(&format!("{home}request")).await;
        assert!(anna.has("login-page"), "{}", anna.text());
        anna.give_password(&Person::ANNA).await;
        assert!(anna.has("request-submit"), "{}", anna.text());
        anna.open(&format!("{home}login?return_to=/request")).await;
        assert!(anna.has("request-submit"), "her session lives: {}", anna.text());
    }
}

#[tokio::test]
async fn t33_a_sign_out_ends_at_the_portal_after_keys_rotated_and_sessions_ended() {
    for backend in Backend::ALL {
        for (revoked, is_over) in [(false, false), (false, true), (true, false), (true, true)] {
            let case = format!("revoked: {revoked}, over: {is_over}, {backend:?}");
            let world = World::new(backend).await;
            world.add(&Person::ANNA).await;
            let mut anna = world.browser();
            at_portal(&world, &mut anna, &Person::ANNA, "/").await;
            let first = world.idp.keys.list().into_iter().find(|key| key.algorithm == "RS256").unwrap().kid;
            world.idp.keys.rotate(Algorithm::Rs256, When::Soon).await.unwrap();
            world.advance(Duration::from_secs(35));
            if revoked {
                world.idp.keys.revoke(&first).await.unwrap();
            }
            // The portal's session is kept alive; the provider's sees nothing of that, and ends after an hour.
            for _ in 0..if is_over { 7 } else { 1 } {
                world.advance(10 * MINUTE);
                anna.open(&format!("{}/", world.portal_origin)).await;
            }
            let mut account = anna.clone();
            account.open(&format!("{}/account", world.issuer)).await;
            assert_eq!(account.has("login-page"), is_over, "{case}");

            anna.submit("logout", &[]).await;
            assert_eq!(anna.page.url.path(), "/signed-out", "{case}: {}", anna.text());
            assert!(anna.page.url.as_str().starts_with(&world.portal_origin), "{case}");
            assert!(anna.text().contains("U bent uitgelogd"), "{case}: {}", anna.text());
            for address in [format!("{}/account", world.issuer), format!("{}/login", world.portal_origin)] {
                account.open(&address).await;
                assert!(account.has("login-page"), "{case}: {}", account.text());
            }
        }
    }
}

fn sign_in(world: &World, sid: &str) -> SignIn {
    let (iss, sub) = (world.issuer.clone(), "subject".to_owned());
    let now = world.clock.now();
    SignIn {
        person: PortalPerson { iss, sub, name: "Anna".into(), email: String::new() },
        sid: sid.into(),
        acr: String::new(),
        for_team: false,
        care: None,
        id_token: String::new(),
        refresh_token: None,
        issued_at: now,
        authenticated_at: Some(now),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t33_of_a_sign_in_and_its_logout_token_at_once_the_token_wins() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let sessions = &world.portal.sessions;
        let (mut refused, mut ended) = (0, 0);
        for round in 0..60 {
            let sid = format!("sid-{round}");
            let begins = async {
                let sign_in = sign_in(&world, &sid);
                sessions.start(&Random::system(), &sign_in, None).await.unwrap()
            };
            // By session and by person in turn; either may come first.
            let (by_sid, by_sub) =
                if round % 2 == 0 { (Some(sid.as_str()), None) } else { (None, Some("subject")) };
            let ends = sessions.end_for(&world.issuer, by_sid, by_sub, world.clock.now());
            let (started, gone) = if round % 4 < 2 {
                tokio::join!(begins, ends)
            } else {
                let (gone, started) = tokio::join!(ends, begins);
                (started, gone)
            };
            match started {
                Start::Begun(token) => {
                    ended += 1;
                    assert_eq!(gone.unwrap(), 1, "round {round}");
                    assert!(sessions.peek(&token).await.unwrap().is_none(), "round {round}: it lives on");
                }
                other => {
                    refused += 1;
                    assert_eq!(other, Start::Ended);
                }
            }
            world.advance(MINUTE);
        }
        assert!(refused > 0 && ended > 0, "both orders were met: {refused}, {ended}");
    }
}

/// Reading at the portal keeps the provider's session, where the provider's rules say so, and nothing else does.
#[tokio::test]
async fn activity_at_the_portal_keeps_the_session_of_the_provider_where_a_preset_says_so() {
    for (preset, stays) in [("mijn-ecd", true), ("puur-van-jou", false)] {
        for backend in Backend::ALL {
            let world = World::with_preset(preset, backend, |config| config.sessions.idle_minutes = 15).await;
            world.add(&Person::ANNA).await;
            let mut anna = world.browser();
            at_portal(&world, &mut anna, &Person::ANNA, "/").await;
            let mut other = anna.clone();
            for _ in 0..4 {
                world.advance(6 * MINUTE);
                anna.open(&format!("{}/request", world.portal_origin)).await;
                assert!(anna.has("request-submit"), "{}", anna.text());
            }
            anna.open(&format!("{}/account", world.issuer)).await;
            assert_eq!(anna.has("login-page"), !stays, "{preset}: {}", anna.text());

            // Who does nothing there either is asked again.
            world.advance(15 * MINUTE);
            other.open(&format!("{}/account", world.issuer)).await;
            assert!(other.has("login-page"), "{preset}: {}", other.text());
        }
    }
}
