//! A browser without JavaScript: a cookie jar, redirects, links, and forms that are sent as a person would.

use std::collections::{BTreeMap, BTreeSet};

use platform::cookies::CookieRules;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use scraper::{Html, Selector};
use url::Url;

use crate::world::{Person, World};

/// What the browser shows.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: StatusCode,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: String,
}

/// One browser. A clone shares nothing with the original but what it had at that moment.
#[derive(Clone)]
pub struct Browser {
    client: Client,
    /// Host -> name -> value; cookies do not tell ports apart (RFC 6265 section 8.5).
    pub cookies: BTreeMap<String, BTreeMap<String, String>>,
    /// Those with a lifetime of their own: host and name.
    lasting: BTreeSet<(String, String)>,
    pub page: Page,
    /// Every address that was asked for or that a redirect named.
    pub history: Vec<Url>,
    /// The first `Location` that led to a host nobody here serves: a client's redirect URI.
    pub user_agent: String,
    /// Sent with every request.
    pub extra_headers: Vec<(&'static str, String)>,
}

/// The name of a cookie on plain http, which all of these servers speak but for those behind TLS.
fn wire_name(name: &str) -> String {
    if name.starts_with("__Host-") { name.to_owned() } else { CookieRules { secure: false }.wire_name(name) }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser {
    pub fn new() -> Self {
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        let page = Page {
            status: StatusCode::OK,
            url: Url::parse("about:blank").unwrap(),
            headers: HeaderMap::new(),
            body: String::new(),
        };
        let user_agent = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0".into();
        Self {
            client,
            cookies: BTreeMap::new(),
            lasting: BTreeSet::new(),
            page,
            history: Vec::new(),
            user_agent,
            extra_headers: vec![("accept-language", "nl".into())],
        }
    }

    /// The value of a cookie for `localhost`.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get("localhost")?.get(&wire_name(name)).map(String::as_str)
    }

    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.entry("localhost".into()).or_default().insert(wire_name(name), value.into());
    }

    /// Takes a cookie for `localhost` away.
    pub fn forget_cookie(&mut self, name: &str) {
        self.cookies.get_mut("localhost").unwrap().remove(&wire_name(name));
    }

    /// Closes the browser: only cookies with a lifetime of their own are left.
    pub fn close(&mut self) {
        for (host, jar) in &mut self.cookies {
            jar.retain(|name, _| self.lasting.contains(&(host.clone(), name.clone())));
        }
    }

    /// One request, no redirects followed; cookies kept.
    pub async fn request(&mut self, method: Method, url: &Url, form: Option<&[(String, String)]>) -> &Page {
        let host = url.host_str().unwrap().to_owned();
        let mut request = self.client.request(method, url.clone()).header("user-agent", &self.user_agent);
        if !self.extra_headers.iter().any(|(name, _)| *name == "accept") {
            request = request.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        }
        for (name, value) in &self.extra_headers {
            request = request.header(*name, value);
        }
        if let Some(jar) = self.cookies.get(&host).filter(|jar| !jar.is_empty()) {
            let line: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, line.join("; "));
        }
        if let Some(form) = form {
            request = request.form(form);
        }
        let answer = request.send().await.unwrap();
        for line in answer.headers().get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').unwrap();
            let jar = self.cookies.entry(host.clone()).or_default();
            let attributes = attributes.to_ascii_lowercase();
            let key = (host.clone(), name.to_owned());
            if attributes.contains("max-age") || attributes.contains("expires") {
                self.lasting.insert(key);
            } else {
                self.lasting.remove(&key);
            }
            if attributes.split("; ").any(|attribute| attribute.trim() == "max-age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        let (status, headers) = (answer.status(), answer.headers().clone());
        self.history.push(url.clone());
        let target = headers.get(LOCATION).and_then(|target| url.join(target.to_str().ok()?).ok());
        self.history.extend(target);
        self.page = Page { status, url: url.clone(), headers, body: answer.text().await.unwrap() };
        &self.page
    }

    /// Follows redirects until there is a page, or one leads to a server that nobody here runs (port 9999):
    /// then `page.url` is that address and the body is empty.
    pub async fn follow(&mut self) -> &Page {
        for _ in 0..20 {
            let Some(location) =
                self.page.headers.get(LOCATION).filter(|_| self.page.status.is_redirection())
            else {
                return &self.page;
            };
            let next = self.page.url.join(location.to_str().unwrap()).unwrap();
            if next.port() == Some(9_999) {
                self.page.url = next;
                self.page.body.clear();
                return &self.page;
            }
            self.request(Method::GET, &next, None).await;
        }
        panic!("redirected in a circle: {}", self.page.url);
    }

    /// Opens an address and follows redirects.
    pub async fn open(&mut self, url: &str) -> &Page {
        let url = self.page.url.join(url).or_else(|_| Url::parse(url)).unwrap();
        self.request(Method::GET, &url, None).await;
        self.follow().await
    }

    /// The fields and target of the form `id`, or that holds the element `id`, as they stand on the page.
    pub fn form_of(&self, id: &str) -> (Url, Vec<(String, String)>) {
        let html = Html::parse_document(&self.page.body);
        let all = |selector: &str| Selector::parse(selector).unwrap();
        let form = html
            .select(&all("form"))
            .find(|form| {
                form.attr("id") == Some(id) || form.select(&all(&format!("[id='{id}']"))).next().is_some()
            })
            .unwrap_or_else(|| panic!("no form with #{id} at {}:\n{}", self.page.url, self.text()));
        let action = self.page.url.join(form.attr("action").unwrap_or_default()).unwrap();
        let mut fields = Vec::new();
        for input in form.select(&all("input[name], textarea[name], select[name]")) {
            let kind = input.attr("type").unwrap_or("text");
            let name = input.attr("name").unwrap().to_owned();
            if matches!(kind, "checkbox" | "radio") && input.attr("checked").is_none() {
                continue;
            }
            fields.push((name, input.attr("value").unwrap_or_default().to_owned()));
        }
        let button = html.select(&all(&format!("button[id='{id}'][name]"))).next();
        if let Some(button) = button {
            fields.push((
                button.attr("name").unwrap().to_owned(),
                button.attr("value").unwrap_or_default().to_owned(),
            ));
        }
        (action, fields)
    }

    /// Fills the form that holds the element `id` and sends it, without following the answer.
    pub async fn send(&mut self, id: &str, typed: &[(&str, &str)]) -> &Page {
        let (action, mut fields) = self.form_of(id);
        for (name, value) in typed {
            fields.retain(|(known, _)| known != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        self.request(Method::POST, &action, Some(&fields)).await
    }

    /// Fills the form that holds the element `id`, sends it and follows the answer.
    pub async fn submit(&mut self, id: &str, typed: &[(&str, &str)]) -> &Page {
        self.send(id, typed).await;
        self.follow().await
    }

    /// Whether the page has an element with this id.
    pub fn has(&self, id: &str) -> bool {
        Html::parse_document(&self.page.body)
            .select(&Selector::parse(&format!("[id='{id}']")).unwrap())
            .next()
            .is_some()
    }

    /// The words of the page.
    pub fn text(&self) -> String {
        let html = Html::parse_document(&self.page.body);
        let words: Vec<&str> = html.root_element().text().flat_map(str::split_whitespace).collect();
        words.join(" ")
    }

    /// Gives e-mail address, or user name, and password on the sign-in page that is shown.
    pub async fn give_password(&mut self, person: &Person) -> &Page {
        assert!(self.has("login-page"), "not a sign-in page: {}\n{}", self.page.url, self.text());
        let name =
            if self.has("username") { ("username", person.username()) } else { ("email", person.email) };
        self.submit("login-submit", &[name, ("password", person.password)]).await
    }

    /// Gives the code that was sent to the person's phone.
    pub async fn give_code(&mut self, world: &World, person: &Person) -> &Page {
        let code = world.code(person.phone).await;
        self.submit("otp-submit", &[("code", &code)]).await
    }

    /// Password and code, from the sign-in page that is shown.
    pub async fn sign_in(&mut self, world: &World, person: &Person) -> &Page {
        self.give_password(person).await;
        if self.has("otp-request") {
            self.submit("otp-request", &[]).await;
        }
        if self.has("otp") {
            self.give_code(world, person).await;
        }
        &self.page
    }
}
