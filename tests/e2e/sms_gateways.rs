//! Each known gateway gets the request that its provider documents, and its answers are understood.

use std::time::Duration;

use idp::config::SmsGatewayKind;
use idp::delivery::Kind;
use tests::{Backend, Play, SmsGateway};

use crate::sms_acts::{CONTENT, DELAYED, DELIVERED, GIVEN_UP, NOTHING, NUMBER, Place};

/// Answers about the account or the gateway, each with what the operator reads.
fn troubles(kind: SmsGatewayKind) -> Vec<(Play, &'static str)> {
    let own = match kind {
        SmsGatewayKind::Cm => vec![
            (Play::Error(400, 102), "one: the SMS gateway reports error 102"),
            (Play::Error(200, 500), "one: the SMS gateway reports error 500"),
            (Play::Error(401, 101), "one: the SMS gateway answers 401"),
            (Play::Rejected(301), "one: the SMS gateway reports error 301"),
        ],
        SmsGatewayKind::Spryng => vec![
            (Play::Error(401, 0), "one: the SMS gateway answers 401"),
            (Play::Error(402, 0), "one: the SMS gateway answers 402"),
            (Play::Error(422, 0), "one: the SMS gateway answers 422"),
            (Play::Error(429, 0), "one: the SMS gateway answers 429"),
        ],
        SmsGatewayKind::MessageBird => vec![
            (Play::Error(401, 2), "one: the SMS gateway reports error 2"),
            (Play::Error(402, 25), "one: the SMS gateway reports error 25"),
            (Play::Error(422, 10), "one: the SMS gateway reports error 10"),
            (Play::Error(500, 99), "one: the SMS gateway reports error 99"),
        ],
        SmsGatewayKind::Twilio => vec![
            (Play::Error(401, 20_003), "one: the SMS gateway reports error 20003"),
            (Play::Error(400, 21_606), "one: the SMS gateway reports error 21606"),
            (Play::Error(429, 20_429), "one: the SMS gateway reports error 20429"),
            (Play::Error(500, 20_500), "one: the SMS gateway answers 500"),
        ],
        SmsGatewayKind::Generic => vec![
            (Play::Error(200, 7), "one: the SMS gateway's answer does not say that it accepts"),
            (Play::Error(401, 0), "one: the SMS gateway answers 401"),
            (Play::Error(500, 0), "one: the SMS gateway answers 500"),
        ],
    };
    let all = [
        (Play::BadGateway, "one: the SMS gateway answers 502"),
        (Play::Late(Duration::from_secs(2)), "one: no answer in time"),
    ];
    own.into_iter().chain(all).collect()
}

/// A refusal of the number.
fn refusal(kind: SmsGatewayKind) -> (Play, &'static str) {
    match kind {
        SmsGatewayKind::Cm => (Play::Rejected(303), "one: the SMS gateway refuses the message (303)"),
        SmsGatewayKind::MessageBird => (Play::Rejected(10), "one: the SMS gateway refuses the message (10)"),
        SmsGatewayKind::Twilio => {
            (Play::Rejected(21_211), "one: the SMS gateway refuses the message (21211)")
        }
        SmsGatewayKind::Spryng | SmsGatewayKind::Generic => {
            (Play::Rejected(0), "one: the SMS gateway refuses the message (422)")
        }
    }
}

fn names_nobody(error: &str) {
    for secret in [SmsGateway::TOKEN, "612121212", "123456"] {
        assert!(!error.contains(secret), "{secret} in {error}");
    }
}

#[tokio::test]
async fn sms_each_gateway_gets_its_documented_request_and_is_tried_again_while_it_has_trouble() {
    for kind in SmsGateway::ALL {
        let place = Place::new(Backend::Embedded, &[kind]).await;
        let troubles = troubles(kind);
        place.gateways[0].play(troubles.iter().map(|(play, _)| play.clone()));
        place.enqueue().await;
        for (_, expected) in &troubles {
            assert_eq!(place.deliver().await, DELAYED, "{kind:?} {expected}");
            let error = place.row().await.error.unwrap();
            names_nobody(&error);
            assert_eq!(error, *expected, "{kind:?}");
            place.world.advance(Duration::from_secs(30));
        }
        assert_eq!(place.deliver().await, DELIVERED, "{kind:?}");
        // Every try carried the same reference.
        let texts = place.gateways[0].texts();
        assert_eq!(texts.len(), troubles.len() + 1);
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
        assert_eq!(texts[0].content, CONTENT);
        assert_eq!(texts[0].number.trim_start_matches(['+', '0']), &NUMBER[1..]);
        assert_eq!(place.stage().await, ("accepted", "one".into()));
    }
}

#[tokio::test]
async fn sms_a_number_that_a_gateway_refuses_is_given_up_where_there_is_no_other() {
    for kind in SmsGateway::ALL {
        let place = Place::new(Backend::Embedded, &[kind]).await;
        let (play, expected) = refusal(kind);
        place.gateways[0].play([play]);
        place.enqueue().await;
        assert_eq!(place.deliver().await, GIVEN_UP, "{kind:?}");
        let error = place.row().await.error.unwrap();
        names_nobody(&error);
        assert_eq!(error, expected);
        assert_eq!(place.stage().await, ("given up", String::new()));
        place.world.advance(Duration::from_mins(1));
        assert_eq!(place.deliver().await, NOTHING);
        assert_eq!(place.counts(), [1]);
    }
}

#[tokio::test]
async fn sms_a_sealed_text_stays_no_longer_than_it_may_be_of_use() {
    for backend in Backend::ALL {
        // With reports: until one comes, or for ten minutes.
        let place = Place::new(backend, &[SmsGatewayKind::Cm]).await;
        place.enqueue().await;
        assert_eq!(place.deliver().await, DELIVERED);
        assert_eq!(
            place.world.idp.store.queue_age(Kind::Sms).await.unwrap(),
            None,
            "it does not wait for us"
        );
        place.world.advance(Duration::from_mins(10));
        assert_eq!(place.deliver().await, NOTHING);
        assert_eq!(place.stage().await, ("accepted", "one".into()));
        place.world.advance(Duration::from_secs(1));
        assert_eq!(place.deliver().await, NOTHING);
        assert_eq!(place.stage().await, ("delivered", "one".into()));
        assert_eq!(place.counts(), [1], "it was not sent again");

        // Without: not at all.
        let place = Place::with(backend, &[SmsGatewayKind::Cm], |config| {
            config.sms.gateways[0].report_secret = None;
        })
        .await;
        place.enqueue().await;
        assert_eq!(place.deliver().await, DELIVERED);
        assert_eq!(place.stage().await, ("delivered", String::new()));
    }
}
