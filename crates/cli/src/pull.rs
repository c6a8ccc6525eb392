//! Images in registries: asked for with the credentials that `docker login`, `podman login` or their helpers keep.

use std::io::{self, Read};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bartizan_supply::image::Remote;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use tokio::runtime::Runtime;
use tokio_util::io::{StreamReader, SyncIoBridge};

use crate::terminal;

/// What a manifest may be.
const MANIFESTS: &[&str] = &[OCI_IMAGE_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, IMAGE_MANIFEST_LIST_MEDIA_TYPE];
/// A registry that is silent for so long is not waited for.
const SILENCE: Duration = Duration::from_secs(60);
/// Docker Hub, in the file that `docker login` writes. Source: moby, `registry/config.go`.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// An image of a registry.
pub(crate) struct Pulled {
    name: String,
    reference: Reference,
    client: Client,
    auth: RegistryAuth,
    runtime: Runtime,
}

impl Pulled {
    /// Gets ready to ask; nothing has been asked when it returns.
    ///
    /// # Errors
    /// The text is no reference, or this machine cannot make a connection at all.
    pub(crate) fn new(name: &str) -> anyhow::Result<Arc<Self>> {
        let reference: Reference =
            name.parse().with_context(|| format!("`{name}` is no image: there is no such file, and no reference is written so"))?;
        let host = reference.resolve_registry();
        // As Docker does it: what does not leave the machine needs no TLS.
        let plain = if is_loopback(host) { vec![host.to_owned()] } else { Vec::new() };
        let config = ClientConfig {
            protocol: ClientProtocol::HttpsExcept(plain),
            read_timeout: Some(SILENCE),
            connect_timeout: Some(SILENCE),
            user_agent: concat!("bartizan/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        // Fails where it was set before, by the image before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::try_from(config).map_err(|error| anyhow::anyhow!("cannot ask registries: {}", words(&error)))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let auth = credentials(&reference);
        Ok(Arc::new(Self { name: name.to_owned(), reference, client, auth, runtime }))
    }
}

impl Pulled {
    fn refused(&self, error: &OciDistributionError) -> io::Error {
        let words = words(error);
        io::Error::other(match error {
            OciDistributionError::UnauthorizedError { .. } | OciDistributionError::AuthenticationFailure(_) => {
                format!("{words}; `docker login {}` keeps credentials that are used here", self.reference.registry())
            }
            _ => words,
        })
    }
}

impl Remote for Pulled {
    fn reference(&self) -> &str {
        &self.name
    }

    fn manifest(&self, digest: Option<&str>) -> io::Result<Vec<u8>> {
        let reference = match digest {
            Some(digest) => self.reference.clone_with_digest(digest.to_owned()),
            None => self.reference.clone(),
        };
        let pulled = self.runtime.block_on(self.client.pull_manifest_raw(&reference, &self.auth, MANIFESTS));
        let (bytes, _) = pulled.map_err(|error| self.refused(&error))?;
        Ok(bytes.to_vec())
    }

    fn blob(&self, digest: &str) -> io::Result<(Box<dyn Read + Send>, u64)> {
        let stream = self.runtime.block_on(self.client.pull_blob_stream(&self.reference, digest));
        let stream = stream.map_err(|error| self.refused(&error))?;
        let length = stream.content_length.unwrap_or(0);
        let bridge = SyncIoBridge::new_with_handle(StreamReader::new(stream.stream), self.runtime.handle().clone());
        Ok((Box::new(bridge), length))
    }
}

/// An error with its causes: the outermost alone mostly says that a request failed.
fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What the user's files and helpers keep for a registry; nothing is no fault, as many images are public.
fn credentials(reference: &Reference) -> RegistryAuth {
    let host = reference.registry();
    let of_docker = if host == "docker.io" { DOCKER_HUB } else { host };
    let asked = [docker_credential::get_podman_credential(host), docker_credential::get_credential(of_docker)];
    for answer in asked {
        match answer {
            Ok(DockerCredential::UsernamePassword(user, password)) => return RegistryAuth::Basic(user, password),
            Ok(DockerCredential::IdentityToken(_)) => {
                terminal::warning(&format!(
                    "the credential for {host} is an identity token, which is not exchanged; log in with a password"
                ));
            }
            Err(
                CredentialRetrievalError::NoCredentialConfigured
                | CredentialRetrievalError::ConfigNotFound
                | CredentialRetrievalError::ConfigReadError,
            ) => {}
            // Helpers say so when they keep nothing. Source: docker-credential-helpers, `credentials/error.go`.
            Err(CredentialRetrievalError::HelperFailure { stdout, .. }) if stdout.contains("credentials not found") => {}
            Err(error) => {
                terminal::warning(&format!("the credential for {host} cannot be read: {}", error.to_string().trim().replace('\n', " ")))
            }
        }
    }
    RegistryAuth::Anonymous
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["registry.example.com", "localhost.example.com:5000", "10.0.0.1:5000", "[2001:db8::1]:443"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
