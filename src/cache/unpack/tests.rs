//! Intact, changed and forged blobs.

use super::super::blob::write_columns;
use super::super::key::GameRecord;
use super::super::tests::game;
use super::*;

#[test]
fn game_unpacks_as_packed() {
    let (packed, rows) = game(7);
    let mut unpacker = Unpacker::new().unwrap();
    // Twice, to check that reused buffers make no difference.
    for _ in 0..2 {
        let unpacked = unpacker.unpack(&packed).unwrap();
        assert!(rows.features().len() > 30);
        assert_eq!(unpacked.turn_numbers(), rows.turn_numbers());
        assert!(unpacked.features() == rows.features());
        assert_eq!(unpacked.labels(), rows.labels());
        assert_eq!(unpacked.masks(), rows.masks());
    }
    let packed_rows = unpacker.unpack_rows(&packed).unwrap();
    assert_eq!(packed_rows, PackedRow::of_game(&rows));
    assert_eq!(unpacker.column_sums(&packed).unwrap(), rows.column_sums());
    assert_eq!(unpacker.all_damage(&packed), []);
}

#[test]
fn every_change_is_detected() {
    let (packed, _) = game(7);
    let mut unpacker = Unpacker::new().unwrap();
    let mut refused = |change: &dyn Fn(&mut PackedGame)| {
        let mut game = packed.clone();
        change(&mut game);
        let refused = matches!(unpacker.unpack(&game), Err(CacheError::Damaged { .. }));
        let rows = unpacker.unpack_rows(&game);
        assert_eq!(matches!(rows, Err(CacheError::Damaged { .. })), refused);
        assert_eq!(game.check().is_err(), refused);
        refused
    };
    assert!(!refused(&|_| {}), "an unchanged game unpacks");
    for blob in Blob::ALL.into_iter().filter(|&blob| blob != Blob::ColumnSums) {
        let at = blob as usize;
        assert!(refused(&|game| game.blobs[at].bytes[9] ^= 1), "{} flipped", blob.name());
        assert!(refused(&|game| game.blobs[at].checksum[0] ^= 1), "{} checksum", blob.name());
        assert!(refused(&|game| _ = game.blobs[at].bytes.pop()), "{} cut", blob.name());
    }
    assert!(refused(&|game| game.blobs.swap(Blob::Labels as usize, Blob::Masks as usize)));
    assert!(refused(&|game| game.record.game_id.0 += 1));
    assert!(refused(&|game| game.record.rows = u32::MAX));
    assert!(refused(&|game| game.record.key.encoder_version += 1));
}

/// Forged rows with valid checksums.
#[test]
fn forged_games_are_damaged() {
    let (packed, rows) = game(7);
    let mut unpacker = Unpacker::new().unwrap();
    let mut refused = |record: GameRecord, blobs| {
        let game = PackedGame::from_blobs(record, blobs);
        let sums = unpacker.column_sums(&game).is_err();
        let refused = unpacker.unpack(&game).is_err();
        assert_eq!(unpacker.unpack_rows(&game).is_err(), refused);
        (refused, sums)
    };
    let record = |rows| GameRecord { rows, ..packed.record.clone() };
    let sound = packed.record.rows;
    assert_eq!(refused(record(sound), packed.blobs()), (false, false));
    for rows in [sound - 1, sound + 1, 1 << 20, u32::MAX] {
        assert!(refused(record(rows), packed.blobs()).0, "{rows} rows");
    }
    let other = GameRecord { players: 4, ..packed.record.clone() };
    assert!(refused(other, packed.blobs()).0, "players");
    let with = |blob: Blob, number: usize, bytes: &[u8]| {
        let mut blobs = packed.blobs();
        let length = blob.bytes(rows.features().len());
        let mut numbers = zstd::bulk::decompress(&blobs[blob as usize], length).unwrap();
        numbers[number * bytes.len()..][..bytes.len()].copy_from_slice(bytes);
        blobs[blob as usize] = zstd::bulk::compress(&numbers, 1).unwrap();
        blobs
    };
    for label in [i32::MIN, -2, 84, i32::MAX] {
        assert!(refused(record(sound), with(Blob::Labels, 3, &label.to_le_bytes())).0, "{label}");
    }
    for mask in [-1, 2, 127_i8] {
        assert!(refused(record(sound), with(Blob::Masks, 3, &mask.to_le_bytes())).0, "{mask}");
    }
    for byte in [0x7f, 0x80] {
        // The highest bytes of the sums come last.
        let last = Blob::ColumnSums.bytes(1) - 1;
        assert!(refused(record(sound), with(Blob::ColumnSums, last, &[byte])).1, "{byte}");
    }
    // A frame whose header claims more content than it has.
    let mut blobs = packed.blobs();
    let long = vec![0; Blob::Features.bytes(1 << 10)];
    blobs[Blob::Features as usize] = zstd::bulk::compress(&long, 1).unwrap();
    blobs[Blob::Features as usize].truncate(12);
    assert!(refused(record(1 << 10), blobs).0);
}

#[test]
fn columns_and_rows_are_reverse() {
    // From no block to several, with widths that are not a multiple of the block size.
    for count in 0..30 {
        let rows: Vec<[u16; 11]> =
            (0..count).map(|row| std::array::from_fn(|column| 100 * row + column as u16)).collect();
        let mut buffer = vec![7];
        let bytes = write_columns(&mut buffer, &rows, u16::to_le_bytes);
        let plain = (0..11).flat_map(|column| rows.iter().map(move |row| row[column]));
        let columns = numbers(bytes, u16::from_le_bytes);
        assert_eq!(columns, plain.collect::<Vec<_>>());
        assert_eq!(rows_of::<_, 11>(&columns, count.into()), rows);
    }
}
