//! Which layers an image has: OCI indexes, manifests and configurations, and the `manifest.json` of `docker save`.
//!
//! A registry answers for a reference with a manifest, or with the index of an image for several platforms.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::store::{Store, blob_path};
use super::{ImageError, Layer};

/// The specification asks registries for 4 MiB at least; a configuration with a long history has a few hundred KiB.
const MAX_JSON_BYTES: u64 = 8 << 20;
/// Indexes in indexes; real ones stop at two.
const MAX_INDEX_DEPTH: usize = 4;
/// Manifests of all indexes of one layout.
const MAX_MANIFESTS: usize = 1_000;
/// Images of one layout for one platform.
const MAX_IMAGES: usize = 64;
/// Overlays end at 128 or 500 layers.
const MAX_LAYERS: usize = 1_000;

/// What an image runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// Such as `linux`.
    pub os: String,
    /// Such as `amd64`.
    pub architecture: String,
    /// Such as `v8`; where it is `None`, any will do.
    pub variant: Option<String>,
}

/// No platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no platform: it is written as os/architecture or os/architecture/variant, such as linux/arm64")]
pub struct PlatformError(String);

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('/').map(str::to_owned);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(os), Some(architecture), variant, None) if !os.is_empty() && !architecture.is_empty() => {
                Ok(Self { os, architecture, variant })
            }
            _ => Err(PlatformError(text.to_owned())),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

/// What has to be read of one image.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) tags: Vec<String>,
    pub(super) platform: String,
    pub(super) user: String,
    /// The lowest first.
    pub(super) layers: Vec<LayerBlob>,
    /// As many as there are layer blobs.
    pub(super) described: Vec<Layer>,
    /// First digits of the configuration's digest.
    id: String,
}

impl Plan {
    /// What tells it from others of one archive.
    pub(super) fn name(&self) -> &str {
        self.tags.first().unwrap_or(&self.id)
    }
}

/// A file of the store that is a layer.
#[derive(Clone, Debug)]
pub(super) struct LayerBlob {
    pub(super) file: String,
    pub(super) check: Check,
}

/// The hexadecimal SHA-256 that the blob has to have.
#[derive(Clone, Debug)]
pub(super) enum Check {
    /// As it lies there.
    Blob(String),
    /// Without compression.
    Content(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    #[serde(default)]
    platform: Option<DescribedPlatform>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct DescribedPlatform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
    rootfs: RootFs,
    #[serde(default)]
    history: Option<Vec<History>>,
    #[serde(default)]
    config: Option<Runtime>,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct History {
    #[serde(default)]
    created_by: Option<String>,
    #[serde(default)]
    empty_layer: bool,
}

#[derive(Deserialize)]
struct Runtime {
    #[serde(default, rename = "User")]
    user: Option<String>,
}

/// An entry of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// The images of a store.
pub(super) fn plans(store: &Store, platform: Option<&Platform>) -> Result<Vec<Plan>, ImageError> {
    // Newer versions of `docker save` write both; its own list then names exactly what was saved.
    let plans = if let Some(root) = store.root() {
        of_index(store, index_of(store.shown(), root)?, platform)?
    } else if store.has("manifest.json") {
        saved(store)?
    } else if store.has("index.json") {
        let index: Index = json("index.json", &store.bytes("index.json", MAX_JSON_BYTES)?)?;
        of_index(store, index, platform)?
    } else {
        let why = "it has neither `index.json` nor `manifest.json`; `docker save` and `skopeo copy` write images".to_owned();
        return Err(ImageError::NoImage { path: store.shown().to_owned(), why });
    };
    if plans.is_empty() {
        return Err(ImageError::NoImage { path: store.shown().to_owned(), why: "its index names none".to_owned() });
    }
    if plans.len() > MAX_IMAGES {
        return Err(damaged("index.json", format!("it names more than {MAX_IMAGES} images")));
    }
    Ok(plans)
}

fn damaged(what: impl Into<String>, why: impl fmt::Display) -> ImageError {
    ImageError::Damaged { what: what.into(), why: why.to_string() }
}

fn json<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, ImageError> {
    serde_json::from_slice(bytes).map_err(|error| damaged(what, error))
}

/// Lower-case hexadecimal digits of a digest. Only SHA-256 is in use.
fn sha256(digest: &str) -> Result<String, ImageError> {
    let hex = digest.strip_prefix("sha256:").filter(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hex.map(str::to_ascii_lowercase).ok_or_else(|| damaged(digest, "it is no SHA-256 digest"))
}

/// The JSON of a configuration, whose digest is checked.
fn configuration(store: &Store, digest: &str) -> Result<Configuration, ImageError> {
    let hex = sha256(digest)?;
    checked(digest, &hex, &store.bytes(&blob_path(&hex), MAX_JSON_BYTES)?)
}

/// The JSON of a manifest or an index, whose digest is checked.
fn manifest<T: DeserializeOwned>(store: &Store, digest: &str) -> Result<T, ImageError> {
    let hex = sha256(digest)?;
    checked(digest, &hex, &store.manifest(&hex, MAX_JSON_BYTES)?)
}

fn checked<T: DeserializeOwned>(digest: &str, hex: &str, bytes: &[u8]) -> Result<T, ImageError> {
    if format!("{:x}", Sha256::digest(bytes)) != hex {
        return Err(damaged(digest, "its content has another digest"));
    }
    json(digest, bytes)
}

/// What an answer of a registry is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    manifests: Option<serde::de::IgnoredAny>,
}

/// An index with the one thing that a reference names.
fn index_of(reference: &str, root: &[u8]) -> Result<Index, ImageError> {
    let answer: Answer = json(reference, root)?;
    let media_type = match answer.manifests {
        // The type may be left out of what is sent.
        Some(_) => "application/vnd.oci.image.index.v1+json".to_owned(),
        None => answer.media_type,
    };
    let annotations = BTreeMap::from([("org.opencontainers.image.ref.name".to_owned(), reference.to_owned())]);
    let digest = format!("sha256:{:x}", Sha256::digest(root));
    Ok(Index { manifests: vec![Descriptor { media_type, digest, platform: None, annotations: Some(annotations) }] })
}

/// A manifest of an image, found in an index.
struct Candidate {
    digest: String,
    tag: Option<String>,
    platform: Option<DescribedPlatform>,
}

fn of_index(store: &Store, index: Index, platform: Option<&Platform>) -> Result<Vec<Plan>, ImageError> {
    let mut candidates = Vec::new();
    let mut left = MAX_MANIFESTS;
    collect(store, index, None, 0, &mut left, &mut candidates)?;
    // Variants of one image share its tag; without tags, they are all of one.
    let mut by_tag: BTreeMap<Option<String>, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        by_tag.entry(candidate.tag.clone()).or_default().push(candidate);
    }
    let mut plans: Vec<Plan> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (tag, candidates) in by_tag {
        for chosen in choose(candidates, platform)? {
            // Two tags of one image are one image.
            if let Some(plan) = known.get(&chosen.digest).and_then(|index| plans.get_mut(*index)) {
                plan.tags.extend(tag.clone());
                continue;
            }
            let manifest: Manifest = manifest(store, &chosen.digest)?;
            let kind = manifest.config.media_type.as_str();
            if !matches!(kind, "" | "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json") {
                return Err(damaged(chosen.digest, format!("it is no image but `{kind}`")));
            }
            let configuration = configuration(store, &manifest.config.digest)?;
            let mut layers = Vec::new();
            for layer in manifest.layers {
                let hex = sha256(&layer.digest)?;
                layers.push(LayerBlob { file: blob_path(&hex), check: Check::Blob(hex) });
            }
            known.insert(chosen.digest, plans.len());
            plans.push(plan(&manifest.config.digest, tag.clone().into_iter().collect(), configuration, layers)?);
        }
    }
    Ok(plans)
}

/// The manifests of an index and of those in it; what attests or signs an image runs on nothing.
fn collect(
    store: &Store,
    index: Index,
    tag: Option<&str>,
    depth: usize,
    left: &mut usize,
    out: &mut Vec<Candidate>,
) -> Result<(), ImageError> {
    if depth >= MAX_INDEX_DEPTH {
        return Err(damaged("index.json", "indexes lie too deep in indexes"));
    }
    for descriptor in index.manifests {
        *left = left.checked_sub(1).ok_or_else(|| damaged("index.json", format!("it names more than {MAX_MANIFESTS} manifests")))?;
        let named = descriptor.annotations.as_ref().and_then(|names| {
            names.get("io.containerd.image.name").or_else(|| names.get("org.opencontainers.image.ref.name")).map(String::as_str)
        });
        let tag = named.or(tag);
        match descriptor.media_type.as_str() {
            "application/vnd.oci.image.index.v1+json" | "application/vnd.docker.distribution.manifest.list.v2+json" => {
                let inner: Index = manifest(store, &descriptor.digest)?;
                collect(store, inner, tag, depth + 1, left, out)?;
            }
            "" | "application/vnd.oci.image.manifest.v1+json" | "application/vnd.docker.distribution.manifest.v2+json"
                if descriptor.platform.as_ref().is_none_or(|platform| platform.os != "unknown") =>
            {
                out.push(Candidate { digest: descriptor.digest, tag: tag.map(str::to_owned), platform: descriptor.platform });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Those for the platform. Where nobody asked for one: those for linux/amd64, or what there is if it is one only.
fn choose(candidates: Vec<Candidate>, platform: Option<&Platform>) -> Result<Vec<Candidate>, ImageError> {
    let is_for = |candidate: &Candidate, wanted: &Platform| {
        candidate.platform.as_ref().is_none_or(|there| {
            there.os == wanted.os
                && there.architecture == wanted.architecture
                && (wanted.variant.is_none() || there.variant == wanted.variant)
        })
    };
    let default = Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None };
    let wanted = platform.unwrap_or(&default);
    let shown = |candidate: &Candidate| match &candidate.platform {
        Some(there) => format!("{}/{}", there.os, there.architecture),
        None => "one without a platform".to_owned(),
    };
    let there: BTreeSet<String> = candidates.iter().map(shown).collect();
    let is_only = platform.is_none() && there.len() == 1;
    let chosen: Vec<Candidate> = candidates.into_iter().filter(|candidate| is_only || is_for(candidate, wanted)).collect();
    if chosen.is_empty() {
        return Err(ImageError::NoPlatform { wanted: wanted.clone(), there: there.into_iter().collect() });
    }
    Ok(chosen)
}

fn saved(store: &Store) -> Result<Vec<Plan>, ImageError> {
    let saved: Vec<Saved> = json("manifest.json", &store.bytes("manifest.json", MAX_JSON_BYTES)?)?;
    let mut plans = Vec::new();
    for image in saved.into_iter().take(MAX_IMAGES + 1) {
        let bytes = store.bytes(&image.config, MAX_JSON_BYTES)?;
        let digest = format!("{:x}", Sha256::digest(&bytes));
        // The name of the file is the digest: `<hex>.json`, or a blob of a layout.
        let named = image.config.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        if sha256(&format!("sha256:{named}")).is_ok_and(|named| named != digest) {
            return Err(damaged(image.config, "its content has another digest"));
        }
        let configuration: Configuration = json(&image.config, &bytes)?;
        let digests = configuration.rootfs.diff_ids.clone().unwrap_or_default();
        let files = image.layers.unwrap_or_default();
        if files.len() != digests.len() {
            return Err(damaged(image.config, format!("it names {} layers, the list has {}", digests.len(), files.len())));
        }
        let mut layers = Vec::new();
        for (file, digest) in files.into_iter().zip(&digests) {
            layers.push(LayerBlob { file, check: Check::Content(sha256(digest)?) });
        }
        plans.push(plan(&format!("sha256:{digest}"), image.repo_tags.unwrap_or_default(), configuration, layers)?);
    }
    Ok(plans)
}

fn plan(digest: &str, tags: Vec<String>, configuration: Configuration, layers: Vec<LayerBlob>) -> Result<Plan, ImageError> {
    let digests = configuration.rootfs.diff_ids.unwrap_or_default();
    if digests.len() != layers.len() {
        return Err(damaged(digest, format!("it names {} layers, the manifest has {}", digests.len(), layers.len())));
    }
    if layers.len() > MAX_LAYERS {
        return Err(damaged(digest, format!("it has more than {MAX_LAYERS} layers")));
    }
    // Commands that changed no file have no layer. A history may be shorter than the list of layers, or absent.
    let mut commands = configuration.history.unwrap_or_default().into_iter().filter(|step| !step.empty_layer).map(|step| step.created_by);
    let described = digests.into_iter().map(|digest| Layer { digest, created_by: commands.next().flatten().filter(|by| !by.is_empty()) });
    let platform = [configuration.os, configuration.architecture].into_iter().chain(configuration.variant);
    Ok(Plan {
        tags,
        platform: platform.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"),
        user: configuration.config.and_then(|config| config.user).unwrap_or_default(),
        described: described.collect(),
        layers,
        id: digest.get(..19).unwrap_or(digest).to_owned(),
    })
}
