//! A world whose SMS leave through gateways of the test, and what the stories about them look at.

use idp::config::{Config, MailTls, SmsGatewayKind};
use idp::delivery::{Counts, Message};
use platform::db::Query;
use tests::{Backend, SmsGateway, Text, Told, World};

pub const NUMBER: &str = "+31612121212";
pub const CONTENT: &str = "Uw code is 123456 \u{eb}\n\n@login.example.nl #123456";

pub const NOTHING: Counts = Counts { delivered: 0, delayed: 0, given_up: 0 };
pub const DELIVERED: Counts = Counts { delivered: 1, ..NOTHING };
pub const DELAYED: Counts = Counts { delayed: 1, ..NOTHING };
pub const GIVEN_UP: Counts = Counts { given_up: 1, ..NOTHING };

/// Gateways of some kinds in this order, named `one`, `two`, `three`.
pub struct Place {
    pub world: World,
    pub gateways: Vec<SmsGateway>,
}

const IDS: [&str; 3] = ["one", "two", "three"];

impl Place {
    pub async fn new(backend: Backend, kinds: &[SmsGatewayKind]) -> Self {
        Self::with(backend, kinds, |_| ()).await
    }

    pub async fn with(backend: Backend, kinds: &[SmsGatewayKind], change: impl FnOnce(&mut Config)) -> Self {
        let mut gateways = Vec::new();
        for kind in kinds {
            gateways.push(SmsGateway::of(*kind).await);
        }
        let world = World::with(backend, |config| {
            config.dev.outbox = false;
            // Nobody listens there; these stories have no mail.
            config.mail.host = "127.0.0.1".into();
            config.mail.port = 1;
            config.mail.tls = MailTls::None;
            let named = gateways.iter().zip(IDS);
            config.sms.gateways = named.map(|(gateway, id)| gateway.settings(id)).collect();
            change(config);
        })
        .await;
        Self { world, gateways }
    }

    pub async fn enqueue(&self) {
        let store = &self.world.idp.store;
        let mut write = store.begin_write().await.unwrap();
        store.enqueue(&mut write, &Message::Sms { to: NUMBER.into(), text: CONTENT.into() }).await.unwrap();
        write.commit().await.unwrap();
    }

    pub async fn deliver(&self) -> Counts {
        self.world.idp.delivery.deliver_pending().await
    }

    /// How many requests each gateway had.
    pub fn counts(&self) -> Vec<usize> {
        self.gateways.iter().map(|gateway| gateway.texts().len()).collect()
    }

    /// The newest message that a gateway had.
    pub fn newest(&self, gateway: usize) -> Text {
        self.gateways[gateway].texts().pop().expect("it had a message")
    }

    /// A report of a gateway about the newest message it had; the status of the answer.
    pub async fn report(&self, gateway: usize, told: Told) -> u16 {
        self.report_of(gateway, &self.newest(gateway), told).await
    }

    pub async fn report_of(&self, gateway: usize, text: &Text, told: Told) -> u16 {
        let (world, now) = (&self.world, self.world.clock.now());
        self.gateways[gateway].report(&world.issuer, IDS[gateway], text, told, now).send().await
    }

    /// The only SMS in the outbox.
    pub async fn row(&self) -> Row {
        let text = "SELECT payload_sealed, last_error, gateways, accepted_at, delivered_at, given_up_at \
                    FROM outbox WHERE kind = 'sms'";
        let row = Query::new(text).fetch_one(self.world.idp.store.db()).await.unwrap();
        let is_set = |column| row.try_get::<Option<i64>, _>(column).unwrap().is_some();
        Row {
            has_payload: !row.try_get::<String, _>("payload_sealed").unwrap().is_empty(),
            error: row.try_get("last_error").unwrap(),
            gateways: row.try_get("gateways").unwrap(),
            stage: match (is_set("delivered_at"), is_set("given_up_at"), is_set("accepted_at")) {
                (true, false, _) => "delivered",
                (false, true, _) => "given up",
                (false, false, true) => "accepted",
                (false, false, false) => "waiting",
                (true, true, _) => "both",
            },
        }
    }

    /// Where the only SMS stands, with the gateways that took it.
    pub async fn stage(&self) -> (&'static str, String) {
        let row = self.row().await;
        assert_eq!(row.has_payload, ["accepted", "waiting"].contains(&row.stage), "{row:?}");
        (row.stage, row.gateways)
    }
}

#[derive(Debug)]
pub struct Row {
    pub has_payload: bool,
    pub error: Option<String>,
    pub gateways: String,
    pub stage: &'static str,
}
