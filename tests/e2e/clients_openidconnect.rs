//! The `openidconnect` crate used plainly, as `tests/clients/openidconnect.rs` shows it.

use openidconnect::{OAuth2TokenResponse as _, TokenResponse as _};
use tests::{Backend, Person};

use crate::clients::{ORIGIN, SECRET, is_signed_in, world};

#[path = "../clients/openidconnect.rs"]
mod openidconnect_portal;

use openidconnect_portal::Portal;

#[tokio::test]
async fn openidconnect_for_rust() {
    for backend in Backend::ALL {
        let world = world(backend, &[("https://portal.example.nl", ORIGIN)]).await;
        let mut browser = world.browser();
        let callback = format!("{ORIGIN}/callback");
        let home = format!("{ORIGIN}/");
        let portal = Portal::connect(&world.issuer, "my-portal", SECRET, &callback, &home).await.unwrap();

        let (url, pending) = portal.login();
        browser.open(url.as_str()).await;
        browser.sign_in(&world, &Person::ANNA).await;
        let answered = |name: &str| {
            let pair = browser.page.url.query_pairs().find(|(known, _)| known == name);
            pair.unwrap_or_else(|| panic!("no {name}: {}", browser.text())).1.into_owned()
        };
        let (code, state) = (answered("code"), answered("state"));
        let (tokens, claims) = portal.callback(code, &state, pending).await.unwrap();
        let anna = world.account(&Person::ANNA).await;
        assert_eq!(claims.subject().as_str(), anna.subject.0);
        let person = portal.userinfo(&tokens).await.unwrap();
        assert_eq!(person.email().unwrap().as_str(), Person::ANNA.email);

        let fresh = portal.refresh(&tokens).await.unwrap();
        assert_ne!(fresh.access_token().secret(), tokens.access_token().secret());
        assert_eq!(portal.userinfo(&fresh).await.unwrap().email(), person.email());

        assert!(fresh.id_token().is_some() && is_signed_in(&world, &browser).await);
        browser.open(portal.logout(&fresh).unwrap().as_str()).await;
        assert_eq!(browser.page.url.as_str(), home);
        assert!(!is_signed_in(&world, &browser).await);
        assert!(portal.userinfo(&fresh).await.is_err());
        assert!(portal.refresh(&fresh).await.is_err());

        // An answer of another sign-in is not taken.
        let (_, pending) = portal.login();
        assert!(portal.callback("a-code".into(), &state, pending).await.is_err());
    }
}
