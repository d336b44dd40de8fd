//! Settings files as users have them: the two that are shipped, old ones beside a model and a
//! training section, and every way of getting one wrong. No command is run here.

use proptest::prelude::*;
use splendor_prep::config::{ConfigError, Loaded, Settings};
use splendor_prep::dataset::{FeatureSet, MaskSource, Ratios};
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

fn parse(text: &str) -> Result<Loaded, ConfigError> {
    Settings::parse(text, Path::new("prep.yaml"))
}

fn loaded(text: &str) -> Loaded {
    parse(text).unwrap_or_else(|error| panic!("{error}\nin\n{text}"))
}

#[track_caller]
fn refused(text: &str, message: &str) {
    match parse(text) {
        Ok(loaded) => panic!("{text:?} was taken as {loaded:?}"),
        Err(error) => assert_eq!(error.to_string(), message, "for {text:?}"),
    }
}

fn configs() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("configs")
}

#[test]
fn the_default_file_says_what_the_defaults_are() {
    let loaded = Settings::load(&configs().join("default.yaml")).unwrap();
    assert_eq!(loaded.settings, Settings::default());
    assert_eq!(loaded.notes, [""; 0]);
}

#[test]
fn the_default_file_names_every_key() {
    let text = fs::read_to_string(configs().join("default.yaml")).unwrap();
    for key in [
        "seed",
        "data_root",
        "processed_dir",
        "train_ratio",
        "val_ratio",
        "test_ratio",
        "num_workers",
        "batch_size",
        "use_float32",
        "monitor_memory",
        "intermediate_dir",
        "enable_feature_engineering",
        "enable_masking",
        "parallel",
        "verbose",
        "merge_strategy",
    ] {
        assert!(text.contains(key), "default.yaml does not explain {key}");
    }
}

#[test]
fn the_baseline_differs_in_its_features_alone() {
    let loaded = Settings::load(&configs().join("baseline.yaml")).unwrap();
    let expected = Settings { features: FeatureSet::Base, ..Settings::default() };
    assert_eq!(loaded.settings, expected);
    assert_eq!(loaded.notes, [""; 0]);
}

/// What the training scripts of an old user read from the same file, oddities included: numbers
/// that YAML 1.1 takes for text, doubled keys, keys that are no text, tags and infinities.
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
fn an_old_file_works_unchanged() {
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
        verbose: false,
    };
    assert_eq!(loaded.settings, expected);
    assert_eq!(
        loaded.notes,
        [
            "prep.yaml:21:19: `preprocessing.monitor_memory` is written yes and read as true, but \
             readers of YAML 1.2 take it as text; write true",
            "prep.yaml:27:19: `preprocessing.merge_strategy` no longer has a use: rows are always \
             combined in one way, by game id and then as logged; take the line out",
        ]
    );
}

#[test]
fn nothing_given_is_all_default() {
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
fn each_key_sets_its_field() {
    let default = Settings::default;
    let count = |number| NonZeroUsize::new(number).unwrap();
    for (text, expected) in [
        ("seed: 0", Settings { seed: 0, ..default() }),
        ("seed: 4294967295", Settings { seed: u32::MAX, ..default() }),
        ("seed: 0xff", Settings { seed: 255, ..default() }),
        ("seed: !!int 7", Settings { seed: 7, ..default() }),
        ("data: {data_root: a}", Settings { data_root: "a".into(), ..default() }),
        ("data: {data_root: '~'}", Settings { data_root: "~".into(), ..default() }),
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
fn a_slip_in_a_key_is_refused_and_the_nearest_key_named() {
    for (text, message) in [
        (
            "data:\n  data_rot: x",
            "prep.yaml:2:3: unknown key `data.data_rot`; did you mean `data.data_root`?",
        ),
        (
            "data: {train: 0.8}",
            "prep.yaml:1:8: unknown key `data.train`; did you mean `data.train_ratio`?",
        ),
        (
            "data: {Val_Ratio: 0.1}",
            "prep.yaml:1:8: unknown key `data.Val_Ratio`; did you mean `data.val_ratio`?",
        ),
        (
            "preprocessing:\n\n  workers: 2",
            "prep.yaml:3:3: unknown key `preprocessing.workers`; did you mean `preprocessing.num_workers`?",
        ),
        (
            "preprocessing:\n  enable_features: true",
            "prep.yaml:2:3: unknown key `preprocessing.enable_features`; did you mean `preprocessing.enable_feature_engineering`?",
        ),
        (
            "preprocessing:\n  batchsize: 5",
            "prep.yaml:2:3: unknown key `preprocessing.batchsize`; did you mean `preprocessing.batch_size`?",
        ),
        (
            "preprocessing:\n  seed: 5",
            "prep.yaml:2:3: unknown key `preprocessing.seed`; did you mean `seed`?",
        ),
        (
            "data:\n  intermediate_dir: x",
            "prep.yaml:2:3: unknown key `data.intermediate_dir`; did you mean `preprocessing.intermediate_dir`?",
        ),
        (
            "data:\n  zzz: x",
            "prep.yaml:2:3: unknown key `data.zzz`; the keys here are data_root, processed_dir, train_ratio, val_ratio, test_ratio",
        ),
        ("data:\n  [a, b]: x", "prep.yaml:2:3: unknown key `data.?`; a key here is a single word"),
        (
            "data:\n  <<: 5",
            "prep.yaml:2:3: unknown key `data.<<`; the keys here are data_root, processed_dir, train_ratio, val_ratio, test_ratio",
        ),
        (
            "base: &base\n  shuffle: true\ndata:\n  <<: *base",
            "prep.yaml:2:3: unknown key `data.shuffle`; the keys here are data_root, processed_dir, train_ratio, val_ratio, test_ratio",
        ),
    ] {
        refused(text, message);
    }
}

#[test]
fn a_doubled_key_is_refused() {
    for (text, message) in [
        (
            "seed: 1\nmodel: 2\nseed: 1",
            "prep.yaml:3:1: `seed` is given twice, first on line 1; keep one of them",
        ),
        (
            "data:\n  val_ratio: 0.1\n  \"val_ratio\": 0.1",
            "prep.yaml:3:3: `data.val_ratio` is given twice, first on line 2; keep one of them",
        ),
        (
            "data: {}\n\ndata: {}",
            "prep.yaml:3:1: `data` is given twice, first on line 1; keep one of them",
        ),
    ] {
        refused(text, message);
    }
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    let seed = "a whole number from 0 to 4294967295";
    let ratio = "a number from 0 to 1, such as 0.1";
    let default = "or take the line out for the default";
    for (text, message) in [
        ("seed: abc", format!("prep.yaml:1:7: `seed` is `abc`; write {seed}")),
        ("seed: 4.0", format!("prep.yaml:1:7: `seed` is `4.0`; write {seed}")),
        ("seed: 1e3", format!("prep.yaml:1:7: `seed` is `1e3`; write {seed}")),
        ("seed: '42'", format!("prep.yaml:1:7: `seed` is the quoted text \"42\"; write {seed}")),
        ("seed: !!str 42", format!("prep.yaml:1:13: `seed` is the quoted text \"42\"; write {seed}")),
        ("seed: [1]", format!("prep.yaml:1:7: `seed` is a list; write {seed}")),
        ("seed:", format!("prep.yaml:1:5: `seed` is empty; write {seed}, {default}")),
        ("seed: yes", format!("prep.yaml:1:7: `seed` is `yes`; write {seed}")),
        ("seed: !env SEED", format!("prep.yaml:1:12: `seed` is tagged !env, which means nothing here; write {seed}")),
        ("data: 5", "prep.yaml:1:7: `data` is `5`; write keys there, such as `data_root: data/raw`".to_owned()),
        ("preprocessing:\n  - a", "prep.yaml:2:3: `preprocessing` is a list; write keys there, such as `batch_size: 500`".to_owned()),
        ("data: !include data.yaml", "prep.yaml:1:16: `data` is tagged !include, which means nothing here; write keys there, such as `data_root: data/raw`".to_owned()),
        ("- seed: 1", "prep.yaml:1:1: `top level` is a list; write keys there, such as `seed: 42`".to_owned()),
        ("data:\n  data_root: [a]", "prep.yaml:2:14: `data.data_root` is a list; write the path of a folder".to_owned()),
        ("data:\n  data_root: ''", "prep.yaml:2:14: `data.data_root` is the quoted text \"\"; write the path of a folder".to_owned()),
        ("data:\n  data_root: ~", format!("prep.yaml:2:14: `data.data_root` is empty; write the path of a folder, {default}")),
        ("data:\n  train_ratio: 80%", format!("prep.yaml:2:16: `data.train_ratio` is `80%`; write {ratio}")),
        ("data:\n  train_ratio: .nan", format!("prep.yaml:2:16: `data.train_ratio` is `.nan`; write {ratio}")),
        ("r: &r [1]\ndata:\n  val_ratio: *r", format!("prep.yaml:3:14: `data.val_ratio` is a list; write {ratio}")),
        ("preprocessing:\n  verbose: 1", "prep.yaml:2:12: `preprocessing.verbose` is `1`; write true or false".to_owned()),
        ("preprocessing:\n  verbose: y", "prep.yaml:2:12: `preprocessing.verbose` is `y`; write true or false".to_owned()),
        ("preprocessing:\n  enable_masking: 'false'", "prep.yaml:2:19: `preprocessing.enable_masking` is the quoted text \"false\"; write true or false".to_owned()),
        ("preprocessing:\n  enable_masking:\n", format!("prep.yaml:2:17: `preprocessing.enable_masking` is empty; write true or false, {default}")),
        ("preprocessing:\n  use_float32: maybe", "prep.yaml:2:16: `preprocessing.use_float32` is `maybe`; write true or false".to_owned()),
    ] {
        refused(text, &message);
    }
}

#[test]
fn a_number_out_of_range_is_refused() {
    let seed = "out of range; write a whole number from 0 to 4294967295";
    let ratio = "out of range; write a number from 0 to 1, such as 0.1";
    for (text, message) in [
        ("seed: -1", format!("prep.yaml:1:7: `seed` is -1, which is {seed}")),
        ("seed: 4294967296", format!("prep.yaml:1:7: `seed` is 4294967296, which is {seed}")),
        ("seed: 99999999999999999999", format!("prep.yaml:1:7: `seed` is 99999999999999999999, which is {seed}")),
        ("data:\n  val_ratio: 1.5", format!("prep.yaml:2:14: `data.val_ratio` is 1.5, which is {ratio}")),
        ("data:\n  val_ratio: -0.1", format!("prep.yaml:2:14: `data.val_ratio` is -0.1, which is {ratio}")),
        ("data:\n  val_ratio: 1e999", format!("prep.yaml:2:14: `data.val_ratio` is 1e999, which is {ratio}")),
        ("data:\n  train_ratio: 0.0", "prep.yaml:2:16: `data.train_ratio` is 0.0, which is out of range; write a number above 0, for the scaler is made from these rows".to_owned()),
        ("preprocessing:\n  batch_size: 0", "prep.yaml:2:15: `preprocessing.batch_size` is 0, which is out of range; write a whole number from 1 to 1000000".to_owned()),
        ("preprocessing:\n  num_workers: -1", "prep.yaml:2:16: `preprocessing.num_workers` is -1, which is out of range; write a whole number from 0 to 1024".to_owned()),
        ("preprocessing:\n  num_workers: 1025", "prep.yaml:2:16: `preprocessing.num_workers` is 1025, which is out of range; write a whole number from 0 to 1024".to_owned()),
        ("seed: 012", "prep.yaml:1:7: `seed` is 012, which some YAML readers take as octal and some as decimal; write it without the leading zero".to_owned()),
    ] {
        refused(text, &message);
    }
}

#[test]
fn ratios_that_do_not_sum_to_1_are_refused_at_the_last_of_them() {
    refused(
        "data:\n  train_ratio: 0.8\n  test_ratio: 0.2\n  val_ratio: 0.1\n",
        "prep.yaml:4:14: the ratios 0.8 + 0.1 + 0.2 sum to 1.1, not to 1; change one of them",
    );
    refused(
        "data:\n  train_ratio: 0.7\n",
        "prep.yaml:2:16: the ratios 0.7 + 0.1 + 0.1 sum to 0.9, not to 1; change one of them \
         (a ratio that is not in the file has its default: 0.8, 0.1, 0.1)",
    );
}

#[test]
fn what_is_not_yaml_is_refused_with_its_place() {
    for (text, place) in [
        ("seed: 1\ndata: [\n", "prep.yaml:2:7: not valid YAML: "),
        ("seed: 1\n  data: 2\n", "prep.yaml:2:7: not valid YAML: "),
        ("seed: 1\n---\nseed: 2\n", "prep.yaml:2:1: not valid YAML: a second document"),
        ("seed: *nowhere\n", "prep.yaml:1:7: not valid YAML: "),
    ] {
        let message = parse(text).unwrap_err().to_string();
        assert!(message.starts_with(place), "{text:?} gave {message}");
    }
    let deep = "[".repeat(100_000);
    assert!(parse(&deep).is_err());
}

#[test]
fn spellings_that_readers_take_differently_are_noted() {
    for (text, note) in [
        (
            "data: {train_ratio: 8e-1}",
            "prep.yaml:1:21: `data.train_ratio` is written 8e-1 and read as 0.8, but PyYAML and \
             other readers of YAML 1.1 take it as text; write 0.8",
        ),
        (
            "preprocessing: {batch_size: 1_000}",
            "prep.yaml:1:29: `preprocessing.batch_size` is written 1_000 and read as 1000, but \
             readers of YAML 1.2 take it as text; write 1000",
        ),
        (
            "preprocessing: {parallel: Off}",
            "prep.yaml:1:27: `preprocessing.parallel` is written Off and read as false, but \
             readers of YAML 1.2 take it as text; write false",
        ),
    ] {
        assert_eq!(loaded(text).notes, [note]);
    }
}

#[test]
fn a_key_without_a_use_is_noted_once() {
    assert_eq!(
        loaded("preprocessing:\n  use_float32: false\n").notes,
        ["prep.yaml:2:16: `preprocessing.use_float32` no longer has a use: arrays are always \
          float32, which holds every value exactly, and float64 would double the disk for \
          nothing; take the line out"]
    );
    assert_eq!(loaded("preprocessing:\n  use_float32: true\n").notes, [""; 0]);
    for strategy in ["memory_efficient", "null", "[a]", "12"] {
        let notes = loaded(&format!("preprocessing: {{merge_strategy: {strategy}}}")).notes;
        assert_eq!(notes.len(), 1, "{strategy}: {notes:?}");
    }
}

#[test]
fn a_section_that_looks_like_a_slip_is_noted_and_others_are_not() {
    assert_eq!(
        loaded("preprocesing:\n  batch_size: 5\n").notes,
        ["prep.yaml:1:1: `preprocesing` is not a key of prep and is left alone; if you meant \
          `preprocessing`, correct it"]
    );
    assert_eq!(loaded("preproccesing: {}\n").notes.len(), 1);
    assert_eq!(loaded("Data: {}\n").notes.len(), 1);
    assert_eq!(loaded("Data: {}\ndata: {}\n").notes, [""; 0]);
    assert_eq!(loaded("model: 1\ntraining: 2\npaths: 3\ndataset: 4\n7: 5\n").notes, [""; 0]);
}

#[test]
fn anchors_and_merges_reach_our_keys() {
    let loaded = loaded(
        "share: &share 0.1\n\
         common: &common {val_ratio: *share, test_ratio: 0.5, train_ratio: 0.9}\n\
         more: &more {<<: *common, test_ratio: *share, data_root: merged}\n\
         data:\n  <<: [*more, *common]\n  train_ratio: 0.8\n\
         preprocessing: &self {<<: *self, batch_size: 7}\n",
    );
    let expected = Settings {
        data_root: "merged".into(),
        batch_size: NonZeroUsize::new(7).unwrap(),
        ..Settings::default()
    };
    assert_eq!(loaded.settings, expected);
}

#[test]
fn of_two_merges_the_one_counts_that_pyyaml_obeys() {
    let bases = "a: &a {data_root: a}\nb: &b {data_root: b}\n";
    let root = |data: &str| loaded(&format!("{bases}data: {data}")).settings.data_root;
    assert_eq!(root("{<<: [*a, *b]}"), Path::new("a"));
    assert_eq!(root("{<<: *a, <<: *b}"), Path::new("b"));
}

#[test]
fn a_long_comment_is_no_obstacle() {
    let comment = "  # why\n".repeat(500);
    let text = format!("{comment}data:\n{comment}  {comment}  data_root: x\n{comment}seed: 1\n");
    assert_eq!(loaded(&text).settings.seed, 1);
}

#[test]
fn merges_that_double_at_every_step_end() {
    let mut text = "m0: &m0 {seed: 7}\n".to_owned();
    for step in 1..64 {
        let last = step - 1;
        text += &format!("m{step}: &m{step} {{<<: [*m{last}, *m{last}]}}\n");
    }
    text += "<<: *m63\n";
    assert_eq!(loaded(&text).settings.seed, 7);
}

#[test]
fn a_file_is_found_or_missed_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.yaml");
    let message = Settings::find(Some(&path)).unwrap_err().to_string();
    let shown = path.display();
    assert_eq!(
        message,
        format!(
            "there is no settings file {shown}; give the path of one, or none for the defaults"
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

#[test]
fn every_message_is_one_line_without_a_full_stop() {
    for text in ["seed: -1", "seed: 012", "data: 5", "data: {x: 1}", "seed: [", "seed: 1\nseed: 1"]
    {
        let message = parse(text).unwrap_err().to_string();
        assert!(!message.ends_with('.') && !message.contains('\n'), "{message}");
    }
}

proptest! {
    #[test]
    fn any_text_is_taken_or_refused(text in "\\PC*") {
        let _ = parse(&text);
    }

    /// Text with the marks of YAML and our own words, which gets further than noise does.
    #[test]
    fn text_that_is_nearly_a_settings_file_is_taken_or_refused(
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
    fn a_valid_seed_and_batch_size_come_back(seed: u32, batch in 1_u32..=1_000_000) {
        let text = format!("seed: {seed}\npreprocessing:\n  batch_size: {batch}\n");
        let settings = loaded(&text).settings;
        prop_assert_eq!(settings.seed, seed);
        prop_assert_eq!(settings.batch_size.get(), batch as usize);
    }
}
