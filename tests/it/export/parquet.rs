//! `--format parquet`: the same rows as the arrays, in one file per split. Read back with the `parquet`
//! crate, and with Polars, pyarrow and DuckDB if they are installed.

use super::dtypes::float16_value;
use super::{assert_same_files, exported, ingested};
use crate::support::cli::CliTest;
use crate::support::export::{HEADS, SPLITS};
use crate::support::python;
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{DataType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type};
use parquet::file::reader::{FileReader, SerializedFileReader};
use splendor_prep::encode::FEATURE_COUNT;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

const SPLIT: &str = "--split 0.5,0.25,0.25";

struct Table(SerializedFileReader<File>);

impl Table {
    fn open(path: &Path) -> Table {
        Table(SerializedFileReader::new(File::open(path).unwrap()).unwrap())
    }

    /// The number of rows of each row group.
    fn groups(&self) -> Vec<i64> {
        self.0.metadata().row_groups().iter().map(|group| group.num_rows()).collect()
    }

    /// All values of a column, with lists concatenated, and the length of its lists (1 for a column of
    /// numbers). Asserts that there are no NULLs and that all lists have the same length.
    fn read<T: DataType>(&self, column: &str) -> (Vec<T::T>, usize) {
        let columns = self.0.metadata().file_metadata().schema_descr().columns();
        let index = columns.iter().position(|found| found.path().parts()[0] == column).unwrap();
        let is_list = columns[index].max_rep_level() == 1;
        let (mut all, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        for (group, rows) in self.groups().into_iter().enumerate() {
            let group = self.0.get_row_group(group).unwrap();
            let mut reader = get_typed_column_reader::<T>(group.get_column_reader(index).unwrap());
            let levels = is_list.then_some((&mut defined, &mut repeated));
            let (defined, repeated) = levels.unzip();
            reader.read_records(rows as usize, defined, repeated, &mut all).unwrap();
        }
        if !is_list {
            return (all, 1);
        }
        assert!(defined.iter().all(|&level| level == columns[index].max_def_level()));
        let size = repeated.iter().skip(1).position(|&level| level == 0);
        let size = size.map_or(repeated.len(), |at| at + 1);
        assert!(repeated.iter().enumerate().all(|(at, &level)| (level == 0) == (at % size == 0)));
        (all, size)
    }

    fn numbers<T: DataType>(&self, column: &str) -> Vec<T::T> {
        self.read::<T>(column).0
    }
}

#[test]
fn table_equals_arrays() {
    let test = ingested(60);
    let arrays = exported(&test, "arrays", SPLIT);
    let tables = exported(&test, "tables", &format!("--format parquet {SPLIT}"));
    for split in SPLITS {
        let table = Table::open(&tables.folder.join(format!("{split}.parquet")));
        let expected = arrays.features(split);
        let (features, columns) = table.read::<FloatType>("features");
        assert_eq!(columns, FEATURE_COUNT);
        assert!(features.iter().map(|x| x.to_bits()).eq(expected.iter().map(|x| x.to_bits())));
        for (head, classes) in HEADS {
            let labels = table.numbers::<Int32Type>(head);
            assert_eq!(labels, arrays.labels(split, head).to_vec(), "{split} {head}");
            let mask = format!("{head}_mask");
            let (masks, size) = table.read::<Int32Type>(&mask);
            assert_eq!(size, classes);
            let expected = arrays.masks(split, head);
            assert!(masks.into_iter().eq(expected.iter().map(|&x| i32::from(x))), "{split} {mask}");
        }
        let index = arrays.index(split);
        assert_eq!(table.numbers::<Int64Type>("game_id"), index.game_id.to_vec());
        assert_eq!(table.numbers::<Int32Type>("turn_number"), index.turn_number.to_vec());
        assert_eq!(table.numbers::<Int32Type>("row_in_game"), index.row_in_game.to_vec());
        // All row groups but the last are full, so that readers need little memory.
        let groups = table.groups();
        let full = groups.len().saturating_sub(1);
        assert!(groups[..full].iter().all(|&rows| rows == 2_048), "{groups:?}");
    }
    let mut same = arrays.json("manifest.json");
    let mut found = tables.json("manifest.json");
    assert_eq!(found["settings"]["layout"], "parquet");
    for manifest in [&mut same, &mut found] {
        for part in ["export_id", "files"] {
            manifest[part].take();
        }
        manifest["settings"]["layout"].take();
    }
    assert_eq!(found, same, "splits, inputs and scaler are the same");
    for file in ["scaler.npz", "feature_cols.json", "preprocessing_stats.json"] {
        assert!(test.read(format!("tables/{file}")) == test.read(format!("arrays/{file}")));
    }
}

#[test]
fn types_and_base_features() {
    let test = ingested(6);
    let options = "--features base --no-normalize --split 1,0,0";
    let wide = exported(&test, "wide", options);
    exported(&test, "int8", &format!("{options} --dtype int8 --format parquet"));
    exported(&test, "float16", &format!("{options} --dtype float16 --format parquet"));
    let expected = wide.features("train");
    let table = Table::open(&test.path("int8/train.parquet"));
    let (found, columns) = table.read::<Int32Type>("features");
    assert_eq!(columns, 422);
    assert!(found.iter().map(|&x| x as f32).eq(expected.iter().copied()));
    let table = Table::open(&test.path("float16/train.parquet"));
    let found = table.numbers::<FixedLenByteArrayType>("features");
    let bits = found.iter().map(|value| u16::from_le_bytes(value.data().try_into().unwrap()));
    assert!(bits.map(float16_value).eq(expected.iter().map(|&x| f64::from(x))));
    // A split without games is a file without rows.
    let table = Table::open(&test.path("int8/val.parquet"));
    assert_eq!(table.groups().iter().sum::<i64>(), 0);
}

#[test]
fn threads_and_increments_do_not_matter() {
    let test = ingested(20);
    exported(&test, "one", "--format parquet --jobs 1");
    test.prep("ingest raw --cache again.sqlite --max-games 7");
    test.prep("ingest raw --cache again.sqlite");
    test.prep("export --cache again.sqlite --out other --format parquet --jobs 3");
    assert_same_files(&test.files("one"), &test.files("other"));
}

#[test]
fn verify_checks_tables() {
    let test = ingested(12);
    exported(&test, "tables", &format!("--format parquet {SPLIT}"));
    test.prep("verify --export tables");
    let good = test.files("tables");
    let mut bytes = test.read("tables/val.parquet");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    test.write("tables/val.parquet", &bytes);
    fs::remove_file(test.path("tables/test.parquet")).unwrap();
    let ran = test.run("verify --export tables");
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(ran.stdout.contains("test.parquet: is missing"), "{ran:#?}");
    assert!(ran.stdout.contains("val.parquet: does not have the hash"), "{ran:#?}");
    let command = ran.stdout.split('`').find(|part| part.starts_with("prep export")).unwrap();
    assert!(command.contains("--format parquet") && !command.contains("--layout"), "{command}");
    test.prep(command.strip_prefix("prep ").unwrap());
    assert_same_files(&test.files("tables"), &good);

    // A manifest with the hash of another table: the content of the table is checked as well.
    let train = test.read("tables/train.parquet");
    let listed = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let text = String::from_utf8(test.read("tables/manifest.json")).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    manifest["files"]["val.parquet"]["blake3"] = listed(&train).into();
    manifest["files"]["val.parquet"]["bytes"] = train.len().into();
    test.write("tables/val.parquet", &train);
    test.write("tables/manifest.json", manifest.to_string());
    let said = test.run("verify --export tables").stdout;
    assert!(said.contains("val.parquet: features has shape"), "{said}");
    assert!(said.contains("is in val by the index and not by the manifest"), "{said}");
}

#[test]
fn diff_and_scaler_from_tables() {
    let test = ingested(12);
    exported(&test, "tables", "--format parquet");
    exported(&test, "arrays", "--scaler-from tables");
    test.prep("diff tables arrays --max-drift 0.1");
    let ran = test.run("export --format parquet --layout npy");
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(ran.stderr.contains("remove either --layout or --format"), "{ran:#?}");
}

/// Compares tables and arrays in Python.
fn compare_in_python(module: &str, reader: &str) {
    let Some(python) = python::with(&["numpy", module]) else { return };
    let test = ingested(24);
    exported(&test, "arrays", SPLIT);
    exported(&test, "tables", &format!("--format parquet {SPLIT}"));
    let script = format!(
        "import numpy as np\n\
         {reader}\n\
         for split in ('train', 'val', 'test'):\n    \
             column = read(f'tables/{{split}}.parquet')\n    \
             same = lambda a, b: a.dtype == b.dtype and a.shape == b.shape and (a == b).all()\n    \
             assert same(column('features'), np.load(f'arrays/X_{{split}}.npy'))\n    \
             for name, array in np.load(f'arrays/index_{{split}}.npz').items():\n        \
                 assert same(column(name), array), name\n    \
             for name, array in np.load(f'arrays/labels_{{split}}.npz').items():\n        \
                 assert same(column(name), array), name\n    \
             for name, array in np.load(f'arrays/outcome_{{split}}.npz').items():\n        \
                 assert same(column(name), array), name\n    \
             for name, array in np.load(f'arrays/masks_{{split}}.npz').items():\n        \
                 assert same(column(name + '_mask'), array), name\n"
    );
    run(&test, &python, &script);
}

fn run(test: &CliTest, python: &Path, script: &str) {
    let ran = Command::new(python).args(["-c", script]).current_dir(test.path(".")).output();
    let ran = ran.unwrap();
    assert!(ran.status.success(), "{script}\n{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn polars() {
    compare_in_python(
        "polars",
        &format!(
            "import polars as pl\n\
             def read(path):\n    \
                 table = pl.read_parquet(path)\n    \
                 assert table.schema['features'] == pl.Array(pl.Float32, {FEATURE_COUNT})\n    \
                 return lambda name: table[name].to_numpy()"
        ),
    );
}

#[test]
fn pyarrow() {
    compare_in_python(
        "pyarrow",
        "import pyarrow.parquet as pq\n\
         def read(path):\n    \
             table = pq.read_table(path)\n    \
             def column(name):\n        \
                 chunk = table[name].combine_chunks()\n        \
                 if not hasattr(chunk.type, 'list_size'): return chunk.to_numpy()\n        \
                 return chunk.flatten().to_numpy().reshape(-1, chunk.type.list_size)\n    \
             return column",
    );
}

#[test]
fn duckdb() {
    compare_in_python(
        "duckdb",
        "import duckdb\n\
         def read(path):\n    \
             table = duckdb.sql(f\"SELECT * FROM '{path}'\").fetchnumpy()\n    \
             return lambda name: np.array(table[name].tolist(), dtype=\n        \
                 np.float32 if name == 'features' else np.int8 if name.endswith('_mask')\n        \
                 else table[name].dtype)",
    );
}
