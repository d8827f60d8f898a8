//! Mail through a real mail server and SMS through a strict gateway: what arrives, and what happens if nothing does.

use std::time::Duration;

use idp::config::{Config, MailTls};
use idp::delivery::{Counts, Kind, Message};
use platform::config::Secret;
use platform::db::Query;
use tests::{Backend, MailServer, Person, Play, SmsGateway, World};

const DORA: Person =
    Person { email: "dora@example.nl", password: "Fiets-Molen-Regen-42", phone: "+31612121212" };

const NOTHING: Counts = Counts { delivered: 0, delayed: 0, given_up: 0 };
const DELIVERED: Counts = Counts { delivered: 1, ..NOTHING };
const DELAYED: Counts = Counts { delayed: 1, ..NOTHING };
const GIVEN_UP: Counts = Counts { given_up: 1, ..NOTHING };

/// Mails and SMS go out for real, to the servers of this test.
fn real_ways(config: &mut Config, mail: &MailServer, gateway: &SmsGateway) {
    config.dev.outbox = false;
    config.mail.from = "Mijn Zorgdossier <noreply@zorg.example>".into();
    config.mail.host = "localhost".into();
    config.mail.port = mail.port;
    config.mail.tls = MailTls::Starttls;
    config.mail.username = Some(MailServer::LOGIN[0].into());
    config.mail.password = Some(Secret::Literal(MailServer::LOGIN[1].into()));
    config.mail.ca_file = Some(mail.ca_file());
    config.mail.timeout_seconds = 10;
    config.sms.gateways = vec![gateway.settings("cm")];
}

/// A world with a mail server, which is down, and a gateway of its own.
struct Place {
    world: World,
    mail: MailServer,
    gateway: SmsGateway,
}

impl Place {
    async fn new(backend: Backend) -> Self {
        Self::with(backend, |_| ()).await
    }

    async fn with(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        let mail = MailServer::new().await;
        let gateway = SmsGateway::start().await;
        let world = World::with(backend, |config| {
            real_ways(config, &mail, &gateway);
            change(config);
        })
        .await;
        Self { world, mail, gateway }
    }

    async fn enqueue(&self, message: &Message) {
        let store = &self.world.idp.store;
        let mut write = store.begin_write().await.unwrap();
        store.enqueue(&mut write, message).await.unwrap();
        write.commit().await.unwrap();
    }

    async fn enqueue_mail(&self) {
        let message = Message::Mail {
            to: DORA.email.into(),
            subject: "Eén onderwerp\r\nBcc: spion@example.nl".into(),
            text: "Tekst met een ë, en\n.een punt vooraan".into(),
            html: "<p>Html</p>".into(),
        };
        self.enqueue(&message).await;
    }

    async fn enqueue_sms(&self) {
        self.enqueue(&Message::Sms { to: DORA.phone.into(), text: "Uw code is 123456".into() }).await;
    }

    async fn deliver(&self) -> Counts {
        self.world.idp.delivery.deliver_pending().await
    }

    /// Why the newest message of a kind did not go out, and how often that was tried. It names nobody and nothing
    /// that is secret.
    async fn trouble(&self, kind: Kind) -> (String, i64) {
        let row =
            Query::new("SELECT last_error, attempts FROM outbox WHERE kind = $1 ORDER BY created_at DESC")
                .bind(kind.name())
                .fetch_one(self.world.idp.store.db())
                .await
                .unwrap();
        let error: String = row.try_get(0).unwrap();
        let [user, password] = MailServer::LOGIN;
        for secret in [
            user,
            password,
            SmsGateway::TOKEN,
            DORA.email,
            DORA.phone,
            "0031612121212",
            "123456",
            "onderwerp",
        ] {
            assert!(!error.contains(secret), "{secret} in {error}");
        }
        (error, row.try_get(1).unwrap())
    }
}

fn link(text: &str, start: &str) -> String {
    let mut words = text.split(|letter: char| letter.is_whitespace() || letter == '"');
    words.find(|word| word.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {text}")).to_owned()
}

#[tokio::test]
async fn a_person_registers_with_mail_and_sms_that_really_travel() {
    for backend in Backend::ALL {
        let mut place = Place::new(backend).await;
        place.mail.start(MailServer::LOGIN[1]).await;
        let party = place.world.relying_party();
        let mut browser = place.world.browser();
        browser.open(&party.authorize_url(&[])).await;
        let page = browser.page.body.replace("&amp;", "&");
        browser.open(&link(&page, "/register")).await;
        let form = [
            ("given_name", "Dora"),
            ("family_name", "de Vries"),
            ("email", DORA.email),
            ("password", DORA.password),
        ];
        browser.submit("register-submit", &form).await;
        assert_eq!(place.deliver().await, DELIVERED);

        // One mail, to her alone, from the configured sender, over TLS and after a login.
        let [mail] = place.mail.arrived().try_into().unwrap();
        assert_eq!(mail.0["tls"], true);
        assert_eq!(mail.0["authenticated"], true);
        assert_eq!(mail.0["mail_from"], "noreply@zorg.example");
        assert_eq!(mail.0["rcpt_tos"], serde_json::json!([DORA.email]));
        assert_eq!(mail.headers("To"), [DORA.email]);
        assert_eq!(mail.headers("From"), ["Mijn Zorgdossier <noreply@zorg.example>"]);
        assert_eq!(mail.headers("Subject"), ["Bevestig uw e-mailadres"]);
        assert_eq!(mail.headers("Date").len(), 1);
        assert_eq!(mail.headers("Auto-Submitted"), ["auto-generated"]);
        let [message_id] = mail.headers("Message-ID").try_into().unwrap();
        assert!(message_id.ends_with("@zorg.example>"), "{message_id}");
        for absent in ["Cc", "Bcc", "Reply-To", "X-Mailer", "User-Agent"] {
            assert_eq!(mail.headers(absent), [""; 0], "{absent}");
        }
        assert_eq!(mail.0["defects"], serde_json::json!([]));
        assert_eq!(mail.0["parts"].as_array().unwrap().len(), 2);
        assert_eq!(place.mail.logins(), ["PLAIN accepted"]);

        // Both forms hold the same link, whole, and it works.
        let start = format!("{}/confirm", place.world.issuer);
        let confirm = link(mail.part("text/plain"), &start);
        let html = mail.part("text/html").replace("&amp;", "&").replace("&#x2F;", "/");
        assert_eq!(link(&html, &start), confirm);
        browser.open(&confirm).await;
        browser.submit("confirm-submit", &[]).await;
        browser.give_password(&DORA).await;
        browser.submit("phone", &[("phone", "06-12 12 12 12")]).await;
        assert!(browser.has("otp"), "{}", browser.text());
        assert_eq!(place.deliver().await, DELIVERED);
        let [text] = place.gateway.texts().try_into().unwrap();
        assert_eq!(text.number, "0031612121212");
        let code = text.content.rsplit_once('#').unwrap().1;
        browser.submit("otp-submit", &[("code", code)]).await;
        assert!(party.answered(&browser, "code").is_some());
        // A new phone and a remembered device, of which its holder is told.
        assert_eq!(place.deliver().await, Counts { delivered: 2, ..NOTHING });
        let mails = place.mail.arrived();
        let mut subjects: Vec<&str> = mails.iter().map(|mail| mail.headers("Subject")[0]).collect();
        subjects.sort_unstable();
        assert_eq!(
            subjects,
            ["Bevestig uw e-mailadres", "Inloggen op een nieuw apparaat", "Uw telefoonnummer is toegevoegd"]
        );
        assert!(mails.iter().all(|mail| mail.headers("To") == [DORA.email]));
        assert_eq!(place.deliver().await, NOTHING);
    }
}

#[tokio::test]
async fn what_a_mail_says_arrives_as_it_was_written_and_adds_no_header() {
    let mut place = Place::new(Backend::Embedded).await;
    place.mail.start(MailServer::LOGIN[1]).await;
    place.enqueue_mail().await;
    assert_eq!(place.deliver().await, DELIVERED);
    let [mail] = place.mail.arrived().try_into().unwrap();
    assert_eq!(mail.0["rcpt_tos"], serde_json::json!([DORA.email]), "nobody else gets it");
    assert_eq!(mail.headers("Bcc"), [""; 0]);
    assert!(mail.headers("Subject")[0].starts_with("Eén onderwerp"));
    assert_eq!(
        mail.part("text/plain").trim_end().replace("\r\n", "\n"),
        "Tekst met een ë, en\n.een punt vooraan"
    );
    assert_eq!(mail.part("text/html").trim_end(), "<p>Html</p>");
}

#[tokio::test]
async fn a_mail_server_that_was_down_gets_its_mail_later() {
    let mut place = Place::new(Backend::Embedded).await;
    place.enqueue_mail().await;
    assert_eq!(place.deliver().await, DELAYED);
    assert_eq!(place.trouble(Kind::Mail).await, ("no connection to the mail server".into(), 1));
    assert_eq!(place.deliver().await, NOTHING, "not at once again");
    place.world.advance(Duration::from_secs(2));
    assert_eq!(place.deliver().await, DELAYED);

    // Up again; the second wait is between two and four seconds.
    place.mail.start(MailServer::LOGIN[1]).await;
    place.world.advance(Duration::from_millis(1_900));
    assert_eq!(place.deliver().await, NOTHING);
    assert!(place.mail.arrived().is_empty());
    place.world.advance(Duration::from_millis(2_100));
    assert_eq!(place.deliver().await, DELIVERED);
    place.world.advance(Duration::from_hours(1));
    assert_eq!(place.deliver().await, NOTHING);
    assert_eq!(place.mail.arrived().len(), 1, "once");
}

#[tokio::test]
async fn a_mail_server_with_another_certificate_gets_neither_mail_nor_password() {
    let elsewhere = MailServer::new().await;
    let mut place = Place::with(Backend::Embedded, |config| {
        config.mail.ca_file = Some(elsewhere.ca_file());
    })
    .await;
    place.mail.start(MailServer::LOGIN[1]).await;
    place.enqueue_mail().await;
    assert_eq!(place.deliver().await, DELAYED);
    let (error, attempts) = place.trouble(Kind::Mail).await;
    assert!(error.starts_with("no TLS with the mail server: is its certificate"), "{error}");
    assert_eq!(attempts, 1);
    assert!(place.mail.arrived().is_empty());
    assert_eq!(place.mail.logins(), [""; 0]);
}

#[tokio::test]
async fn a_mail_server_of_another_name_gets_nothing() {
    // Its certificate is good, for 'localhost'.
    let mut place = Place::with(Backend::Embedded, |config| config.mail.host = "127.0.0.1".into()).await;
    place.mail.start(MailServer::LOGIN[1]).await;
    place.enqueue_mail().await;
    assert_eq!(place.deliver().await, DELAYED);
    let (error, _) = place.trouble(Kind::Mail).await;
    assert!(error.starts_with("no TLS with the mail server"), "{error}");
    assert_eq!(place.mail.logins(), [""; 0]);
}

#[tokio::test]
async fn a_mail_server_without_tls_gets_neither_mail_nor_password() {
    let mut place = Place::new(Backend::Embedded).await;
    place.mail.start_without_tls().await;
    place.enqueue_mail().await;
    assert_eq!(place.deliver().await, DELAYED);
    let (error, _) = place.trouble(Kind::Mail).await;
    assert_eq!(error, "the mail server lacks what the configuration asks of it");
    assert!(place.mail.arrived().is_empty());
    assert_eq!(place.mail.logins(), [""; 0], "no password in the clear");
}

#[tokio::test]
async fn a_wrong_login_is_tried_again_until_the_operator_repaired_it() {
    let mut place = Place::new(Backend::Embedded).await;
    place.mail.start("een-ander-wachtwoord").await;
    place.enqueue_mail().await;
    assert_eq!(place.deliver().await, DELAYED);
    assert_eq!(
        place.trouble(Kind::Mail).await,
        ("the mail server answers 535 at its greeting, the login or our sender's address".into(), 1)
    );
    place.world.advance(Duration::from_secs(2));
    assert_eq!(place.deliver().await, DELAYED);
    assert_eq!(place.trouble(Kind::Mail).await.1, 2);
    assert!(place.mail.arrived().is_empty());

    place.mail.start(MailServer::LOGIN[1]).await;
    place.world.advance(Duration::from_secs(4));
    assert_eq!(place.deliver().await, DELIVERED);
    assert_eq!(place.mail.arrived().len(), 1);
}

#[tokio::test]
async fn an_sms_is_tried_again_while_the_gateway_has_trouble() {
    let place = Place::new(Backend::Embedded).await;
    let plays = [
        (Play::Error(400, 102), "cm: the SMS gateway reports error 102"),
        (Play::Error(200, 500), "cm: the SMS gateway reports error 500"),
        (Play::Error(401, 101), "cm: the SMS gateway answers 401"),
        (Play::BadGateway, "cm: the SMS gateway answers 502"),
        (Play::Late(Duration::from_secs(4)), "cm: no answer in time"),
    ];
    place.gateway.play(plays.iter().map(|(play, _)| play.clone()));
    place.enqueue_sms().await;
    for (attempt, (_, error)) in (1..).zip(&plays) {
        assert_eq!(place.deliver().await, DELAYED, "{error}");
        assert_eq!(place.trouble(Kind::Sms).await, ((*error).to_owned(), attempt));
        place.world.advance(Duration::from_secs(30));
    }
    assert_eq!(place.deliver().await, DELIVERED);
    place.world.advance(Duration::from_mins(1));
    assert_eq!(place.deliver().await, NOTHING);

    // Every try carried the same reference, so that the gateway's reports can be put together.
    let texts = place.gateway.texts();
    assert_eq!(texts.len(), plays.len() + 1);
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    assert_eq!(texts[0].content, "Uw code is 123456");
}

#[tokio::test]
async fn an_sms_that_the_gateway_refuses_is_given_up() {
    let place = Place::new(Backend::Embedded).await;
    place.gateway.play([Play::Rejected(303)]);
    place.enqueue_sms().await;
    assert_eq!(place.deliver().await, GIVEN_UP);
    assert_eq!(place.trouble(Kind::Sms).await, ("cm: the SMS gateway refuses the message (303)".into(), 1));
    place.world.advance(Duration::from_mins(1));
    assert_eq!(place.deliver().await, NOTHING);
    assert_eq!(place.gateway.texts().len(), 1);
}

#[tokio::test]
async fn an_sms_that_comes_too_late_is_not_sent_at_all() {
    let place = Place::new(Backend::Embedded).await;
    place.gateway.play([Play::BadGateway]);
    place.enqueue_sms().await;
    assert_eq!(place.deliver().await, DELAYED);
    place.world.advance(Duration::from_mins(11));
    assert_eq!(place.deliver().await, GIVEN_UP, "its code is dead by now");
    assert_eq!(place.gateway.texts().len(), 1);
}
