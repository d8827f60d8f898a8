//! Delivery reports that nobody should believe, and those that come twice or too late: T25.

use std::time::Duration;

use axum::http::Method;
use idp::config::SmsGatewayKind::{Cm, Generic, MessageBird, Spryng, Twilio};
use idp::delivery::Kind;
use platform::shutdown::Shutdown;
use tests::{Backend, SmsGateway, SmsReport, Text, Told};

use crate::sms_acts::{DELIVERED, NOTHING, Place};

/// A failure that the gateway `one` reports of its newest message, as it is signed now.
fn failure(place: &Place) -> SmsReport {
    let (issuer, now) = (&place.world.issuer, place.world.clock.now());
    place.gateways[0].report(issuer, "one", &place.newest(0), Told::Failed, now)
}

/// The same report in other hands, or without what proves it.
fn forgeries(genuine: &SmsReport) -> Vec<SmsReport> {
    let url = |url: String| SmsReport { url, ..genuine.clone() };
    let mut all = vec![
        url(genuine.url.split('?').next().unwrap().to_owned()),
        url(genuine.url.replace(SmsGateway::REPORT_SECRET, "")),
        url(genuine.url.replace(SmsGateway::REPORT_SECRET, &SmsGateway::REPORT_SECRET[1..])),
        url(genuine.url.replace(SmsGateway::REPORT_SECRET, &SmsGateway::REPORT_SECRET.to_uppercase())),
        url(format!("{}&secret=x", genuine.url)),
    ];
    let signature = genuine.headers.iter().position(|(name, _)| name.contains("signature"));
    let Some(signature) = signature else { return all };
    // A signature is over all of it.
    all = vec![url(format!("{}&x=y", genuine.url)), url(genuine.url.replace("reference=", "reference=A"))];
    if genuine.method == Method::POST {
        all.push(SmsReport { body: genuine.body.replace("undelivered", "delivered"), ..genuine.clone() });
        all.push(SmsReport { body: format!("{}&MessageStatus=delivered", genuine.body), ..genuine.clone() });
    } else {
        all.push(url(genuine.url.replace("delivery_failed", "delivered")));
        all.push(SmsReport { body: "status=delivered".into(), ..genuine.clone() });
    }
    let signed = genuine.headers[signature].1.clone();
    let unsigned = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJNZXNzYWdlQmlyZCJ9.";
    for other in ["", "AAAA", unsigned, &signed[1..], &signed.to_lowercase()] {
        let mut headers = genuine.headers.clone();
        other.clone_into(&mut headers[signature].1);
        all.push(SmsReport { headers, ..genuine.clone() });
    }
    let headers = genuine.headers.iter().filter(|(name, _)| !name.contains("signature")).cloned().collect();
    all.push(SmsReport { headers, ..genuine.clone() });
    all
}

#[tokio::test]
async fn t25_a_forged_delivery_report_is_refused_and_changes_nothing() {
    for backend in Backend::ALL {
        for kind in SmsGateway::ALL {
            let place = Place::new(backend, &[kind, Cm]).await;
            place.enqueue().await;
            assert_eq!(place.deliver().await, DELIVERED);
            let genuine = failure(&place);
            for forged in forgeries(&genuine) {
                assert_eq!(forged.send().await, 403, "{kind:?} {forged:?}");
            }
            // To nobody, and to a gateway whose proof is another's.
            let elsewhere = |id: &str| genuine.url.replace("/sms/report/one", &format!("/sms/report/{id}"));
            assert_eq!(SmsReport { url: elsewhere("nobody"), ..genuine.clone() }.send().await, 404);
            assert_eq!(SmsReport { url: elsewhere("%00"), ..genuine.clone() }.send().await, 404);
            let large = SmsReport { body: "a".repeat(20_000), method: Method::POST, ..genuine.clone() };
            assert_eq!(large.send().await, 413, "{kind:?}");
            assert_eq!(place.stage().await, ("accepted", "one".into()), "{kind:?}");
            assert_eq!(place.deliver().await, NOTHING);
            // And the genuine one is heard.
            assert_eq!(genuine.send().await, 200, "{kind:?}");
            assert_eq!(place.stage().await, ("waiting", "one".into()), "{kind:?}");
        }
    }
}

#[tokio::test]
async fn t25_a_report_that_is_repeated_late_or_out_of_order_changes_nothing() {
    for backend in Backend::ALL {
        for (first, second) in [(Cm, Twilio), (Twilio, MessageBird), (MessageBird, Spryng), (Spryng, Generic)]
        {
            let place = Place::new(backend, &[first, second, Cm]).await;
            place.enqueue().await;
            assert_eq!(place.deliver().await, DELIVERED);
            let failed = failure(&place);
            // Ten at once: one of them counts.
            let all: Vec<_> = (0..10)
                .map(|_| {
                    let failed = failed.clone();
                    tokio::spawn(async move { failed.send().await })
                })
                .collect();
            for answer in all {
                assert_eq!(answer.await.unwrap(), 200);
            }
            assert_eq!(place.deliver().await, DELIVERED);
            assert_eq!(place.counts(), [1, 1, 0], "{first:?}");
            // Told again when the second one has it; and that it is under way, after all.
            assert_eq!(failed.send().await, 200);
            assert_eq!(place.report(0, Told::Underway).await, 200);
            assert_eq!(place.stage().await, ("accepted", "one,two".into()));
            assert_eq!(place.deliver().await, NOTHING);
            // Delivered, then failed.
            assert_eq!(place.report(1, Told::Delivered).await, 200);
            assert_eq!(place.stage().await, ("delivered", "one,two".into()));
            for gateway in [0, 1] {
                assert_eq!(place.report(gateway, Told::Failed).await, 200);
            }
            assert_eq!(place.stage().await, ("delivered", "one,two".into()));
            assert_eq!(place.deliver().await, NOTHING);
            assert_eq!(place.counts(), [1, 1, 0], "{first:?}");
        }
    }
}

#[tokio::test]
async fn t25_a_report_about_a_message_that_its_gateway_did_not_send_changes_nothing() {
    for backend in Backend::ALL {
        let place = Place::new(backend, &[Cm, Generic]).await;
        place.enqueue().await;
        assert_eq!(place.deliver().await, DELIVERED);
        let text = place.newest(0);
        for told in [Told::Failed, Told::Delivered] {
            // A genuine report of the other gateway, and one about nothing that we know.
            assert_eq!(place.report_of(1, &text, told).await, 200);
            let mut unknown = text.clone();
            unknown.reference = "0123456789abcdefghijkl".into();
            assert_eq!(place.report_of(0, &unknown, told).await, 200);
            unknown.reference = "' OR 1=1 --".into();
            assert_eq!(place.report_of(0, &unknown, told).await, 200);
            unknown.reference = String::new();
            assert_eq!(place.report_of(0, &unknown, told).await, 400);
        }
        assert_eq!(place.stage().await, ("accepted", "one".into()));
        // A late 'delivered' of the first still counts when the second has it: the person has the SMS.
        assert_eq!(place.report(0, Told::Failed).await, 200);
        assert_eq!(place.report(0, Told::Delivered).await, 200);
        assert_eq!(place.stage().await, ("delivered", "one".into()));
        assert_eq!(place.deliver().await, NOTHING);
        assert_eq!(place.counts(), [1, 0]);
    }
}

#[tokio::test]
async fn t25_a_report_that_overtakes_the_gateways_answer_is_asked_for_again() {
    for backend in Backend::ALL {
        let place = Place::new(backend, &[Cm, Twilio]).await;
        place.enqueue().await;
        let store = &place.world.idp.store;
        let minute = Duration::from_mins(1);
        let claimed = store.claim_message(Kind::Sms, &[], minute).await.unwrap().unwrap();
        let text = Text {
            number: "0031612121212".into(),
            content: "x".into(),
            reference: claimed.id.clone(),
            report_url: None,
        };
        assert_eq!(place.report_of(0, &text, Told::Failed).await, 409);
        assert_eq!(place.stage().await, ("waiting", String::new()));
        assert!(store.message_accepted(&claimed, "one", minute * 10).await.unwrap());
        assert_eq!(place.report_of(0, &text, Told::Failed).await, 200);
        assert_eq!(place.stage().await, ("waiting", "one".into()));
        // The node that was slow to write has no say any more when another holds the message.
        let again = store.claim_message(Kind::Sms, &[], minute).await.unwrap().unwrap();
        assert_eq!(again.gateways, ["one"]);
        assert!(!store.message_accepted(&claimed, "two", minute * 10).await.unwrap());
    }
}

#[tokio::test]
async fn t25_after_ten_minutes_no_report_sends_anything_again() {
    for backend in Backend::ALL {
        for is_tidied in [false, true] {
            let place = Place::new(backend, &[Twilio, Cm]).await;
            place.enqueue().await;
            assert_eq!(place.deliver().await, DELIVERED);
            place.world.advance(Duration::from_mins(11));
            if is_tidied {
                assert_eq!(place.deliver().await, NOTHING);
            }
            assert_eq!(place.report(0, Told::Failed).await, 200);
            assert_eq!(place.deliver().await, NOTHING);
            assert!(!place.row().await.has_payload);
            assert_eq!(place.counts(), [1, 0]);
        }
    }
}

#[tokio::test]
async fn t25_a_signature_of_messagebird_is_of_use_for_its_minute_only() {
    let place = Place::new(Backend::Embedded, &[MessageBird, Cm]).await;
    place.enqueue().await;
    assert_eq!(place.deliver().await, DELIVERED);
    let kept = failure(&place);
    place.world.advance(Duration::from_secs(66));
    assert_eq!(kept.send().await, 403);
    assert_eq!(place.stage().await, ("accepted", "one".into()));
    assert_eq!(failure(&place).send().await, 200);
    assert_eq!(place.stage().await, ("waiting", "one".into()));
}

#[tokio::test]
async fn t25_who_expects_no_reports_takes_none() {
    let place = Place::with(Backend::Embedded, &[Cm, Generic], |config| {
        config.sms.gateways[0].report_secret = None;
    })
    .await;
    place.enqueue().await;
    assert_eq!(place.deliver().await, DELIVERED);
    assert_eq!(place.report(0, Told::Failed).await, 404);
    assert_eq!(place.stage().await, ("delivered", String::new()));
    let head = SmsReport { method: Method::HEAD, ..failure(&place) };
    assert_eq!(head.send().await, 405);
}

#[tokio::test]
async fn sms_metrics_count_by_gateway_and_show_the_budget() {
    for backend in Backend::ALL {
        let place = Place::with(backend, &[Cm, Twilio], |config| {
            config.codes.total_per_day = 40;
            config.metrics_listen = Some("127.0.0.1:1".parse().unwrap());
        })
        .await;
        place.world.add(&tests::Person::ANNA).await;
        let mut browser = crate::acts::at_sign_in(&place.world).await;
        place.gateways[0].play([tests::Play::BadGateway]);
        browser.give_password(&tests::Person::ANNA).await;
        assert_eq!(place.deliver().await, DELIVERED);
        assert_eq!(place.report(1, Told::Delivered).await, 200);
        let forged = SmsReport { headers: Vec::new(), ..failure(&place) };
        assert_eq!(SmsReport { url: forged.url.replace("secret=", "s="), ..forged }.send().await, 403);

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/metrics", listener.local_addr().unwrap());
        let (_stop, shutdown) = Shutdown::channel();
        tokio::spawn(platform::serve::serve(
            listener,
            idp::router::metrics_router(&place.world.idp),
            shutdown,
        ));
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        for line in [
            "sms_failed_total{gateway=\"one\"} 1",
            "sms_sent_total{gateway=\"two\"} 1",
            "sms_reports_total{gateway=\"two\",outcome=\"delivered\"} 1",
            "sms_reports_total{gateway=\"one\",outcome=\"forged\"} 1",
            "outbox_oldest_age_seconds{kind=\"sms\"} 0",
            "sms_budget_used 1",
            "sms_budget_limit 40",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(!text.contains("612345678"), "{text}");

        let alerts = crate::deploy::metrics_in_alerts();
        assert!(alerts.len() > 8, "{alerts:?}");
        for name in alerts {
            assert!(text.contains(&name), "there is no {name} in {text}");
        }
    }
}
