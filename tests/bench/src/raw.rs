//! What the machine can do at most: the expensive parts alone, on every core.

use std::thread;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use idp::config::PasswordRules;

/// As many threads as the server's password pool has.
pub fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Password hashes a second with the server's parameters, each thread with memory of its own that it reuses.
pub fn argon2(window: Duration) -> f64 {
    let rules = PasswordRules::default();
    let params = Params::new(rules.argon2_memory_kib, rules.argon2_iterations, 1, Some(32)).unwrap();
    rate(window, || {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let mut memory = vec![Block::default(); params.block_count()];
        move || {
            let mut output = [0; 32];
            argon2
                .hash_password_into_with_memory(b"Zonnig-Weer-Vandaag-8", &[7; 16], &mut output, &mut memory)
                .unwrap();
        }
    })
}

/// RS256 signatures a second with a key of 2048 bits.
pub fn rs256(window: Duration) -> f64 {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let (random, message) = (SystemRandom::new(), [b'a'; 600]);
    rate(window, || {
        let (key, random) = (&key, &random);
        move || {
            let mut signature = [0; 256];
            key.sign(&RSA_PKCS1_SHA256, random, &message, &mut signature).unwrap();
        }
    })
}

/// How often a second all threads together do the work, once each is warm.
fn rate<W: FnMut() + Send>(window: Duration, worker: impl Fn() -> W) -> f64 {
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads())
            .map(|_| {
                let mut work = worker();
                scope.spawn(move || {
                    work();
                    let (start, mut count) = (Instant::now(), 0_u32);
                    while start.elapsed() < window {
                        work();
                        count += 1;
                    }
                    f64::from(count) / start.elapsed().as_secs_f64()
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}
