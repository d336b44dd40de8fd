//! A file is replaced only by a file of the same kind.

use super::make_fifo;
use crate::support::cli::CliTest;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

#[test]
fn report_replaces_only_reports() {
    let test = CliTest::with_export();
    test.write("notes.html", "<!DOCTYPE html><title>prep</title>");
    for victim in ["c.sqlite", "raw/2_games/1.csv", "notes.html", "e/manifest.json"] {
        let before = test.read(victim);
        let ran = test.run(&format!("report --cache c.sqlite --out {victim}"));
        assert!(ran.code == 1 && !ran.stderr.is_empty(), "{victim}: {ran:#?}");
        assert!(test.read(victim) == before, "{victim}");
    }
    // A missing file, an empty file, and a report.
    test.write("empty.html", "");
    for page in ["empty.html", "new/report.html", "new/report.html"] {
        test.prep(&format!("report --cache c.sqlite --out {page} -q"));
        assert!(test.read(page).starts_with(b"<!DOCTYPE html>"));
    }
    test.prep("report --cache c.sqlite --out notes.html --force -q");
    assert!(test.read("notes.html").len() > 1000);
}

/// A report in an export would block the next export.
#[test]
fn no_report_in_an_export() {
    let test = CliTest::with_export();
    for page in ["e/report.html", "e/new/report.html"] {
        let ran = test.run(&format!("report --cache c.sqlite --out {page} --force"));
        assert!(ran.code == 1 && ran.stderr.contains("is in the export"), "{ran:#?}");
    }
    test.prep("export --cache c.sqlite --out e -q");
}

#[test]
fn report_has_the_permissions_of_a_new_file() {
    let test = CliTest::with_cache();
    for (umask, mode) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        let prep = test.command("report --cache c.sqlite -q --out new.html");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("umask {umask}; exec \"$0\" \"$@\"")).arg(prep.get_program());
        shell.args(prep.get_args()).current_dir(test.path(""));
        assert!(shell.status().unwrap().success());
        let permissions = |name: &str| fs::metadata(test.path(name)).unwrap().permissions().mode();
        assert_eq!(permissions("new.html") & 0o777, mode, "umask {umask}");
        // The permissions of a replaced report are kept.
        test.prep("report --cache c.sqlite -q --out new.html");
        assert_eq!(permissions("new.html") & 0o777, mode, "umask {umask}, again");
        fs::remove_file(test.path("new.html")).unwrap();
    }
}

#[test]
fn report_to_what_is_no_file() {
    let test = CliTest::with_cache();
    let ran = test.run_in_time("report --cache c.sqlite --out /dev/stdout -q");
    assert!(ran.code == 0 && ran.stdout.ends_with("</html>"), "{}", ran.stderr);
    make_fifo(&test.path("fifo.html"));
    assert_eq!(test.run_in_time("report --cache c.sqlite --out fifo.html").code, 1);
    // A link stays a link.
    fs::create_dir(test.path("www")).unwrap();
    test.prep("report --cache c.sqlite --out www/r.html -q");
    symlink("www/r.html", test.path("r.html")).unwrap();
    test.prep("report --cache c.sqlite --out r.html -q");
    assert!(test.path("r.html").is_symlink() && !test.path("www/r.html").is_symlink());
}

#[test]
fn manual_pages_replace_only_manual_pages() {
    let test = CliTest::new();
    test.prep("man pages -q");
    test.prep("man pages -q");
    test.write("pages/prep-ingest.1", "my notes");
    let ran = test.run("man pages");
    assert!(ran.code == 1 && ran.stderr.contains("prep-ingest.1"), "{ran:#?}");
    assert_eq!(test.read("pages/prep-ingest.1"), b"my notes");
}
