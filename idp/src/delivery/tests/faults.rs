//! What mail servers, gateways and portals do when something is wrong with them, and what nobody else notices of it.

use std::sync::atomic::AtomicUsize;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::store::refused::Undelivered;

/// A mail server that answers as it was told; `None` hangs up.
#[derive(Clone, Copy)]
struct Script {
    greeting: &'static str,
    sender: &'static str,
    recipient: &'static str,
    text: Option<&'static str>,
}

const GOOD: Script =
    Script { greeting: "220 mail", sender: "250 ok", recipient: "250 ok", text: Some("250 ok") };

/// How many texts it was given, and the port it answers at.
async fn mail_server(script: Script) -> (Arc<AtomicUsize>, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let texts = Arc::new(AtomicUsize::new(0));
    let given = texts.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, script, given.clone()));
        }
    });
    (texts, port)
}

async fn talk(mut stream: TcpStream, script: Script, texts: Arc<AtomicUsize>) -> std::io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(format!("{}\r\n", script.greeting).as_bytes()).await?;
    let mut is_text = false;
    while let Some(line) = lines.next_line().await? {
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "." if is_text => {
                texts.fetch_add(1, Ordering::SeqCst);
                is_text = false;
                let Some(answer) = script.text else { return Ok(()) };
                answer
            }
            _ if is_text => continue,
            "MAIL" => script.sender,
            "RCPT" => script.recipient,
            "DATA" => {
                is_text = true;
                "354 go on"
            }
            _ => "250 ok",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

fn shown(delivery: &Delivery) -> String {
    let mut registry = prometheus_client::registry::Registry::default();
    delivery.metrics().register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    text
}

const ADDRESS: &str = "h.jansen@example.nl";

#[tokio::test]
async fn a_mail_server_that_takes_nothing_of_ours_is_asked_again_and_seen() {
    let about_us = [
        Script { greeting: "554 not here", ..GOOD },
        Script { sender: "550 you may not send", ..GOOD },
        Script { recipient: "554 5.7.1 Relay access denied", ..GOOD },
        Script { text: Some("550 5.7.1 Unauthenticated mail"), ..GOOD },
    ];
    for script in about_us {
        let place = Place::new().await;
        let (_, port) = mail_server(script).await;
        let delivery = place.delivery(|config| config.mail.port = port);
        place.put(&mail()).await;
        assert_eq!(delivery.deliver_pending().await, counts(0, 1, 0));
        let (payload, error) = place.row().await;
        assert!(!payload.is_empty() && error.unwrap().contains("55"), "it is kept");
        assert!(shown(&delivery).contains("mail_failed_total{reason=\"server\"} 1"), "{}", shown(&delivery));
        assert_eq!(place.store.undelivered(ADDRESS).await.unwrap(), None);

        // Repaired: it arrives.
        let (texts, port) = mail_server(GOOD).await;
        place.clock.advance(Duration::from_secs(2));
        let repaired = place.delivery(|config| config.mail.port = port);
        assert_eq!(repaired.deliver_pending().await, counts(1, 0, 0));
        assert_eq!(texts.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn an_address_that_is_refused_is_final_counted_and_told_until_a_mail_arrives() {
    for recipient in ["550 5.1.1 no such user", "550 no such user here", "553 not a mailbox"] {
        let place = Place::new().await;
        let (texts, port) = mail_server(Script { recipient, ..GOOD }).await;
        let delivery = place.delivery(|config| config.mail.port = port);
        place.put(&mail()).await;
        assert_eq!(delivery.deliver_pending().await, counts(0, 0, 1));
        let refused = (START, Undelivered::Refused);
        assert_eq!(place.store.undelivered("H.Jansen@example.nl").await.unwrap(), Some(refused));
        assert_eq!(place.store.undelivered("another@example.nl").await.unwrap(), None);
        let text = shown(&delivery);
        assert!(text.contains("mail_failed_total{reason=\"address\"} 1"), "{text}");
        assert!(text.contains("messages_given_up_total{kind=\"mail\"} 1"), "{text}");
        assert_eq!(texts.load(Ordering::SeqCst), 0);

        // The mailbox was made: the next mail says so.
        let (_, port) = mail_server(GOOD).await;
        place.put(&mail()).await;
        let delivery = place.delivery(|config| config.mail.port = port);
        assert_eq!(delivery.deliver_pending().await, counts(1, 0, 0));
        assert_eq!(place.store.undelivered(ADDRESS).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_mail_that_nobody_takes_for_two_days_is_told_too() {
    let place = Place::new().await;
    place.put(&mail()).await;
    place.clock.advance(Duration::from_hours(49));
    assert_eq!(place.delivery(|_| {}).deliver_pending().await, counts(0, 0, 1));
    let (_, reason) = place.store.undelivered(ADDRESS).await.unwrap().unwrap();
    assert_eq!(reason, Undelivered::Late);
}

#[tokio::test]
async fn a_mail_that_was_dropped_after_its_text_is_not_sent_again_for_half_an_hour() {
    let place = Place::new().await;
    let (texts, port) = mail_server(Script { text: None, ..GOOD }).await;
    let delivery = place.delivery(|config| config.mail.port = port);
    place.put(&mail()).await;
    assert_eq!(delivery.deliver_pending().await, counts(0, 1, 0));
    for _ in 0..29 {
        place.clock.advance(Duration::from_mins(1));
        assert_eq!(delivery.deliver_pending().await, counts(0, 0, 0));
    }
    assert_eq!(texts.load(Ordering::SeqCst), 1);
    place.clock.advance(Duration::from_mins(1));
    assert_eq!(delivery.deliver_pending().await, counts(0, 1, 0));
    assert_eq!(texts.load(Ordering::SeqCst), 2, "then once more");
    assert!(shown(&delivery).contains("mail_failed_total{reason=\"silence\"} 2"));
}

#[tokio::test]
async fn what_a_dead_node_had_taken_is_taken_over_within_seconds_and_what_a_living_one_has_is_not() {
    let place = Place::new().await;
    let store = &place.store;
    let claim = async || store.claim_message(Kind::Mail, &[], worker::LEASE).await.unwrap();
    place.put(&mail()).await;
    let first = claim().await.unwrap();
    for _ in 0..10 {
        place.clock.advance(Duration::from_secs(9));
        assert!(claim().await.is_none(), "it is at work");
        assert!(store.renew_claim(&first, worker::LEASE).await.unwrap());
    }
    place.clock.advance(Duration::from_secs(10));
    let second = claim().await.expect("it said nothing for ten seconds");
    assert_eq!(second.id, first.id);
    assert!(!store.renew_claim(&first, worker::LEASE).await.unwrap(), "it has no say any more");
}

/// Accepts connections, counts them, and says nothing.
async fn silence() -> (Arc<AtomicUsize>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            held.push(stream);
        }
    });
    (count, url)
}

async fn arrive(stub: &Stub, messages: usize) {
    let all = async {
        while stub.received().len() < messages {
            stub.arrived.notified().await;
        }
    };
    soon(all).await;
}

fn two_gateways(first: &str, second: &str, timeout_seconds: u32) -> Vec<SmsGateway> {
    let named = |id: &str, url: &str| SmsGateway { id: id.into(), timeout_seconds, ..gateway_at(url) };
    vec![named("one", first), named("two", second)]
}

#[tokio::test]
async fn silent_portals_do_not_hold_up_the_logout_tokens_of_others() {
    let place = Place::new().await;
    let (portal, good) = Stub::start(&[(200, json!({}))]).await;
    for _ in 0..3 {
        let (_, silent) = silence().await;
        for _ in 0..80 {
            place.put(&logout(&silent)).await;
        }
    }
    place.put(&logout(&good)).await;
    let delivery = place.delivery(|_| {});
    let (_stop, shutdown) = Shutdown::channel();
    let background = delivery.clone();
    let running = tokio::spawn(async move { background.run(shutdown).await });
    arrive(&portal, 1).await;
    running.abort();
}

#[tokio::test]
async fn a_portal_that_failed_is_tried_again_by_one_token() {
    let place = Place::new().await;
    let (portal, uri) = Stub::start(&[(503, json!({})), (200, json!({}))]).await;
    let delivery = place.delivery(|_| {});
    place.put(&logout(&uri)).await;
    assert_eq!(delivery.deliver_pending().await, counts(0, 1, 0));
    for _ in 0..10 {
        place.put(&logout(&uri)).await;
    }
    assert_eq!(delivery.deliver_pending().await, counts(0, 0, 0), "it is left alone");
    assert_eq!(portal.received().len(), 1);
    place.clock.advance(Duration::from_secs(2));
    assert_eq!(delivery.deliver_pending().await, counts(11, 0, 0), "it works: all go");
}

#[tokio::test]
async fn a_gateway_that_hangs_slows_sixteen_sms_once_and_the_next_ones_not_at_all() {
    let place = Place::new().await;
    let (asked, silent) = silence().await;
    let (second, url) = Stub::start(&[accepted()]).await;
    let delivery = place.delivery(|config| config.sms.gateways = two_gateways(&silent, &url, 60));
    for _ in 0..16 {
        place.put(&sms()).await;
    }
    let (_stop, shutdown) = Shutdown::channel();
    let background = delivery.clone();
    let running = tokio::spawn(async move { background.run(shutdown).await });
    // Long before the first one's time is over.
    arrive(&second, 16).await;
    let before = asked.load(Ordering::SeqCst);
    for _ in 0..16 {
        place.put(&sms()).await;
    }
    arrive(&second, 32).await;
    assert_eq!(asked.load(Ordering::SeqCst), before, "it is passed over");

    // After a while one message tries it again.
    place.clock.advance(Duration::from_secs(11));
    for _ in 0..16 {
        place.put(&sms()).await;
    }
    arrive(&second, 48).await;
    assert_eq!(asked.load(Ordering::SeqCst), before + 1);
    running.abort();
}

#[tokio::test]
async fn what_goes_out_again_by_another_gateway_counts_in_the_days_total() {
    let place = Place::new().await;
    let (_, silent) = silence().await;
    let (second, url) = Stub::start(&[accepted()]).await;
    let delivery = place.delivery(|config| {
        config.sms.gateways = two_gateways(&silent, &url, 1);
        config.codes.total_per_day = 1;
    });
    place.put(&sms()).await;
    assert_eq!(delivery.deliver_pending().await, counts(1, 0, 0));
    assert_eq!(delivery.budget().used().await.unwrap(), (1, 1), "the first one may have sent it too");

    // Nothing is left for a third.
    place.clock.advance(Duration::from_mins(1));
    place.put(&sms()).await;
    assert_eq!(delivery.deliver_pending().await, counts(0, 1, 0));
    assert_eq!(second.received().len(), 1);
}
