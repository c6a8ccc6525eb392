//! Any bytes are read as an image, and as the only layer of one.
#![no_main]

use std::sync::Arc;

use bartizan_model::Sources;
use bartizan_supply::image::scan_image_bytes;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

fn add(archive: &mut tar::Builder<Vec<u8>>, path: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, path, bytes).expect("memory takes all");
}

/// An image with one layer, whose digest is that of its bytes as they are.
fn around(layer: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    add(&mut archive, "layer.tar", layer);
    let digest = format!("{:x}", Sha256::digest(layer));
    add(&mut archive, "config.json", format!(r#"{{"rootfs":{{"diff_ids":["sha256:{digest}"]}}}}"#).as_bytes());
    add(&mut archive, "manifest.json", br#"[{"Config":"config.json","Layers":["layer.tar"]}]"#);
    archive.into_inner().expect("memory takes all")
}

fn read(bytes: Vec<u8>) -> String {
    let mut sources = Sources::default();
    match scan_image_bytes("image.tar", Arc::from(bytes), None, &mut sources) {
        Ok(found) => {
            for package in &found.packages {
                let file = sources.get(package.span.file).expect("a span lies in a file that was read");
                assert!(file.text.get(package.span.start as usize..package.span.end as usize).is_some());
            }
            format!("{found:?}")
        }
        Err(error) => error.to_string(),
    }
}

fuzz_target!(|bytes: &[u8]| {
    for image in [bytes.to_vec(), around(bytes)] {
        assert_eq!(read(image.clone()), read(image));
    }
});
