//! Clients that prove who they are with a key: FAPI 2.0 with pushed requests and DPoP, request objects,
//! introspection, revocation, and machines.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use axum::routing::get;
use idp::config::{Client, SigningAlgorithm};
use serde_json::{Value, json};
use tests::{Backend, World};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::clients::{ORIGIN, Program, node, python, world, world_with};
use crate::receiver::Receiver;

/// Where a client publishes its keys.
struct Published {
    uri: String,
    jwks: Arc<Mutex<Value>>,
}

impl Published {
    async fn start() -> Self {
        async fn answer(State(jwks): State<Arc<Mutex<Value>>>) -> Json<Value> {
            Json(jwks.lock().unwrap().clone())
        }
        let jwks = Arc::<Mutex<Value>>::default();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let uri = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/jwks.json", get(answer)).with_state(Arc::clone(&jwks));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { uri, jwks }
    }

    /// Publishes what the program gives.
    async fn take_from(&self, program: &mut Program) {
        *self.jwks.lock().unwrap() = program.says("jwks").await["jwks"].take();
        program.hear(json!({ "published": true })).await;
    }
}

/// A new private key, as `openssl genpkey` writes it.
fn key(world: &World) -> PathBuf {
    let path = world.folder.join("key.pem");
    std::fs::write(&path, rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    path
}

/// A world with `my-fapi-portal`, whose ID tokens are signed with `algorithm`, and what that portal publishes.
struct Fapi {
    world: World,
    receiver: Receiver,
    published: Published,
    algorithm: SigningAlgorithm,
}

impl Fapi {
    async fn new(backend: Backend, algorithm: SigningAlgorithm) -> Self {
        let (receiver, published) = (Receiver::start().await, Published::start().await);
        let addresses = [
            ("https://fapi.example.nl/backchannel-logout", receiver.uri.as_str()),
            ("https://fapi.example.nl/jwks.json", &published.uri),
            ("https://machine.example.nl/jwks.json", &published.uri),
            ("https://fapi.example.nl", ORIGIN),
        ];
        let change = |client: &mut Client| {
            if client.signing_alg() != algorithm && client.profile.is_some() {
                client.id_token_signed_response_alg = Some(algorithm);
            }
        };
        let world = world_with(backend, &addresses, change).await;
        Self { world, receiver, published, algorithm }
    }

    fn program(&self, file: &str, library: &str) -> Command {
        let mut command = node(&self.world, file, library, "my-fapi-portal");
        command.env("CLIENT_KEY", key(&self.world));
        command.env("ALGORITHM", self.algorithm.name()).env("ROTATES", "no");
        command
    }
}

#[tokio::test]
async fn openid_client_by_the_rules_of_fapi_2() {
    let algorithms = SigningAlgorithm::ALL.into_iter().filter(|algorithm| algorithm.is_fapi());
    for (algorithm, backend) in algorithms.zip(Backend::ALL.into_iter().cycle()) {
        let fapi = Fapi::new(backend, algorithm).await;
        let mut browser = fapi.world.browser();
        let mut portal = Program::start(&mut fapi.program("fapi-openid-client.mjs", "openid-client"));
        fapi.published.take_from(&mut portal).await;
        let sid = portal.sign_in(&fapi.world, &mut browser).await;
        portal.sign_out(&fapi.world, &mut browser, Some(&fapi.receiver), sid).await;
    }
}

#[tokio::test]
async fn signed_requests_introspection_revocation_and_machines() {
    let programs = [("more-openid-client.mjs", "openid-client"), ("more-oauth4webapi.mjs", "oauth4webapi")];
    let all = Backend::ALL.into_iter().flat_map(|backend| programs.map(|program| (backend, program)));
    for (backend, (file, library)) in all {
        let fapi = Fapi::new(backend, SigningAlgorithm::Ps256).await;
        let mut browser = fapi.world.browser();
        let mut portal = Program::start(&mut fapi.program(file, library));
        fapi.published.take_from(&mut portal).await;
        let sid = portal.sign_in(&fapi.world, &mut browser).await;

        let more = portal.says("about").await;
        let about = &more["about"];
        assert_eq!((&about["active"], &about["token_type"]), (&json!(true), &json!("DPoP")), "{more}");
        assert_eq!(
            (&about["client_id"], &about["iss"]),
            (&json!("my-fapi-portal"), &json!(fapi.world.issuer))
        );
        assert!(about["cnf"]["jkt"].is_string(), "{about}");
        assert_eq!(more["as_bearer"], 401, "a bound token is nothing without a proof");
        assert_machine(&more["machine"]["tokens"], &more["machine"]["about"]);

        portal.sign_out(&fapi.world, &mut browser, Some(&fapi.receiver), sid).await;

        portal.authorize(&fapi.world, &mut browser).await;
        let revoked = portal.says("after").await;
        assert_eq!(revoked["before"]["active"], true, "{revoked}");
        assert_eq!(revoked["after"], json!([{ "active": false }, { "active": false }]));
    }
}

/// A token of `my-machine`, and what the provider says about it.
fn assert_machine(tokens: &Value, about: &Value) {
    assert_eq!(tokens["scope"], "reports", "{tokens}");
    assert!(tokens["id_token"].is_null() && tokens["refresh_token"].is_null(), "{tokens}");
    assert_eq!((&about["active"], &about["client_id"]), (&json!(true), &json!("my-machine")), "{about}");
    assert_eq!((&about["sub"], &about["scope"]), (&json!("my-machine"), &json!("reports")), "{about}");
}

#[tokio::test]
async fn a_request_object_in_the_authorization_request() {
    for backend in Backend::ALL {
        let published = Published::start().await;
        let addresses = [("https://portal.example.nl", ORIGIN)];
        let uri = published.uri.clone();
        let world = world_with(backend, &addresses, |client| {
            if client.client_id == "my-portal" {
                client.jwks_uri = Some(uri.clone());
                client.require_signed_request_object = true;
                client.backchannel_logout_uri = None;
            }
        })
        .await;
        let mut browser = world.browser();
        let mut program = node(&world, "jar-openid-client.mjs", "openid-client", "my-portal");
        let mut portal = Program::start(program.env("CLIENT_KEY", key(&world)));
        published.take_from(&mut portal).await;
        let sid = portal.sign_in(&world, &mut browser).await;
        portal.sign_out(&world, &mut browser, None, sid).await;
    }
}

#[tokio::test]
async fn authlib_for_a_machine_with_a_key() {
    for backend in Backend::ALL {
        let published = Published::start().await;
        let world = world(backend, &[("https://machine.example.nl/jwks.json", &published.uri)]).await;
        let mut program = python(&world, "machine.py", "my-machine");
        let mut machine = Program::start(program.env("CLIENT_KEY", key(&world)));
        published.take_from(&mut machine).await;
        let told = machine.says("token").await;
        assert_machine(&told["token"], &told["about"]);
        assert_eq!(told["revoked"], 200);
        assert_eq!(told["after"], json!({ "active": false }));
    }
}
