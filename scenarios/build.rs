//! Lists the files of `library/` and `reproduce/` as Rust, so that they are part of the program. Paths are sorted: the order does not
//! depend on the file system.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    list("library", "library.rs")?;
    list("reproduce", "reproduce.rs")
}

/// Lists the files of one folder.
#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script by its environment where things are"
)]
fn list(folder: &str, output: &str) -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join(folder);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join(output);
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let mut code = "const ENTRIES: &[Entry] = &[\n".to_owned();
    for file in &files {
        let inside = file.strip_prefix(&root).expect("the file is below the folder");
        let path = inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
        let name = path.trim_end_matches(".ron");
        let file = file.to_str().expect("cargo itself wants paths that are UTF-8");
        writeln!(code, "    Entry {{ path: {path:?}, name: {name:?}, text: include_str!({file:?}) }},")
            .expect("writing to a string succeeds");
    }
    code.push_str("];\n");
    fs::write(out, code)
}

/// All scenario files in and below `folder`.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "ron") {
            files.push(path);
        }
    }
    Ok(())
}
