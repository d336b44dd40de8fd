//! The sources of settings: flags, `PREP_*` variables, and an old settings file. `tests/it/settings.rs`
//! tests reading the file and its errors.

use super::splits::hash_split;
use crate::support::cli::{CliTest, Ran};
use crate::support::export::{Export, HEADS, SPLITS};
use ndarray::Array2;
use std::fs;

/// As written for earlier tools; the last two sections belong to other programs.
const OLD_FILE: &str = "\
# baseline, smaller split
seed: 7
device: cuda

data:
  data_root: logs/selfplay
  processed_dir: arrays/v3
  train_ratio: 0.5
  val_ratio: 0.3
  test_ratio: 0.2

preprocessing:
  num_workers: 2
  batch_size: 5
  use_float32: true
  monitor_memory: true
  intermediate_dir: scratch
  enable_feature_engineering: false
  enable_masking: false
  parallel: true
  verbose: false
  merge_strategy: memory_efficient

model:
  hidden_dims: [512, 256]
  dropout: 0.1

training:
  batch_size: 0
  learning_rate: 1e-3
  seed: not a number
";

/// Twelve games in the folder of the old file, and the file as `prep.yaml`.
fn old_user() -> CliTest {
    let test = CliTest::new();
    test.prep("simulate logs/selfplay --games 12");
    fs::write(test.path("prep.yaml"), OLD_FILE).unwrap();
    test
}

#[test]
fn settings_file_of_an_earlier_tool() {
    let test = old_user();
    let ran = test.run("ingest");
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(ran.stdout.starts_with("12 games encoded (12 new"), "{ran:#?}");
    assert_eq!(ran.stderr.matches("memory after a batch").count(), 2, "{ran:#?}");
    assert!(!ran.stderr.contains("merge_strategy"), "{ran:#?}");
    assert!(test.path("scratch/prep.sqlite").exists());

    let ran = test.run("export");
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(ran.stdout.contains("to arrays/v3 in"), "{ran:#?}");
    assert!(ran.stderr.contains("memory at the end"), "{ran:#?}");
    assert!(!ran.stderr.contains("merge_strategy"), "{ran:#?}");
    assert!(!test.path("data").exists(), "nothing went to the default folders");

    let export = Export { folder: test.path("arrays/v3") };
    for split in SPLITS {
        let features = export.features(split);
        assert_eq!(features.ncols(), 422, "base features");
        for (head, _) in HEADS {
            let masks = export.masks(split, head);
            assert_eq!(masks, Array2::<i8>::ones(masks.dim()), "{split} {head}");
        }
    }
    for game in 1..=12 {
        assert!(export.games(hash_split(game, 7, 0.5, 0.3)).contains(&game), "game {game}");
    }
    let ran = test.run("status");
    assert_eq!(ran.code, 0, "status uses the same folder and cache: {ran:#?}");
    assert_eq!(ran.stderr.matches("`preprocessing.merge_strategy` is obsolete").count(), 1);
    assert_eq!(test.run("status -q").stderr, "");
}

#[test]
fn folder_without_manifest_is_kept() {
    let test = old_user();
    test.prep("ingest");
    fs::create_dir_all(test.path("arrays/v3")).unwrap();
    fs::write(test.path("arrays/v3/X_train.npy"), "of the tool before").unwrap();
    let ran = test.run("export");
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(ran.stderr.contains("arrays/v3 holds X_train.npy, which no export wrote"), "{ran:#?}");
    assert!(fs::read_to_string(test.path("arrays/v3/X_train.npy")).is_ok());
}

/// Exports with variables and flags, and returns a setting of the manifest without quotes and brackets, or the
/// output folder.
fn setting(test: &CliTest, variables: &[(&str, &str)], flags: &str, name: &str) -> String {
    let output = test
        .command(&format!("export --force {flags}"))
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let out = stdout.split(" to ").nth(1).unwrap().split(" in ").next().unwrap().to_owned();
    if name == "out" {
        return out;
    }
    let settings = Export { folder: test.path(out) }.json("manifest.json")["settings"].take();
    settings[name].to_string().trim_matches(['"', '[', ']']).to_owned()
}

/// A flag overrides the variable, which overrides the file. Each row is a setting with its value in the file, the
/// variable, and the flag.
fn check_precedence(test: &CliTest, settings: &[(&str, &str, [&str; 2], [&str; 2])]) {
    for &(name, in_file, [variable, from_variable], [flag, from_flag]) in settings {
        assert_eq!(setting(test, &[], "", name), in_file, "{name} of the file");
        let variable = [(variable, from_variable)];
        assert_eq!(setting(test, &variable, "", name), from_variable, "{variable:?}");
        let flag = format!("{flag} {from_flag}");
        assert_eq!(setting(test, &variable, &flag, name), from_flag, "{variable:?} and {flag}");
    }
}

#[test]
fn precedence() {
    let test = old_user();
    test.prep("ingest");
    check_precedence(
        &test,
        &[
            ("out", "arrays/v3", ["PREP_PROCESSED_DIR", "arrays/v4"], ["--out", "v5"]),
            ("seed", "7", ["PREP_SEED", "8"], ["--seed", "9"]),
            ("split", "0.5,0.3,0.2", ["PREP_SPLIT", "0.6,0.2,0.2"], ["--split", "1.0,0.0,0.0"]),
            ("split_method", "hash", ["PREP_SPLIT_METHOD", "sklearn"], ["--split-method", "hash"]),
            ("features", "base", ["PREP_FEATURES", "all"], ["--features", "base"]),
            ("masks", "all-ones", ["PREP_MASKS", "legal"], ["--masks", "all-ones"]),
            ("layout", "npz", ["PREP_LAYOUT", "npy"], ["--layout", "npz"]),
            ("dtype", "float32", ["PREP_DTYPE", "float16"], ["--dtype", "float32"]),
        ],
    );
    let unset = [("PREP_CONFIG", "none.yaml")];
    let output = test.command("export").envs(unset).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "a named file must exist");
}

/// The old file with additional lines, as `prep.yaml`.
fn with_lines(lines: &str) -> CliTest {
    let test = old_user();
    test.prep("ingest");
    test.write("prep.yaml", format!("{OLD_FILE}{lines}"));
    test
}

#[test]
fn options_in_the_settings_file() {
    let test = with_lines(
        "export:\n  split_method: sklearn\n  dtype: float16\n  no_normalize: yes\n  seed: 11\n  \
         split: 0.6,0.2,0.2\n  replayable_only: false\ningest:\n  keep_missing: true\n",
    );
    check_precedence(
        &test,
        &[
            (
                "split_method",
                "sklearn",
                ["PREP_SPLIT_METHOD", "hash"],
                ["--split-method", "sklearn"],
            ),
            ("dtype", "float16", ["PREP_DTYPE", "int8"], ["--dtype", "float32"]),
            ("seed", "11", ["PREP_SEED", "12"], ["--seed", "13"]),
            ("split", "0.6,0.2,0.2", ["PREP_SPLIT", "1.0,0.0,0.0"], ["--split", "0.5,0.5,0.0"]),
        ],
    );
    for (name, in_file, variable, from_variable, flag, from_flag) in [
        ("normalized", "false", ("PREP_NO_NORMALIZE", "no"), "true", "--no-normalize", "false"),
        (
            "replayable_only",
            "false",
            ("PREP_REPLAYABLE_ONLY", "1"),
            "true",
            "--replayable-only",
            "true",
        ),
    ] {
        assert_eq!(setting(&test, &[], "", name), in_file, "{name} of the file");
        assert_eq!(setting(&test, &[variable], "", name), from_variable, "{name} of {variable:?}");
        assert_eq!(setting(&test, &[variable], flag, name), from_flag, "{name} of {flag}");
    }
    fs::remove_file(test.path("logs/selfplay/2_games/1.csv")).unwrap();
    let said = test.prep("ingest");
    assert!(said.contains("the cache holds 12 games"), "{said}");
}

/// Clap reports conflicts only between flags and variables.
#[test]
fn conflicts_with_the_settings_file() {
    let test = with_lines("export:\n  columns: columns.json\ningest:\n  keep_missing: true\n");
    test.write("columns.json", r#"["turn_number"]"#);
    assert_eq!(setting(&test, &[], "", "features"), "columns");
    assert_eq!(setting(&test, &[], "--features all", "features"), "all");
    assert_eq!(setting(&test, &[("PREP_FEATURES", "base")], "", "features"), "base");

    let ran = test.run("ingest --rebuild");
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(ran.stderr.contains("from all logs, and --keep-missing is set"), "{ran:#?}");
    fs::remove_dir_all(test.path("logs/selfplay/2_games")).unwrap();
    let deleted = test.prep("ingest --allow-delete");
    assert!(!deleted.contains(" 0 deleted"), "{deleted}");

    let test = with_lines("export:\n  features: base\n  columns: columns.json\n");
    let ran = test.run("export");
    let why = "prep.yaml:34:3: `export.columns` cannot be used with `export.features`";
    assert!(ran.code == 1 && ran.complaints().contains(why), "{ran:#?}");
}

#[test]
fn wrong_options_in_the_settings_file() {
    for (lines, message) in [
        (
            "export:\n  dtyp: int8\n",
            "prep.yaml:33:3: unknown key `export.dtyp`; did you mean `dtype`?",
        ),
        (
            "export:\n  zzz: 1\n",
            "prep.yaml:33:3: unknown key `export.zzz`; the keys here are out, ",
        ),
        // Options that differ between machines.
        (
            "export:\n  shard: 1/2\n",
            "prep.yaml:33:3: unknown key `export.shard`; the keys here are ",
        ),
        ("ingest:\n  part: 1/2\n", "prep.yaml:33:3: unknown key `ingest.part`; the keys here are "),
        (
            "export:\n  dtype: double\n",
            "prep.yaml:33:10: invalid value 'double' for '--dtype <DTYPE>'; [possible values: float32, \
             float16, int8]",
        ),
        (
            "export:\n  seed: -1\n",
            "prep.yaml:33:9: invalid value '-1' for '--seed <N>': expected a ",
        ),
        (
            "export:\n  split: [0.8, 0.1, 0.1]\n",
            "prep.yaml:33:10: `export.split` is a list; write the value of the flag",
        ),
        (
            "export:\n  seed: 1\n  seed: 2\n",
            "prep.yaml:34:3: `export.seed` is given twice, first on line 33; keep one of them",
        ),
        ("export: 5\n", "prep.yaml:32:9: expected a section: "),
        (
            "train_ratio: 0.5\n",
            "prep.yaml:32:1: `train_ratio` is a key of `data`; write it below `data:`",
        ),
        (
            "batch_size: 5\n",
            "prep.yaml:32:1: `batch_size` is a key of `preprocessing`; write it below `preprocessing:`",
        ),
    ] {
        let test = with_lines(lines);
        let ran = test.run("export --out new");
        assert_eq!(ran.code, 1, "{lines}: {ran:#?}");
        assert!(ran.complaints().contains(message), "{lines}: {ran:#?}");
        assert!(!test.path("new").exists());
    }
}

#[test]
fn paths_in_the_home_folder() {
    for path in ["~/arrays", "$HOME/arrays", "'${HOME}/arrays'"] {
        let test = CliTest::new();
        test.prep("simulate home/raw --games 8");
        test.write("prep.yaml", format!("data: {{data_root: ~/raw}}\nexport: {{out: {path}}}\n"));
        for arguments in ["ingest", "export"] {
            let ran =
                Ran::from(test.command(arguments).env("HOME", test.path("home")).output().unwrap());
            assert_eq!(ran.code, 0, "{path}: {ran:#?}");
        }
        assert!(test.path("home/arrays/manifest.json").exists(), "{path}");
    }
}

#[test]
fn another_folder_to_run_in() {
    let test = CliTest::new();
    test.prep("simulate here/raw --games 8");
    test.write("here/prep.yaml", "data: {data_root: raw, processed_dir: arrays}\n");
    test.prep("-C here ingest");
    test.prep("export -C here");
    assert!(test.path("here/arrays/manifest.json").exists());
    let ran = test.run("-C nowhere status");
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(ran.stderr.contains("cannot run in the folder nowhere"), "{ran:#?}");
}

#[test]
fn unknown_variables() {
    let test = CliTest::new();
    for (name, advice) in [
        ("PREP_SPLITS", "did you mean `PREP_SPLIT`?"),
        ("PREP_WORKERS", "did you mean `PREP_NUM_WORKERS`?"),
        ("PREP_ZZZ", "known variables are PREP_BATCH_SIZE, "),
    ] {
        let ran = Ran::from(test.command("status").env(name, "1").output().unwrap());
        assert_eq!(ran.code, 2, "{ran:#?}");
        assert!(ran.stderr.contains(&format!("unknown variable {name}; {advice}")), "{ran:#?}");
    }
}

/// Checks the file against the schema like an editor, for the parts of the schema that are used.
#[test]
fn schema_fits_the_default_file() {
    let test = CliTest::new();
    let schema: serde_json::Value = serde_json::from_str(&test.prep("schema --settings")).unwrap();
    let keys = |section: &str| -> Vec<String> {
        let properties = &schema["properties"][section]["properties"];
        properties.as_object().unwrap().keys().cloned().collect()
    };
    let default = include_str!("../../../configs/default.yaml");
    for section in ["data", "preprocessing"] {
        for key in keys(section) {
            assert!(default.contains(&key), "default.yaml has no {section}.{key}");
        }
    }
    for (command, some) in [
        ("export", ["split_method", "scaler_from", "no_normalize"]),
        ("ingest", ["repair", "strict", "keep_missing"]),
    ] {
        let keys = keys(command);
        assert!(some.iter().all(|key| keys.contains(&(*key).to_owned())), "{keys:?}");
        assert!(!keys.contains(&"help".to_owned()) && !keys.contains(&"".to_owned()));
    }
    let dtypes = &schema["properties"]["export"]["properties"]["dtype"]["enum"];
    assert_eq!(dtypes, &serde_json::json!(["float32", "float16", "int8"]));
}

#[test]
fn variables_for_switches() {
    let test = old_user();
    test.prep("ingest");
    let normalized = |value| setting(&test, &[("PREP_NO_NORMALIZE", value)], "", "normalized");
    assert_eq!((normalized("yes").as_str(), normalized("0").as_str()), ("false", "true"));
    let only = |value| setting(&test, &[("PREP_REPLAYABLE_ONLY", value)], "", "replayable_only");
    assert_eq!((only("yes").as_str(), only("0").as_str()), ("true", "false"));
    test.prep("export --out first");
    let origin = setting(&test, &[("PREP_SCALER_FROM", "first")], "", "scaler");
    assert!(origin.starts_with("fitted in export "), "{origin}");
}

#[test]
fn variables_for_folders() {
    let test = old_user();
    test.prep("simulate more --games 3 --first-id 20 --seed 1");
    let ran = |variables: &[(&str, &str)], arguments: &str| {
        let output = test.command(arguments).envs(variables.iter().copied()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let variables = [("PREP_DATA_ROOT", "more"), ("PREP_CACHE", "variable.sqlite")];
    assert!(ran(&variables, "ingest").contains("3 logs of more"));
    assert!(
        ran(&variables, "ingest logs/selfplay --cache flag.sqlite").contains("12 logs of logs")
    );
    for (cache, games) in [("variable.sqlite", 3), ("flag.sqlite", 12)] {
        let arguments = format!("export --cache {cache} --split 1,0,0 --out {games}");
        ran(&variables, &arguments);
        let export = Export { folder: test.path(games.to_string()) };
        assert_eq!(export.games("train").len(), games);
    }
    assert!(!test.path("scratch").exists(), "the cache of the file was not used");
}

#[test]
fn monitor_memory() {
    let test = old_user();
    test.prep("ingest");
    let reports = |variable: Option<&str>, arguments: &str| {
        let mut command = test.command(arguments);
        command.envs(variable.map(|value| ("PREP_MONITOR_MEMORY", value)));
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments} with {variable:?}: {stderr}");
        stderr.contains("memory at the start")
    };
    assert!(reports(None, "export --force"), "the file asks for it");
    for no in ["0", "false", "no"] {
        assert!(!reports(Some(no), "export --force"), "the variable is {no}");
    }
    fs::write(test.path("quiet.yaml"), OLD_FILE.replace("memory: true", "memory: false")).unwrap();
    assert!(!reports(None, "export --force --config quiet.yaml"));
    for yes in ["1", "true", "yes"] {
        assert!(reports(Some(yes), "export --force --config quiet.yaml"), "the variable is {yes}");
    }
    assert!(reports(Some("0"), "export --force --config quiet.yaml --monitor-memory"));
}

#[test]
fn error_in_the_settings_file() {
    let test = old_user();
    test.prep("ingest");
    fs::write(test.path("prep.yaml"), OLD_FILE.replace("val_ratio", "val_ration")).unwrap();
    let ran = test.run("export");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:#?}");
    let sentence = "prep.yaml:9:3: unknown key `data.val_ration`; did you mean `data.val_ratio`?";
    assert!(ran.stderr.contains(sentence), "{ran:#?}");
    assert!(!test.path("arrays").exists());
}
