//! A world of its own for each test: databases, identity provider, portal, people.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use idp::app::{App, Shared};
use idp::config::{Client, Config, Identifier};
use idp::domain::account::{Account, EmailAddress, Role};
use idp::store::accounts::NewAccount;
use platform::clock::{Clock, Timestamp};
use platform::config::Secret;
use platform::language::Language;
use platform::look::Brand;
use platform::random::Random;
use platform::shutdown::Shutdown;
use portal_client::app::App as PortalApp;
use portal_client::config::{Config as PortalConfig, Settings};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::browser::Browser;
use crate::pristine;
use crate::relying_party::RelyingParty;

/// What the servers keep their state in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite for everything.
    Embedded,
    /// PostgreSQL, and Redis for what expires.
    Servers,
}

impl Backend {
    pub const ALL: [Self; 2] = [Self::Embedded, Self::Servers];
}

/// A person with an account.
#[derive(Clone, Debug)]
pub struct Person {
    pub email: &'static str,
    pub password: &'static str,
    pub phone: &'static str,
}

impl Person {
    pub const ANNA: Self =
        Self { email: "anna@example.nl", password: "Zonnig-Weer-Vandaag-8", phone: "+31612345678" };
    pub const BRAM: Self =
        Self { email: "bram@example.nl", password: "Dijk-Tulpen-Kade-37", phone: "+31687654321" };
    /// Of the care team of 'zonnehof'.
    pub const CARLA: Self =
        Self { email: "carla@example.nl", password: "Zorg-Ronde-Koffie-58", phone: "+31611223344" };
    /// Of the care team of 'rozenhof'.
    pub const DIRK: Self =
        Self { email: "dirk@example.nl", password: "Tuin-Lepel-Wolk-64", phone: "+31655667788" };

    /// What the person signs in with where that is a user name.
    pub fn username(&self) -> &'static str {
        self.email.split('@').next().unwrap_or_default()
    }
}

const PUUR: &str = "puur-van-jou";
const ROOT: &str = "0123456789abcdef0123456789abcdef";

/// The running servers. Their state goes with it.
pub struct World {
    pub backend: Backend,
    pub clock: Clock,
    pub idp: Shared,
    pub issuer: String,
    pub portal: Arc<PortalApp>,
    pub portal_origin: String,
    pub folder: PathBuf,
    shutdown: Shutdown,
    _stop: watch::Sender<bool>,
}

/// The address of a portal that is reached by another host name than the rest, so that it has cookies of its own.
pub fn origin_of(listener: &TcpListener) -> String {
    format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port())
}

/// A portal with demo data; `config` says what is its own.
async fn start_portal(
    listener: TcpListener,
    mut config: PortalConfig,
    issuer: &str,
    folder: &Path,
    clock: &Clock,
    shutdown: Shutdown,
) -> Arc<PortalApp> {
    config.demo = true;
    config.dev.literal_secrets = true;
    config.secrets.root = Secret::Literal(ROOT.into());
    config.oidc.issuer = issuer.to_owned();
    // Counted, and served to nobody.
    config.metrics_listen = Some("127.0.0.1:1".into());
    config.oidc.client_secret = Secret::Literal("secret-of-a-portal-in-tests-0123456789".into());
    config.limits.posts_per_minute = 0;
    config.limits.sign_ins_per_minute = 0;
    let settings = Settings::check(&config, &folder.join("portal.toml")).unwrap();
    let portal = Arc::new(PortalApp::new(settings, clock.clone(), Random::system()).await.unwrap());
    let router = portal_client::router::router(Arc::clone(&portal));
    tokio::spawn(platform::serve::serve(listener, router, shutdown));
    portal
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The address of a test server that `tests/run` started.
pub fn server(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set; start the tests with tests/run"))
}

/// A new, empty database on the test server.
pub async fn postgres() -> String {
    format!("{}/{}", server("TEST_POSTGRES"), pristine::create("").await)
}

/// A database of its own on the test Redis: counters of one world are no other's.
fn redis() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{}/{}", server("TEST_REDIS"), NEXT.fetch_add(1, Ordering::Relaxed))
}

impl World {
    /// A world with the rules of the preset `puur-van-jou`.
    pub async fn new(backend: Backend) -> Self {
        Self::with(backend, |_| ()).await
    }

    /// As [`World::new`], with more clients of the test portal.
    pub async fn with_clients(backend: Backend, clients: Vec<Client>) -> Self {
        Self::with(backend, |config| {
            for mut client in clients {
                client.apply_profile();
                config.portals.last_mut().unwrap().clients.push(client);
            }
        })
        .await
    }

    /// As [`World::new`], with a change to the identity provider's configuration. People in these stories sign in
    /// again and again within one moment, so there is no wait between their codes.
    pub async fn with(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        Self::build(PUUR, Self::frozen(), backend, change, |config| config.codes.resend_seconds = 0).await
    }

    /// As [`World::with_waits`], with the rules of another preset.
    pub async fn with_preset(preset: &str, backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        Self::build(preset, Self::frozen(), backend, change, |_| ()).await
    }

    /// As [`World::with`], by another clock: programs that are not of this house know the system's only.
    pub async fn at(clock: Clock, backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        Self::build(PUUR, clock, backend, change, |config| config.codes.resend_seconds = 0).await
    }

    /// As [`World::with`], with the configured wait between two codes.
    pub async fn with_waits(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        Self::build(PUUR, Self::frozen(), backend, change, |_| ()).await
    }

    fn frozen() -> Clock {
        Clock::fixed(Timestamp(1_795_000_000_000))
    }

    /// `unchecked` sets what no configuration file may.
    async fn build(
        preset: &str,
        clock: Clock,
        backend: Backend,
        change: impl FnOnce(&mut Config),
        unchecked: impl FnOnce(&mut Config),
    ) -> Self {
        let folder = std::env::temp_dir().join(format!("voordeur-test-{}", Random::system().id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (stop, shutdown) = Shutdown::channel();
        let (idp_listener, idp_at) = listener().await;
        let (portal_listener, portal_at) = listener().await;
        let issuer = format!("http://localhost:{}", idp_at.port());
        let portal_origin = format!("http://localhost:{}", portal_at.port());

        let mut config = Self::config(preset, &folder, &issuer, &portal_origin);
        config.listen = idp_at;
        let mut portal_ephemeral = "database".to_owned();
        let portal_database = match backend {
            Backend::Embedded => {
                // Keys that a frozen clock knows are no other's.
                if clock.is_fixed() {
                    pristine::embedded(&folder.join("idp.db"), &config, ROOT, &Self::frozen()).await;
                }
                format!("sqlite:{}/portal.db", folder.display())
            }
            Backend::Servers => {
                config.database = if clock.is_fixed() {
                    pristine::on_server(&config, ROOT, &Self::frozen()).await
                } else {
                    postgres().await
                };
                config.ephemeral = redis();
                portal_ephemeral.clone_from(&config.ephemeral);
                postgres().await
            }
        };
        change(&mut config);
        config.check().unwrap();
        unchecked(&mut config);
        let brand = config.portals[0].brand.clone();
        let idp = App::new(config, clock.clone(), Random::system()).await.unwrap();
        tokio::spawn(platform::serve::serve(idp_listener, idp::router::router(&idp), shutdown.clone()));

        let mut config = PortalConfig {
            origin: portal_origin.clone(),
            listen: portal_at.to_string(),
            brand,
            database: Secret::Literal(portal_database),
            ephemeral: Secret::Literal(portal_ephemeral),
            ..PortalConfig::default()
        };
        config.session.keep_provider_session = preset == "mijn-ecd";
        let portal = start_portal(portal_listener, config, &issuer, &folder, &clock, shutdown.clone()).await;
        Self { backend, clock, idp, issuer, portal, portal_origin, folder, shutdown, _stop: stop }
    }

    /// Starts another portal of this provider, at an address that was chosen before; its client has its own name.
    pub async fn open_portal(&self, at: TcpListener, client_id: &str, brand: Brand) {
        let mut config = PortalConfig {
            origin: origin_of(&at),
            listen: at.local_addr().unwrap().to_string(),
            brand,
            database: Secret::Literal(format!("sqlite:{}/{client_id}.db", self.folder.display())),
            ..PortalConfig::default()
        };
        config.oidc.client_id = client_id.into();
        start_portal(at, config, &self.issuer, &self.folder, &self.clock, self.shutdown.clone()).await;
    }

    /// A preset with the addresses of this world, and clients for tests.
    fn config(preset: &str, folder: &Path, issuer: &str, portal: &str) -> Config {
        let file = format!("{}/../deploy/presets/{preset}.toml", env!("CARGO_MANIFEST_DIR"));
        let preset = std::fs::read_to_string(file).unwrap().replace("http://localhost:8090", portal);
        let preset = preset.replace(
            "client_secret = { file = \"portal-client.secret\" }",
            "client_secret = \"secret-of-a-portal-in-tests-0123456789\"",
        );
        let text = format!(
            "issuer = '{issuer}'\ndatabase = 'sqlite:{folder}/idp.db'\n[secrets]\nroot = '{ROOT}'\n[dev]\noutbox = true\n\
             clock = true\n[limits]\nposts_per_minute = 0\n{preset}\n\
             [[portal]]\nid = 'tests'\nurl = 'http://127.0.0.1:9999'\nbrand.name = 'Testportaal'\n\
             [[portal.client]]\nclient_id = 'web'\nclient_secret = 'web-secret'\n\
             redirect_uris = ['http://127.0.0.1:9999/cb', 'http://127.0.0.1:9999/cb?a=1']\n\
             post_logout_redirect_uris = ['http://127.0.0.1:9999/bye']\n\
             [[portal.client]]\nclient_id = 'web-es256'\nclient_secret = 'web-secret'\nid_token_signed_response_alg = 'ES256'\n\
             redirect_uris = ['http://127.0.0.1:9999/cb']\n\
             [[portal.client]]\nclient_id = 'no-pkce'\nclient_secret = 'web-secret'\nrequire_pkce = false\n\
             redirect_uris = ['http://127.0.0.1:9999/cb']\n\
             [[portal.client]]\nclient_id = 'spa'\ntoken_endpoint_auth_method = 'none'\n\
             redirect_uris = ['http://127.0.0.1:9999/cb']\n\
             [[portal.client]]\nclient_id = 'third-party'\nclient_name = 'Derde'\nclient_secret = 'web-secret'\nconsent = true\n\
             redirect_uris = ['http://127.0.0.1:9999/cb']\n",
            folder = folder.display(),
        );
        Config::parse(&folder.join("idp.toml"), &text).unwrap()
    }

    /// A browser that has been nowhere yet.
    pub fn browser(&self) -> Browser {
        Browser::new()
    }

    /// The client `web` of the configuration.
    pub fn relying_party(&self) -> RelyingParty {
        RelyingParty::new(&self.issuer, "web", Some("web-secret"))
    }

    /// Moves the clock of both servers.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Adds a confirmed account with its phone; [`Person::CARLA`] and [`Person::DIRK`] belong to care teams.
    pub async fn add(&self, person: &Person) -> Account {
        let organisation = match person.email {
            email if email == Person::CARLA.email => Some("zonnehof"),
            email if email == Person::DIRK.email => Some("rozenhof"),
            _ => None,
        };
        let role = if organisation.is_some() { Role::CareTeam } else { Role::User };
        self.add_as(person, role, organisation).await
    }

    /// As [`World::add`], with any role.
    pub async fn add_as(&self, person: &Person, role: Role, organisation: Option<&str>) -> Account {
        let given_name = person.username();
        let with_username = self.idp.config.accounts.identifier == Identifier::Username;
        let new = NewAccount {
            given_name: given_name[..1].to_uppercase() + &given_name[1..],
            family_name: "Voorbeeld".into(),
            email: EmailAddress::parse(person.email).unwrap(),
            email_is_confirmed: true,
            username: with_username.then(|| person.username().to_owned()),
            password_hash: Some(self.idp.passwords.hash(person.password).await.unwrap()),
            phone_sealed: Some(self.idp.store.seal_phone(person.phone)),
            role,
            organisation: organisation.map(str::to_owned),
            language: Language::Nl,
        };
        let mut write = self.idp.store.begin_write().await.unwrap();
        let id = self.idp.store.insert_account(&mut write, &new).await.unwrap();
        write.commit().await.unwrap();
        self.idp.store.account(&id).await.unwrap().unwrap()
    }

    /// The account of a person, as it is now.
    pub async fn account(&self, person: &Person) -> Account {
        let email = EmailAddress::parse(person.email).unwrap();
        self.idp.store.account_by_email(&email).await.unwrap().unwrap()
    }

    /// Delivers what waits in the outbox.
    pub async fn deliver(&self) {
        self.idp.delivery.deliver_pending().await;
    }

    /// The mails to an address, oldest first.
    pub async fn mails(&self, to: &str) -> Vec<idp::delivery::Caught> {
        self.deliver().await;
        self.idp
            .delivery
            .caught()
            .into_iter()
            .filter(|caught| caught.kind == "mail" && caught.to == to)
            .collect()
    }

    /// The SMS to a number in E.164 form, oldest first.
    pub async fn texts(&self, to: &str) -> Vec<idp::delivery::Caught> {
        self.deliver().await;
        self.idp
            .delivery
            .caught()
            .into_iter()
            .filter(|caught| caught.kind == "sms" && caught.to == to)
            .collect()
    }

    /// The code of the newest SMS to a number.
    pub async fn code(&self, to: &str) -> String {
        let text = self.texts(to).await.pop().expect("an SMS was sent").text;
        let last = text.lines().last().unwrap();
        last.rsplit_once('#').unwrap().1.to_owned()
    }

    /// The link of the newest mail to an address that holds one with `path`.
    pub async fn link(&self, to: &str, path: &str) -> String {
        let start = format!("{}{path}", self.issuer);
        let mails = self.mails(to).await;
        let words = mails.iter().rev().flat_map(|mail| mail.text.split_whitespace());
        words.into_iter().find(|word| word.starts_with(&start)).expect("a mail with this link").to_owned()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
