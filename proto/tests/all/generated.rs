//! The generated code that is checked in is the one that `entente/v1/*.proto` leads to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Set to 1 to write the code instead of comparing it.
const WRITE: &str = "ENTENTE_REGENERATE";

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn generated_code_is_that_of_the_proto_files() {
    let checked_in = Path::new(CRATE).join("src/generated");
    if std::env::var(WRITE).is_ok_and(|value| value == "1") {
        generate(&checked_in);
        return;
    }
    let fresh = tempfile::tempdir().unwrap();
    generate(fresh.path());
    let (fresh, checked_in) = (files(fresh.path()), files(&checked_in));
    assert!(fresh.keys().eq(checked_in.keys()), "{:?} against {:?}", fresh.keys(), checked_in.keys());
    for (name, text) in fresh {
        assert!(text == checked_in[&name], "{name} is out of date: run `{WRITE}=1 cargo test -p proto`");
    }
}

fn generate(out: &Path) {
    let descriptors = protox::compile(["entente/v1/coordinator.proto"], [CRATE]).unwrap();
    tonic_prost_build::configure()
        // `Bytes` everywhere: one encoded vector goes to many sites and is copied for none.
        .bytes(".")
        // A vector's Debug is written by hand and does not show words.
        .skip_debug([".entente.v1.MaskedVector"])
        // No `connect` without certificates: the agent makes its own channel.
        .build_transport(false)
        .emit_rerun_if_changed(false)
        .out_dir(out)
        .compile_fds(descriptors)
        .unwrap();
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())).collect()
}
