//! The look of a portal: its name, colour, logo and helpdesk, the languages of its pages, and the files that
//! those pages load for it.

use std::path::{Path, PathBuf};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::config::ConfigError;
use crate::language::Language;
use crate::request::RequestContext;

/// The route of the files of all looks; `path` is what [`file()`] takes.
pub const ROUTE: &str = "/brand/{*path}";

/// How large a logo may be: it goes along with the first page that anybody sees, often over a phone's connection.
const LARGEST_LOGO: usize = 200 * 1024;

/// The look and the helpdesk of a portal, as the configuration has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brand {
    pub name: String,
    /// `#rrggbb` of buttons and links; white text must be readable on it.
    pub color: String,
    /// An SVG or PNG file, relative to the configuration file.
    pub logo: Option<PathBuf>,
    pub helpdesk: Helpdesk,
}

impl Default for Brand {
    fn default() -> Self {
        Self { name: "Voordeur".into(), color: "#0b5d57".into(), logo: None, helpdesk: Helpdesk::default() }
    }
}

/// Whom people can ask; shown wherever they may get stuck. Empty fields are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Helpdesk {
    pub text_nl: String,
    pub text_en: String,
    pub phone: String,
    pub hours_nl: String,
    pub hours_en: String,
    pub email: String,
}

impl Brand {
    /// Whether pages can wear it. `key` makes of the name of a field what errors call it.
    ///
    /// # Errors
    /// [`ConfigError`] for a name that does not fit a page and an SMS, a colour on which white text cannot be read,
    /// or a mail address of the helpdesk that is none.
    pub fn check(&self, config: &Path, key: impl Fn(&str) -> String) -> Result<(), ConfigError> {
        let refuse = |name: &str, value: &str, advice: &str| {
            Err(ConfigError::refused(config, &key(name), value, advice))
        };
        let length = self.name.trim().chars().count();
        if !(1..=LONGEST_NAME).contains(&length) || self.name.contains(char::is_control) {
            return refuse("name", &self.name, "write a name of 1 to 60 characters, on one line");
        }
        let Some(contrast) = contrast_with_white(&self.color) else {
            let advice = "write a colour as # and six hexadecimal digits, such as \"#0b5d57\"";
            return refuse("color", &self.color, advice);
        };
        // WCAG 2.2 section 1.4.3: the text of buttons.
        if contrast < LEAST_CONTRAST {
            let advice = "white text on it has a contrast of";
            let advice = format!("{advice} {contrast:.1}; write a darker colour (4.5 or more)");
            return refuse("color", &self.color, &advice);
        }
        let email = &self.helpdesk.email;
        let is_address = email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && email.bytes().all(|byte| byte.is_ascii_graphic())
        });
        if !email.is_empty() && !is_address {
            return refuse("helpdesk.email", email, "write a mail address, or leave it out");
        }
        Ok(())
    }
}

const LEAST_CONTRAST: f64 = 4.5;
/// What still fits beside a logo.
const LONGEST_NAME: usize = 60;

/// The contrast ratio of white on a colour `#rrggbb` (WCAG 2.2, 'contrast ratio' and 'relative luminance'), from 1 to
/// 21; `None` for what is no such colour.
fn contrast_with_white(color: &str) -> Option<f64> {
    let digits = color.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    // The parser of numbers takes signs as well.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&digits[at..at + 2], 16).ok()?) / 255.0;
        Some(if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) })
    };
    let luminance = 0.2126 * channel(0)? + 0.7152 * channel(2)? + 0.0722 * channel(4)?;
    Some(1.05 / (luminance + 0.05))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LogoKind {
    Svg,
    Png,
}

/// A logo, read and looked at.
#[derive(Clone, Debug)]
pub struct Logo {
    kind: LogoKind,
    content: Bytes,
}

impl Logo {
    /// Reads the logo of a brand, if it has one. `key` is what errors call it, `config` the file it stands in.
    ///
    /// # Errors
    /// [`ConfigError::Refused`] for a file that is not there, too large, or neither SVG nor PNG.
    pub fn read(config: &Path, key: &str, brand: &Brand) -> Result<Option<Self>, ConfigError> {
        let Some(named) = &brand.logo else { return Ok(None) };
        let refused = |advice: String| ConfigError::refused(config, key, named.display(), advice);
        let extension = named.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        let kind = match extension.as_deref() {
            Some("svg") => LogoKind::Svg,
            Some("png") => LogoKind::Png,
            _ => return Err(refused("write the name of a file that ends in .svg or .png".into())),
        };
        let file = config.parent().unwrap_or(Path::new(".")).join(named);
        let content = std::fs::read(&file).map_err(|error| {
            let at = file.display();
            refused(format!("{at} cannot be read ({error}); write a file name relative to this file"))
        })?;
        if content.len() > LARGEST_LOGO {
            let size = content.len().div_ceil(1024);
            return Err(refused(format!("it has {size} KB; write the name of a file of 200 KB at most")));
        }
        let is_what_it_says = match kind {
            LogoKind::Svg => std::str::from_utf8(&content).is_ok_and(|text| text.contains("<svg")),
            LogoKind::Png => content.starts_with(b"\x89PNG\r\n\x1a\n"),
        };
        if !is_what_it_says {
            return Err(refused("what is in it is not that; write the name of an SVG or PNG picture".into()));
        }
        Ok(Some(Self { kind, content: content.into() }))
    }

    fn name(&self) -> &'static str {
        match self.kind {
            LogoKind::Svg => "logo.svg",
            LogoKind::Png => "logo.png",
        }
    }

    fn response(&self) -> Response {
        let mut response = self.content.clone().into_response();
        let headers = response.headers_mut();
        let kind = match self.kind {
            LogoKind::Svg => "image/svg+xml",
            LogoKind::Png => "image/png",
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.kind == LogoKind::Svg {
            // An SVG is a document: opened by itself it runs no script, loads nothing, and has no origin of ours.
            let policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        }
        response
    }
}

/// What the frame around a page needs to know of the portal that it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// Names it in addresses.
    pub id: &'a str,
    pub brand: &'a Brand,
    /// What its pages may be in, the first one for who prefers none of them; empty for every language.
    pub languages: &'a [Language],
    pub logo: Option<&'a Logo>,
}

impl Look<'_> {
    /// The language of a page in answer to `visit`.
    pub fn language(&self, cx: &RequestContext) -> Language {
        match self.languages.first() {
            Some(_) if cx.language_known && self.languages.contains(&cx.language) => cx.language,
            Some(first) => *first,
            None => cx.language,
        }
    }

    /// The language that a page can be switched to from `shown`; `None` if there is one language only.
    pub fn other_language(&self, shown: Language) -> Option<Language> {
        let all = if self.languages.is_empty() { &Language::ALL } else { self.languages };
        all.iter().copied().find(|language| *language != shown)
    }

    /// The brand's colour as a custom property, since the content security policy allows no inline style.
    fn style(&self) -> String {
        let color = &self.brand.color;
        let is_color = color.len() == 7
            && color.starts_with('#')
            && color[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_color { format!(":root {{ --brand: {color}; }}\n") } else { String::new() }
    }

    /// The URL of the style sheet, which changes with what is in it.
    pub fn style_url(&self) -> String {
        format!("/brand/{}.css?v={}", self.id, mark(self.style().as_bytes()))
    }

    /// The URL of the logo, which changes with the picture; empty if there is none.
    pub fn logo_url(&self) -> String {
        let url = |logo: &Logo| format!("/brand/{}/{}?v={}", self.id, logo.name(), mark(&logo.content));
        self.logo.map(url).unwrap_or_default()
    }

    /// The file at `path` below `/brand/`, with the mark of its content.
    fn file(&self, path: &str) -> Option<(Response, String)> {
        let rest = path.strip_prefix(self.id)?;
        if rest == ".css" {
            let style = self.style();
            let content_mark = mark(style.as_bytes());
            let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"))];
            return Some(((kind, style).into_response(), content_mark));
        }
        let logo = self.logo.filter(|logo| rest.strip_prefix('/') == Some(logo.name()))?;
        Some((logo.response(), mark(&logo.content)))
    }
}

/// A short name for a content.
pub(crate) fn mark(content: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content);
    URL_SAFE_NO_PAD.encode(&digest.as_ref()[..9])
}

/// `GET /brand/{*path}`: a file of one of `looks`, for anybody. `asked` is the mark that the URL carries.
pub fn file<'a>(looks: impl IntoIterator<Item = Look<'a>>, path: &str, asked: &str) -> Response {
    let found = looks.into_iter().find_map(|look| look.file(path));
    let Some((mut response, content_mark)) = found else { return StatusCode::NOT_FOUND.into_response() };
    // Under another mark it is the file of another configuration: of a node that was started a moment ago, or of a
    // page from before this one was.
    let kept =
        if content_mark == asked { "public, max-age=31536000, immutable" } else { "public, max-age=60" };
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const SVG: &[u8] = b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>";

    fn brand(color: &str) -> Brand {
        Brand { color: color.into(), ..Brand::default() }
    }

    #[test]
    fn each_look_has_files_of_its_own_which_are_kept_by_the_mark_of_their_content() {
        let (one, two) = (brand("#112233"), brand("#445566"));
        let logo = Logo { kind: LogoKind::Svg, content: Bytes::from_static(SVG) };
        let one = Look { id: "one", brand: &one, languages: &[], logo: Some(&logo) };
        let two = Look { id: "two", brand: &two, languages: &[], logo: None };
        let get = |url: &str| {
            let (path, mark) = url.split_once("?v=").unwrap_or((url, ""));
            file([one, two], path.strip_prefix("/brand/").unwrap(), mark)
        };
        let is_kept =
            |response: &Response| response.headers()["cache-control"].to_str().unwrap().contains("immutable");
        assert!(is_kept(&get(&one.style_url())) && is_kept(&get(&two.style_url())));
        assert!(!is_kept(&get("/brand/one.css")) && !is_kept(&get("/brand/one.css?v=old")));
        assert_ne!(
            one.style_url(),
            Look { brand: &brand("#112234"), ..one }.style_url(),
            "a changed colour shows"
        );
        let svg = get(&one.logo_url());
        assert!(is_kept(&svg));
        let policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
        assert_eq!(svg.headers()["content-security-policy"], policy);
        assert_eq!(
            (&svg.headers()["content-type"], two.logo_url().as_str()),
            (&HeaderValue::from_static("image/svg+xml"), "")
        );
        for path in [
            "/brand/three.css",
            "/brand/two/logo.svg",
            "/brand/one/logo.png",
            "/brand/one",
            "/brand/one.css.css",
        ] {
            assert_eq!(get(path).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        assert!((contrast_with_white("#000000").unwrap() - 21.0).abs() < 0.01);
        assert!((contrast_with_white("#ffffff").unwrap() - 1.0).abs() < 0.01);
        // The grey that is the lightest to pass.
        assert!(contrast_with_white("#767676").unwrap() >= LEAST_CONTRAST);
        assert!(contrast_with_white("#777777").unwrap() < LEAST_CONTRAST);
        for color in ["", "#fff", "0b5d57", "#0b5d5g", "#0b5d5é", "#+1+1+1"] {
            assert_eq!(contrast_with_white(color), None, "{color}");
        }
    }

    #[test]
    fn a_brand_that_no_page_can_wear_is_refused() {
        type Change = fn(&mut Brand);
        let check = |change: Change| {
            let mut brand = Brand::default();
            change(&mut brand);
            brand.check(Path::new("idp.toml"), |name| format!("brand.{name}"))
        };
        check(|_| ()).unwrap();
        check(|brand| brand.helpdesk.email = "help@example.nl".into()).unwrap();
        let cases: [(&str, Change); 6] = [
            ("name", |brand| brand.name = " ".into()),
            ("name", |brand| brand.name = "a\nb".into()),
            ("name", |brand| brand.name = "x".repeat(61)),
            ("color", |brand| brand.color = "green".into()),
            ("color", |brand| brand.color = "#ffcc00".into()),
            ("helpdesk.email", |brand| brand.helpdesk.email = "bel ons".into()),
        ];
        for (key, change) in cases {
            let error = check(change).unwrap_err().to_string();
            assert!(error.starts_with(&format!("idp.toml: brand.{key} = ")), "{error}");
        }
    }

    #[test]
    fn a_logo_that_cannot_be_shown_is_refused_with_what_to_write_instead() {
        let folder =
            std::env::temp_dir().join(format!("voordeur-logo-{}", crate::random::Random::system().id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = folder.join("idp.toml");
        let put = |name: &str, content: &[u8]| std::fs::write(folder.join(name), content).unwrap();
        put("good.svg", SVG);
        put("good.PNG", b"\x89PNG\r\n\x1a\n....");
        put("text.svg", b"hello");
        put("text.png", b"hello");
        put("photo.jpg", b"hello");
        put("large.svg", &[SVG, &vec![b' '; LARGEST_LOGO]].concat());
        let read = |name: &str| {
            Logo::read(&config, "brand.logo", &Brand { logo: Some(name.into()), ..Brand::default() })
        };
        assert!(Logo::read(&config, "brand.logo", &Brand::default()).unwrap().is_none());
        assert_eq!(read("good.svg").unwrap().unwrap().name(), "logo.svg");
        assert_eq!(read("good.PNG").unwrap().unwrap().name(), "logo.png");
        for (name, word) in [
            ("none.svg", "cannot be read"),
            ("text.svg", "SVG or PNG"),
            ("text.png", "SVG or PNG"),
            ("photo.jpg", ".svg or .png"),
            ("large.svg", "200 KB"),
            ("good", ".svg or .png"),
        ] {
            let error = read(name).unwrap_err().to_string();
            let start = format!("{}: brand.logo = {name}: ", config.display());
            assert!(error.starts_with(&start) && error.contains(word) && error.contains("write"), "{error}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
