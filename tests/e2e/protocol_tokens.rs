//! Tokens for machines and resources, and what may be known of tokens: client credentials (RFC 6749 section 4.4),
//! resource indicators (RFC 8707), introspection (RFC 7662), revocation (RFC 7009).

use std::collections::BTreeSet;
use std::time::Duration;

use idp::config::{Client, GrantType, SigningAlgorithm};
use platform::config::Secret;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tests::{Backend, Key, Person, RelyingParty, SigningClient, Tokens, World};

use crate::protocol_acts::refused;
use crate::receiver::verified;

const FILES: &str = "https://files.example/";
const MAIL: &str = "https://mail.example/api";

fn client(client_id: &str) -> Client {
    Client {
        client_id: client_id.into(),
        client_secret: Some(Secret::Literal("web-secret".into())),
        redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
        ..Client::default()
    }
}

/// `machine` and `server` act for themselves; `server` is the resource FILES; `app` may ask tokens for both.
async fn world(backend: Backend) -> World {
    let machine = Client {
        redirect_uris: vec![],
        grant_types: vec![GrantType::ClientCredentials],
        scope: "openid email offline_access files.read files.write".into(),
        resources: vec![FILES.into()],
        ..client("machine")
    };
    let server = Client {
        redirect_uris: vec![],
        grant_types: vec![GrantType::ClientCredentials],
        serves: Some(FILES.into()),
        ..client("server")
    };
    let app = Client { resources: vec![FILES.into(), MAIL.into()], ..client("app") };
    let world = World::with_clients(backend, vec![machine, server, app]).await;
    world.add(&Person::ANNA).await;
    world
}

fn portal(world: &World, client_id: &str) -> RelyingParty {
    RelyingParty::new(&world.issuer, client_id, Some("web-secret"))
}

async fn post(portal: &RelyingParty, path: &str, form: &[(&str, &str)]) -> Response {
    let mut form = form.to_vec();
    let mut request = portal.http.post(format!("{}{path}", portal.issuer));
    match &portal.secret {
        Some(secret) => request = request.basic_auth(&portal.client_id, Some(secret)),
        None => form.push(("client_id", &portal.client_id)),
    }
    request.form(&form).send().await.unwrap()
}

async fn about(portal: &RelyingParty, token: &str) -> Value {
    let answer = post(portal, "/introspect", &[("token", token)]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    answer.json().await.unwrap()
}

async fn revoke(portal: &RelyingParty, token: &str) {
    let answer = post(portal, "/revoke", &[("token", token)]).await;
    assert_eq!((answer.status(), answer.text().await.unwrap()), (StatusCode::OK, String::new()));
}

async fn own_token(portal: &RelyingParty) -> Tokens {
    let answer = portal.token(&[("grant_type", "client_credentials")]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    Tokens(answer.json().await.unwrap())
}

fn inactive() -> Value {
    json!({ "active": false })
}

/// RFC 6749 section 4.4; RFC 9068 section 2.2 for what the token holds.
#[tokio::test]
async fn a_machines_token_is_about_itself_and_nobody() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        let machine = portal(&world, "machine");
        let answer = machine.token(&[("grant_type", "client_credentials")]).await;
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let tokens = Tokens(answer.json().await.unwrap());
        let members: BTreeSet<&str> = tokens.0.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"].into(), "section 4.4.3");
        assert_eq!((tokens.get("token_type"), tokens.get("scope")), ("Bearer", "files.read files.write"));

        let (header, claims) = verified(&world.issuer, tokens.get("access_token")).await;
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        let names: BTreeSet<&str> = claims.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["aud", "client_id", "exp", "iat", "iss", "jti", "scope", "sub"].into());
        assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("machine"), &json!("machine")));
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(world.issuer), &json!(world.issuer)));
        assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|iat| iat + 300));
        assert_eq!(tokens.0["expires_in"], 300);
        assert_ne!(claims["jti"], own_token(&machine).await.claims("access_token")["jti"]);

        // Nothing about people, and nothing beyond its own scope.
        for scope in ["openid", "files.read email", "offline_access", "files.delete"] {
            let form = [("grant_type", "client_credentials"), ("scope", scope)];
            assert_eq!(refused(machine.token(&form).await).await, (400, "invalid_scope".into()), "{scope}");
        }
        let form = [("grant_type", "client_credentials"), ("scope", "files.read")];
        let narrow = Tokens(machine.token(&form).await.json().await.unwrap());
        assert_eq!(narrow.claims("access_token")["scope"], "files.read");
        let answer = machine.userinfo(tokens.get("access_token")).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "there is no person behind it");

        // For the resource that it names (RFC 8707 section 2.2).
        let form = [("grant_type", "client_credentials"), ("resource", FILES)];
        let files = Tokens(machine.token(&form).await.json().await.unwrap());
        assert_eq!(files.claims("access_token")["aud"], FILES);
        for resource in [MAIL, "https://files.example", "files", "https://files.example/#x", &world.issuer] {
            let form = [("grant_type", "client_credentials"), ("resource", resource)];
            assert_eq!(
                refused(machine.token(&form).await).await,
                (400, "invalid_target".into()),
                "{resource}"
            );
        }
        // A wrong secret, or none.
        let wrong = RelyingParty::new(&world.issuer, "machine", Some("wrong"));
        let nobody = RelyingParty::new(&world.issuer, "machine", None);
        for client in [wrong, nobody] {
            let answer = client.token(&[("grant_type", "client_credentials")]).await;
            assert_eq!(refused(answer).await, (401, "invalid_client".into()));
        }
    }
}

/// RFC 8707 sections 2, 2.1 and 2.2.
#[tokio::test]
async fn a_token_is_for_the_resource_that_was_asked_for() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        let app = portal(&world, "app");
        let mut browser = world.browser();
        let plain = app.tokens(&world, &mut browser, &Person::ANNA).await;
        assert_eq!(plain.claims("access_token")["aud"], json!(world.issuer));
        let signed_with =
            |tokens: &Tokens| jsonwebtoken::decode_header(tokens.get("access_token")).unwrap().alg;
        assert_eq!(signed_with(&plain), jsonwebtoken::Algorithm::ES256, "nobody else reads it");
        let for_files = async |browser: &mut tests::Browser| {
            browser.open(&app.authorize_url(&[("resource", FILES)])).await;
            app.answered(browser, "code").unwrap()
        };
        let code = for_files(&mut browser).await;
        let files = Tokens(app.redeem(&code).await.json().await.unwrap());
        assert_eq!(files.claims("access_token")["aud"], json!([FILES, world.issuer]));
        assert_eq!(
            signed_with(&files),
            jsonwebtoken::Algorithm::RS256,
            "what the client asks for, for others"
        );
        assert_eq!(
            files.claims("id_token")["aud"],
            json!(["app"]),
            "the ID token is for the client, as ever"
        );
        assert_eq!(app.userinfo(files.get("access_token")).await.status(), StatusCode::OK);

        // At the token endpoint: the one that was granted, or one of its own if the sign-in named none.
        let redeem = async |code: &str, resource: &str| {
            let form = [
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", &app.redirect_uri),
                ("code_verifier", &app.verifier),
                ("resource", resource),
            ];
            app.token(&form).await
        };
        let code = for_files(&mut browser).await;
        assert_eq!(refused(redeem(&code, MAIL).await).await, (400, "invalid_target".into()));
        let tokens = Tokens(redeem(&code, FILES).await.json().await.unwrap());
        assert_eq!(tokens.claims("access_token")["aud"][0], FILES);
        let code = app.code(&world, &mut browser, &Person::ANNA).await;
        let tokens = Tokens(redeem(&code, MAIL).await.json().await.unwrap());
        assert_eq!(tokens.claims("access_token")["aud"][0], MAIL);
        // And so with a refresh, which keeps what it was for.
        let renew = async |resource: &[(&str, &str)], token: &str| {
            let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
            form.extend(resource);
            app.token(&form).await
        };
        let token = tokens.get("refresh_token");
        let answer = renew(&[("resource", FILES)], token).await;
        assert_eq!(refused(answer).await, (400, "invalid_target".into()));
        let tokens = Tokens(renew(&[], token).await.json().await.unwrap());
        assert_eq!(tokens.claims("access_token")["aud"][0], MAIL);
        let tokens =
            Tokens(renew(&[("resource", MAIL)], tokens.get("refresh_token")).await.json().await.unwrap());
        assert_eq!(tokens.claims("access_token")["aud"][0], MAIL);

        // One that is not this client's: told to the client, at each door.
        for resource in ["https://evil.example/", "https://files.example", "x"] {
            browser.open(&app.authorize_url(&[("resource", resource)])).await;
            assert_eq!(app.answered(&browser, "error").as_deref(), Some("invalid_target"), "{resource}");
            let web = world.relying_party();
            browser.open(&web.authorize_url(&[("resource", FILES)])).await;
            assert_eq!(web.answered(&browser, "error").as_deref(), Some("invalid_target"));
        }
    }
}

/// RFC 7662 section 2: own tokens, and those for the resource that the client is.
#[tokio::test]
async fn introspection_tells_a_client_of_its_own_tokens_and_of_those_it_serves() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        let (app, server, other) = (portal(&world, "app"), portal(&world, "server"), portal(&world, "web"));
        let mut browser = world.browser();
        let plain = app.tokens(&world, &mut browser, &Person::ANNA).await;
        browser.open(&app.authorize_url(&[("resource", FILES)])).await;
        let code = app.answered(&browser, "code").unwrap();
        let files = Tokens(app.redeem(&code).await.json().await.unwrap());

        for (tokens, served) in [(&plain, false), (&files, true)] {
            let token = tokens.get("access_token");
            let claims = tokens.claims("access_token");
            let mine = about(&app, token).await;
            assert_eq!((&mine["active"], &mine["token_type"]), (&json!(true), &json!("Bearer")));
            for name in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope"] {
                assert_eq!(mine[name], claims[name], "{name}");
            }
            let expected = if served { mine } else { inactive() };
            assert_eq!(about(&server, token).await, expected, "a resource server knows what is for it");
            assert_eq!(about(&other, token).await, inactive(), "nobody else knows anything");
        }
        // A hint is a hint (section 2.1).
        for hint in ["access_token", "refresh_token", "whatever"] {
            let form = [("token", plain.get("access_token")), ("token_type_hint", hint)];
            let answer: Value = post(&app, "/introspect", &form).await.json().await.unwrap();
            assert_eq!(answer["active"], json!(true), "{hint}");
        }
        // Refresh tokens are between client and provider alone.
        let refresh_token = plain.get("refresh_token");
        let mine = about(&app, refresh_token).await;
        assert_eq!((&mine["active"], &mine["client_id"]), (&json!(true), &json!("app")));
        assert_eq!(mine["sub"], plain.claims("id_token")["sub"]);
        let exp = mine["exp"].as_i64().unwrap();
        assert!(exp > world.clock.now().seconds());
        for stranger in [&server, &other] {
            assert_eq!(about(stranger, refresh_token).await, inactive());
        }
        // What is no such token is inactive, and says nothing else.
        for token in
            [plain.get("id_token"), "x", "a.b.c", code.as_str(), &format!("{}x", plain.get("access_token"))]
        {
            assert_eq!(about(&app, token).await, inactive(), "{token}");
        }
        assert_eq!(refused(post(&app, "/introspect", &[]).await).await, (400, "invalid_request".into()));
        // A client's own token.
        let machine = portal(&world, "machine");
        let own = own_token(&machine).await;
        assert_eq!(about(&machine, own.get("access_token")).await["sub"], "machine");
        assert_eq!(about(&other, own.get("access_token")).await, inactive());

        // A public client's id is no secret: anybody could ask in its name (section 2.1).
        let spa = RelyingParty::new(&world.issuer, "spa", None);
        let tokens = spa.tokens(&world, &mut browser, &Person::ANNA).await;
        let answer = post(&spa, "/introspect", &[("token", tokens.get("access_token"))]).await;
        assert_eq!(refused(answer).await, (401, "invalid_client".into()));
        let wrong = RelyingParty::new(&world.issuer, "app", Some("wrong"));
        let answer = post(&wrong, "/introspect", &[("token", plain.get("access_token"))]).await;
        assert_eq!(refused(answer).await, (401, "invalid_client".into()));

        // Time ends an access token; rotation, the client and a logout end the rest.
        world.advance(Duration::from_mins(5));
        assert_eq!(about(&app, plain.get("access_token")).await, inactive());
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        let renewed = Tokens(app.token(&form).await.json().await.unwrap());
        assert_eq!(about(&app, refresh_token).await, inactive(), "used up");
        assert_eq!(about(&app, renewed.get("refresh_token")).await["active"], json!(true));
        assert_eq!(about(&app, renewed.get("access_token")).await["active"], json!(true));
        browser.open(&format!("{}/logout?id_token_hint={}", world.issuer, renewed.get("id_token"))).await;
        for token in [renewed.get("access_token"), renewed.get("refresh_token")] {
            assert_eq!(about(&app, token).await, inactive(), "the session ended");
        }
    }
}

/// RFC 7662 section 2.2 with RFC 9449 section 6.2: what a bound token is bound to.
#[tokio::test]
async fn introspection_of_a_bound_token_names_its_key() {
    for backend in Backend::ALL {
        let (key, dpop) = (Key::new(SigningAlgorithm::EdDsa), Key::new(SigningAlgorithm::Es256));
        let world = World::with_clients(backend, vec![key.client("signer")]).await;
        world.add(&Person::ANNA).await;
        let client = SigningClient::new(&world, "signer", &key, Some(&dpop));
        let tokens = client.tokens(&world, &mut world.browser()).await;
        let form = [("token", tokens.get("access_token"))];
        let answer: Value = client.with_key(None).post("/introspect", &form).await.json().await.unwrap();
        assert_eq!((&answer["token_type"], &answer["cnf"]["jkt"]), (&json!("DPoP"), &json!(dpop.jkt())));
    }
}

/// RFC 7009 section 2.
#[tokio::test]
async fn a_client_gives_its_own_tokens_back_and_no_others() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        let (app, other) = (portal(&world, "app"), portal(&world, "web"));
        let mut browser = world.browser();
        let refresh = async |token: &str| {
            let answer = app.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await;
            answer.status()
        };
        // Either token takes the other along; a second sign-in of the same session does not go with it.
        let kept = app.tokens(&world, &mut browser, &Person::ANNA).await;
        for name in ["access_token", "refresh_token"] {
            let tokens = app.tokens(&world, &mut browser, &Person::ANNA).await;
            // Another client, or somebody without the secret, ends nothing.
            revoke(&other, tokens.get(name)).await;
            let wrong = RelyingParty::new(&world.issuer, "app", Some("wrong"));
            let answer = post(&wrong, "/revoke", &[("token", tokens.get(name))]).await;
            assert_eq!(refused(answer).await, (401, "invalid_client".into()));
            assert_eq!(app.userinfo(tokens.get("access_token")).await.status(), StatusCode::OK, "{name}");

            // Told or not what kind it is, and told wrongly (section 2.1: the hint only helps).
            let form = [("token", tokens.get(name)), ("token_type_hint", "refresh_token")];
            assert_eq!(post(&app, "/revoke", &form).await.status(), StatusCode::OK);
            let answer = app.userinfo(tokens.get("access_token")).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{name}");
            assert!(answer.headers()["www-authenticate"].to_str().unwrap().contains("invalid_token"));
            assert_eq!(refresh(tokens.get("refresh_token")).await, StatusCode::BAD_REQUEST, "{name}");
            assert_eq!(about(&app, tokens.get("access_token")).await, inactive());
            // Again, and what never was: no error (section 2.2).
            revoke(&app, tokens.get(name)).await;
        }
        for unknown in ["x", "a.b.c", kept.get("id_token")] {
            revoke(&app, unknown).await;
        }
        assert_eq!(app.userinfo(kept.get("access_token")).await.status(), StatusCode::OK);
        assert_eq!(refresh(kept.get("refresh_token")).await, StatusCode::OK);
        assert_eq!(refused(post(&app, "/revoke", &[]).await).await, (400, "invalid_request".into()));

        // A machine's own token, known by nothing but its number.
        let machine = portal(&world, "machine");
        let (one, two) = (own_token(&machine).await, own_token(&machine).await);
        revoke(&other, one.get("access_token")).await;
        assert_eq!(about(&machine, one.get("access_token")).await["active"], json!(true));
        revoke(&machine, one.get("access_token")).await;
        assert_eq!(about(&machine, one.get("access_token")).await, inactive());
        assert_eq!(about(&machine, two.get("access_token")).await["active"], json!(true));

        // A public client says who it is and gives back what is its own.
        let spa = RelyingParty::new(&world.issuer, "spa", None);
        let tokens = spa.tokens(&world, &mut browser, &Person::ANNA).await;
        revoke(&spa, kept.get("access_token")).await;
        assert_eq!(app.userinfo(kept.get("access_token")).await.status(), StatusCode::OK);
        revoke(&spa, tokens.get("refresh_token")).await;
        assert_eq!(spa.userinfo(tokens.get("access_token")).await.status(), StatusCode::UNAUTHORIZED);
    }
}
