//! What operators do while people sign in: rotate keys, revoke one, and lose a process in the middle.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use idp::keys::{Algorithm, Phase, When};
use reqwest::StatusCode;
use serde_json::Value;
use tests::{Backend, Browser, Person, RelyingParty, World};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::acts::signs_with;
use crate::receiver::verified;

/// Signs in at the portal and at a second client, by the session that the browser has; returns the kid of the
/// second one's ID token and its access token.
async fn sign_in(world: &World, browser: &mut Browser, client: &RelyingParty) -> (String, String) {
    browser.open(&format!("{}/login", world.portal_origin)).await;
    assert!(browser.has("dossier-request"), "the portal took the sign-in: {}", browser.text());
    let tokens = client.tokens(world, browser, &Person::ANNA).await;
    let (header, _) = verified(&world.issuer, tokens.get("id_token")).await;
    let access_token = tokens.get("access_token").to_owned();
    assert_eq!(client.userinfo(&access_token).await.status(), StatusCode::OK);
    (header.kid.unwrap(), access_token)
}

#[tokio::test]
async fn t42_keys_rotate_under_load_without_a_failure_or_a_restart() {
    for backend in Backend::ALL {
        // The kind of key that signs all of a client's tokens.
        let world = World::with(backend, signs_with(Algorithm::Es256)).await;
        world.add(&Person::ANNA).await;
        let client = world.relying_party();
        let mut browser = world.browser();
        browser.open(&format!("{}/login", world.portal_origin)).await;
        browser.sign_in(&world, &Person::ANNA).await;
        let (first, early) = sign_in(&world, &mut browser, &client).await;

        // Ten sign-ins run while the key changes, and the clock with it, as on every node.
        let signing_in = async {
            let mut kids = Vec::new();
            for _ in 0..10 {
                kids.push(sign_in(&world, &mut browser, &client).await.0);
            }
            (kids, browser)
        };
        let rotating = async {
            let kid = world.idp.keys.rotate(Algorithm::Es256, When::Soon).await.unwrap();
            world.idp.keys.rotate(Algorithm::Rs256, When::Soon).await.unwrap();
            for _ in 0..8 {
                tokio::task::yield_now().await;
                world.advance(Duration::from_secs(5));
            }
            kid
        };
        let ((kids, mut browser), second) = tokio::join!(signing_in, rotating);
        assert_eq!(kids.last(), Some(&second), "the new key signs");
        assert!(kids.iter().all(|kid| *kid == first || *kid == second));
        let phase = |kid: &str| world.idp.keys.list().into_iter().find(|key| key.kid == kid).unwrap().phase;
        assert_eq!((phase(&first), phase(&second)), (Phase::Retired, Phase::Signing));
        assert_eq!(
            client.userinfo(&early).await.status(),
            StatusCode::OK,
            "what the old key signed still holds"
        );

        // An emergency: the signing key is revoked, and gone at once.
        let (_, late) = sign_in(&world, &mut browser, &client).await;
        world.idp.keys.revoke(&second).await.unwrap();
        assert_eq!(client.userinfo(&late).await.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(client.userinfo(&early).await.status(), StatusCode::OK);
        let jwks =
            client.http.get(format!("{}/jwks", world.issuer)).send().await.unwrap().text().await.unwrap();
        assert!(!jwks.contains(&second) && jwks.contains(&first));
        let tokens = client.tokens(&world, &mut browser, &Person::ANNA).await;
        let (header, _) = verified(&world.issuer, tokens.get("id_token")).await;
        assert!(![first, second].contains(&header.kid.unwrap()));
    }
}

/// A binary beside this test's own.
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.parent().and_then(Path::parent).unwrap().join(name);
    assert!(path.exists(), "{} is not there; start the tests with tests/run", path.display());
    path
}

/// Starts the identity provider and waits until it listens.
pub async fn serve(config: &Path) -> (Child, tokio::task::JoinHandle<String>) {
    start("idp", config).await
}

/// Starts a server and waits until it listens.
pub async fn start(name: &str, config: &Path) -> (Child, tokio::task::JoinHandle<String>) {
    let mut child = Command::new(binary(name))
        .arg("serve")
        .arg("--config")
        .arg(config)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut log = String::new();
    loop {
        let line = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("it ended:\n{log}"));
        log.push_str(&line);
        log.push('\n');
        if line.contains("listening") || line.contains("serving") {
            break;
        }
    }
    let rest = tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            log.push_str(&line);
            log.push('\n');
        }
        log
    });
    (child, rest)
}

/// The text of the newest SMS that a development server caught.
async fn sms(issuer: &str) -> String {
    loop {
        let answer = reqwest::get(format!("{issuer}/dev/outbox.json")).await.unwrap();
        let caught: Vec<Value> = answer.json().await.unwrap();
        if let Some(sms) = caught.iter().rfind(|caught| caught["kind"] == "sms") {
            return sms["text"].as_str().unwrap().to_owned();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_process_killed_between_password_and_code_loses_nobodys_sign_in() {
    for backend in Backend::ALL {
        // A world is used for its databases and its people; the server is the binary itself.
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let issuer = format!("http://localhost:{port}");
        let file = world.folder.join("binary.toml");
        let text = format!(
            "issuer = '{issuer}'\nlisten = '127.0.0.1:{port}'\ndatabase = '{database}'\nephemeral = '{ephemeral}'\n\
             [secrets]\nroot = {{ file = 'root.key' }}\n[dev]\noutbox = true\n[log]\nlevel = 'debug'\n\
             [[portal]]\nid = 'tests'\nurl = 'http://127.0.0.1:9999'\nbrand.name = 'Testportaal'\n\
             [[portal.client]]\nclient_id = 'web'\nclient_secret = 'web-secret'\n\
             redirect_uris = ['http://127.0.0.1:9999/cb']\n",
            database = world.idp.config.database,
            ephemeral = world.idp.config.ephemeral,
        );
        std::fs::write(&file, text).unwrap();
        std::fs::write(world.folder.join("root.key"), "0123456789abcdef0123456789abcdef").unwrap();

        let portal = RelyingParty::new(&issuer, "web", Some("web-secret"));
        let mut browser = world.browser();
        let (mut child, log) = serve(&file).await;
        browser.open(&portal.authorize_url(&[])).await;
        browser.give_password(&Person::ANNA).await;
        assert!(browser.has("otp"), "{}", browser.text());
        let sms = sms(&issuer).await;
        let code = sms.rsplit_once('#').unwrap().1;

        // kill -9, in the middle.
        child.kill().await.unwrap();
        let before = log.await.unwrap();

        // It starts again, on the same state: the page that is still open goes on with the code of before.
        let (mut child, log) = serve(&file).await;
        browser.submit("otp-submit", &[("code", code)]).await;
        let authorization_code = portal.answered(&browser, "code").expect("the sign-in went on");
        let answer = portal.redeem(&authorization_code).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let tokens = tests::Tokens(answer.json().await.unwrap());

        // Killed once more: sessions and tokens are where they were.
        child.kill().await.unwrap();
        let between = log.await.unwrap();
        let (mut child, log) = serve(&file).await;
        assert_eq!(portal.userinfo(tokens.get("access_token")).await.status(), StatusCode::OK);
        browser.open(&portal.authorize_url(&[("prompt", "none")])).await;
        assert!(portal.answered(&browser, "code").is_some());
        child.kill().await.unwrap();

        // T47, on what the binary itself printed.
        let printed = format!("{before}{between}{}", log.await.unwrap());
        assert!(printed.contains("/signin/code"), "{printed}");
        for secret in
            [code, Person::ANNA.password, "612345678", &authorization_code, tokens.get("access_token")]
        {
            let as_word = printed.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == secret);
            assert!(
                !as_word && (secret.len() < 9 || !printed.contains(secret)),
                "the log holds {secret}:\n{printed}"
            );
        }
    }
}
