//! `augment`: compares rows with reordered slots with the stored rows.
//!
//! Columns are matched only by their names, and legal moves are computed with the plain rules.

use super::{Row, all_rows, epoch, ingested, open, options, try_open};
use crate::support::long_run::times;
use crate::support::plain_rules;
use splendor_prep::dataset::{Dtype, MaskSource, Split};
use splendor_prep::encode::{FEATURES, decode_columns};
use splendor_prep::stream::{Augment, StreamOptions};
use std::collections::{BTreeMap, BTreeSet, HashMap};

fn plain(batch_size: u64) -> StreamOptions {
    let options = StreamOptions { shuffle: false, normalize: false, ..options(Split::Train) };
    StreamOptions { dtype: Dtype::Int8, batch_size, ..options }
}

fn augmented(options: &StreamOptions) -> StreamOptions {
    StreamOptions { augment: Some(Augment::Slots), ..options.clone() }
}

/// The columns by name, and the content of a slot by the prefix of its columns.
struct Names {
    place: HashMap<&'static str, usize>,
    of_slot: HashMap<String, Vec<usize>>,
}

impl Names {
    fn new() -> Names {
        let place = FEATURES.iter().enumerate().map(|(at, feature)| (feature.name.as_str(), at));
        let mut of_slot: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, feature) in FEATURES.iter().enumerate() {
            let name = feature.name.as_str();
            // The position column belongs to the slot, not to its content.
            let is_content = !name.ends_with("_position");
            let words: Vec<&str> = name.split('_').collect();
            let prefix = match words[..] {
                [slot, ..] if slot.starts_with("card") || slot.starts_with("noble") => {
                    slot.to_owned()
                }
                [player, slot, ..]
                    if player.starts_with("player")
                        && ["card", "noble", "reserved"].iter().any(|kind| {
                            slot.strip_prefix(kind).is_some_and(|n| n.parse::<u8>().is_ok())
                        }) =>
                {
                    format!("{player}_{slot}")
                }
                _ => continue,
            };
            if is_content {
                of_slot.entry(prefix).or_default().push(at);
            }
        }
        Names { place: place.collect(), of_slot }
    }

    fn content(&self, row: &Row, slot: &str) -> Vec<u8> {
        self.of_slot[slot].iter().map(|&at| row.features[at]).collect()
    }

    fn value(&self, row: &Row, name: &str) -> usize {
        row.features[self.place[name]].into()
    }

    /// For each slot, the slot from which its content comes; empty slots stay.
    fn order(&self, before: &Row, after: &Row, slots: &[String]) -> Vec<usize> {
        let contents: Vec<_> = slots.iter().map(|slot| self.content(before, slot)).collect();
        let of_slot = |(at, slot): (usize, &String)| {
            let content = self.content(after, slot);
            if content.iter().all(|&value| value == 0) {
                assert!(contents[at] == content);
                return at;
            }
            let from: Vec<_> = (0..slots.len()).filter(|&from| contents[from] == content).collect();
            assert_eq!(from.len(), 1, "{slot}");
            from[0]
        };
        let order: Vec<usize> = slots.iter().enumerate().map(of_slot).collect();
        assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), slots.len());
        order
    }
}

fn slots(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|slot| format!("{prefix}{slot}")).collect()
}

/// Checks a row, and returns the order of its displayed cards.
fn check(names: &Names, before: &Row, after: &Row) -> Vec<usize> {
    let displayed = names.order(before, after, &slots("card", 12));
    let count =
        (0..12).filter(|slot| names.value(before, &format!("card{slot}_level")) > 0).count();
    for (to, &from) in displayed.iter().enumerate() {
        let level = |slot| names.value(before, &format!("card{slot}_level"));
        assert_eq!(level(to), level(from), "levels stay where they are");
    }
    let nobles = names.order(before, after, &slots("noble", 5));
    let reserved: Vec<Vec<usize>> = (0..4)
        .map(|player| names.order(before, after, &slots(&format!("player{player}_reserved"), 3)))
        .collect();
    let players = (2..5).find(|n| names.value(before, &format!("num_players_{n}")) == 1).unwrap();
    let to_move =
        (0..4).find(|n| names.value(before, &format!("current_player_{n}")) == 1).unwrap();

    // order(encode(position)): each column of a slot equals that of its source slot.
    let mut expected = before.features.clone();
    let mut rename = |to: String, from: String| {
        for (&to, &from) in names.of_slot[&to].iter().zip(&names.of_slot[&from]) {
            expected[to] = before.features[from];
        }
    };
    for (to, from) in displayed.iter().enumerate() {
        rename(format!("card{to}"), format!("card{from}"));
    }
    for (to, from) in nobles.iter().enumerate() {
        rename(format!("noble{to}"), format!("noble{from}"));
        for seat in 0..players {
            rename(format!("player{seat}_noble{to}"), format!("player{seat}_noble{from}"));
        }
    }
    for (rotated, reserved) in reserved.iter().enumerate().take(players) {
        for (to, from) in reserved.iter().enumerate() {
            let name = |slot| format!("player{rotated}_reserved{slot}");
            rename(name(to), name(*from));
        }
        // The derived columns number players by seat, and cards without gaps.
        let seat = (to_move + rotated) % players;
        let reachable = |slot: usize| match slot.checked_sub(count) {
            None => displayed[slot],
            Some(place) if place < 3 => count + reserved[place],
            Some(_) => slot,
        };
        for to in 0..15 {
            rename(format!("player{seat}_card{to}"), format!("player{seat}_card{}", reachable(to)));
        }
    }
    for (at, feature) in FEATURES.iter().enumerate() {
        let name = feature.name.as_str();
        assert_eq!(
            after.features[at],
            expected[at],
            "{name} in {:?}",
            (after.game_id, after.row_in_game)
        );
    }

    // Labels and masks.
    let selection: Vec<usize> =
        displayed.iter().copied().chain(reserved[0].iter().map(|place| 12 + place)).collect();
    let label = |head: usize, order: &[usize]| match before.labels[head] {
        -1 => -1,
        label => order.iter().position(|&from| from as i32 == label).unwrap() as i32,
    };
    let mut labels = before.labels.clone();
    labels[1] = label(1, &selection);
    let mut reservation: Vec<usize> = displayed.clone();
    reservation.extend([12, 13, 14]);
    labels[2] = label(2, &reservation);
    labels[5] = label(5, &nobles);
    assert_eq!(after.labels, labels);
    if before.labels[2] == 11 {
        // The twelfth displayed card or the top of deck 1: correct for both.
        assert_eq!((displayed[11], labels[2]), (11, 11));
    }
    let mut masks = before.masks.clone();
    for (to, &from) in selection.iter().enumerate() {
        masks[4 + to] = before.masks[4 + from];
    }
    for (to, &from) in nobles.iter().enumerate() {
        masks[65 + to] = before.masks[65 + from];
    }
    assert_eq!(after.masks, masks);
    let base: Vec<i8> = FEATURES
        .iter()
        .zip(&after.features)
        .filter_map(|(feature, &value)| feature.family.is_base.then_some(value as i8))
        .collect();
    let board = decode_columns(&base, 1).unwrap()[0].unpack();
    let legal = plain_rules::masks(&board);
    let legal = [
        legal.action_type,
        legal.card_selection,
        legal.card_reservation,
        legal.gem_take3,
        legal.gem_take2,
        legal.noble,
        legal.gems_removed,
    ];
    assert_eq!(after.masks, legal.concat(), "the legal moves of the plain rules");

    assert_eq!((after.turn_number, &after.outcome), (before.turn_number, &before.outcome));
    displayed
}

#[test]
fn reordering_commutes_with_encoding() {
    let pairs = times(4_000, 100_000) as usize;
    let test = ingested(24);
    let names = Names::new();
    let options = plain(512);
    let stored = all_rows(&epoch(&mut open(&test, &options)));
    let mut stream = open(&test, &augmented(&options));
    let (mut checked, mut orders) = (0, BTreeMap::<Vec<usize>, u32>::new());
    let (mut class_11, mut reservations) = (0, 0);
    while checked < pairs {
        let rows = all_rows(&epoch(&mut stream));
        assert_eq!(rows.len(), stored.len());
        for (before, after) in stored.iter().zip(&rows) {
            let displayed = check(&names, before, after);
            if displayed[..4].iter().all(|&from| from < 4) {
                *orders.entry(displayed[..4].to_vec()).or_default() += 1;
            }
            class_11 += i32::from(before.labels[2] == 11);
            reservations += i32::from(before.labels[2] >= 0);
            checked += 1;
        }
    }
    assert_eq!(orders.len(), 24, "all orders of a level come up");
    assert!(reservations > class_11, "{reservations} reservations, {class_11} of class 11");
}

#[test]
fn orders_depend_on_seed_epoch_and_row() {
    let test = ingested(6);
    let options = augmented(&StreamOptions { shuffle: true, ..plain(32) });
    let sorted = |options: &StreamOptions, epochs: usize| {
        let mut stream = open(&test, options);
        let mut rows = Vec::new();
        (0..epochs).for_each(|_| rows = all_rows(&epoch(&mut stream)));
        rows.sort_by_key(|row| (row.game_id, row.row_in_game));
        rows
    };
    let first = sorted(&options, 1);
    // A row does not depend on threads, ranks, the size of batches or their order.
    let unshuffled = StreamOptions { shuffle: false, threads: 1, batch_size: 7, ..options.clone() };
    assert!(sorted(&unshuffled, 1) == first);
    let mut of_ranks: Vec<Row> = (0..3)
        .flat_map(|rank| sorted(&StreamOptions { rank, world_size: 3, ..options.clone() }, 1))
        .collect();
    of_ranks.sort_by_key(|row| (row.game_id, row.row_in_game));
    assert!(of_ranks == first);
    // A resumed stream gives the same rows.
    let mut whole = open(&test, &options);
    let rows = all_rows(&epoch(&mut whole));
    let mut state = open(&test, &options).state();
    state.step = 5;
    let mut rest = open(&test, &options);
    rest.load_state(&state).unwrap();
    assert!(all_rows(&epoch(&mut rest)) == rows[5 * 32..]);

    let others = [sorted(&options, 2), sorted(&StreamOptions { seed: 9, ..options.clone() }, 1)];
    for other in others {
        let same = first.iter().zip(&other).filter(|(one, other)| one.features == other.features);
        assert!(same.count() < first.len() / 20);
    }
}

#[test]
fn it_goes_with_other_options() {
    let test = ingested(6);
    let normalized = StreamOptions { shuffle: false, ..options(Split::Train) };
    let stored = all_rows(&epoch(&mut open(&test, &normalized)));
    let rows = all_rows(&epoch(&mut open(&test, &augmented(&normalized))));
    // Columns without slots have the same bits, so the scaler is the same.
    let vp = FEATURES.iter().position(|feature| feature.name.as_str() == "player0_vp").unwrap();
    for (row, stored) in rows.iter().zip(&stored) {
        assert_eq!(row.features[4 * vp..4 * vp + 4], stored.features[4 * vp..4 * vp + 4]);
    }
    let mut all_ones = augmented(&plain(64));
    all_ones.masks = MaskSource::AllOnes;
    let batches = epoch(&mut open(&test, &all_ones));
    assert!(batches.iter().flat_map(|batch| batch.masks.concat()).all(|mask| mask == 1));

    // The state of one is not valid for the other.
    let state = open(&test, &normalized).state();
    let mut other = try_open(&test, &augmented(&normalized)).unwrap();
    let error = other.load_state(&state).unwrap_err().to_string();
    assert!(error.contains("weights and augment"), "{error}");
}
