//! Password hashing with Argon2id (RFC 9106), on a fixed number of threads of its own. Each thread keeps its
//! memory, so what hashing takes is known beforehand and page faults are paid once, whatever the allocator does
//! with large blocks. What does not fit in the queue is refused at once, so that a flood of sign-ins cannot starve
//! everything else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use platform::random::Random;
use subtle::ConstantTimeEq as _;
use tokio::sync::oneshot;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::config::PasswordRules;

/// More passwords wait for a thread than may; the page says so, with `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait to be checked")]
pub struct Busy;

/// Why a pool could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    #[error("password.argon2_memory_kib and password.argon2_iterations: {0}")]
    Parameters(argon2::Error),
    #[error("cannot start a thread for password hashing: {0}")]
    Thread(#[from] std::io::Error),
}

/// What came of checking a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub matches: bool,
    /// It matches a hash of other parameters than today's: hash it again while the password is at hand.
    pub outdated: bool,
}

const NO: Verdict = Verdict { matches: false, outdated: false };

type Job = Box<dyn FnOnce(&mut Worker) + Send>;

/// The threads and their queue. They end when the pool is dropped.
pub struct PasswordPool {
    queue: SyncSender<Job>,
    random: Random,
    waiting: Arc<AtomicUsize>,
}

/// A password that waits or is being hashed.
struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for PasswordPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordPool")
    }
}

impl PasswordPool {
    /// Starts the threads: as many as `workers` says, or one a core.
    ///
    /// # Errors
    /// [`PoolError`] for parameters that Argon2 refuses.
    pub fn new(rules: &PasswordRules, random: Random) -> Result<Self, PoolError> {
        let params = Params::new(
            rules.argon2_memory_kib,
            rules.argon2_iterations,
            1,
            Some(Params::DEFAULT_OUTPUT_LEN),
        )
        .map_err(PoolError::Parameters)?;
        let workers = match rules.workers {
            0 => thread::available_parallelism().map_or(1, usize::from),
            count => count,
        };
        let (queue, jobs) = sync_channel::<Job>(rules.queue);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..workers {
            let (jobs, params) = (Arc::clone(&jobs), params.clone());
            thread::Builder::new().name(format!("password-{number}")).spawn(move || {
                // A hash takes as long as a hundred other requests: they go first.
                platform::priority::stand_back();
                run(&jobs, Worker { params, memory: Vec::new() });
            })?;
        }
        Ok(Self { queue, random, waiting: Arc::default() })
    }

    /// How many passwords wait for a thread or are being hashed.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A PHC string (`$argon2id$v=19$m=..,t=..,p=1$salt$hash`) of the password.
    ///
    /// # Errors
    /// [`Busy`] at once if the queue is full.
    pub async fn hash(&self, password: &str) -> Result<String, Busy> {
        let (password, salt) = (normalised(password), self.random.bytes::<16>());
        self.submit(move |worker| worker.hash(&password, &salt)).await?.ok_or(Busy)
    }

    /// Whether the password is the one of `hash`. Without a hash (nobody has that name) it costs the same and
    /// never matches.
    ///
    /// # Errors
    /// [`Busy`] at once if the queue is full.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<Verdict, Busy> {
        let (password, hash) = (normalised(password), hash.map(str::to_owned));
        let salt = self.random.bytes::<16>();
        self.submit(move |worker| worker.verify(&password, hash.as_deref(), &salt)).await
    }

    async fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (answer, answered) = oneshot::channel();
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // It counts until the work is done, whether or not somebody still waits for it.
        let waiting = Waiting(Arc::clone(&self.waiting));
        let job = move |worker: &mut Worker| {
            let _waiting = waiting;
            // Whoever asked may have gone; then there is nothing to compute.
            if !answer.is_closed() {
                let _ = answer.send(work(worker));
            }
        };
        self.queue.try_send(Box::new(job)).map_err(|_| Busy)?;
        // Without an answer the work panicked, which was logged.
        answered.await.map_err(|_| Busy)
    }
}

fn run(jobs: &Mutex<Receiver<Job>>, mut worker: Worker) {
    loop {
        // The lock is held while waiting and let go before working.
        let received = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = received else { return };
        if catch_unwind(AssertUnwindSafe(|| job(&mut worker))).is_err() {
            tracing::error!("password hashing panicked");
        }
    }
}

/// Normalisation form C, so that an ë typed on one keyboard is the ë typed on another (NIST SP 800-63B-4
/// section 3.1.1.2). Nothing is cut off.
fn normalised(password: &str) -> Zeroizing<String> {
    // Form C is at most three times as long in UTF-8, so no copy is left behind by growing.
    let mut normalised = Zeroizing::new(String::with_capacity(password.len() * 3));
    normalised.extend(password.nfc());
    normalised
}

struct Worker {
    params: Params,
    memory: Vec<Block>,
}

impl Worker {
    fn hash(&mut self, password: &str, salt: &[u8]) -> Option<String> {
        let params = self.params.clone();
        let output = self.derive(&params, password, salt)?;
        let hash = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).ok()?,
            salt: Some(Salt::new(salt).ok()?),
            hash: Some(output),
        };
        Some(hash.to_string())
    }

    fn verify(&mut self, password: &str, hash: Option<&str>, salt: &[u8]) -> Verdict {
        let stored = hash.and_then(|hash| Stored::parse(hash).or_else(unreadable));
        let Some(stored) = stored else {
            let params = self.params.clone();
            self.derive(&params, password, salt);
            return NO;
        };
        let Some(output) = self.derive(&stored.params, password, &stored.salt) else { return NO };
        let matches = bool::from(output.as_bytes().ct_eq(stored.output.as_bytes()));
        let now = &self.params;
        let same = stored.params.m_cost() == now.m_cost() && stored.params.t_cost() == now.t_cost();
        Verdict { matches, outdated: matches && !same }
    }

    fn derive(&mut self, params: &Params, password: &str, salt: &[u8]) -> Option<Output> {
        let usual = self.params.block_count();
        self.memory.resize(params.block_count().max(usual), Block::default());
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        let blocks = &mut self.memory[..params.block_count()];
        let derived = argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut output, blocks);
        if self.memory.len() > usual {
            self.memory.truncate(usual);
            self.memory.shrink_to_fit();
        }
        derived.ok()?;
        Output::new(&output).ok()
    }
}

/// A hash from the database.
struct Stored {
    params: Params,
    salt: Salt,
    output: Output,
}

impl Stored {
    fn parse(hash: &str) -> Option<Self> {
        let hash = PasswordHash::new(hash).ok()?;
        let is_ours = hash.algorithm == ARGON2ID_IDENT && hash.version == Some(Version::V0x13.into());
        let params = Params::try_from(&hash).ok()?;
        if !is_ours || params.output_len() != Some(Params::DEFAULT_OUTPUT_LEN) {
            return None;
        }
        Some(Self { params, salt: hash.salt?, output: hash.hash? })
    }
}

fn unreadable<T>() -> Option<T> {
    tracing::error!("a stored password hash cannot be read; the account needs a password reset");
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rules(queue: usize) -> PasswordRules {
        PasswordRules {
            argon2_memory_kib: 1_024,
            argon2_iterations: 1,
            workers: 2,
            queue,
            ..PasswordRules::default()
        }
    }

    fn pool() -> PasswordPool {
        PasswordPool::new(&rules(64), Random::system()).unwrap()
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let pool = pool();
        let hash = pool.hash("paard batterij nietje").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=1024,t=1,p=1$"), "{hash}");
        assert_ne!(hash, pool.hash("paard batterij nietje").await.unwrap(), "each hash has its own salt");
        let verdict = pool.verify("paard batterij nietje", Some(&hash)).await.unwrap();
        assert_eq!(verdict, Verdict { matches: true, outdated: false });
        assert_eq!(pool.verify("paard batterij nietj", Some(&hash)).await.unwrap(), NO);
        assert_eq!(pool.verify("", Some(&hash)).await.unwrap(), NO);
    }

    #[tokio::test]
    async fn another_library_reads_the_hash() {
        use argon2::PasswordVerifier as _;
        let hash = pool().hash("paard batterij nietje").await.unwrap();
        assert!(Argon2::default().verify_password(b"paard batterij nietje", hash.as_str()).is_ok());
    }

    #[tokio::test]
    async fn the_hundredth_and_the_hundred_and_first_character_count() {
        let pool = pool();
        let long = "a".repeat(99);
        let hash = pool.hash(&format!("{long}bc")).await.unwrap();
        assert!(pool.verify(&format!("{long}bc"), Some(&hash)).await.unwrap().matches);
        assert!(!pool.verify(&format!("{long}xc"), Some(&hash)).await.unwrap().matches);
        assert!(!pool.verify(&format!("{long}b"), Some(&hash)).await.unwrap().matches);
    }

    #[tokio::test]
    async fn an_e_with_dots_is_the_same_however_it_was_typed() {
        let pool = pool();
        let hash = pool.hash("zee\u{308}n van tijd 🌊").await.unwrap();
        assert!(pool.verify("zeën van tijd 🌊", Some(&hash)).await.unwrap().matches);
        assert!(!pool.verify("zeen van tijd 🌊", Some(&hash)).await.unwrap().matches);
    }

    #[tokio::test]
    async fn nobodys_password_never_matches_and_a_broken_hash_neither() {
        let pool = pool();
        for hash in [None, Some(""), Some("$argon2id$"), Some("$2b$12$abc"), Some("plain text")] {
            assert_eq!(pool.verify("anything", hash).await.unwrap(), NO);
        }
    }

    #[test]
    fn an_unknown_name_costs_as_much_as_a_known_one() {
        let (rules, salt) = (PasswordRules::default(), [7; 16]);
        let params = Params::new(rules.argon2_memory_kib, rules.argon2_iterations, 1, None).unwrap();
        let new = || Worker { params: params.clone(), memory: Vec::new() };
        let hash = new().hash("paard batterij nietje", &salt).unwrap();
        // What Argon2 leaves in its memory comes of everything that it computed there.
        let left_by = |hash: Option<&str>| {
            let mut worker = new();
            assert_eq!(worker.verify("fout wachtwoord", hash, &salt), NO);
            worker.memory.iter().flat_map(|block| block.as_ref().to_vec()).collect::<Vec<u64>>()
        };
        let known = left_by(Some(&hash));
        assert!(known.len() == params.block_count() * 128 && known.iter().any(|word| *word != 0));
        assert!(known == left_by(None), "the same computation for nobody");
        assert!(known == left_by(Some("no hash")), "and for a hash that cannot be read");
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_matches_and_is_outdated() {
        let heavier = PasswordRules { argon2_memory_kib: 2_048, ..rules(4) };
        let hash =
            PasswordPool::new(&heavier, Random::system()).unwrap().hash("paard batterij").await.unwrap();
        let verdict = pool().verify("paard batterij", Some(&hash)).await.unwrap();
        assert_eq!(verdict, Verdict { matches: true, outdated: true });
        assert_eq!(pool().verify("paard", Some(&hash)).await.unwrap(), NO);
    }

    #[tokio::test]
    async fn a_full_queue_is_refused_at_once_and_a_panic_harms_nobody() {
        let rules = PasswordRules { workers: 1, ..rules(1) };
        let pool = Arc::new(PasswordPool::new(&rules, Random::system()).unwrap());
        let (started, has_started) = oneshot::channel();
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let shared = Arc::clone(&pool);
        let blocking = tokio::spawn(async move {
            let work = move |_: &mut Worker| {
                started.send(()).unwrap();
                wait.recv().unwrap();
                panic!("on purpose");
            };
            shared.submit::<()>(work).await
        });
        has_started.await.unwrap();
        let shared = Arc::clone(&pool);
        let waiting = tokio::spawn(async move { shared.verify("a", None).await });
        tokio::task::yield_now().await;
        assert_eq!(pool.verify("b", None).await, Err(Busy));
        release.send(()).unwrap();
        assert_eq!(blocking.await.unwrap(), Err(Busy));
        assert_eq!(waiting.await.unwrap(), Ok(NO), "the thread survives");
    }

    #[tokio::test]
    async fn the_threads_end_with_the_pool() {
        use std::cell::RefCell;
        use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
        thread_local! {
            // Dropped when its thread ends.
            static GUARD: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
        }
        let (sender, ended) = channel();
        let pool = pool();
        pool.submit(move |_| GUARD.set(Some(sender))).await.unwrap();
        assert_eq!(ended.recv_timeout(Duration::from_millis(20)), Err(RecvTimeoutError::Timeout));
        drop(pool);
        assert_eq!(ended.recv_timeout(Duration::from_secs(5)), Err(RecvTimeoutError::Disconnected));
    }
}
