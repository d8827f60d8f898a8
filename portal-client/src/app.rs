//! What a running node of the portal holds: built the same way by `serve` and by tests.

use std::path::PathBuf;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use platform::check::{self, Place};
use platform::clock::Clock;
use platform::config::ConfigError;
use platform::connections::ConnectionMetrics;
use platform::cookies::CookieRules;
use platform::csrf::Csrf;
use platform::db::{Db, Marks, OpenError, Schema};
use platform::ephemeral::{Ephemeral, EphemeralError};
use platform::health::Health;
use platform::kept::KeptForms;
use platform::metrics::Metrics;
use platform::once::Once;
use platform::pages::Pages;
use platform::random::Random;
use platform::rate_limiter::RateLimiter;
use platform::request::Front;
use platform::seal::Sealer;

use crate::access_log::AccessLog;
use crate::config::{Organisation, Settings};
use crate::dossiers::Dossiers;
use crate::dossiers::identity::Matcher;
use crate::dossiers::notes::Notes;
use crate::links::Links;
use crate::oidc::Provider;
use crate::outcomes::Outcomes;
use crate::session::Sessions;
use crate::team::Audit;

/// The largest form that is read, in bytes.
pub const LARGEST_FORM: usize = 128 * 1024;

static MIGRATIONS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../migrations/portal");

/// The portal's tables.
pub static SCHEMA: Schema = Schema {
    program: "portal-client",
    migrations: &MIGRATIONS,
    witness: ("SELECT bsn FROM links WHERE bsn <> '' LIMIT 1", "link bsn"),
    counted: &["links", "notes", "sessions", "audit", "access_log"],
};

/// What a start builds from its settings alone, before it touches a database: `serve` builds these, and `config check`
/// builds them and lets them go.
pub struct Parts {
    pages: Pages,
    provider: Provider,
}

impl Parts {
    /// Builds them.
    ///
    /// # Errors
    /// [`ConfigError`] for the first value that cannot be used; `path` is the file that says it.
    pub fn new(settings: &Settings, clock: &Clock) -> Result<Self, ConfigError> {
        let at = |key| Place::new(&settings.path, key);
        check::database(at("database"), &settings.database)?;
        let folder = settings.brand_folder.as_deref();
        let folder = folder.map(|name| check::folder(at("brand_folder"), name)).transpose()?;
        let pages = Pages::load(folder.as_deref()).map_err(|error| {
            let named = folder.as_deref().unwrap_or(&settings.path).display();
            at("brand_folder").remark(named, error.to_string())
        })?;
        // The addresses were looked at before; what is left is what to trust.
        let provider = Provider::new(settings.provider.clone(), &settings.origin, clock.clone())
            .map_err(|error| at("oidc.extra_ca").remark("(its certificates)", error.to_string()))?;
        Ok(Self { pages, provider })
    }
}

/// Why a node could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Database(#[from] OpenError),
    #[error("{0}")]
    Unreadable(#[from] sqlx::Error),
    #[error("{}: ephemeral: {error}; {}", file.display(), error.fault().advice)]
    Ephemeral { file: PathBuf, error: EphemeralError },
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// A running node.
pub struct App {
    pub settings: Settings,
    pub clock: Clock,
    pub random: Random,
    pub db: Db,
    pub metrics: Metrics,
    pub health: Health,
    pub connections: ConnectionMetrics,
    pub outcomes: Outcomes,
    pub ephemeral: Ephemeral,
    pub pages: Pages,
    pub front: Arc<Front>,
    pub provider: Provider,
    pub sessions: Sessions,
    pub links: Links,
    pub dossiers: Dossiers,
    pub notes: Notes,
    pub access_log: AccessLog,
    pub audit: Audit,
    pub posts: RateLimiter,
    pub sign_ins: RateLimiter,
    /// Forms that somebody has not sent.
    pub kept: KeptForms,
    pub once: Arc<Once>,
    /// Seals expiring values that hold what a person filled in.
    pub drafts: Sealer,
}

impl App {
    /// Opens the database, brings its schema up to date and reads the templates. The provider is asked
    /// nothing yet, so that the portal may start before it.
    pub async fn new(settings: Settings, clock: Clock, random: Random) -> Result<Self, BuildError> {
        let Parts { pages, provider } = Parts::new(&settings, &clock)?;
        let db = Db::open(&settings.database, &SCHEMA, &settings.root).await?;
        Marks::of(&settings.database, settings.root_file.as_deref()).tell(&db);
        let ephemeral = match &settings.redis {
            Some(url) => Ephemeral::redis(url, "portal:", clock.clone())
                .await
                .map_err(|error| BuildError::Ephemeral { file: settings.path.clone(), error })?,
            None => Ephemeral::sql(db.clone(), clock.clone()),
        };
        let outcomes = Outcomes::default();
        // A clock that tests and demonstrations move is nobody's to compare.
        let compares_clock = !settings.dev_clock && !clock.is_fixed();
        let health =
            Health::new(&db, &settings.database, &ephemeral, &clock, &random, compares_clock).await?;
        let connections = ConnectionMetrics::default();
        let metrics = Metrics::with(|registry| {
            connections.register(registry);
            outcomes.register(registry);
            health.register(registry);
        });
        let root = &settings.root;
        let front = Front {
            cookies: CookieRules { secure: settings.https },
            csrf: Csrf::new(root),
            random: random.clone(),
            default_language: settings.default_language,
            trusted_proxies: settings.trusted_proxies.clone(),
        };
        let kept = KeptForms::new(ephemeral.clone(), root, random.clone());
        let once = Once::new(ephemeral.clone(), root, settings.limits.posts_per_minute, LARGEST_FORM);
        let matcher = Matcher::new(root);
        Ok(Self {
            connections,
            pages,
            front: Arc::new(front),
            kept,
            once: Arc::new(once),
            provider,
            sessions: Sessions::new(db.clone(), clock.clone(), settings.session, root),
            links: Links::new(db.clone(), root),
            dossiers: if settings.demo { Dossiers::demo(&matcher) } else { Dossiers::default() },
            notes: Notes::new(db.clone(), root),
            access_log: AccessLog::new(db.clone()),
            audit: Audit::new(db.clone()),
            posts: RateLimiter::per_minute(settings.limits.posts_per_minute),
            sign_ins: RateLimiter::per_minute(settings.limits.sign_ins_per_minute),
            drafts: root.sealer("draft"),
            settings,
            clock,
            random,
            db,
            metrics,
            health,
            outcomes,
            ephemeral,
        })
    }

    /// A care organisation of the configuration.
    pub fn organisation(&self, id: &str) -> Option<&Organisation> {
        self.settings.organisations.iter().find(|organisation| organisation.id == id)
    }

    /// An organisation's name, or its identifier if it left the configuration.
    pub fn organisation_name(&self, id: &str) -> String {
        self.organisation(id).map_or_else(|| id.to_owned(), |organisation| organisation.name.clone())
    }

    /// Removes what has expired.
    pub async fn sweep(&self) -> Result<(), EphemeralError> {
        self.posts.sweep();
        self.once.sweep();
        self.sign_ins.sweep();
        self.ephemeral.sweep().await?;
        self.sessions.sweep().await?;
        let now = self.clock.now();
        if let Some(kept) = self.settings.retention.audit {
            self.audit.forget(now.minus(kept)).await?;
        }
        if let Some(kept) = self.settings.retention.access_log {
            self.access_log.forget(now.minus(kept)).await?;
        }
        Ok(())
    }
}
