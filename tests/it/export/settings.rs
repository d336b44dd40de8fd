//! Where ingest and export take their settings from: flags, `PREP_*` variables, the settings file
//! of an old user. How a file is read, and every way of getting one wrong, is in `settings.rs`
//! beside this folder.

use super::splits::hash_split;
use crate::support::cli::CliTest;
use crate::support::export::{Export, HEADS, SPLITS};
use ndarray::Array2;
use std::fs;

/// As it was written for the tools before this one; the last two sections are not ours.
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

/// Twelve games where the old file says, and the file as `prep.yaml`.
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
    assert_eq!(ran.stderr.matches("`preprocessing.merge_strategy` no longer").count(), 1);
    assert!(test.path("scratch/prep.sqlite").exists());

    let ran = test.run("export");
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(ran.stdout.contains("to arrays/v3 in"), "{ran:#?}");
    assert!(ran.stderr.contains("memory at the end"), "{ran:#?}");
    assert_eq!(ran.stderr.matches("`preprocessing.merge_strategy` no longer").count(), 1);
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
    assert_eq!(test.run("status").code, 0, "status finds the same folder and cache");
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

/// Exports with variables and flags, and returns what the manifest says of one setting and
/// where it was written to.
fn setting(test: &CliTest, variables: &[(&str, &str)], flags: &str, name: &str) -> String {
    let output =
        test.command(&format!("export {flags}")).envs(variables.iter().copied()).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let out = stdout.split(" to ").nth(1).unwrap().split(" in ").next().unwrap().to_owned();
    match name {
        "out" => out,
        name => {
            Export { folder: test.path(out) }.json("manifest.json")["settings"][name].to_string()
        }
    }
}

#[test]
fn precedence() {
    let test = old_user();
    test.prep("ingest");
    for (name, in_file, variable, from_variable, flag, from_flag) in [
        ("out", "arrays/v3", ("PREP_PROCESSED_DIR", "arrays/v4"), "arrays/v4", "--out v5", "v5"),
        ("seed", "7", ("PREP_SEED", "8"), "8", "--seed 9", "9"),
        (
            "split",
            "[0.5,0.3,0.2]",
            ("PREP_SPLIT", "0.6,0.2,0.2"),
            "[0.6,0.2,0.2]",
            "--split 1,0,0",
            "[1.0,0.0,0.0]",
        ),
        (
            "split_method",
            "\"hash\"",
            ("PREP_SPLIT_METHOD", "sklearn"),
            "\"sklearn\"",
            "--split-method hash",
            "\"hash\"",
        ),
        (
            "features",
            "\"base\"",
            ("PREP_FEATURES", "all"),
            "\"all\"",
            "--features base",
            "\"base\"",
        ),
        (
            "masks",
            "\"all-ones\"",
            ("PREP_MASKS", "legal"),
            "\"legal\"",
            "--masks all-ones",
            "\"all-ones\"",
        ),
        ("layout", "\"npz\"", ("PREP_LAYOUT", "npy"), "\"npy\"", "--layout npz", "\"npz\""),
        (
            "dtype",
            "\"float32\"",
            ("PREP_DTYPE", "float16"),
            "\"float16\"",
            "--dtype float32",
            "\"float32\"",
        ),
    ] {
        assert_eq!(setting(&test, &[], "", name), in_file, "{name} of the file");
        assert_eq!(setting(&test, &[variable], "", name), from_variable, "{name} of {variable:?}");
        assert_eq!(setting(&test, &[variable], flag, name), from_flag, "{name} of {flag}");
    }
    let unset = [("PREP_CONFIG", "none.yaml")];
    let output = test.command("export").envs(unset).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "a file that is named must be there");
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
    assert!(origin.starts_with("\"fitted in export "), "{origin}");
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
    assert!(reports(None, "export"), "the file asks for it");
    for no in ["0", "false", "no"] {
        assert!(!reports(Some(no), "export"), "the variable is {no}");
    }
    fs::write(test.path("quiet.yaml"), OLD_FILE.replace("memory: true", "memory: false")).unwrap();
    assert!(!reports(None, "export --config quiet.yaml"));
    for yes in ["1", "true", "yes"] {
        assert!(reports(Some(yes), "export --config quiet.yaml"), "the variable is {yes}");
    }
    assert!(reports(Some("0"), "export --config quiet.yaml --monitor-memory"));
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
