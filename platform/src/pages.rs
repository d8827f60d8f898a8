//! Pages and messages: Tera templates compiled into the binary, which a brand folder can override, with
//! texts from the translation files.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use fluent_templates::fluent_bundle::FluentValue;
use include_dir::{Dir, include_dir};
use serde::Serialize;
use tera::{Context, Kwargs, State, Tera, TeraResult, Value};

use crate::assets;
use crate::dates;
use crate::headers::{Forms, content_security_policy};
use crate::kept;
use crate::language::Language;
use crate::look::{Brand, Look};
use crate::request::RequestContext;
use crate::warning::Warning;

static TEMPLATES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../templates");

/// Why a template could not be loaded or rendered.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error("template: {0}")]
    Template(String),
    #[error("brand folder: {0}")]
    BrandFolder(#[from] std::io::Error),
}

impl From<tera::Error> for PageError {
    fn from(error: tera::Error) -> Self {
        // Tera's own text names the template; its sources say why.
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::Template(text)
    }
}

/// All templates of a server.
#[derive(Clone)]
pub struct Pages {
    tera: Tera,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pages")
    }
}

/// What every template may use besides its own `page`.
#[derive(Serialize)]
struct Frame<'a, T> {
    lang: &'static str,
    brand: &'a Brand,
    style_url: String,
    /// Empty for the drawn mark.
    logo_url: String,
    csrf: String,
    /// Where somebody is signed in.
    session: Option<Warning>,
    /// Something that was filled in is wrong; the title says so.
    is_wrong: bool,
    /// Empty where there is one language only.
    other_language_url: String,
    /// The same for a form that comes along.
    keep_url: String,
    /// A form is shown again whose sender had been away too long.
    form_kept: bool,
    /// Of this showing of the page.
    once: String,
    page: &'a T,
}

impl Pages {
    /// The compiled-in templates, each replaced by the file of the same name below `brand_folder`, if
    /// there is one.
    ///
    /// # Errors
    /// If a template does not parse.
    pub fn load(brand_folder: Option<&Path>) -> Result<Self, PageError> {
        let mut files: HashMap<String, Cow<'static, str>> = HashMap::new();
        collect(&TEMPLATES, &mut files);
        if let Some(folder) = brand_folder {
            for (name, content) in &mut files {
                match std::fs::read_to_string(folder.join(name)) {
                    Ok(own) => *content = own.into(),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let mut tera = Tera::default();
        tera.register_function("t", translate);
        tera.register_function("asset", |arguments: Kwargs, _: &State| -> TeraResult<String> {
            let path = arguments.must_get::<&str>("path")?;
            assets::url(path).ok_or_else(|| tera::Error::message(format!("no asset '{path}'")))
        });
        tera.register_filter("in_words", in_words);
        tera.autoescape_on(vec![".html"]);
        tera.add_raw_templates(files)?;
        Ok(Self { tera })
    }

    /// The names of all templates, for the test that renders each of them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tera.get_template_names()
    }

    /// A page's HTML in answer to `visit`, in a language of its portal; the template sees `page`, `brand`, `lang`,
    /// `csrf`, `session`.
    ///
    /// # Errors
    /// If the template asks for what is not there.
    pub fn html(
        &self,
        cx: &RequestContext,
        look: Look<'_>,
        status: StatusCode,
        template: &str,
        page: &impl Serialize,
    ) -> Result<String, PageError> {
        let language = look.language(cx);
        let other = look.other_language(language);
        let frame = Frame {
            lang: language.tag(),
            brand: look.brand,
            style_url: look.style_url(),
            logo_url: look.logo_url(),
            csrf: cx.csrf_token(),
            session: cx.ending.map(|ending| Warning::new(cx, ending)),
            is_wrong: status == StatusCode::UNPROCESSABLE_ENTITY,
            other_language_url: other.map(|other| cx.url_in(other)).unwrap_or_default(),
            keep_url: other.map(|other| kept::url(cx, &[("lang", other.tag())])).unwrap_or_default(),
            form_kept: kept::is_back(cx),
            once: cx.front.random.id(),
            page,
        };
        Ok(self.tera.render(template, &Context::from_serialize(&frame)?)?)
    }

    /// A page as a response. A template that fails is an error in this program: it is logged and answered with a bare
    /// 500.
    pub fn respond(
        &self,
        cx: &RequestContext,
        look: Look<'_>,
        status: StatusCode,
        template: &str,
        page: &impl Serialize,
        forms: Forms<'_>,
    ) -> Response {
        match self.html(cx, look, status, template, page) {
            Ok(html) => {
                let mut response = (status, Html(html)).into_response();
                response
                    .headers_mut()
                    .insert(header::CONTENT_SECURITY_POLICY, content_security_policy(forms));
                response
            }
            Err(error) => {
                tracing::error!(%error, template, "a page could not be rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, "Er ging iets mis / Something went wrong").into_response()
            }
        }
    }

    /// A message (mail, SMS) in `language`; the template sees `message` and `brand`.
    ///
    /// # Errors
    /// If the template asks for what is not there.
    pub fn message(
        &self,
        language: Language,
        brand: &Brand,
        template: &str,
        message: &impl Serialize,
    ) -> Result<String, PageError> {
        let mut context = Context::new();
        context.insert("lang", language.tag());
        context.insert("brand", brand);
        context.insert("message", message);
        Ok(self.tera.render(template, &context)?)
    }
}

fn collect(folder: &Dir<'static>, files: &mut HashMap<String, Cow<'static, str>>) {
    for file in folder.files() {
        let name = file.path().to_string_lossy().into_owned();
        let is_template = matches!(file.path().extension().and_then(|e| e.to_str()), Some("html" | "txt"));
        if let (true, Some(content)) = (is_template, file.contents_utf8()) {
            files.insert(name, content.into());
        }
    }
    for inner in folder.dirs().filter(|inner| !inner.path().starts_with("assets")) {
        collect(inner, files);
    }
}

/// `{{ t(key="signin-title", name=page.name) }}`: a text in the language of the page. A key that no
/// translation has fails the page, and so the test that renders it.
#[allow(clippy::needless_pass_by_value, reason = "the signature that Tera calls")]
fn translate(arguments: Kwargs, state: &State) -> TeraResult<String> {
    let key = arguments.must_get::<&str>("key")?;
    let language = language_of(state)?;
    let mut values: HashMap<Cow<'static, str>, FluentValue<'_>> = HashMap::new();
    for (name, value) in arguments.iter() {
        let name = name.as_str().unwrap_or_default().replace('_', "-");
        match (name.as_str(), value.as_map()) {
            ("key", _) => {}
            // Those of `FieldErrors`.
            ("values", Some(map)) => {
                values.extend(map.iter().map(|(name, value)| (name.to_string().into(), fluent_value(value))));
            }
            _ => _ = values.insert(name.into(), fluent_value(value)),
        }
    }
    language.text_of_values(key, &values).ok_or_else(|| tera::Error::message(format!("no text '{key}'")))
}

/// `{{ page.date | in_words }}`: a day or a moment as people read it, in the language of the page.
#[allow(clippy::needless_pass_by_value, reason = "the signature that Tera calls")]
fn in_words(local: String, _: Kwargs, state: &State) -> TeraResult<String> {
    Ok(dates::in_words(&local, language_of(state)?))
}

fn language_of(state: &State) -> TeraResult<Language> {
    let tag: Option<String> = state.get("lang")?;
    Ok(tag.as_deref().and_then(Language::from_tag).unwrap_or_default())
}

fn fluent_value(value: &Value) -> FluentValue<'static> {
    match (value.as_i64(), value.as_str()) {
        (Some(number), _) => FluentValue::from(number),
        (None, Some(text)) => crate::language::fluent_value(text),
        (None, None) => FluentValue::from(value.to_string()),
    }
}
