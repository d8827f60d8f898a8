//! The HTTP client for what the portal asks the provider: short timeouts, no redirects, no more than a
//! megabyte. The `openidconnect` crate brings none for this version of reqwest.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};

const LARGEST_ANSWER: usize = 1024 * 1024;

/// Why the provider gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("the provider cannot be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    #[error("the provider's answer is larger than a megabyte")]
    TooLarge,
    #[error("the provider's answer is malformed: {0}")]
    Malformed(#[from] http::Error),
}

/// A client that asks the provider.
#[derive(Clone, Debug)]
pub(crate) struct Http(reqwest::Client);

impl Http {
    /// A client that trusts the system's certificates and those in `extra_ca` (PEM).
    ///
    /// # Errors
    /// If `extra_ca` holds no certificates, or TLS cannot be set up.
    pub(crate) fn new(extra_ca: Option<&[u8]>) -> Result<Self, HttpError> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(3))
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        if let Some(pem) = extra_ca {
            builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
        }
        Ok(Self(builder.build()?))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut response = self.0.execute(request.try_into()?).await?;
        let mut answer = http::Response::builder().status(response.status());
        for (name, value) in response.headers() {
            answer = answer.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(answer.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
