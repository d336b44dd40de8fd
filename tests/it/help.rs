//! `--help`, manual pages, completions, and the descriptions of columns.

// Skipped tests print a message.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use crate::support::cli::CliTest;
use crate::support::export::normalized_feature_count;
use splendor_prep::encode::{FEATURE_COUNT, Head, MASK_WIDTH};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The commands that `prep --help` lists.
fn commands(test: &CliTest) -> Vec<String> {
    let help = test.prep("--help");
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.take_while(|line| !line.is_empty()).filter_map(|line| {
        let name = line.strip_prefix("  ")?.split_whitespace().next()?;
        (!line.starts_with("   ") && name != "help").then(|| name.to_owned())
    });
    let names: Vec<_> = names.collect();
    assert!(names.len() >= 10, "{help}");
    names
}

/// Whether a program is installed; tests that need it are skipped otherwise.
fn is_here(program: &str) -> bool {
    let is_here = Command::new(program).arg("--version").output().is_ok();
    if !is_here {
        println!("skipped: there is no {program}");
    }
    is_here
}

/// The arguments of an example command in a help text.
fn shown_command(line: &str) -> Option<Vec<String>> {
    let command = line.strip_prefix("  prep ")?;
    // A comment follows after two spaces; `|`, `&&` and `>` and the text after them belong to the shell.
    let command = command.split("  ").next()?;
    let words = command.split_whitespace().map(|word| word.trim_matches('\'').to_owned());
    Some(words.take_while(|word| !["|", "||", "&&", ">"].contains(&word.as_str())).collect())
}

#[test]
fn help_texts() {
    let test = CliTest::new();
    let mut texts = format!("$ prep --help\n{}", test.prep("--help"));
    for command in commands(&test) {
        texts += &format!("\n$ prep {command} --help\n{}", test.prep(&format!("{command} --help")));
    }
    insta::assert_snapshot!(texts);
}

#[test]
fn examples_are_valid() {
    let test = CliTest::new();
    let help = |command: &str| test.prep(&format!("{command} --help"));
    let mut helps: BTreeMap<String, String> =
        commands(&test).into_iter().map(|command| (command.clone(), help(&command))).collect();
    let (mut tried, mut lines) = (0, 0);
    for (command, help) in &helps {
        assert!(help.contains("Usage: prep "), "{command}: {help}");
        let examples: Vec<_> = help.lines().filter_map(shown_command).collect();
        let own = examples.iter().filter(|words| words[0] == *command).count();
        assert!(own >= 2, "prep {command} --help has {own} examples:\n{help}");
        for words in examples {
            let command = words.join(" ");
            // With `--help` at the end, the arguments are parsed but nothing is executed.
            let ran = test.run(&format!("{command} --help"));
            assert_eq!(ran.code, 0, "prep {command}: {ran:#?}");
            // Unknown flags are still errors.
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                let name = flag.split('=').next().unwrap();
                assert!(helps[&words[0]].contains(name), "prep {command}: there is no {name}");
            }
            tried += 1;
        }
    }
    assert!(tried > 25, "{tried}");
    assert_eq!(test.files("."), BTreeMap::new());

    // The rest of a wrapped line would look like a command.
    helps.insert(String::new(), help(""));
    for (command, help) in &helps {
        let (_, after) = help.split_once("Examples:\n").unwrap();
        for line in after.lines().filter(|line| line.starts_with("  ")) {
            assert!(line.chars().count() <= 80, "prep {command}: {line}");
            let is_shown =
                ["  prep ", "    ", "  source "].iter().any(|begin| line.starts_with(begin));
            assert!(is_shown, "prep {command}: the rest of a line: {line}");
            lines += 1;
        }
    }
    assert!(lines > 40, "{lines}");
}

/// The logs in examples exist after the `prep simulate` command of the help.
#[test]
fn examples_after_simulate() {
    let test = CliTest::new();
    test.prep("simulate data/raw --games 30");
    let help = test.prep("inspect --help");
    let refused = test.run("inspect abc").stderr;
    let words = || help.split_whitespace().chain(refused.split_whitespace());
    let logs: Vec<&str> =
        words().filter(|word| word.starts_with("data/raw/") && word.ends_with(".csv")).collect();
    assert!(logs.len() >= 2, "{help}{refused}");
    for log in logs {
        test.prep(&format!("inspect {log} --turn 12"));
    }
}

fn page_of(pages: &BTreeMap<PathBuf, Vec<u8>>, name: &str) -> String {
    String::from_utf8(pages[Path::new(name)].clone()).unwrap()
}

#[test]
fn manual_pages() {
    let test = CliTest::new();
    test.prep("man pages");
    let pages = test.files("pages");
    for command in commands(&test) {
        let page = page_of(&pages, &format!("prep-{command}.1"));
        assert!(page.contains(".TH prep-") && page.contains("\"prep 0."), "{command}: {page}");
        let help = test.prep(&format!("{command} --help"));
        // Examples keep their line breaks.
        let (_, notes) = page.split_once(".SH NOTES\n.nf\n").unwrap();
        for line in help.lines().filter(|line| line.starts_with("  prep ") && !line.contains('\''))
        {
            let escaped = line.replace('-', "\\-");
            assert!(notes.lines().any(|shown| shown == escaped), "{escaped}: {page}");
        }
        for variable in help.split("[env: ").skip(1).map(|rest| rest.split('=').next().unwrap()) {
            assert!(page.contains(&format!("\\fB{variable}\\fR")), "{variable}: {page}");
        }
    }
    let page = page_of(&pages, "prep.1");
    assert_eq!(page, test.prep("man"));
    assert!(page.contains("Exit codes: 0 done, 1 failed, 2 usage"), "{page}");
    if is_here("man") {
        let mut man = Command::new("man");
        let page = man.arg("-l").arg(test.path("pages/prep-diff.1")).env("MANWIDTH", "80");
        let page = String::from_utf8(page.output().unwrap().stdout).unwrap();
        let example = "  prep diff runs/monday data/processed --top 50    more features";
        assert!(page.lines().any(|shown| shown.trim() == example.trim()), "{page}");
    }
}

/// The completions of bash at the end of a line.
fn offered_by_bash(test: &CliTest, line: &str) -> Vec<String> {
    let script = r#"
        source ./completions
        COMP_LINE=$1; COMP_POINT=${#COMP_LINE}
        read -ra COMP_WORDS <<< "$COMP_LINE"
        [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        # As bash does it: the function that `complete` has for the command, with command, word and
        # the word before.
        declaration=$(complete -p prep)
        [[ $declaration =~ -F\ ([^ ]+) ]] || exit 9
        "${BASH_REMATCH[1]}" prep "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}" 2>/dev/null
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", script, "bash", line]).current_dir(test.path("."));
    let output = bash.output().unwrap();
    assert_ne!(output.status.code(), Some(9), "complete does not know prep");
    String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completions() {
    let test = CliTest::new();
    if !is_here("bash") {
        return;
    }
    test.write("completions", test.prep("completions bash"));
    assert_eq!(offered_by_bash(&test, "prep ing"), ["ingest"]);
    assert_eq!(offered_by_bash(&test, "prep export --split-m"), ["--split-method"]);
    assert_eq!(offered_by_bash(&test, "prep export --split-method "), ["hash", "sklearn"]);
    assert_eq!(offered_by_bash(&test, "prep schema --family no"), ["nobles"]);
    assert_eq!(offered_by_bash(&test, "prep completions z"), ["zsh"]);
    // Nothing is suggested for a number; bash itself completes folders, with slashes.
    test.write("data/raw/1.csv", "");
    assert!(offered_by_bash(&test, "prep export --jobs ").is_empty());
    assert!(offered_by_bash(&test, "prep export --scaler-from da").is_empty());
    assert_eq!(offered_by_bash(&test, "prep export --config comp"), ["completions"]);
    let script = String::from_utf8(test.read("completions")).unwrap();
    let (_, scaler) = script.split_once("--scaler-from)\n").unwrap();
    let (scaler, _) = scaler.split_once(";;").unwrap();
    assert!(scaler.contains("compopt -o plusdirs"), "{scaler}");
}

#[test]
fn zsh_and_fish_completions() {
    let test = CliTest::new();
    for shell in ["zsh", "fish"] {
        let script = test.prep(&format!("completions {shell}"));
        for command in commands(&test) {
            assert!(script.contains(&command), "{shell} does not know {command}");
        }
        test.write(shell, script);
        if is_here(shell) {
            let ran = Command::new(shell).arg("-n").arg(test.path(shell)).output().unwrap();
            assert!(ran.status.success(), "{shell}: {ran:?}");
        }
    }
}

#[test]
fn schema_filters() {
    let test = CliTest::new();
    let names = |arguments: &str| -> Vec<String> {
        let csv = test.prep(&format!("schema --format csv {arguments}"));
        csv.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().to_owned()).collect()
    };
    assert_eq!(names("").len(), FEATURE_COUNT);
    // The counts of the specification.
    for (arguments, columns) in [
        ("--family cards", 4 * 15 * 9),
        ("--family nobles,synergy", 4 * 37 + 4 * 15 * 2),
        ("--normalized", normalized_feature_count()),
        ("--normalized=no", FEATURE_COUNT - normalized_feature_count()),
        ("--base", 422),
        ("*_position_?", 16),
        ("gems_board_*", 6),
        ("gems_board_red player0_vp", 2),
    ] {
        assert_eq!(names(arguments).len(), columns, "{arguments}");
    }
    assert_eq!(names("--search GOLD --family tokens"), ["max_tokens_pile_gold"]);
    assert_eq!(names("player2_card3_distance_total"), ["player2_card3_distance_total"]);

    let json: serde_json::Value =
        serde_json::from_str(&test.prep("schema gems_board_red --json")).unwrap();
    assert_eq!(json[0]["column"], 3);
    assert_eq!(json[0]["meaning"], "red gems on the table");

    for (arguments, said) in [
        ("gems_bord_red", "no column is named gems_bord_red: did you mean gems_board_red?"),
        ("zz*", "no column is named zz*: `prep schema --search TEXT` searches"),
        ("gems_board_red --family cards", "remove a name or one of the flags"),
        ("--heads nobel", "no head is named nobel: did you mean noble?"),
        ("--search zzz", "no name or meaning of a column contains zzz: try another"),
        ("--heads --search zzz", "no head or meaning of a class contains zzz"),
        ("--base --search zzz", "remove a name or one of the flags"),
        ("--normalized no", "no column is named no: write --normalized=no"),
    ] {
        let ran = test.run(&format!("schema {arguments}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{arguments}: {ran:#?}");
        assert!(ran.stderr.contains(said), "{arguments}: {ran:#?}");
    }
}

#[test]
fn schema_heads() {
    let test = CliTest::new();
    let table = test.prep("schema --heads");
    assert_eq!(table.lines().count(), MASK_WIDTH);
    let json: serde_json::Value =
        serde_json::from_str(&test.prep("schema --heads --json")).unwrap();
    for head in Head::ALL {
        let its = json.as_array().unwrap().iter().filter(|class| class["head"] == head.name());
        assert_eq!(its.count(), head.classes(), "{}", head.name());
    }
    let line = test.prep("schema --heads gem_take3 --search green,");
    assert!(line.lines().next().unwrap().ends_with("13  green, red"), "{line}");
}
