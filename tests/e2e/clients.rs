//! Client libraries that nobody here wrote, each in a small portal of its own (`tests/clients`), against the
//! running servers: sign-in, userinfo, refresh, logout. `tests/run` installs them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use idp::config::{Client, Config, Portal};
use platform::clock::Clock;
use platform::db::Query;
use serde_json::{Value, json};
use tests::{Backend, Browser, Person, RelyingParty, World};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::receiver::Receiver;

/// Where a portal of these tests lives: nobody listens there, the browser stops at the redirect.
pub const ORIGIN: &str = "http://127.0.0.1:9999";
pub const SECRET: &str = "a-secret-between-the-two";

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// What `tests/run` prepared.
pub fn prepared(variable: &str) -> PathBuf {
    std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set; start the tests with tests/run"))
        .into()
}

/// The portal of `tests/clients/portal.toml`, as the documentation shows it, with other addresses; its secrets
/// are in the folder of the configuration that it goes into.
fn portal(config: &Config, addresses: &[(&str, &str)]) -> Portal {
    let mut text = std::fs::read_to_string(folder().join("portal.toml")).unwrap();
    for (shown, real) in addresses {
        assert!(text.contains(shown), "portal.toml has no {shown}");
        text = text.replace(shown, real);
    }
    for client in [
        "my-portal",
        "my-website",
        "my-authjs",
        "my-django",
        "my-proxy",
        "my-spring",
        "my-dex",
        "my-keycloak",
    ] {
        std::fs::write(config.path.with_file_name(client).with_extension("secret"), SECRET).unwrap();
    }
    let text = format!("[dev]\noutbox = true\n[secrets]\nroot = '{SECRET}{SECRET}'\n{text}");
    Config::parse(&config.path, &text).unwrap().portals.remove(0)
}

/// A world on the system's clock that knows the clients of `tests/clients/portal.toml`, and one person.
pub async fn world(backend: Backend, addresses: &[(&str, &str)]) -> World {
    world_with(backend, addresses, |_| ()).await
}

/// As [`world`], with a change to each of these clients.
pub async fn world_with(backend: Backend, addresses: &[(&str, &str)], change: impl Fn(&mut Client)) -> World {
    let change = |config: &mut Config| {
        let mut portal = portal(config, addresses);
        portal.clients.iter_mut().for_each(change);
        config.portals.push(portal);
    };
    let world = World::at(Clock::system(), backend, change).await;
    world.add(&Person::ANNA).await;
    world
}

/// Gives everybody of this world another family name.
pub async fn rename(world: &World, family_name: &str) {
    let mut write = world.idp.store.begin_write().await.unwrap();
    let change = Query::new("UPDATE accounts SET family_name = $1").bind(family_name);
    change.execute(&mut write).await.unwrap();
    write.commit().await.unwrap();
}

/// A portal's program, which says and hears one JSON object a line.
pub struct Program {
    _child: Child,
    said: Lines<BufReader<ChildStdout>>,
    hears: ChildStdin,
}

impl Program {
    pub fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let hears = child.stdin.take().unwrap();
        Self { _child: child, said, hears }
    }

    /// The next thing it says, which is about `topic`.
    pub async fn says(&mut self, topic: &str) -> Value {
        let line = tokio::time::timeout(Duration::from_mins(1), self.said.next_line());
        let line = line.await.expect("an answer within a minute").unwrap();
        let line = line.unwrap_or_else(|| panic!("it ended before it said {topic}; its errors are above"));
        let said: Value = serde_json::from_str(&line).unwrap();
        assert!(said.get(topic).is_some(), "{topic} was expected: {said}");
        said
    }

    pub async fn hear(&mut self, told: Value) {
        self.hears.write_all(format!("{told}\n").as_bytes()).await.unwrap();
    }

    /// The browser's part of a sign-in.
    pub async fn authorize(&mut self, world: &World, browser: &mut Browser) {
        let asked = self.says("authorize").await;
        browser.open(asked["authorize"].as_str().unwrap()).await;
        browser.sign_in(world, &Person::ANNA).await;
        assert!(browser.page.url.as_str().starts_with(&format!("{ORIGIN}/callback?")), "{}", browser.text());
        self.hear(json!({ "callback": browser.page.url })).await;
    }

    /// Sign-in, userinfo and refresh; the `sid` of the session.
    pub async fn sign_in(&mut self, world: &World, browser: &mut Browser) -> Value {
        self.authorize(world, browser).await;
        let anna = world.account(&Person::ANNA).await.subject.0;
        let signed_in = self.says("claims").await;
        assert_eq!(signed_in["claims"]["sub"], json!(anna));
        assert_eq!(signed_in["claims"]["acr"], "urn:voordeur:acr:code");
        let person = &signed_in["person"];
        assert_eq!((&person["sub"], &person["email"]), (&json!(anna), &json!(Person::ANNA.email)));
        assert_eq!((&person["name"], &person["email_verified"]), (&json!("Anna Voorbeeld"), &json!(true)));
        let refreshed = self.says("refreshed").await;
        assert_eq!(&refreshed["refreshed"], person, "the same person by the new token");
        signed_in["claims"]["sid"].clone()
    }

    /// Logout, of which the portal hears at `receiver`, if it has one.
    pub async fn sign_out(
        &mut self,
        world: &World,
        browser: &mut Browser,
        receiver: Option<&Receiver>,
        sid: Value,
    ) {
        let asked = self.says("logout").await;
        assert!(is_signed_in(world, browser).await);
        browser.open(asked["logout"].as_str().unwrap()).await;
        let (back, _) = browser.page.url.as_str().split_once('?').unwrap_or((browser.page.url.as_str(), ""));
        assert_eq!(back, format!("{ORIGIN}/"), "{}", browser.text());
        assert!(!is_signed_in(world, browser).await);
        world.deliver().await;
        let told = receiver.map(Receiver::told).unwrap_or_default();
        assert_eq!(told.len(), usize::from(receiver.is_some()));
        self.hear(json!({ "logout_token": told.first() })).await;

        let ended = self.says("refused").await;
        assert_eq!(ended["ended"], if receiver.is_some() { sid } else { Value::Null });
        assert_eq!(ended["refused"], "invalid_grant", "nothing of the session is left");
    }
}

/// Whether somebody is signed in at the provider with this browser, as a portal sees it.
pub async fn is_signed_in(world: &World, browser: &Browser) -> bool {
    let mut browser = browser.clone();
    let web = world.relying_party();
    browser.open(&web.authorize_url(&[("prompt", "none")])).await;
    match web.answered(&browser, "error").as_deref() {
        None => true,
        Some("login_required") => false,
        Some(other) => panic!("{other}"),
    }
}

/// One of the portals for Node, with the driver that most of them share.
pub fn node(world: &World, program: &str, library: &str, client_id: &str) -> Command {
    let mut command = node_driver(world, "run.mjs", client_id);
    command.arg(format!("./{program}")).arg(library);
    command
}

/// A driver for Node, in a folder where it finds its portal and libraries.
fn node_driver(world: &World, driver: &str, client_id: &str) -> Command {
    let folder = world.folder.join("node");
    std::fs::create_dir(&folder).unwrap();
    for from in [self::folder(), self::folder().join("drivers")] {
        let files = std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path());
        for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "mjs")) {
            std::fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
        }
    }
    std::os::unix::fs::symlink(prepared("TEST_NODE_MODULES"), folder.join("node_modules")).unwrap();
    let mut command = Command::new("node");
    command.arg(folder.join(driver));
    settings(&mut command, world, client_id);
    command
}

/// One of the drivers for Python.
pub fn python(world: &World, driver: &str, client_id: &str) -> Command {
    let mut command = Command::new(prepared("TEST_PYTHON"));
    command.arg("-B").arg(folder().join("drivers").join(driver));
    command.env("PYTHONPATH", folder()).env("AUTHLIB_INSECURE_TRANSPORT", "1");
    settings(&mut command, world, client_id);
    command
}

/// What every program is told by its environment.
fn settings(command: &mut Command, world: &World, client_id: &str) {
    command
        .env("ISSUER", &world.issuer)
        .env("CLIENT_ID", client_id)
        .env("CLIENT_SECRET", SECRET)
        .env("REDIRECT_URI", format!("{ORIGIN}/callback"))
        .env("HOME_PAGE", format!("{ORIGIN}/"))
        .env("COOKIE_SECRET", "a-secret-of-the-portal-itself")
        .env("ALGORITHM", "RS256")
        .env("ROTATES", "yes")
        .env("NO_PROXY", "localhost,127.0.0.1");
}

/// The addresses of `my-portal`, with a back channel to `receiver`.
fn my_portal(receiver: &Receiver) -> [(&str, &str); 2] {
    [("https://portal.example.nl/backchannel-logout", &receiver.uri), ("https://portal.example.nl", ORIGIN)]
}

#[tokio::test]
async fn openid_client_for_node() {
    for backend in Backend::ALL {
        let receiver = Receiver::start().await;
        let world = world(backend, &my_portal(&receiver)).await;
        let mut browser = world.browser();
        let mut portal = Program::start(&mut node(&world, "openid-client.mjs", "openid-client", "my-portal"));
        let sid = portal.sign_in(&world, &mut browser).await;
        portal.sign_out(&world, &mut browser, Some(&receiver), sid).await;
    }
}

#[tokio::test]
async fn oauth4webapi_without_a_secret() {
    for backend in Backend::ALL {
        let world = world(backend, &[("https://app.example.nl", ORIGIN)]).await;
        let mut browser = world.browser();
        let mut app = Program::start(&mut node(&world, "oauth4webapi.mjs", "oauth4webapi", "my-app"));
        let sid = app.sign_in(&world, &mut browser).await;
        app.sign_out(&world, &mut browser, None, sid).await;
    }
}

#[tokio::test]
async fn authlib_with_flask() {
    for backend in Backend::ALL {
        let receiver = Receiver::start().await;
        let world = world(backend, &my_portal(&receiver)).await;
        let mut browser = world.browser();
        let mut portal = Program::start(&mut python(&world, "portal.py", "my-portal"));
        let sid = portal.sign_in(&world, &mut browser).await;
        portal.sign_out(&world, &mut browser, Some(&receiver), sid).await;
    }
}

/// A library that keeps its own session: a cancel, a sign-in, a sign-out. The person as the portal knows them.
async fn walk(program: &mut Program, world: &World, callback: &str) -> Value {
    let mut browser = world.browser();
    for cancels in [true, false] {
        let asked = program.says("authorize").await;
        browser.open(asked["authorize"].as_str().unwrap()).await;
        if cancels {
            browser.submit("login-cancel", &[]).await;
        } else {
            browser.sign_in(world, &Person::ANNA).await;
        }
        let back = browser.page.url.clone();
        assert!(back.as_str().starts_with(&format!("{ORIGIN}{callback}?")), "{back}: {}", browser.text());
        program.hear(json!({ "callback": back })).await;
    }
    let person = program.says("person").await["person"].clone();
    let asked = program.says("logout").await;
    assert!(is_signed_in(world, &browser).await);
    browser.open(asked["logout"].as_str().unwrap()).await;
    assert_eq!(browser.page.url.as_str(), format!("{ORIGIN}/"), "{}", browser.text());
    assert!(!is_signed_in(world, &browser).await);
    program.hear(json!({})).await;
    person
}

#[tokio::test]
async fn auth_js() {
    let world = world(Backend::Embedded, &[("https://authjs.example.nl", ORIGIN)]).await;
    let mut portal = Program::start(&mut node_driver(&world, "run-authjs.mjs", "my-authjs"));
    let person = walk(&mut portal, &world, "/auth/callback/voordeur").await;
    assert_eq!((&person["name"], &person["email"]), (&json!("Anna Voorbeeld"), &json!(Person::ANNA.email)));
}

#[tokio::test]
async fn django() {
    let world = world(Backend::Embedded, &[("https://django.example.nl", ORIGIN)]).await;
    let mut command = python(&world, "django_driver.py", "my-django");
    command.env("DATABASE", world.folder.join("django.db"));
    let person = walk(&mut Program::start(&mut command), &world, "/oidc/callback/").await;
    let anna = world.account(&Person::ANNA).await.subject.0;
    assert_eq!((&person["sub"], &person["email"]), (&json!(anna), &json!(Person::ANNA.email)));
}

/// A client beside the one that is looked at, in the same session.
pub async fn beside(world: &World, browser: &mut Browser) -> String {
    let web = RelyingParty::new(&world.issuer, "web", Some("web-secret"));
    let tokens = web.tokens(world, browser, &Person::ANNA).await;
    format!("{}/logout?id_token_hint={}", world.issuer, tokens.get("id_token"))
}
