//! Requests of web hooks: one try each; the outbox tries again.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

/// A receiver that takes longer is tried again later.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Posts JSON; the key lets the receiver know a repeated delivery.
pub(super) fn post(url: &str, key: &str, headers: &[(&'static str, String)], body: &str) -> Result<(), String> {
    let config = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        // A notice goes to whom it was addressed, and to nobody else.
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent(concat!("bartizan/", env!("CARGO_PKG_VERSION")));
    let config = if url.starts_with("https:") { config.tls_config(tls()?) } else { config };
    let mut request = Agent::new_with_config(config.build())
        .post(url)
        .header("content-type", "application/json; charset=utf-8")
        .header("idempotency-key", key);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let response = request.send(body).map_err(|error| error.to_string())?;
    match response.status() {
        status if status.is_success() => Ok(()),
        status => Err(format!("the receiver answers {status}")),
    }
}

/// The certificates that this machine trusts.
fn tls() -> Result<TlsConfig, String> {
    let loaded = rustls_native_certs::load_native_certs();
    let certificates: Vec<Certificate<'static>> =
        loaded.certs.iter().map(|certificate| Certificate::from_der(certificate.as_ref()).to_owned()).collect();
    if certificates.is_empty() {
        return Err(
            "this machine trusts no certificate; install its certificates (Debian: ca-certificates) or set SSL_CERT_FILE".to_owned()
        );
    }
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::new_with_certs(&certificates))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build())
}
