//! A real browser: headless Chromium, driven by a chromedriver process of its own through clicks and keys.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use platform::language::Language;
use platform::random::Random;
use serde_json::{Value, json};
use thirtyfour::error::WebDriverErrorInner;
use thirtyfour::{
    By, ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver, WebElement,
};

/// How long an element may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a person looks through.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub language: Language,
    /// A phone of 360 by 780; otherwise a window of 1280 by 900.
    pub phone: bool,
    pub scripts: bool,
}

impl Look {
    /// As it stands in the names of pictures.
    fn name(self) -> String {
        let width = if self.phone { "" } else { "-wide" };
        let scripts = if self.scripts { "js" } else { "nojs" };
        format!("{}{width}-{scripts}", self.language.tag())
    }
}

/// The chromedriver process and the profile of its one browser; both end with it.
struct Chromedriver {
    process: Child,
    port: u16,
    profile: PathBuf,
}

impl Chromedriver {
    fn start() -> Self {
        let profile = std::env::temp_dir().join(format!("voordeur-chromium-{}", Random::system().id()));
        std::fs::create_dir_all(&profile).unwrap();
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed (tests/run does that)");
        // It chooses a free port and says which: "ChromeDriver was started successfully on port 12345."
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said = lines.find(|line| line.contains("successfully on port")).expect("chromedriver starts");
        let port = said.trim_end_matches('.').rsplit(' ').next().unwrap().parse().unwrap();
        // What else it says is read and forgotten, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, port, profile }
    }

    /// Asks it to close its browser and leave; it answers when the browser is gone.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        let _ = self.shut_down();
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// One browser with one tab.
pub struct Chromium {
    // Dropped in this order: first the tab, then the process behind it.
    pub tab: WebDriver,
    _driver: Chromedriver,
    look: Look,
    pictures: usize,
}

impl Chromium {
    /// A browser that has been nowhere yet.
    pub async fn start(look: Look) -> Self {
        let driver = Chromedriver::start();
        let mut wishes = DesiredCapabilities::chrome();
        let profile = format!("--user-data-dir={}", driver.profile.display());
        for argument in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--window-size=1280,900",
            &profile,
        ] {
            wishes.add_arg(argument).unwrap();
        }
        let mut preferences = json!({
            "intl.accept_languages": look.language.tag(),
            "credentials_enable_service": false,
        });
        if !look.scripts {
            preferences["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        wishes.add_experimental_option("prefs", preferences).unwrap();
        if look.phone {
            // Without scripts an emulated touch is never answered; a click with a mouse is.
            let screen = json!({
                "width": 360, "height": 780, "pixelRatio": 1.5, "mobile": true, "touch": look.scripts,
            });
            wishes.add_experimental_option("mobileEmulation", json!({ "deviceMetrics": screen })).unwrap();
        }
        wishes.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        let tab = WebDriver::new(format!("http://127.0.0.1:{}", driver.port), wishes).await.unwrap();
        Self { tab, _driver: driver, look, pictures: 0 }
    }

    /// The number of the next picture, for who comes into a story halfway.
    pub fn start_pictures_at(&mut self, number: usize) {
        self.pictures = number - 1;
    }

    pub async fn open(&self, url: &str) {
        self.tab.goto(url).await.unwrap();
    }

    pub async fn url(&self) -> String {
        self.tab.current_url().await.unwrap().into()
    }

    /// The words that can be seen.
    pub async fn text(&self) -> String {
        self.find("body").await.text().await.unwrap()
    }

    pub async fn has(&self, css: &str) -> bool {
        !self.tab.find_all(By::Css(css)).await.unwrap().is_empty()
    }

    /// The first element that matches and can be seen; waits for it.
    pub async fn find(&self, css: &str) -> WebElement {
        let mut waited = Duration::ZERO;
        loop {
            for element in self.tab.find_all(By::Css(css)).await.unwrap_or_default() {
                if element.is_displayed().await.unwrap_or(false) {
                    return element;
                }
            }
            if waited > PATIENCE {
                let words = self.tab.find(By::Css("body")).await.unwrap().text().await.unwrap_or_default();
                panic!("no {css} at {}:\n{words}", self.url().await);
            }
            waited += Duration::from_millis(50);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Clicks on the first element that matches and can be seen. Where a page gives way to another between
    /// the look and the click, it looks again: the click went nowhere.
    pub async fn click(&self, css: &str) {
        for _ in 0..20 {
            match self.find(css).await.click().await {
                Err(error) if matches!(*error, WebDriverErrorInner::StaleElementReference(_)) => (),
                outcome => return outcome.unwrap_or_else(|error| panic!("no click on {css}: {error}")),
            }
        }
        panic!("{css} is another one each time");
    }

    /// Empties a field and types into it.
    pub async fn write(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Presses the button of a form and waits until the page with the form is gone.
    pub async fn send(&self, css: &str) {
        let before = self.find("html").await;
        self.click(css).await;
        let mut waited = Duration::ZERO;
        while before.tag_name().await.is_ok() {
            assert!(waited < PATIENCE, "{css} leads nowhere at {}:\n{}", self.url().await, self.text().await);
            waited += Duration::from_millis(50);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.find("body").await;
    }

    /// Looks at the page that is shown: it must be `expected` (a selector), complain of nothing on the console
    /// and fit the width of the screen. A picture of the whole page goes to `tests/screenshots`.
    pub async fn look(&mut self, name: &str, expected: &str) {
        self.find(expected).await;
        self.assert_quiet().await;
        let cdp = self.tab.cdp();
        let layout = cdp.send_raw("Page.getLayoutMetrics", json!({})).await.unwrap();
        let size = |value: &Value, side: &str| value[side].as_f64().unwrap();
        let (content, screen) = (&layout["cssContentSize"], &layout["cssLayoutViewport"]);
        let height = size(content, "height").max(size(screen, "clientHeight"));
        let width = size(screen, "clientWidth");
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let wish = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = cdp.send_raw("Page.captureScreenshot", wish).await.unwrap();
        let picture = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        self.pictures += 1;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let file = format!("{:02}-{name}-{}.png", self.pictures, self.look.name());
        std::fs::write(folder.join(file), picture).unwrap();
        let wanted = if self.look.phone { 360.0 } else { 1280.0 };
        assert!(
            size(content, "width") <= wanted && width <= wanted,
            "{name} is wider than the screen: content {}, window {width}",
            size(content, "width"),
        );
    }

    /// No script failed and the content security policy stopped nothing. That a page was answered with a
    /// status of refusal, which the browser notes as well, is what pages about mistakes do.
    pub async fn assert_quiet(&self) {
        let said = self.tab.browser_log().await.unwrap();
        let complaints: Vec<_> = said
            .iter()
            .filter(|line| line.source.as_deref() != Some("recommendation"))
            .filter(|line| !line.message.contains("the server responded with a status of 4"))
            .collect();
        assert!(complaints.is_empty(), "at {}: {complaints:?}", self.url().await);
    }
}
