// SPDX-License-Identifier: Apache-2.0
//! The library is not installed, so its directory is written into the executable.
fn main() {
    println!("cargo:rerun-if-env-changed=CURFEW_LIB_DIR");
    if let Ok(directory) = std::env::var("CURFEW_LIB_DIR") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{directory}");
    }
}
