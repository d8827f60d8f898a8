//! Settings of a client for what its library takes for granted.

use idp::config::{Client, SmsGatewayKind};
use platform::config::Secret;
use serde_json::Value;
use tests::{Backend, Person, RelyingParty, World};
use url::Url;

use crate::receiver::{Receiver, verified};
use crate::sms_acts::Place;

fn client(client_id: &str) -> Client {
    Client {
        client_id: client_id.into(),
        client_secret: Some(Secret::Literal("web-secret".into())),
        redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
        ..Client::default()
    }
}

/// Keycloak's broker keeps its session under the `session_state` of the token response, and looks for the `sid` of the
/// logout token there.
#[tokio::test]
async fn the_token_response_names_the_session_for_a_client_that_is_set_so() {
    for backend in Backend::ALL {
        let receiver = Receiver::start().await;
        let keycloak = Client {
            session_state_in_token_response: true,
            backchannel_logout_uri: Some(receiver.uri.clone()),
            ..client("keycloak")
        };
        let world = World::with_clients(backend, vec![keycloak]).await;
        world.add(&Person::ANNA).await;
        let portal = RelyingParty::new(&world.issuer, "keycloak", Some("web-secret"));
        let mut browser = world.browser();
        let tokens = portal.tokens(&world, &mut browser, &Person::ANNA).await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.get("refresh_token"))];
        let renewed: Value = portal.token(&form).await.json().await.unwrap();
        assert_eq!(renewed["session_state"], tokens.0["session_state"]);
        browser.open(&format!("{}/logout", world.issuer)).await;
        browser.submit("logout-confirm", &[]).await;
        world.deliver().await;
        let (_, claims) = verified(&world.issuer, receiver.told().first().expect("a logout token")).await;
        assert_eq!(claims["sid"], tokens.0["session_state"]);
        // Nobody else hears of it: the standard knows no such member.
        let mut browser = world.browser();
        let tokens = world.relying_party().tokens(&world, &mut browser, &Person::ANNA).await;
        assert!(tokens.0.get("session_state").is_none());
    }
}

#[tokio::test]
async fn an_id_token_holds_the_claims_of_its_scopes_for_a_client_that_is_set_so() {
    for backend in Backend::ALL {
        let set = Client { claims_in_id_token: true, ..client("authjs") };
        let world = World::with_clients(backend, vec![set]).await;
        world.add(&Person::ANNA).await;
        let mut browser = world.browser();
        let portal = RelyingParty::new(&world.issuer, "authjs", Some("web-secret"));
        let claims = portal.tokens(&world, &mut browser, &Person::ANNA).await.claims("id_token");
        assert_eq!(claims["email"], Person::ANNA.email);
        assert_eq!((&claims["name"], &claims["email_verified"]), (&"Anna Voorbeeld".into(), &true.into()));
        assert_eq!(claims["phone_number"], Person::ANNA.phone);
        // Only what was asked for and given.
        browser.open(&portal.authorize_url(&[("scope", "openid email")])).await;
        let code = portal.answered(&browser, "code").unwrap();
        let tokens = tests::Tokens(portal.redeem(&code).await.json().await.unwrap());
        let claims = tokens.claims("id_token");
        assert_eq!(claims["email"], Person::ANNA.email);
        assert!(claims.get("name").is_none() && claims.get("phone_number").is_none(), "{claims}");
        // And nothing for the others.
        let tokens = world.relying_party().tokens(&world, &mut browser, &Person::ANNA).await;
        let claims = tokens.claims("id_token");
        assert!(claims.get("email").is_none() && claims.get("name").is_none(), "{claims}");
    }
}

#[tokio::test]
async fn a_logout_that_does_not_go_back_says_why_where_people_develop() {
    for develops in [true, false] {
        let place =
            if develops { None } else { Some(Place::new(Backend::Embedded, &[SmsGatewayKind::Cm]).await) };
        let developed = World::new(Backend::Embedded).await;
        let world = place.as_ref().map_or(&developed, |place| &place.world);
        let signed_out = |pairs: &[(&str, &str)]| {
            String::from(Url::parse_with_params(&format!("{}/logout", world.issuer), pairs).unwrap())
        };
        let back = ("post_logout_redirect_uri", "http://127.0.0.1:9999/elsewhere?token=x");
        for (pairs, reason) in [
            (vec![("client_id", "web"), back], "not among the client's post_logout_redirect_uris"),
            (vec![back], "neither id_token_hint nor client_id"),
            (vec![("id_token_hint", "x"), ("client_id", "web"), back], "not an ID token of this issuer"),
        ] {
            let mut browser = world.browser();
            browser.open(&signed_out(&pairs)).await;
            let text = browser.page.body.replace("&#x27;", "'").replace("&#39;", "'");
            assert_eq!(text.contains(reason), develops, "{pairs:?}: {text}");
        }
    }
}
