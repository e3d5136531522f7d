// SPDX-License-Identifier: Apache-2.0
//! Finds the library: in CURFEW_LIB_DIR (then linked with its path), or where pkg-config says that it is installed.

use std::{env, process::Command};

fn main() {
    println!("cargo:rerun-if-env-changed=CURFEW_LIB_DIR");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    if let Ok(directory) = env::var("CURFEW_LIB_DIR") {
        println!("cargo:rustc-link-search=native={directory}");
        println!("cargo:rustc-link-arg=-Wl,-rpath,{directory}");
    } else if let Ok(found) = Command::new("pkg-config").args(["--libs-only-L", "curfew"]).output() {
        for flag in String::from_utf8_lossy(&found.stdout).split_whitespace() {
            println!("cargo:rustc-link-search=native={}", flag.trim_start_matches("-L"));
        }
    }
    println!("cargo:rustc-link-lib=dylib=curfew");
}
