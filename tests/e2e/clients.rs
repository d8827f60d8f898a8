//! Client libraries that nobody here wrote, each in a small portal of its own (`tests/clients`), against the
//! running servers: sign-in, userinfo, refresh, logout. `tests/run` installs them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use idp::config::{Config, Portal};
use serde_json::{Value, json};
use tests::{Backend, Browser, Person, RelyingParty, World};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use web::clock::Clock;

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
    for client in ["my-portal", "my-website"] {
        std::fs::write(config.path.with_file_name(client).with_extension("secret"), SECRET).unwrap();
    }
    let text = format!("[dev]\noutbox = true\n[secrets]\nroot = '{SECRET}{SECRET}'\n{text}");
    Config::parse(&config.path, &text).unwrap().portals.remove(0)
}

/// A world on the system's clock that knows the clients of `tests/clients/portal.toml`, and one person.
pub async fn world(backend: Backend, addresses: &[(&str, &str)]) -> World {
    let change = |config: &mut Config| {
        let portal = portal(config, addresses);
        config.portals.push(portal);
    };
    let world = World::at(Clock::system(), backend, change).await;
    world.add(&Person::ANNA).await;
    world
}

/// A portal's program, which says and hears one JSON object a line.
struct Program {
    _child: Child,
    said: Lines<BufReader<ChildStdout>>,
    hears: ChildStdin,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let hears = child.stdin.take().unwrap();
        Self { _child: child, said, hears }
    }

    /// The next thing it says, which is about `topic`.
    async fn says(&mut self, topic: &str) -> Value {
        let line = tokio::time::timeout(Duration::from_mins(1), self.said.next_line());
        let line = line.await.expect("an answer within a minute").unwrap();
        let line = line.unwrap_or_else(|| panic!("it ended before it said {topic}; its errors are above"));
        let said: Value = serde_json::from_str(&line).unwrap();
        assert!(said.get(topic).is_some(), "{topic} was expected: {said}");
        said
    }

    async fn hear(&mut self, told: Value) {
        self.hears.write_all(format!("{told}\n").as_bytes()).await.unwrap();
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

/// The life of a portal whose program is `command`; `hears_logouts` if it has a back-channel endpoint.
async fn life(world: &World, receiver: &Receiver, origin: &str, command: &mut Command, hears_logouts: bool) {
    let mut program = Program::start(command);
    let mut browser = world.browser();
    let anna = world.account(&Person::ANNA).await.subject.0;

    let asked = program.says("authorize").await;
    browser.open(asked["authorize"].as_str().unwrap()).await;
    browser.sign_in(world, &Person::ANNA).await;
    assert!(browser.page.url.as_str().starts_with(&format!("{origin}/callback?")), "{}", browser.text());
    program.hear(json!({ "callback": browser.page.url })).await;

    let signed_in = program.says("claims").await;
    let sid = signed_in["claims"]["sid"].clone();
    assert_eq!(signed_in["claims"]["sub"], json!(anna));
    assert_eq!(signed_in["claims"]["acr"], "urn:voordeur:acr:code");
    let person = &signed_in["person"];
    assert_eq!((&person["sub"], &person["email"]), (&json!(anna), &json!(Person::ANNA.email)));
    assert_eq!((&person["name"], &person["email_verified"]), (&json!("Anna Voorbeeld"), &json!(true)));
    let refreshed = program.says("refreshed").await;
    assert_eq!(&refreshed["refreshed"], person, "the same person by the new token");

    let asked = program.says("logout").await;
    assert!(is_signed_in(world, &browser).await);
    browser.open(asked["logout"].as_str().unwrap()).await;
    let (back, _) = browser.page.url.as_str().split_once('?').unwrap_or((browser.page.url.as_str(), ""));
    assert_eq!(back, format!("{origin}/"), "{}", browser.text());
    assert!(!is_signed_in(world, &browser).await);
    world.deliver().await;
    let told = receiver.told();
    assert_eq!(told.len(), usize::from(hears_logouts));
    program.hear(json!({ "logout_token": told.first() })).await;

    let ended = program.says("refused").await;
    assert_eq!(ended["ended"], if hears_logouts { sid } else { Value::Null });
    assert_eq!(ended["refused"], "invalid_grant", "nothing of the session is left");
}

/// One of the programs in Node, in a folder where it finds its library.
fn node(world: &World, program: &str, library: &str) -> Command {
    let folder = world.folder.join("node");
    std::fs::create_dir(&folder).unwrap();
    for file in [program, "run.mjs", "logout-token.mjs"] {
        std::fs::copy(self::folder().join(file), folder.join(file)).unwrap();
    }
    std::os::unix::fs::symlink(prepared("TEST_NODE_MODULES"), folder.join("node_modules")).unwrap();
    let mut command = Command::new("node");
    command.arg(folder.join("run.mjs")).arg(format!("./{program}")).arg(library);
    command
}

/// What every program is told by its environment.
fn settings(command: &mut Command, world: &World, client_id: &str, origin: &str) {
    command
        .env("ISSUER", &world.issuer)
        .env("CLIENT_ID", client_id)
        .env("CLIENT_SECRET", SECRET)
        .env("REDIRECT_URI", format!("{origin}/callback"))
        .env("HOME_PAGE", format!("{origin}/"))
        .env("COOKIE_SECRET", "a-secret-of-the-portal-itself")
        .env("NO_PROXY", "localhost,127.0.0.1");
}

#[tokio::test]
async fn openid_client_for_node() {
    for backend in Backend::ALL {
        let receiver = Receiver::start().await;
        let back_channel = "https://portal.example.nl/backchannel-logout";
        let addresses = [(back_channel, receiver.uri.as_str()), ("https://portal.example.nl", ORIGIN)];
        let world = world(backend, &addresses).await;
        let mut program = node(&world, "openid-client.mjs", "openid-client");
        settings(&mut program, &world, "my-portal", ORIGIN);
        life(&world, &receiver, ORIGIN, &mut program, true).await;
    }
}

#[tokio::test]
async fn oauth4webapi_without_a_secret() {
    for backend in Backend::ALL {
        let receiver = Receiver::start().await;
        let world = world(backend, &[("https://app.example.nl", ORIGIN)]).await;
        let mut program = node(&world, "oauth4webapi.mjs", "oauth4webapi");
        settings(&mut program, &world, "my-app", ORIGIN);
        life(&world, &receiver, ORIGIN, &mut program, false).await;
    }
}

#[tokio::test]
async fn authlib_with_flask() {
    for backend in Backend::ALL {
        let receiver = Receiver::start().await;
        let back_channel = "https://portal.example.nl/backchannel-logout";
        let addresses = [(back_channel, receiver.uri.as_str()), ("https://portal.example.nl", ORIGIN)];
        let world = world(backend, &addresses).await;
        let mut program = Command::new(prepared("TEST_PYTHON"));
        program.arg("-B").arg(folder().join("run.py")).env("AUTHLIB_INSECURE_TRANSPORT", "1");
        settings(&mut program, &world, "my-portal", ORIGIN);
        life(&world, &receiver, ORIGIN, &mut program, true).await;
    }
}

/// A client beside the one that is looked at, in the same session.
pub async fn beside(world: &World, browser: &mut Browser) -> String {
    let web = RelyingParty::new(&world.issuer, "web", Some("web-secret"));
    let tokens = web.tokens(world, browser, &Person::ANNA).await;
    format!("{}/logout?id_token_hint={}", world.issuer, tokens.get("id_token"))
}
