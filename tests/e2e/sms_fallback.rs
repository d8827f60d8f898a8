//! What one gateway does not do, the next one does: T26.

use std::time::Duration;

use idp::config::SmsGatewayKind::{Cm, Generic, MessageBird, Spryng, Twilio};
use tests::{Backend, Browser, Person, Play, Told};

use crate::acts::{at_sign_in, is_back};
use crate::sms_acts::{DELAYED, DELIVERED, GIVEN_UP, NOTHING, Place};

const UNAVAILABLE: &str = "Wij kunnen nu geen SMS sturen";

async fn at_code_page(place: &Place) -> Browser {
    let mut browser = at_sign_in(&place.world).await;
    browser.give_password(&Person::ANNA).await;
    assert!(browser.has("otp"), "{}", browser.text());
    browser
}

async fn give(browser: &mut Browser, place: &Place, gateway: usize) {
    let content = place.newest(gateway).content;
    let code = content.rsplit_once('#').unwrap().1;
    browser.submit("otp-submit", &[("code", code)]).await;
}

async fn reload(browser: &mut Browser) {
    let url = browser.page.url.to_string();
    browser.open(&url).await;
}

#[tokio::test]
async fn t26_while_the_first_gateway_is_down_the_second_is_used_at_once() {
    for backend in Backend::ALL {
        let downs = [
            Play::BadGateway,
            Play::Late(Duration::from_secs(2)),
            // Our account there: no credit left.
            Play::Error(400, 102),
            // It holds the number for none; the next one knows better.
            Play::Rejected(303),
        ];
        for down in downs {
            let place = Place::new(backend, &[Cm, Twilio]).await;
            place.world.add(&Person::ANNA).await;
            place.gateways[0].play([down.clone()]);
            let mut browser = at_code_page(&place).await;
            assert_eq!(place.deliver().await, DELIVERED, "{down:?}");
            assert_eq!(place.counts(), [1, 1], "{down:?}");
            assert_eq!(place.stage().await, ("accepted", "two".into()));
            reload(&mut browser).await;
            assert!(!browser.text().contains(UNAVAILABLE), "{}", browser.text());
            give(&mut browser, &place, 1).await;
            assert!(is_back(&browser), "{down:?}: {}", browser.text());
        }
    }
}

#[tokio::test]
async fn t26_one_that_nobody_can_reach_is_passed_over() {
    for backend in Backend::ALL {
        let place = Place::with(backend, &[Spryng, MessageBird], |config| {
            config.sms.gateways[0].url = Some("http://127.0.0.1:1/v1/messages".into());
        })
        .await;
        place.enqueue().await;
        assert_eq!(place.deliver().await, DELIVERED);
        assert_eq!(place.counts(), [0, 1]);
    }
}

#[tokio::test]
async fn t26_with_both_gateways_down_the_page_says_so_and_nothing_leads_around_the_code() {
    for backend in Backend::ALL {
        let place = Place::new(backend, &[Cm, Twilio]).await;
        place.world.add(&Person::ANNA).await;
        place.gateways[0].play([Play::BadGateway, Play::BadGateway]);
        place.gateways[1].play([Play::Error(401, 20_003), Play::Error(500, 20_500)]);
        let mut browser = at_code_page(&place).await;
        assert_eq!(place.deliver().await, DELAYED);
        assert_eq!(place.counts(), [1, 1]);
        let error = place.row().await.error.unwrap();
        assert_eq!(error, "one: the SMS gateway answers 502; two: the SMS gateway reports error 20003");

        // Clear, with the way to try again, and still asking for a code.
        reload(&mut browser).await;
        assert_eq!(browser.page.status, 200);
        assert!(browser.has("sms-unavailable") && browser.text().contains(UNAVAILABLE), "{}", browser.text());
        assert!(browser.has("otp") && browser.has("otp-resend"), "{}", browser.text());

        // Who comes now is told at once: nobody's SMS gets out.
        let other = at_code_page(&place).await;
        assert!(other.has("sms-unavailable"), "{}", other.text());

        // Neither a guess, nor a new request, nor one without a page comes past the code.
        browser.submit("otp-submit", &[("code", "000000")]).await;
        assert_eq!(browser.page.status, 422, "{}", browser.text());
        let party = place.world.relying_party();
        let mut clone = browser.clone();
        clone.open(&party.authorize_url(&[])).await;
        assert!(!is_back(&clone), "{}", clone.text());
        let mut silent = browser.clone();
        silent.open(&party.authorize_url(&[("prompt", "none")])).await;
        assert!(!is_back(&silent));
        let mut account = browser.clone();
        account.open(&format!("{}/account", place.world.issuer)).await;
        assert!(!account.has("account-page") && account.page.url.path() != "/account", "{}", account.text());

        // Up again: what waited goes out by itself, and the page has nothing to say any more.
        place.world.advance(Duration::from_secs(4));
        while place.deliver().await.delayed > 0 {
            place.world.advance(Duration::from_secs(30));
        }
        reload(&mut browser).await;
        assert!(!browser.has("sms-unavailable"), "{}", browser.text());
        let sent = place.gateways[0].texts().into_iter().next_back().unwrap();
        assert!(sent.content.contains('#'));
        browser.submit("otp-resend", &[]).await;
        assert!(!browser.has("sms-unavailable"), "{}", browser.text());
        assert_eq!(place.deliver().await, DELIVERED);
        give(&mut browser, &place, 0).await;
        assert!(is_back(&browser), "{}", browser.text());
    }
}

#[tokio::test]
async fn t26_one_message_that_fails_is_no_outage() {
    for backend in Backend::ALL {
        let place = Place::new(backend, &[Cm]).await;
        place.world.add(&Person::ANNA).await;
        place.world.add(&Person::BRAM).await;
        let mut bram = at_sign_in(&place.world).await;
        bram.give_password(&Person::BRAM).await;
        assert_eq!(place.deliver().await, DELIVERED);
        // Something is wrong with Anna's, and hers alone.
        place.gateways[0].play([Play::Error(400, 305)]);
        let mut anna = at_code_page(&place).await;
        assert_eq!(place.deliver().await, DELAYED);
        reload(&mut anna).await;
        assert!(anna.has("sms-unavailable"), "{}", anna.text());
        let mut again = at_sign_in(&place.world).await;
        again.give_password(&Person::BRAM).await;
        assert!(again.has("otp") && !again.has("sms-unavailable"), "{}", again.text());
    }
}

#[tokio::test]
async fn t26_a_number_that_all_gateways_refuse_is_given_up_and_the_page_says_so() {
    for backend in Backend::ALL {
        let place = Place::new(backend, &[Generic, Twilio]).await;
        place.world.add(&Person::ANNA).await;
        place.gateways[0].play([Play::Rejected(0)]);
        place.gateways[1].play([Play::Rejected(21_614)]);
        let mut browser = at_code_page(&place).await;
        assert_eq!(place.deliver().await, GIVEN_UP);
        assert_eq!(place.stage().await, ("given up", String::new()));
        reload(&mut browser).await;
        assert!(browser.has("sms-unavailable") && browser.has("otp-resend"), "{}", browser.text());
        place.world.advance(Duration::from_mins(1));
        assert_eq!(place.deliver().await, NOTHING);
        assert_eq!(place.counts(), [1, 1]);
    }
}

#[tokio::test]
async fn t26_what_is_reported_as_undelivered_goes_out_again_once_a_gateway_while_its_code_lives() {
    for backend in Backend::ALL {
        let place = Place::new(backend, &[Twilio, Cm, Spryng]).await;
        place.world.add(&Person::ANNA).await;
        let mut browser = at_code_page(&place).await;
        assert_eq!(place.deliver().await, DELIVERED);
        assert_eq!(place.report(0, Told::Underway).await, 200);
        assert_eq!(place.stage().await, ("accepted", "one".into()));
        assert_eq!(place.deliver().await, NOTHING);

        // Minutes later the network gives up; the next gateway takes it at once, the one after is spared.
        place.world.advance(Duration::from_mins(2));
        assert_eq!(place.report(0, Told::Failed).await, 200);
        assert_eq!(place.stage().await, ("waiting", "one".into()));
        assert_eq!(place.deliver().await, DELIVERED);
        assert_eq!(place.counts(), [1, 1, 0]);
        assert_eq!(place.newest(1).content, place.newest(0).content, "the same code");

        // The second is not in luck either, and the third is down for a moment.
        place.gateways[2].play([Play::BadGateway]);
        assert_eq!(place.report(1, Told::Failed).await, 200);
        assert_eq!(place.deliver().await, DELAYED);
        reload(&mut browser).await;
        assert!(browser.has("sms-unavailable"), "{}", browser.text());
        place.world.advance(Duration::from_secs(30));
        assert_eq!(place.deliver().await, DELIVERED);
        assert_eq!(place.counts(), [1, 1, 2], "none is asked twice that took it");
        assert_eq!(place.stage().await, ("accepted", "one,two,three".into()));
        reload(&mut browser).await;
        assert!(!browser.has("sms-unavailable"), "{}", browser.text());
        let mut other = browser.clone();
        give(&mut browser, &place, 2).await;
        assert!(is_back(&browser), "{}", browser.text());

        // All three have taken it: a last failure ends it.
        assert_eq!(place.report(2, Told::Failed).await, 200);
        assert_eq!(place.stage().await, ("given up", "one,two,three".into()));
        place.deliver().await;
        assert_eq!(place.counts(), [1, 1, 2]);
        reload(&mut other).await;
        assert!(!is_back(&other), "its code was used: {}", other.text());
    }
}
