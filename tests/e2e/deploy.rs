//! What `deploy/` hands to operators, in use: the servers behind a real nginx with its configuration. That alerts are about
//! metrics that exist is seen where all of those have counted something.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use reqwest::{Certificate, Client, StatusCode, redirect};
use tests::{Backend, World};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy");
const LOGIN: &str = "login.localhost";
const PORTAL: &str = "portal.localhost";

async fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port()
}

/// A running nginx with the configuration of `deploy/nginx`: other ports, folders and certificates, and nothing else.
struct Nginx {
    plain: u16,
    tls: u16,
    client: Client,
    _child: Child,
}

fn host_of(origin: &str) -> &str {
    origin.trim_start_matches("http://").trim_start_matches("localhost:")
}

impl Nginx {
    /// In front of an identity provider and a portal.
    async fn start(issuer: &str, portal: &str, folder: &Path) -> Self {
        let (plain, tls) = (free_port().await, free_port().await);
        for part in ["snippets", "voordeur"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let page = "voordeur/unavailable.html";
        fs::copy(format!("{DEPLOY}/nginx/{page}"), folder.join(page)).unwrap();
        let adapted = |file: &str| {
            let text = fs::read_to_string(format!("{DEPLOY}/nginx/{file}")).unwrap();
            let text = text
                .replace("127.0.0.1:8080", &format!("127.0.0.1:{}", host_of(issuer)))
                .replace("127.0.0.1:8090", &format!("127.0.0.1:{}", host_of(portal)))
                .replace(".example.nl", ".localhost")
                .replace("listen 80;", &format!("listen 127.0.0.1:{plain};"))
                .replace("listen 443 ", &format!("listen 127.0.0.1:{tls} "));
            ["/etc/ssl/voordeur/", "/etc/nginx/", "/var/log/nginx/"]
                .iter()
                .fold(text, |text, at| text.replace(at, &format!("{}/", folder.display())))
        };
        for file in ["voordeur.conf", "snippets/voordeur.conf"] {
            fs::write(folder.join(file), adapted(file)).unwrap();
        }
        let mut client = Client::builder().redirect(redirect::Policy::none());
        for name in [LOGIN, PORTAL] {
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
            fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
            fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
            let trusted = Certificate::from_pem(certificate.pem().as_bytes()).unwrap();
            client = client.tls_certs_merge([trusted]).resolve(name, ([127, 0, 0, 1], tls).into());
        }
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {}/{kind}; ", folder.display()))
            .concat();
        let main = format!(
            "daemon off; pid {folder}/pid; error_log {folder}/start.log;\nevents {{}}\n\
             http {{ {temporary} include {folder}/voordeur.conf; }}\n",
            folder = folder.display()
        );
        fs::write(folder.join("nginx.conf"), main).unwrap();
        let child = Command::new("/usr/sbin/nginx")
            .arg("-c")
            .arg(folder.join("nginx.conf"))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", tls)).await.is_ok() {
                return Self { plain, tls, client: client.build().unwrap(), _child: child };
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{}", fs::read_to_string(folder.join("start.log")).unwrap_or_default());
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.tls)
    }
}

#[tokio::test]
async fn behind_nginx_as_shipped_addresses_are_true_and_logs_keep_silent() {
    let world = World::with(Backend::Embedded, |config| {
        config.issuer = format!("https://{LOGIN}");
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.limits.posts_per_minute = 5;
    })
    .await;
    let folder = world.folder.join("nginx");
    let nginx = Nginx::start(&world.issuer, &world.portal_origin, &folder).await;
    let get = |url: String, claims_to_be: &str| {
        nginx.client.get(url).header("x-forwarded-for", claims_to_be).send()
    };

    // Plain HTTP leads to TLS, with the whole address.
    let plain = format!("http://{LOGIN}:{}/account?lang=en", nginx.plain);
    let answer = nginx.client.get(plain).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(answer.headers()["location"], format!("https://{LOGIN}/account?lang=en"));

    // Both servers are there, each under its name; cookies go over TLS only.
    let answer = get(nginx.url(LOGIN, "/.well-known/openid-configuration"), "").await.unwrap();
    assert!(answer.text().await.unwrap().contains(&format!("\"issuer\":\"https://{LOGIN}\"")));
    let answer = get(nginx.url(PORTAL, "/"), "").await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.text().await.unwrap().contains("Mijn Zorgdossier"));
    let authorize = nginx.url(
        LOGIN,
        "/authorize?client_id=web&redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Fcb&response_type=code&scope=openid\
         &state=nobodys-business&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
    );
    let answer = get(authorize.clone(), "").await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), "{cookie}");
    assert!(answer.headers().contains_key("strict-transport-security"));
    let request_id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();

    // Whoever says to be somebody else each time is held back all the same.
    let mut statuses = Vec::new();
    for number in 0..5 {
        statuses.push(get(authorize.clone(), &format!("198.51.100.{number}")).await.unwrap().status());
    }
    assert_eq!(statuses[..4], [StatusCode::SEE_OTHER; 4], "five a minute, one was before");
    assert_eq!(statuses[4], StatusCode::TOO_MANY_REQUESTS);

    let large =
        nginx.client.post(nginx.url(LOGIN, "/forgot")).body(vec![b'a'; 300 * 1024]).send().await.unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);

    let log = fs::read_to_string(folder.join("voordeur.log")).unwrap();
    let line = log.lines().find(|line| line.ends_with(&request_id)).expect("the same identifier");
    assert!(line.contains("\"GET /authorize\" 303"), "{line}");
    for secret in ["nobodys-business", "127.0.0.1", "198.51.100", "client_id"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn each_fault_has_its_alert_and_a_quiet_day_has_none() {
    let folder = format!("{DEPLOY}/prometheus");
    let mut promtool = Command::new("promtool");
    promtool.args(["test", "rules", "voordeur.test.yml"]).current_dir(folder);
    let answer = promtool.output().await.unwrap();
    let told = [answer.stdout, answer.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    assert!(answer.status.success(), "{told}");
}

/// A node that ends in the middle of every request; its origin.
async fn dying_node() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            // The beginning of a request has arrived.
            let _ = stream.read_u8().await;
        }
    });
    origin
}

#[tokio::test]
async fn what_a_dying_node_dropped_is_answered_by_a_page_of_ours_and_not_sent_again() {
    let folder =
        std::env::temp_dir().join(format!("voordeur-nginx-{}", platform::random::Random::system().id()));
    let gone = format!("http://localhost:{}", free_port().await);
    let nginx = Nginx::start(&dying_node().await, &gone, &folder).await;
    for (host, path) in [(LOGIN, "/signin/password"), (PORTAL, "/team")] {
        let form = nginx.client.post(nginx.url(host, path)).body("password=secret");
        let answer = form.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY, "{host}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.headers()["retry-after"], "30");
        let page = answer.text().await.unwrap();
        let (dutch, english) = page.split_once("<section lang=\"en\">").unwrap();
        assert!(
            dutch.contains("<html lang=\"nl\">") && dutch.contains("<h1>Dit lukt even niet</h1>"),
            "{page}"
        );
        assert!(english.contains("not working right now") && !page.contains("nginx"), "{page}");
    }
    // Nobody asks for it by its name.
    let answer = nginx.client.get(nginx.url(LOGIN, "/unavailable.html")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    fs::remove_dir_all(&folder).unwrap();
}

/// The metrics that the alerts are about.
pub fn metrics_in_alerts() -> Vec<String> {
    let rules = fs::read_to_string(format!("{DEPLOY}/prometheus/voordeur.rules.yml")).unwrap();
    let words = rules.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let starts = [
        "http_",
        "sms_",
        "outbox_",
        "sign_in",
        "client_requests",
        "failures",
        "backend_",
        "clock_",
        "signing_",
    ];
    let named = words.filter(|word| starts.iter().any(|start| word.starts_with(start)));
    named.map(str::to_owned).collect()
}
