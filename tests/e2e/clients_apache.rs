//! Apache's mod_auth_openidc with `tests/clients/apache.conf`: a PHP page that knows nothing of OpenID Connect
//! itself (`tests/clients/index.php`), in a throw-away server of its own.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{Backend, Browser, Person, World};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use url::Url;

use crate::clients::{SECRET, beside, folder, is_signed_in, prepared, rename, world};

// PHP runs in processes, not in threads.
const MODULES: &str = "mpm_prefork authn_core authz_core authz_user dir env mime auth_openidc";

/// The running server, in one process.
struct Apache {
    origin: String,
    _child: Child,
}

async fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port()
}

impl Apache {
    async fn start(world: &World, port: u16) -> Self {
        let origin = format!("http://localhost:{port}");
        let folder = world.folder.join("apache");
        std::fs::create_dir_all(folder.join("pages")).unwrap();
        std::fs::copy(self::folder().join("index.php"), folder.join("pages/index.php")).unwrap();
        let mut main = format!(
            "ServerRoot {folder}\nPidFile {folder}/pid\nListen 127.0.0.1:{port}\nServerName localhost\n\
             ErrorLog {folder}/error.log\nLogLevel warn\nDocumentRoot {folder}/pages\n",
            folder = folder.display()
        );
        for module in MODULES.split(' ') {
            let at = prepared("TEST_APACHE_MODULES").join(format!("mod_{module}.so"));
            writeln!(main, "LoadModule {module}_module {}", at.display()).unwrap();
        }
        writeln!(main, "LoadModule php_module {}", prepared("TEST_APACHE_PHP").display()).unwrap();
        let website = self::folder().join("apache.conf");
        writeln!(main, "TypesConfig /dev/null\nAddHandler application/x-httpd-php .php").unwrap();
        writeln!(main, "DirectoryIndex index.php\nInclude {}", website.display()).unwrap();
        // What only a test wants to see: the tokens.
        main.push_str("OIDCInfoHook access_token id_token userinfo refresh_token session\n");
        std::fs::write(folder.join("main.conf"), main).unwrap();

        let child = Command::new("/usr/sbin/apache2")
            .args(["-X", "-f"])
            .arg(folder.join("main.conf"))
            .env("ISSUER", &world.issuer)
            .env("CLIENT_ID", "my-website")
            .env("CLIENT_SECRET", SECRET)
            .env("COOKIE_SECRET", "a-secret-of-the-website-itself")
            .env("REDIRECT_URI", format!("{origin}/callback"))
            .env("HOME_PAGE", format!("{origin}/"))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Self { origin, _child: child };
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = std::fs::read_to_string(folder.join("error.log")).unwrap_or_default();
        panic!("Apache does not come up:\n{log}");
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}{path}", self.origin)).unwrap()
    }

    /// Whether the website knows this browser, or sends it to the provider.
    async fn knows(&self, world: &World, browser: &Browser) -> bool {
        let mut browser = browser.clone();
        let page = browser.request(Method::GET, &self.url("/"), None).await;
        if page.status == StatusCode::OK {
            return browser.has("website");
        }
        let to = page.headers["location"].to_str().unwrap();
        assert!(to.starts_with(&format!("{}/authorize?", world.issuer)), "{to}");
        false
    }

    /// What the website's server holds of the session.
    async fn info(&self, browser: &mut Browser) -> Value {
        let page = browser.request(Method::GET, &self.url("/callback?info=json"), None).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        serde_json::from_str(&page.body).unwrap()
    }
}

#[tokio::test]
async fn mod_auth_openidc_for_apache() {
    for backend in Backend::ALL {
        let port = free_port().await;
        let origin = format!("http://localhost:{port}");
        let world = world(backend, &[("https://www.example.nl", &origin)]).await;
        let apache = Apache::start(&world, port).await;
        let anna = world.account(&Person::ANNA).await.subject.0;
        rename(&world, "Çelik <Yıldız>").await;
        let mut browser = world.browser();
        browser.extra_headers.push(("OIDC_CLAIM_email", "somebody@example.nl".into()));
        browser.extra_headers.push(("OIDC-CLAIM-email", "somebody@example.nl".into()));

        browser.open(&format!("{origin}/")).await;
        browser.sign_in(&world, &Person::ANNA).await;
        let text = browser.text();
        assert!(browser.has("website"), "{}: {}", browser.page.url, browser.page.body);
        for known in ["Hello Anna Çelik <Yıldız>", Person::ANNA.email, &anna] {
            assert!(text.contains(known), "the page is told who it is: {text}");
        }

        let first = apache.info(&mut browser).await;
        assert_eq!(first["id_token"]["sub"], json!(anna));
        assert_eq!(first["userinfo"]["email"], Person::ANNA.email);
        let access_token = first["access_token"].as_str().unwrap();
        let refresh = Url::parse_with_params(
            &format!("{origin}/callback"),
            [("refresh", format!("{origin}/").as_str()), ("access_token", access_token)],
        );
        browser.open(refresh.unwrap().as_str()).await;
        assert!(browser.has("website"), "{}: {}", browser.page.url, browser.page.body);
        let second = apache.info(&mut browser).await;
        assert_ne!(second["access_token"], first["access_token"]);
        assert_ne!(second["refresh_token"], first["refresh_token"]);
        let answer = world.relying_party().userinfo(second["access_token"].as_str().unwrap()).await;
        assert_eq!(answer.status(), StatusCode::OK);

        // Another portal of the same session signs out: the website hears of it from behind.
        let logout = beside(&world, &mut browser).await;
        assert!(apache.knows(&world, &browser).await);
        browser.open(&logout).await;
        world.deliver().await;
        assert!(!apache.knows(&world, &browser).await, "the website's own session is over");

        // And its own way out ends the session at the provider.
        browser.open(&format!("{origin}/")).await;
        browser.sign_in(&world, &Person::ANNA).await;
        assert!(apache.knows(&world, &browser).await && is_signed_in(&world, &browser).await);
        let (_, link) = browser.page.body.split_once("id=\"logout\" href=\"").expect("a way out");
        let out = Url::parse(link.split('"').next().unwrap()).unwrap();
        browser.request(Method::GET, &out, None).await;
        let to = browser.page.headers["location"].to_str().unwrap().to_owned();
        assert!(to.starts_with(&format!("{}/logout?", world.issuer)), "{to}");
        browser.request(Method::GET, &Url::parse(&to).unwrap(), None).await;
        assert_eq!(browser.page.headers["location"], format!("{origin}/"), "{}", browser.text());
        assert!(!is_signed_in(&world, &browser).await);
        assert!(!apache.knows(&world, &browser).await);
    }
}
