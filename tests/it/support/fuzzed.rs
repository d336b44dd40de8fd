//! One function for each kind of external input, which checks the properties that hold for any bytes.
//! The fuzz targets and a regular test share them.

use splendor_prep::cache::{CacheKey, GameRecord, PackedGame, Packer, Unpacker};
use splendor_prep::cli::run_command;
use splendor_prep::config::Settings;
use splendor_prep::encode::EncodedGame;
use splendor_prep::export::{ExportedScaler, diff_exports, verify_export};
use splendor_prep::gamelog::{
    Dialect, GameId, LogError, LogSummary, ReadOptions, Turn, column_names, read_log, write_log,
};
use splendor_prep::progress::Silent;
use splendor_prep::rules::PlayerCount;
use splendor_prep::simulate::simulate_game;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{LazyLock, Mutex};

const GAME_ID: GameId = GameId(7);
const LONGEST_MESSAGE: usize = 2_000;

fn read(bytes: &[u8], repair: bool) -> Result<(Vec<Turn>, LogSummary), LogError> {
    let (mut turns, options) = (Vec::new(), ReadOptions { repair, strict: false });
    let each_turn = |turn: &Turn| turns.push(turn.clone());
    let summary = read_log(bytes, Path::new("7.csv"), GAME_ID, options, each_turn)?;
    Ok((turns, summary))
}

/// A log, or only its rows: with an odd first byte the header is added, which the fuzzer would not find
/// by itself.
///
/// A valid log encodes, and reads the same after it is written in any dialect. An invalid log has an
/// error of one line. A quote in the header, after which the `csv` crate parses the log, changes nothing.
pub(crate) fn log_reader(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    let header = column_names().collect::<Vec<_>>().join(",") + "\n";
    let log = if mode % 2 == 1 { [header.as_bytes(), rest].concat() } else { rest.to_vec() };
    if let Some(rest) = log.strip_prefix(b"game_id,")
        && !log.contains(&b'"')
    {
        let quoted = [b"\"game_id\",", rest].concat();
        assert!([false, true].iter().all(|&repair| read(&log, repair) == read(&quoted, repair)));
    }
    match read(&log, false) {
        Ok((turns, _)) => {
            let mut game = EncodedGame::default();
            turns.iter().for_each(|turn| game.push(turn));
            assert!(!turns.is_empty() && game.features().len() == turns.len());
            for dialect in Dialect::ALL {
                let mut again = Vec::new();
                write_log(&mut again, GAME_ID, &turns, dialect).unwrap();
                assert_eq!(read(&again, false).unwrap().0, turns, "{dialect:?}");
            }
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.starts_with("7.csv") && message.len() < LONGEST_MESSAGE, "{message}");
            assert!(!message.contains('\n'), "{message}");
            let lines = log.split(|byte| b"\r\n".contains(byte)).count() as u64;
            assert!(error.line.is_none_or(|line| (1..=lines).contains(&line)), "{message}");
        }
    }
}

/// A blob of a game with a valid checksum: the kind of blob, the number of rows, then the bytes. If the
/// highest bit of the first byte is set, it is a valid blob with changes of some numbers: four bytes
/// each for the position and the value.
///
/// It unpacks to that number of valid positions, or is reported as damaged.
pub(crate) fn blob_decoder(data: &[u8]) {
    static GOOD: LazyLock<PackedGame> = LazyLock::new(packed_game);
    let [which, rows, blob @ ..] = data else { return };
    let mut rows = u32::from(*rows) + 1;
    let mut blobs = GOOD.blobs();
    let has_edits = which & 0x80 != 0;
    let which = usize::from(which & 0x7f) % blobs.len();
    blobs[which] = if has_edits {
        rows = GOOD.record.rows;
        edited(&blobs[which], blob)
    } else {
        blob.to_vec()
    };
    let game = PackedGame::from_blobs(GameRecord { rows, ..GOOD.record.clone() }, blobs);
    let mut unpacker = Unpacker::new().unwrap();
    let Ok(unpacked) = unpacker.unpack(&game) else { return };
    let rows = rows as usize;
    assert_eq!(unpacked.turn_numbers().len(), rows);
    assert_eq!(unpacked.labels().len(), rows);
    assert_eq!(unpacked.masks().len(), rows);
    assert_eq!(unpacked.boards().len(), rows);
    assert_eq!(unpacked.features().len(), rows);
}

fn edited(blob: &[u8], edits: &[u8]) -> Vec<u8> {
    const MOST_BYTES: usize = 1 << 20;
    let mut numbers = zstd::bulk::decompress(blob, MOST_BYTES).unwrap();
    for &[low, middle, high, value] in edits.as_chunks().0 {
        let place = u32::from_le_bytes([low, middle, high, 0]) as usize;
        let length = numbers.len();
        numbers[place % length] = value;
    }
    zstd::bulk::compress(&numbers, 1).unwrap()
}

fn packed_game() -> PackedGame {
    let turns = simulate_game(PlayerCount::Two, 1);
    let mut game = EncodedGame::default();
    turns.iter().for_each(|turn| game.push(turn));
    let record = GameRecord {
        game_id: GAME_ID,
        source_path: "2_games/7.csv".into(),
        source_bytes: 3,
        key: CacheKey::now(b"log", ReadOptions::default()),
        rows: turns.len() as u32,
        players: 2,
        gem_fault_rows: 0,
        unbalanced_rows: 0,
        play: None,
    };
    Packer::new().unwrap().pack(record, &game).unwrap()
}

/// A settings file.
///
/// It is read, or its error has file and line.
pub(crate) fn settings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Settings::parse(text, Path::new("prep.yaml")) {
        Ok(loaded) => {
            let ratios = loaded.settings.ratios;
            let sum: f64 = ratios.parts().iter().sum();
            assert!((sum - 1.0).abs() < 1e-6, "{ratios:?}");
            assert!(loaded.notes.iter().all(|note| note.starts_with("prep.yaml:")));
        }
        Err(error) => assert!(error.to_string().starts_with("prep.yaml:"), "{error}"),
    }
}

/// The files of an export that prep reads.
const EXPORTED: [&str; 7] = [
    "manifest.json",
    "scaler.npz",
    "preprocessing_stats.json",
    "feature_cols.json",
    "X_val.npy",
    "index_val.npz",
    "labels_val.npz",
];

/// A file of an export: the kind, then its bytes. If the highest bit of the first byte is set, it is the
/// valid file with changes of some bytes: four bytes each for the position and the value.
///
/// Every reader of the export succeeds, or has an error of one line.
pub(crate) fn exported_file(data: &[u8]) {
    static EXPORTS: LazyLock<Mutex<Exports>> = LazyLock::new(|| Mutex::new(Exports::make()));
    let [which, content @ ..] = data else { return };
    let exports = EXPORTS.lock().unwrap();
    let name = EXPORTED[usize::from(which & 0x7f) % EXPORTED.len()];
    let good = &exports.files[name];
    let mut bytes = content.to_vec();
    if which & 0x80 != 0 {
        bytes.clone_from(good);
        for &[low, middle, high, value] in content.as_chunks().0 {
            let place = u32::from_le_bytes([low, middle, high, 0]) as usize;
            let length = bytes.len();
            bytes[place % length] = value;
        }
    }
    let (sound, changed) = (exports.folder.path().join("sound"), exports.folder.path().join("out"));
    fs::write(changed.join(name), bytes).unwrap();
    let mut said = Vec::new();
    match verify_export(&changed, &Silent, &AtomicBool::new(false)) {
        Ok(found) => said.extend(found.faults.into_iter().map(|fault| fault.what)),
        Err(error) => said.push(error.to_string()),
    }
    said.extend(ExportedScaler::load(&changed).err().map(|error| error.to_string()));
    match diff_exports(&sound, &changed) {
        Ok(diff) => said.extend(diff.remarks),
        Err(error) => said.push(error.to_string()),
    }
    for sentence in said {
        assert!(!sentence.contains('\n') && sentence.len() < LONGEST_MESSAGE, "{sentence}");
    }
    fs::write(changed.join(name), good).unwrap();
}

/// An export of three games in `sound`, and a copy in `out` for changes.
struct Exports {
    folder: tempfile::TempDir,
    files: BTreeMap<&'static str, Vec<u8>>,
}

impl Exports {
    fn make() -> Exports {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).into_os_string();
        let run = |words: &[&str], paths: &[&str]| {
            let words = words.iter().map(Into::into);
            let paths = paths.iter().map(|name| path(name));
            let cache = ["--cache".into(), path("c.sqlite"), "-q".into()];
            assert_eq!(
                run_command(["prep".into()].into_iter().chain(words).chain(paths).chain(cache)),
                0
            );
        };
        run(&["simulate", "--games", "3"], &["raw"]);
        run(&["ingest"], &["raw"]);
        for out in ["sound", "out"] {
            run(
                &["export", "--split", "0.4,0.3,0.3", "--split-method", "sklearn", "--out"],
                &[out],
            );
        }
        let read = |name| (name, fs::read(folder.path().join("out").join(name)).unwrap());
        let files = EXPORTED.into_iter().map(read).collect();
        Exports { folder, files }
    }
}
