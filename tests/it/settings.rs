//! Settings files: the two shipped ones, old ones with sections for a model and training, and every kind
//! of error. No command is run here.

use proptest::prelude::*;
use splendor_prep::config::{ConfigError, Loaded, Settings};
use splendor_prep::dataset::{FeatureSet, MaskSource, Ratios, SplitMethod};
use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

fn parse(text: &str) -> Result<Loaded, ConfigError> {
    Settings::parse(text, Path::new("prep.yaml"))
}

fn loaded(text: &str) -> Loaded {
    parse(text).unwrap_or_else(|error| panic!("{error}\nin\n{text}"))
}

/// The messages about each text: its notes, or the error, which has one line and no full stop.
fn messages(texts: &[&str]) -> String {
    let mut messages = String::new();
    for text in texts {
        let said = match parse(text) {
            Ok(loaded) => [loaded.notes, loaded.without_use].concat(),
            Err(error) => vec![error.to_string()],
        };
        let _ = writeln!(messages, "{text:?}");
        for line in said {
            assert!(!line.contains('\n') && !line.ends_with('.'), "{line}");
            let _ = writeln!(messages, "    {line}");
        }
    }
    messages
}

/// `configs/default.yaml` explains every key with its default, `configs/baseline.yaml` chooses the
/// base features.
#[test]
fn shipped_files() {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let default = Settings::load(&configs.join("default.yaml")).unwrap();
    assert_eq!((default.settings, default.notes), (Settings::default(), Vec::new()));
    let text = fs::read_to_string(configs.join("default.yaml")).unwrap();
    let known = parse("data: {zzz: 1}").unwrap_err().to_string()
        + ", "
        + &parse("preprocessing: {zzz: 1}").unwrap_err().to_string();
    let keys: Vec<&str> = known.split([' ', ',']).filter(|word| word.contains('_')).collect();
    assert!(keys.len() >= 12, "{known}");
    for key in keys {
        assert!(text.contains(key), "default.yaml does not explain {key}");
    }

    let baseline = Settings::load(&configs.join("baseline.yaml")).unwrap();
    let expected = Settings { features: FeatureSet::Base, ..Settings::default() };
    assert_eq!((baseline.settings, baseline.notes), (expected, Vec::new()));
}

/// An old file that training scripts read, too, with unusual YAML: numbers that YAML 1.1 treats as text,
/// repeated keys, keys that are not text, tags and infinities.
const OLD_FILE: &str = "\
# experiment 14, wide heads
project: splendor-imitation
seed: 1234
device: cuda
learning_rates: &rates [1e-3, 3e-4, 012, 1_000]

defaults: &paths
  data_root: /srv/splendor/raw

data:
  <<: *paths
  processed_dir: data/processed_v3
  train_ratio: 0.7
  val_ratio: 0.15
  test_ratio: 0.15

preprocessing:
  num_workers: 8
  batch_size: 1000
  use_float32: true
  monitor_memory: yes
  intermediate_dir: 'data/intermediate'
  enable_feature_engineering: True
  enable_masking: true
  parallel: true
  verbose: False
  merge_strategy: memory_efficient

model: &model
  hidden: [512, [256, 256], {size: 128, act: relu}]
  heads: {action_type: 4, card: 15}
  dropout: .1
  dropout: 0.2
  clip: .inf
  floor: -1e999
  note: |
    batch_size: 0 in here is text
  started: !!timestamp 2024-05-01
  layers: !!python/tuple [1, 2]
  1: one
  null: nothing
  [a, b]: pair

training:
  <<: *model
  learning_rate: 1e-3
  batch_size: 0
  seed: -1
  nesterov: off
  schedule: *rates
  nesterov: on
  train_ratio: 17
";

#[test]
fn old_file_works_unchanged() {
    let loaded = loaded(OLD_FILE);
    let expected = Settings {
        seed: 1234,
        data_root: "/srv/splendor/raw".into(),
        processed_dir: "data/processed_v3".into(),
        ratios: Ratios::new(0.7, 0.15, 0.15).unwrap(),
        num_workers: NonZeroUsize::new(8),
        batch_size: NonZeroUsize::new(1000).unwrap(),
        monitor_memory: true,
        intermediate_dir: "data/intermediate".into(),
        features: FeatureSet::All,
        masks: MaskSource::Legal,
        split_method: SplitMethod::Hash,
        verbose: false,
    };
    assert_eq!(loaded.settings, expected);
    insta::assert_snapshot!([loaded.notes, loaded.without_use].concat().join("\n"));
}

#[test]
fn empty_is_default() {
    for text in [
        "",
        "\n",
        "# only a comment\n",
        "---\n",
        "null\n",
        "{}",
        "data:\npreprocessing:\n",
        "data: ~\npreprocessing: null\n",
        "data: {}\npreprocessing: {}\n",
        "model: {a: 1}\n",
        "\u{feff}seed: 42\r\ndata:\r\n",
        "preprocessing:\n  num_workers: null\n",
        "preprocessing: {num_workers: 0}\n",
        "preprocessing: {num_workers: }\n",
    ] {
        let loaded = loaded(text);
        assert_eq!(loaded.settings, Settings::default(), "{text:?}");
        assert_eq!(loaded.notes, [""; 0], "{text:?}");
    }
}

#[test]
fn each_key() {
    let default = Settings::default;
    let count = |number| NonZeroUsize::new(number).unwrap();
    for (text, expected) in [
        ("seed: 0", Settings { seed: 0, ..default() }),
        ("seed: 4294967295", Settings { seed: u32::MAX, ..default() }),
        ("seed: 0xff", Settings { seed: 255, ..default() }),
        ("seed: !!int 7", Settings { seed: 7, ..default() }),
        ("data: {data_root: a}", Settings { data_root: "a".into(), ..default() }),
        ("data: {data_root: 2024}", Settings { data_root: "2024".into(), ..default() }),
        ("data: {processed_dir: \"b c\"}", Settings { processed_dir: "b c".into(), ..default() }),
        (
            "data: {train_ratio: 1, val_ratio: 0, test_ratio: 0}",
            Settings { ratios: Ratios::new(1.0, 0.0, 0.0).unwrap(), ..default() },
        ),
        (
            "data: {train_ratio: 0.9, val_ratio: 0}",
            Settings { ratios: Ratios::new(0.9, 0.0, 0.1).unwrap(), ..default() },
        ),
        (
            "data: {split_method: sklearn}",
            Settings { split_method: SplitMethod::Sklearn, ..default() },
        ),
        ("preprocessing: {num_workers: 3}", Settings { num_workers: Some(count(3)), ..default() }),
        ("preprocessing: {batch_size: 1}", Settings { batch_size: count(1), ..default() }),
        ("preprocessing: {monitor_memory: true}", Settings { monitor_memory: true, ..default() }),
        (
            "preprocessing: {intermediate_dir: c}",
            Settings { intermediate_dir: "c".into(), ..default() },
        ),
        (
            "preprocessing: {enable_feature_engineering: false}",
            Settings { features: FeatureSet::Base, ..default() },
        ),
        (
            "preprocessing: {enable_masking: false}",
            Settings { masks: MaskSource::AllOnes, ..default() },
        ),
        ("preprocessing: {verbose: true}", Settings { verbose: true, ..default() }),
        ("preprocessing: {parallel: true}", default()),
        ("preprocessing: {parallel: false}", Settings { num_workers: Some(count(1)), ..default() }),
        (
            "preprocessing: {parallel: false, num_workers: 8}",
            Settings { num_workers: Some(count(1)), ..default() },
        ),
    ] {
        let loaded = loaded(text);
        assert_eq!(loaded.settings, expected, "{text}");
        assert_eq!(loaded.notes, [""; 0], "{text}");
    }
}

#[test]
fn unknown_keys() {
    insta::assert_snapshot!(messages(&[
        "data:\n  data_rot: x",
        "data: {train: 0.8}",
        "data: {Val_Ratio: 0.1}",
        "preprocessing:\n\n  workers: 2",
        "preprocessing:\n  enable_features: true",
        "preprocessing:\n  batchsize: 5",
        "preprocessing:\n  seed: 5",
        "data:\n  intermediate_dir: x",
        "data:\n  zzz: x",
        "data:\n  7: x",
        "data:\n  [a, b]: x",
        "data:\n  <<: 5",
        "base: &base\n  shuffle: true\ndata:\n  <<: *base",
    ]));
}

#[test]
fn repeated_keys() {
    insta::assert_snapshot!(messages(&[
        "seed: 1\nmodel: 2\nseed: 1",
        "data:\n  val_ratio: 0.1\n  \"val_ratio\": 0.1",
        "data: {}\n\ndata: {}",
    ]));
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(messages(&[
        "seed: abc",
        "seed: 4.0",
        "seed: 1e3",
        "seed: '42'",
        "seed: !!str 42",
        "seed: [1]",
        "seed:",
        "seed: yes",
        "seed: !env SEED",
        "data: 5",
        "preprocessing:\n  - a",
        "data: !include data.yaml",
        "- seed: 1",
        "data:\n  data_root: [a]",
        "data:\n  data_root: ''",
        "data:\n  data_root: ~",
        "data:\n  train_ratio: 80%",
        "data:\n  train_ratio: .nan",
        "r: &r [1]\ndata:\n  val_ratio: *r",
        "preprocessing:\n  verbose: 1",
        "preprocessing:\n  verbose: y",
        "preprocessing:\n  enable_masking: 'false'",
        "preprocessing:\n  enable_masking:\n",
        "preprocessing:\n  use_float32: maybe",
    ]));
}

#[test]
fn numbers_out_of_range() {
    insta::assert_snapshot!(messages(&[
        "seed: -1",
        "seed: 4294967296",
        "seed: 99999999999999999999",
        "seed: 012",
        "data:\n  val_ratio: 1.5",
        "data:\n  val_ratio: -0.1",
        "data:\n  val_ratio: 1e999",
        "data:\n  train_ratio: 0.0",
        "preprocessing:\n  batch_size: 0",
        "preprocessing:\n  num_workers: -1",
        "preprocessing:\n  num_workers: 1025",
    ]));
}

#[test]
fn ratios_sum_to_one() {
    insta::assert_snapshot!(messages(&[
        "data:\n  train_ratio: 0.8\n  test_ratio: 0.2\n  val_ratio: 0.1\n",
        "data:\n  train_ratio: 0.7\n",
    ]));
}

#[test]
fn invalid_yaml() {
    insta::assert_snapshot!(messages(&[
        "seed: 1\ndata: [\n",
        "model: [\n",
        "seed: 1\n  data: 2\n",
        "seed: 1\n---\nseed: 2\n",
        "seed: *nowhere\n",
        "data:\n\tdata_root: raw\n",
    ]));
    assert!(parse(&"[".repeat(100_000)).is_err());
}

#[test]
fn notes() {
    insta::assert_snapshot!(messages(&[
        "data: {train_ratio: 8e-1}",
        "preprocessing: {batch_size: 1_000}",
        "preprocessing: {parallel: Off}",
        "preprocessing:\n  use_float32: false\n",
        "preprocessing:\n  use_float32: true\n",
        "preprocessing: {merge_strategy: memory_efficient}",
        "preprocessing: {merge_strategy: null}",
        "preprocessing: {merge_strategy: [a]}",
        "preprocesing:\n  batch_size: 5\n",
        "preproccesing: {}\n",
        "Data: {}\n",
        "Data: {}\ndata: {}\n",
        "model: 1\ntraining: 2\npaths: 3\ndataset: 4\n7: 5\n",
    ]));
}

#[test]
fn anchors_and_merge_keys() {
    let loaded = loaded(
        "share: &share 0.1\n\
         common: &common {val_ratio: *share, test_ratio: 0.5, train_ratio: 0.9}\n\
         more: &more {<<: *common, test_ratio: *share, data_root: merged}\n\
         data:\n  <<: [*more, *common]\n  train_ratio: 0.8\n\
         preprocessing: {batch_size: 7}\n",
    );
    let expected = Settings {
        data_root: "merged".into(),
        batch_size: NonZeroUsize::new(7).unwrap(),
        ..Settings::default()
    };
    assert_eq!(loaded.settings, expected);
}

#[test]
fn long_comments() {
    let comment = "  # why\n".repeat(500);
    let text = format!("{comment}data:\n{comment}  {comment}  data_root: x\n{comment}seed: 1\n");
    assert_eq!(loaded(&text).settings.seed, 1);
}

/// Sixty-four levels would give 2^64 values if each merge were copied.
#[test]
fn merge_bomb_ends() {
    let mut text = "m0: &m0 {seed: 7}\n".to_owned();
    for step in 1..64 {
        let last = step - 1;
        text += &format!("m{step}: &m{step} {{<<: [*m{last}, *m{last}]}}\n");
    }
    assert!(parse(&text).unwrap_err().to_string().contains("not valid YAML: "));
}

#[test]
fn named_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.yaml");
    let message = Settings::find(Some(&path)).unwrap_err().to_string();
    let shown = path.display();
    assert_eq!(
        message,
        format!(
            "there is no settings file {shown}; give another path, or remove the option to use the defaults"
        )
    );

    fs::write(&path, "seed: 9\n").unwrap();
    let loaded = Settings::find(Some(&path)).unwrap();
    assert_eq!((loaded.settings.seed, loaded.file.as_deref()), (9, Some(path.as_path())));

    fs::write(&path, b"# caf\xe9\n").unwrap();
    assert_eq!(
        Settings::load(&path).unwrap_err().to_string(),
        format!("{shown}:1:6: not UTF-8 text; save the file as UTF-8")
    );
    assert!(matches!(Settings::load(folder.path()), Err(ConfigError::Unreadable { .. })));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        let _ = parse(&text);
    }

    /// Random text with YAML syntax and the keys of prep, which passes more checks than random bytes.
    #[test]
    fn yaml_like_text_is_read_or_refused(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "seed", "data", "preprocessing", "train_ratio", "batch_size", "num_workers",
                "verbose", "<<", ": ", ":", "\n", "\n  ", "\n    ", "- ", "[", "]", "{", "}", ", ",
                "&a ", "*a", "!t ", "!!str ", "|\n", ">-\n", "'", "\"", "#", "0", "-1", "1e3",
                "0.8", "012", "yes", "null", "~", "\u{feff}", "é", "\t", "---\n", "...\n", "? ",
            ]),
            0..40,
        ),
    ) {
        let _ = parse(&words.concat());
    }

    #[test]
    fn numbers_round_trip(seed: u32, batch in 1_u32..=1_000_000) {
        let text = format!("seed: {seed}\npreprocessing:\n  batch_size: {batch}\n");
        let settings = loaded(&text).settings;
        prop_assert_eq!(settings.seed, seed);
        prop_assert_eq!(settings.batch_size.get(), batch as usize);
    }
}
