//! Checks that files, tests and test modules named in the documentation exist.

#![allow(clippy::unwrap_used)]

use crate::architecture::{read, root};
use std::fs;
use std::path::PathBuf;

/// All pages of the documentation.
fn pages() -> Vec<PathBuf> {
    let files = [root(), &root().join("docs")].map(|folder| fs::read_dir(folder).unwrap());
    let files = files.into_iter().flatten().map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The anchor of a heading in GitHub and mdBook.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    heading.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            let linked = format!("{} links to {link}", page.display());
            assert!(target.exists(), "{linked}, which does not exist");
            if !heading.is_empty() {
                let text = fs::read_to_string(target).unwrap();
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                assert!(headings.any(|line| anchor(line) == heading), "{linked}: no such heading");
            }
            links += 1;
        }
    }
    assert!(links > 30, "only {links} links found");
}

/// Paths in code spans exist; `NAME` and `NNNN` are placeholders for new files.
#[test]
fn named_files_exist() {
    let folders = ["src/", "tests/", "docs/", "schema/", "python/", "configs/", ".ci/"];
    let mut found = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for span in text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)) {
            let is_path = folders.iter().any(|folder| span.starts_with(folder));
            if is_path && !span.contains([' ', ':']) && !span.contains("NAME") {
                let exists =
                    root().join(span).exists() || root().join(format!("{span}.rs")).exists();
                assert!(exists, "{} names {span}, which does not exist", page.display());
                found += 1;
            }
        }
    }
    assert!(found > 30, "only {found} files named");
}

/// The summary of the book has every page.
#[test]
fn book_is_complete() {
    let summary = read("docs/SUMMARY.md");
    for page in fs::read_dir(root().join("docs")).unwrap() {
        let page = page.unwrap().file_name().into_string().unwrap();
        if page.ends_with(".md") && page != "SUMMARY.md" {
            assert!(summary.contains(&format!("({page})")), "docs/SUMMARY.md does not have {page}");
        }
    }
}

/// `docs/reliability.md` names tests as `file::test`.
#[test]
fn named_tests_exist() {
    let page = read("docs/reliability.md");
    let named = page.split('`').skip(1).step_by(2).filter_map(|name| name.split_once("::"));
    let mut found = 0;
    for (file, test) in named {
        let text = read(&format!("tests/it/{file}.rs"));
        assert!(text.contains(&format!("fn {test}(")), "there is no test {file}::{test}");
        found += 1;
    }
    assert!(found >= 30, "only {found} tests named");
}

/// A filter that is not a module of `tests/it` would run no tests.
#[test]
fn long_run_filters_exist() {
    let script = read("tests/long-run.sh").replace("\\\n", " ");
    let command = script.lines().find(|line| line.starts_with("cargo test")).unwrap();
    let modules = read("tests/it/main.rs");
    let filters: Vec<&str> = command.split(" -- ").nth(1).unwrap().split_whitespace().collect();
    assert!(filters.len() > 5, "{filters:?}");
    for filter in filters {
        let module = filter.split("::").next().unwrap();
        assert!(modules.contains(&format!("mod {module};")), "no module of tests/it: {filter}");
    }
}
