//! Gives `model.x` to the linker.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    println!("cargo:rustc-link-arg-bins=-T{folder}/model.x");
    println!("cargo:rerun-if-changed=model.x");
}
