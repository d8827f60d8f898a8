//! What a running node holds, built the same way by `serve` and by tests.

pub mod clients;
pub mod known_clients;
pub mod notices;
pub mod outcomes;
pub mod parts;
pub mod remembered;
pub mod room;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use platform::clock::Clock;
use platform::connections::ConnectionMetrics;
use platform::cookies::CookieRules;
use platform::csrf::Csrf;
use platform::document::Document;
use platform::ephemeral::{Ephemeral, EphemeralError, Limit};
use platform::fault::{self, Fault};
use platform::health::Health;
use platform::kept::KeptForms;
use platform::look::Brand;
use platform::metrics::Metrics;
use platform::once::Once;
use platform::pages::Pages;
use platform::random::Random;
use platform::rate_limiter::{RateLimiter, rate_limit_key};
use platform::request::Front;
use platform::seal::Hasher;

use crate::app::known_clients::KnownClients;
use crate::app::outcomes::Outcomes;
use crate::app::parts::Parts;
use crate::app::remembered::Remembered;
use crate::config::{Config, Registry};
use crate::credentials::codes::OneTimeCodes;
use crate::credentials::passkeys::RelyingParty;
use crate::credentials::passwords::PasswordPool;
use crate::delivery::Delivery;
use crate::keys::{ClientKeys, KeyError, KeyRing};
use crate::store::{Store, StoreError};

/// One node.
pub struct App {
    pub config: Config,
    pub registry: Registry,
    pub clock: Clock,
    pub random: Random,
    pub store: Store,
    pub ephemeral: Ephemeral,
    pub keys: KeyRing,
    pub passwords: PasswordPool,
    pub codes: OneTimeCodes,
    pub delivery: Delivery,
    pub pages: Pages,
    pub metrics: Metrics,
    pub health: Health,
    pub outcomes: Outcomes,
    pub connections: ConnectionMetrics,
    pub front: Arc<Front>,
    /// Who asks for passkeys; none if the issuer is an address.
    pub passkeys: Option<RelyingParty>,
    /// Forms that somebody has not sent.
    pub kept: KeptForms,
    pub once: Arc<Once>,
    pub flood: RateLimiter,
    /// The same for the endpoints that clients call themselves.
    pub client_flood: RateLimiter,
    /// Hashes what is looked up but must not be read: phone numbers and addresses in counters, mailed codes.
    pub lookup: Hasher,
    /// Makes the subjects that one sector sees.
    pub pairwise: Hasher,
    pub client_keys: ClientKeys,
    pub known_clients: KnownClients,
    /// What this server says of itself, with the algorithms that every client knows and with all; made at first use, if it can be.
    pub metadata: OnceLock<Option<[Document; 2]>>,
    /// Whether the keys of every algorithm are published.
    pub publishes_all: Remembered,
}

pub type Shared = Arc<App>;

/// Why a node did not start; the text is for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

fn failed(error: impl std::error::Error) -> StartError {
    StartError(error.to_string())
}

/// The largest form that is read, in bytes.
pub const LARGEST_FORM: usize = 256 * 1024;

/// Why a handler could not do its work; logged once, answered with the page for 500 or 503.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ephemeral(#[from] EphemeralError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error("{0}")]
    Other(String),
    /// What people may leave here who have proved nothing is used up, for so long.
    #[error("no room is left")]
    Full(Duration),
    /// More sign-ins wait for the password threads than may.
    #[error("too many sign-ins at once")]
    Busy,
}

impl ServiceError {
    /// What failed, from a closed list.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Store(_) | Self::Keys(KeyError::Store(_)) => "database",
            Self::Ephemeral(error) => error.backend(),
            Self::Keys(_) | Self::Other(_) => "other",
            Self::Busy => "busy",
            Self::Full(_) => "full",
        }
    }

    /// What is wrong with a backend, if one failed.
    fn fault(&self) -> Option<Fault> {
        match self {
            Self::Store(StoreError::Sql(error)) | Self::Keys(KeyError::Store(StoreError::Sql(error))) => {
                Some(fault::of_database(error))
            }
            Self::Ephemeral(error) => Some(error.fault()),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for ServiceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl App {
    /// Builds a node from its configuration; makes the database if there is none.
    ///
    /// # Errors
    /// What is missing or wrong, for the operator.
    pub async fn new(config: Config, clock: Clock, random: Random) -> Result<Shared, StartError> {
        Self::build(config, clock, random, None).await
    }

    /// As [`App::new`], for a command: on a database that is there.
    ///
    /// # Errors
    /// What is missing or wrong, for the operator.
    pub async fn on(config: Config, store: Store) -> Result<Shared, StartError> {
        let (clock, random) = (store.clock.clone(), store.random.clone());
        Self::build(config, clock, random, Some(store)).await
    }

    async fn build(
        config: Config,
        clock: Clock,
        random: Random,
        store: Option<Store>,
    ) -> Result<Shared, StartError> {
        let Parts { root, registry, delivery, pages, http } = Parts::new(&config, &clock).map_err(failed)?;
        let store = if let Some(store) = store {
            store
        } else {
            let (clock, random, root) = (clock.clone(), random.clone(), root.clone());
            let store = Store::open(&config.database, clock, random, root).await.map_err(failed)?;
            config.marks().tell(store.db());
            store
        };
        let ephemeral = match config.ephemeral.as_str() {
            "database" => Ephemeral::sql(store.db().clone(), clock.clone()),
            url => Ephemeral::redis(url, "idp:", clock.clone()).await.map_err(|error| {
                let file = config.path.display();
                StartError(format!("{file}: ephemeral: {error}; {}", error.fault().advice))
            })?,
        };
        let keys = KeyRing::open(store.clone(), &config.keys, &config.tokens).await.map_err(failed)?;
        let passwords = PasswordPool::new(&config.password, random.clone()).map_err(failed)?;
        let fixed = (!config.dev.fixed_code.is_empty()).then(|| config.dev.fixed_code.clone());
        let codes =
            OneTimeCodes::new(root.hasher("one-time code"), random.clone(), config.codes.digits, fixed);
        let delivery = Delivery::with(store.clone(), ephemeral.clone(), keys.clone(), &config, delivery);
        let connections = ConnectionMetrics::default();
        let outcomes = Outcomes::of(
            registry.portals().map(|portal| portal.id.as_str()),
            registry.clients().map(|registered| registered.client.client_id.as_str()),
        );
        // A clock that tests and demonstrations move is nobody's to compare.
        let compares_clock = !config.dev.clock && !clock.is_fixed();
        let health = Health::new(store.db(), &config.database, &ephemeral, &clock, &random, compares_clock)
            .await
            .map_err(failed)?;
        let metrics = Metrics::with(|registry| {
            delivery.metrics().register(registry);
            connections.register(registry);
            outcomes.register(registry);
            health.register(registry);
        });
        let front = Arc::new(Front {
            cookies: CookieRules { secure: config.is_https() },
            csrf: Csrf::new(&root),
            random: random.clone(),
            default_language: config.default_language,
            trusted_proxies: config.trusted_proxies.clone(),
        });
        let flood = RateLimiter::per_minute(config.limits.posts_per_minute);
        let client_flood = RateLimiter::per_minute(config.limits.client_requests_per_minute);
        let kept = KeptForms::new(ephemeral.clone(), &root, random.clone());
        let once = Once::new(ephemeral.clone(), &root, config.limits.posts_per_minute, LARGEST_FORM);
        let passkeys = RelyingParty::new(&config.issuer, &registry.portal_of(None).brand.name, clock.clone());
        let lookup = root.hasher("lookup");
        let pairwise = root.hasher("pairwise subject");
        let client_keys = ClientKeys::new(http, clock.clone());
        Ok(Arc::new(Self {
            config,
            registry,
            clock,
            random,
            store,
            ephemeral,
            keys,
            passwords,
            codes,
            delivery,
            pages,
            metrics,
            health,
            outcomes,
            connections,
            front,
            passkeys,
            kept,
            once: Arc::new(once),
            flood,
            client_flood,
            lookup,
            pairwise,
            client_keys,
            known_clients: KnownClients::default(),
            metadata: OnceLock::new(),
            publishes_all: Remembered::default(),
        }))
    }

    /// An absolute URL of this server: always at the configured issuer, whatever a request's headers say.
    pub fn url(&self, path: &str) -> String {
        self.config.url(path)
    }

    /// The brand of the portal a person came from.
    pub fn brand(&self, client_id: Option<&str>) -> &Brand {
        &self.registry.portal_of(client_id).brand
    }

    /// Writes down, once, that something failed which should not, and counts it: `what` is what could not be done.
    pub fn note(&self, what: &'static str, trouble: &ServiceError) {
        let cause = trouble.cause();
        self.outcomes.failure(cause);
        match trouble.fault() {
            Some(Fault { reason, advice }) => {
                let (at, key) = match cause {
                    // The error names the place itself.
                    "redis" => ("", "ephemeral"),
                    _ => (self.health.database_at(), "database"),
                };
                tracing::error!(error = %trouble, cause, reason, at, key, advice, "{what} failed");
            }
            None if matches!(cause, "busy" | "full") => {
                tracing::warn!(error = %trouble, cause, "{what} was sent away");
            }
            None => tracing::error!(error = %trouble, cause, "{what} failed"),
        }
    }

    /// The client in metrics: one of the configuration by its name, any other one by none.
    pub fn client_label<'a>(&self, client_id: &'a str) -> &'a str {
        if self.registry.client(client_id).is_some() { client_id } else { "other" }
    }

    /// Takes one of what is limited; false if none is left. Zero lifts the limit.
    pub async fn within(&self, key: &str, most: u32, window: Duration) -> Result<bool, EphemeralError> {
        Ok(self.ephemeral.reserve(&[Limit { key, most, window }]).await?.is_ok())
    }

    /// Whether nothing is left of a limit, to say so on a page. What is done within it is taken before, by
    /// [`Ephemeral::reserve`]: whoever looks here first lets in as many as come at once.
    pub async fn is_exhausted(&self, key: &str, limit: u32) -> Result<bool, EphemeralError> {
        if limit == 0 {
            return Ok(false);
        }
        Ok(self.ephemeral.get(key).await?.is_some_and(|counter| counter.version >= i64::from(limit)))
    }

    /// The key of a counter for a network address; an IPv6 network of one household counts as one.
    pub fn address_key(&self, kind: &str, address: IpAddr) -> String {
        format!("{kind}:{}", self.lookup.hash(&rate_limit_key(address).to_string()))
    }

    /// The masked phone number of an account, as its holder recognises it.
    ///
    /// # Errors
    /// If it was sealed under another root key.
    pub fn masked_phone(&self, sealed: &str) -> Result<String, StoreError> {
        let e164 = self.store.open_phone(sealed)?;
        Ok(crate::domain::phone::PhoneNumber::parse(&e164).map(|number| number.masked()).unwrap_or_default())
    }

    /// How long a session may be idle.
    pub fn idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.config.sessions.idle_minutes) * 60)
    }
}
