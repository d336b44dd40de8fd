//! Runs all blocks of `docs/walk-through.md` in order, in an empty folder, with the built `prep`. Each
//! line of a shell block must succeed; Python blocks run if NumPy is installed (`PREP_PYTHON` selects
//! the Python), and always with `PREP_REQUIRE_PYTHON=1`.
//!
//! `cargo install` builds everything again, so it runs only with `PREP_LONG_TESTS=1`. The last part
//! needs the Python module: `python/tests/test_walk_through.py` runs all blocks with the module
//! installed.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use crate::support::cli::{CliTest, Ran};
use crate::support::{long_run, python};
use splendor_prep::encode::FEATURE_COUNT;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The fenced blocks of the page, each with its language.
fn blocks() -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/walk-through.md");
    let text = fs::read_to_string(page).unwrap();
    let fenced = text.split("```").skip(1).step_by(2);
    let block = |block: &str| block.split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned()));
    fenced.map(|text| block(text).unwrap()).collect()
}

/// Whether it is the part that needs the installed wheel.
fn needs_the_module(block: &str) -> bool {
    block.contains("pip install .") || block.contains("$CHECKOUT/python")
}

/// Runs lines of shell in the test's folder, with the built `prep` first on the path.
fn shell(test: &CliTest, lines: &str) -> Ran {
    let prep = assert_cmd::cargo::cargo_bin!("prep");
    let folder = prep.parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PREP_") {
            shell.env_remove(name);
        }
    }
    shell.args(["-euo", "pipefail", "-c", lines]).env("PATH", path).current_dir(test.path("."));
    Ran::from(shell.output().unwrap())
}

#[test]
fn every_command_of_the_page_does_what_the_page_says() {
    let test = CliTest::new();
    let python = python::with(&["numpy"]);
    let mut printed = Vec::new();
    let mut left_to_the_module = 0;
    for (language, block) in blocks() {
        let ran = match language.as_str() {
            "sh" if block.starts_with("cargo install") => continue,
            "sh" if needs_the_module(&block) => {
                left_to_the_module += 1;
                continue;
            }
            "sh" => shell(&test, &block),
            "python" => match &python {
                Some(python) => {
                    let mut python = Command::new(python);
                    python.args(["-W", "error", "-c", &block]).current_dir(test.path("."));
                    Ran::from(python.output().unwrap())
                }
                None => continue,
            },
            other => panic!("{other} is no language of the page"),
        };
        assert_eq!(ran.code, 0, "{block}\n{ran:#?}");
        printed.push(ran.stdout);
    }
    assert_eq!(left_to_the_module, 2, "another block of the page is excluded");
    let all = printed.concat();
    for part in [
        "wrote 100 games",
        "100 games encoded (100 new; ",
        "100 games up to date",
        "X_train.npy",
        "20 games encoded (20 new; ",
        "test.parquet",
    ] {
        assert!(all.contains(part), "{part} is not in\n{all}");
    }
    if python.is_some() {
        assert!(all.contains(&format!("{FEATURE_COUNT}) float32")), "{all}");
        let predicted = all.lines().find(|line| line.contains("moves predicted")).unwrap();
        let percent = |word: &str| word.strip_suffix('%').and_then(|word| word.parse().ok());
        let percents: Vec<u32> = predicted.split_whitespace().filter_map(percent).collect();
        assert!(percents[0] >= 85 && percents[1] < 70, "{predicted}");
    }
}

#[test]
fn cargo_install_gives_the_command() {
    if long_run::times(0, 1) == 0 {
        return;
    }
    let test = CliTest::new();
    let root = test.path("installed");
    let (_, block) = blocks().into_iter().find(|(_, block)| block.starts_with("cargo")).unwrap();
    assert_eq!(block, "cargo install --locked --path .\n");
    let install = Command::new(env!("CARGO"))
        .args(["install", "--locked", "--offline", "--path", ".", "--root"])
        .arg(&root)
        .env("CARGO_TARGET_DIR", test.path("target"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(install.unwrap().success());
    let version = Command::new(root.join("bin/prep")).arg("--version").output().unwrap();
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("prep "));
}
