//! Mistakes of new users with paths, values, settings and logs: messages say what is wrong and what to
//! do. `cli_conventions` tests exit codes and output streams; `log_reader` and `settings` test the exact
//! rules for logs and settings.

// Skipped tests print a message.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use crate::support::broken_cache::spoil_trees;
use crate::support::cli::{CliTest, Ran};
use crate::support::log_text::LogText;
use std::fs;

/// Runs `prep`, which must fail with this exit code and print each of these texts to stderr.
#[track_caller]
fn says(test: &CliTest, arguments: &str, code: i32, texts: &[&str]) -> Ran {
    let ran = test.run(arguments);
    assert_eq!(ran.code, code, "prep {arguments}: {ran:#?}");
    for text in texts {
        assert!(ran.stderr.contains(text), "prep {arguments}: {text:?} is not in {ran:#?}");
    }
    ran
}

/// Changes a value of a game's log, by line (the header is line 1) and column name. Returns the number
/// of values before it.
fn spoil(test: &CliTest, log: &str, line: usize, column: &str, value: &str) -> usize {
    let mut text = LogText::parse(&test.read(log));
    let place = text.column(column);
    text.set(line, column, value);
    test.write(log, text.to_bytes());
    place
}

/// The lines below the first line with this text: a rule, the excerpt, and the underlined part.
#[track_caller]
fn underlined(ran: &Ran, said: &str) -> (String, String) {
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let at = lines.iter().position(|line| line.contains(said));
    let at = at.unwrap_or_else(|| panic!("{said:?} is not in {ran:#?}"));
    assert_eq!(lines[at + 1].trim(), "|", "{ran:#?}");
    let chars = |line: &str| line.chars().collect::<Vec<_>>();
    let (shown, marks) = (chars(lines[at + 2]), chars(lines[at + 3]));
    let marked = shown.iter().zip(&marks).filter(|&(_, mark)| *mark == '^').map(|(c, _)| *c);
    (shown.iter().collect(), marked.collect())
}

#[test]
fn folders_without_logs() {
    let test = CliTest::simulated(3);
    test.write("aggregate/all_games.csv", "x");
    test.write("packed/2_games/1.csv.xz", "x");
    test.write("packed/notes.txt", "x");
    test.write("capitals/1.CSV", "x");
    test.write("others/notes.txt", "x");
    fs::create_dir(test.path("empty")).unwrap();
    for command in ["ingest", "status"] {
        for (folder, texts) in [
            ("aggregate", &["all_games.csv is skipped: it contains all games, not one game"][..]),
            ("packed", &["2_games/1.csv.xz is skipped: logs end in .csv, .csv.gz or .csv.zst, "]),
            ("capitals", &["1.CSV is skipped: logs end in .csv, .csv.gz or .csv.zst, in lower"]),
            ("others", &["only notes.txt, which is not a log: is it the right folder?"]),
            ("empty", &["the folder is empty", "is its disk mounted?"]),
        ] {
            let looked_for = format!(
                "error: no logs found in {folder}: searched it and its subfolders for *.csv \
                 files named after a game id, such as 2_games/17.csv; "
            );
            let ran = says(&test, &format!("{command} {folder}"), 1, texts);
            assert!(ran.stderr.starts_with(&looked_for), "{ran:#?}");
        }
        let nowhere = ["there is no folder nowhere: give the folder", "`prep simulate DIR"];
        says(&test, &format!("{command} nowhere"), 1, &nowhere);
        let file =
            "raw/2_games/1.csv is a file: give the folder that holds the logs, such as raw/2_games";
        says(&test, &format!("{command} raw/2_games/1.csv"), 1, &[file]);
    }
    assert!(!test.path("data").exists(), "a cache was made");
}

#[test]
fn missing_or_empty_cache() {
    let test = CliTest::simulated(3);
    let absent = "there is no cache at data/intermediate/prep.sqlite: run `prep ingest DIR --cache data/intermediate/prep.sqlite` first";
    for command in ["export", "verify"] {
        says(&test, command, 1, &[absent]);
    }
    assert!(!test.path("data").exists(), "something was made");
    fs::create_dir(test.path("folder")).unwrap();
    for command in ["ingest raw", "ingest raw --rebuild", "export", "status raw"] {
        let folder =
            "folder is a folder: give the cache file in it, such as --cache folder/prep.sqlite";
        says(&test, &format!("{command} --cache folder"), 1, &[folder]);
    }
    let under_a_file =
        ["cannot make the folder raw/2_games/1.csv", "choose a folder with write permission"];
    says(&test, "ingest raw --cache raw/2_games/1.csv/prep.sqlite", 1, &under_a_file);

    // There is a cache without games.
    test.write("broken/1.csv", "not,a,log\n");
    says(&test, "ingest broken", 3, &["1.csv:1: found the column `not`"]);
    let empty = "the cache holds no games: run `prep ingest DIR --cache data/intermediate/prep.sqlite` \
                 first; `prep status DIR --cache data/intermediate/prep.sqlite` says why";
    says(&test, "export", 1, &[empty]);
}

#[test]
fn folders_without_exports() {
    let test = CliTest::simulated(3);
    test.prep("ingest raw -q");
    test.prep("export -q --out out");
    test.write("arrays/X_train.npy", "x");
    let wanted = "give a folder that prep export wrote";
    for (arguments, texts) in [
        ("diff out nowhere", &["cannot read the export nowhere: it does not exist", wanted][..]),
        ("diff out/manifest.json out", &["it is a file", wanted]),
        ("diff raw out", &["cannot read the export raw: it has no manifest.json", wanted]),
        (
            "export --scaler-from raw",
            &[
                "scaler of raw: it has no feature_cols.json",
                "give a folder that `prep export` wrote",
            ],
        ),
        ("verify --export nowhere", &["give the folder that `prep export` wrote"]),
        ("export --out arrays", &["arrays holds X_train.npy", "choose another --out"]),
        ("export --out raw/2_games/1.csv", &["is not a folder: choose another --out"]),
    ] {
        says(&test, arguments, 1, texts);
    }
    test.write("out/scaler.npz", "junk");
    let damaged = ["scaler of out: its scaler.npz is invalid", "export that folder again"];
    says(&test, "export --scaler-from out", 1, &damaged);
    let nowhere = ["scaler of nowhere: it does not exist: give a folder that `prep export` wrote"];
    says(&test, "export --scaler-from nowhere", 1, &nowhere);
    let ran = test.run("verify --export raw");
    assert!(
        ran.stdout.contains("raw is not an export: give a folder that `prep export`"),
        "{ran:#?}"
    );
}

#[test]
fn split_ratios() {
    let test = CliTest::simulated(3);
    for (split, texts) in [
        ("0.8,0.1", &["expected three numbers such as 0.8,0.1,0.1", "found 2"][..]),
        ("0.8/0.1/0.1", &["expected three numbers such as 0.8,0.1,0.1"]),
        ("80,10,10", &["a share is between 0 and 1; write 80 percent as 0.8"]),
        ("0.8,0.1,0.2", &["sum to 1.1, not to 1; change one of them"]),
        ("0,0.5,0.5", &["it must be above 0"]),
    ] {
        says(&test, &format!("export --split {split}"), 2, texts);
    }
    test.prep("ingest raw -q");
    let ran = test.run("export --split 0.98,0.01,0.01");
    assert_eq!(ran.code, 0, "{ran:#?}");
    let empty = "no game fell into val: ingest more games, or change --split or --seed";
    assert!(ran.stderr.contains(empty), "{ran:#?}");
}

#[test]
fn usage_errors() {
    let test = CliTest::new();
    let mut said = String::new();
    for arguments in [
        "injest raw",
        "ingest raw more",
        "ingest raw --batchsize 3",
        "ingest raw --jobs many",
        "ingest raw --jobs 100000",
        "ingest --batch-size 0",
        "ingest --batch-size 1.5",
        "ingest --wait -5",
        "ingest raw --allow-delete --keep-missing",
        "ingest raw -q -v",
        "export raw",
        "ingest --out x",
        "status --zzz 4",
        "export --seed -1",
        "export --layout hdf5",
        "export --split 0.5,0.1,0.1",
        "export --dtype int8",
        "export --format parquet --layout npy",
        "schema --family noble",
        "schema --normalized=maybe",
        "completions tcsh",
        "inspect 1 --feature gems_board_red",
        "inspect 1 --turn x",
        "simulate raw",
        "simulate raw --games 0",
        "simulate raw --games 3 --players 5",
    ] {
        let ran = test.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "prep {arguments}: {ran:#?}");
        said += &format!("$ prep {arguments}\n{}\n", ran.stderr);
    }
    insta::assert_snapshot!(said);
    assert!(test.run("").stderr.contains("Usage: prep [OPTIONS] <COMMAND>"));
    assert_eq!(test.files("."), Default::default());
}

#[test]
fn wrong_variables() {
    let test = CliTest::new();
    let with = |arguments: &str, variable: &str, value: &str| {
        let ran = Ran::from(test.command(arguments).env(variable, value).output().unwrap());
        assert_eq!(ran.code, 2, "{ran:#?}");
        ran.stderr
    };
    for (arguments, variable, value) in [
        ("export", "PREP_NUM_WORKERS", "lots"),
        ("export", "PREP_DTYPE", "double"),
        ("status", "PREP_CACHE", ""),
        ("ingest", "PREP_DATA_ROOT", ""),
        ("ingest", "PREP_REPAIR", "perhaps"),
    ] {
        let said = with(arguments, variable, value);
        let tip = format!("tip: the value comes from the variable {variable}\n");
        assert!(said.contains(&tip), "{said}");
    }
    // The variable is not mentioned for a typed value.
    let said = with("export --jobs lots", "PREP_NUM_WORKERS", "lots");
    assert!(said.contains("'lots' for '--jobs <N>'") && !said.contains("tip"), "{said}");
}

#[test]
fn advice_names_the_cache() {
    let test = CliTest::simulated(3);
    test.prep("ingest raw -q --cache mine.sqlite");
    let whole = test.read("mine.sqlite");
    let mut broken = whole.clone();
    spoil_trees(&mut broken);
    test.write("mine.sqlite", broken);
    let command = "`prep ingest DIR --rebuild --cache mine.sqlite`";
    for arguments in ["ingest raw", "status raw", "export", "report"] {
        says(&test, &format!("{arguments} --cache mine.sqlite"), 1, &[command]);
    }
    let first = "there is no cache at gone.sqlite: run `prep ingest DIR --cache gone.sqlite` first";
    for arguments in ["export", "report", "verify raw", "inspect 1"] {
        says(&test, &format!("{arguments} --cache gone.sqlite"), 1, &[first]);
    }
    test.prep("ingest raw -q --cache mine.sqlite --rebuild");
    test.prep("verify raw --cache mine.sqlite");
    assert!(!test.path("data").exists(), "another cache was made");
}

#[test]
fn settings_code_frames() {
    let test = CliTest::new();
    let long = format!("data: {{processed_dir: {}, dat_root: x}}\n", "long".repeat(50));
    let mut said = String::new();
    for yaml in [
        "data:\n  data_rot: raw\n",
        "data: raw # logs\n",
        "preprocessing: {batch_size: many, verbose: no}\n",
        "seed: 1\nseed: 2\n",
        "seed: 012\n",
        "seed: \"4, 2\" # x\n",
        "data:\n  val_ratio: 0.3\n",
        "data:\n\tdata_root: raw\n",
        &long,
    ] {
        test.write("prep.yaml", yaml);
        said += &says(&test, "status", 1, &["error: prep.yaml:"]).stderr;
    }
    insta::assert_snapshot!(said);
    says(&test, "status --config nowhere.yaml", 1, &["there is no settings file nowhere.yaml"]);
    test.write("binary.yaml", b"\xff\xfe\x00");
    let ran = says(&test, "status --config binary.yaml", 1, &["binary.yaml:1:1: not UTF-8 text"]);
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:#?}");
}

#[test]
fn log_code_frames() {
    let test = CliTest::simulated(3);
    let place = spoil(&test, "raw/2_games/1.csv", 5, "player0_reduction_red", "2.5");
    let ran = says(&test, "ingest raw", 3, &[]);
    let said = "error: 2_games/1.csv:5: player0_reduction_red is `2.5`, expected a whole number";
    let (shown, marked) = underlined(&ran, said);
    assert_eq!(marked, "2.5");
    assert!(shown.starts_with("5 | …,") && shown.ends_with(",…"), "{shown}");
    assert!(shown.chars().count() <= 80, "{shown}");
    let note = format!("^^^ value {} of 403", place + 1);
    assert!(ran.stderr.contains(&note), "{note:?} is not in {ran:#?}");

    // In the cache and in JSON it is one sentence.
    let status = test.run("status raw");
    let line = status.stdout.lines().find(|line| line.starts_with("2_games/1.csv: ")).unwrap();
    assert!(line.contains("is `2.5`"), "{status:#?}");
    let json: serde_json::Value =
        serde_json::from_str(&test.run("ingest raw --json").stdout).unwrap();
    assert!(!json["refused"][0]["why"].as_str().unwrap().contains('\n'), "{json}");

    spoil(&test, "raw/2_games/1.csv", 5, "player0_reduction_red", "2");
    spoil(&test, "raw/2_games/1.csv", 1, "card0_level", "card0_lvl");
    let ran = says(&test, "ingest raw", 3, &[]);
    assert_eq!(underlined(&ran, "did you mean card0_level?").1, "card0_lvl");
}

#[test]
fn compressed_logs() {
    let test = CliTest::simulated(3);
    test.write("raw/7.csv", b"\x1f\x8b\x08\x00\x00\x00");
    test.write("raw/8.csv", b"PK\x03\x04\x14\x00");
    for text in [
        "error: 7.csv: found a gzip file, expected plain text: decompress the file first",
        "error: 8.csv: found a zip file, expected plain text: decompress the file first",
    ] {
        says(&test, "ingest raw", 3, &[text]);
    }
}

#[test]
#[cfg(unix)]
fn permissions() {
    use std::os::unix::fs::PermissionsExt;
    let test = CliTest::simulated(3);
    test.prep("ingest raw -q --cache mine.sqlite");
    test.write("locked/2_games/1.csv", "x");
    fs::create_dir(test.path("read_only")).unwrap();
    test.write("unreadable.yaml", "seed: 1\n");
    let set = |path: &str, mode| {
        fs::set_permissions(test.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    test.write("private/manifest.json", "{}");
    set("private/manifest.json", 0o000);
    set("mine.sqlite", 0o000);
    set("unreadable.yaml", 0o000);
    set("locked/2_games", 0o000);
    set("read_only", 0o555);
    if fs::File::open(test.path("mine.sqlite")).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    for (arguments, texts) in [
        ("ingest locked", &["cannot search locked", "all of it must be readable"][..]),
        ("export --cache mine.sqlite", &["cannot read the cache mine.sqlite", "with --cache"]),
        ("ingest raw --cache read_only/c.sqlite", &["cannot lock read_only/c", "with --cache"]),
        ("ingest raw --cache read_only/new/c.sqlite", &["cannot make the folder", "--cache"]),
        ("simulate read_only --games 1", &["give a folder for which you have write permission"]),
        ("man read_only", &["give a folder that you may write to"]),
        ("verify --export private", &["cannot read private/manifest.json: ", "you may read it"]),
        ("status --config unreadable.yaml", &["check that it is a file and that you may read it"]),
    ] {
        says(&test, arguments, 1, texts);
    }
    // Allows the folder to be deleted.
    set("locked/2_games", 0o755);
}

#[test]
fn unwritable_report() {
    let test = CliTest::simulated(3);
    test.prep("ingest raw -q");
    let folder = ["error: raw is a folder: give a file in it, such as --out raw/report.html\n"];
    says(&test, "report -q --out raw", 1, &folder);
    let ran = says(
        &test,
        "report -q --out raw/2_games/1.csv/page.html",
        1,
        &["error: cannot write raw/2_games/1.csv/page.html: ", "choose another place with --out"],
    );
    assert!(!ran.stderr.contains(".report"), "{ran:#?}");
    // A place where even root cannot write.
    let ran = says(&test, "report -q --out /proc/page.html", 1, &["choose another place with"]);
    assert!(!ran.stderr.contains(".report"), "{ran:#?}");
}

/// `script` provides a terminal, if it is installed.
#[test]
fn code_frame_colors() {
    let test = CliTest::new();
    test.write("prep.yaml", "seed: many\n");
    let status = test.command("status");
    let on_terminal = format!("'{}' status", status.get_program().to_string_lossy());
    for (no_color, wanted) in [("", "\u{1b}[91m^^^^"), ("1", "|       ^^^^")] {
        let mut script = std::process::Command::new("script");
        script.args(["-qec", &on_terminal, "/dev/null"]).env("NO_COLOR", no_color);
        script.current_dir(test.path(".")).stdin(std::process::Stdio::null());
        let Ok(output) = script.output() else {
            println!("skipped: there is no script");
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(wanted), "{wanted:?} is not in {said:?}");
        assert_eq!(said.contains('\u{1b}'), no_color.is_empty(), "{said:?}");
    }
}
