//! Faults that are not visible in a single row, planted in simulated games: all are found at the right
//! line, and an independent implementation on the plain columns finds them, too.

use super::{log_of, read};
use crate::support::log_text::LogText;
use crate::support::long_run::times;
use crate::support::plain_replay::first_wrong_line;
use rand_mt::Mt64;
use splendor_prep::gamelog::{Dialect, LoggedAction, write_log};
use splendor_prep::rules::{PlayerCount, for_each_legal_move};
use splendor_prep::simulate::simulate_game;
use std::collections::BTreeSet;

/// A valid log, and data for planting faults.
struct Sound {
    players: PlayerCount,
    seed: u64,
    log: LogText,
    random: Mt64,
}

impl Sound {
    fn below(&mut self, n: usize) -> usize {
        (self.random.next_u64() % n as u64) as usize
    }

    fn last_line(&self) -> usize {
        self.log.lines.len()
    }

    /// A random line from `first` on, except the last `except` lines.
    fn line(&mut self, first: usize, except: usize) -> usize {
        first + self.below(self.last_line() + 1 - except - first)
    }

    fn value(&mut self, line: usize, column: &str) -> i32 {
        self.log.cell(line, column).parse().unwrap_or(0)
    }

    fn add(&mut self, line: usize, column: &str, more: i32) {
        let value = self.value(line, column) + more;
        self.log.set(line, column, &value.to_string());
    }

    fn group(&self, line: usize, prefix: &str) -> Vec<String> {
        self.log.group(prefix).into_iter().map(|at| self.log.lines[line - 1][at].clone()).collect()
    }

    fn set_group(&mut self, line: usize, prefix: &str, values: &[String]) {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        self.log.set_group(line, prefix, &values);
    }

    fn some_player(&mut self) -> usize {
        let players = usize::from(self.players.get());
        self.below(players)
    }

    /// Another game with the same number of players.
    fn other_game(&self) -> LogText {
        log_of(self.players, self.seed + 1_000_000)
    }

    /// All cards that are displayed in a row.
    fn displayed(&self, line: usize) -> Vec<Vec<String>> {
        (0..12).map(|slot| self.group(line, &format!("card{slot}_"))).collect()
    }
}

/// Changes a log and returns the line at which the fault is visible; `None` if it is not possible in
/// this game.
type Plant = fn(&mut Sound) -> Option<usize>;

const KINDS: [(&str, Plant); 18] = [
    ("a row lost", |game| {
        let line = game.line(3, 1);
        game.log.lines.remove(line - 1);
        Some(line)
    }),
    ("the first rows lost", |game| {
        let count = 1 + game.below(9);
        game.log.lines.drain(1..=count);
        Some(2)
    }),
    ("a row written twice", |game| {
        let line = game.line(2, 0);
        let row = game.log.lines[line - 1].clone();
        game.log.lines.insert(line, row);
        Some(line + 1)
    }),
    ("two rows swapped", |game| {
        let line = game.line(2, 1);
        game.log.lines.swap(line - 1, line);
        Some(line)
    }),
    ("every row written twice", |game| {
        let rows = game.log.lines.split_off(1);
        game.log.lines.extend(rows.into_iter().flat_map(|row| [row.clone(), row]));
        Some(3)
    }),
    ("the end of another game", |game| {
        let other = game.other_game();
        let most = game.last_line().min(other.lines.len());
        let line = 3 + game.below(most - 2);
        game.log.lines.truncate(line - 1);
        game.log.lines.extend_from_slice(&other.lines[line - 1..]);
        Some(line)
    }),
    ("a second game behind the first", |game| {
        let other = game.other_game();
        let line = game.last_line() + 1;
        game.log.lines.extend_from_slice(&other.lines[1..]);
        Some(line)
    }),
    ("a turn number too high from some row on", |game| {
        let line = game.line(2, 0);
        for later in line..=game.last_line() {
            game.add(later, "turn_number", 1);
        }
        Some(line)
    }),
    ("points from nowhere", |game| {
        let (line, player, more) = (game.line(2, 0), game.some_player(), 1 + game.below(5));
        game.add(line, &format!("player{player}_vp"), more as i32);
        Some(line)
    }),
    ("a reduction from nowhere", |game| {
        let (line, player) = (game.line(2, 0), game.some_player());
        game.add(line, &format!("player{player}_reduction_green"), 1);
        Some(line)
    }),
    ("a gem that was not taken", |game| {
        let (line, player) = (game.line(3, 0), game.some_player());
        let hand: i32 = game
            .group(line, &format!("player{player}_gems_"))
            .iter()
            .map(|n| n.parse::<i32>().unwrap())
            .sum();
        let gem = ["white", "blue", "green", "red", "black", "gold"][game.below(6)];
        if hand == 10 || game.value(line, &format!("gems_board_{gem}")) == 0 {
            return None;
        }
        game.add(line, &format!("gems_board_{gem}"), -1);
        game.add(line, &format!("player{player}_gems_{gem}"), 1);
        Some(line)
    }),
    ("a noble gone", |game| {
        let line = game.line(2, 0);
        let last =
            (0..5).rfind(|noble| !game.log.cell(line, &format!("noble{noble}_vp")).is_empty())?;
        game.log.clear_group(line, &format!("noble{last}_"));
        Some(line)
    }),
    ("a deck with a card more or less", |game| {
        // The first row of a game may have decks of any size.
        let (line, level) = (game.line(3, 0), 1 + game.below(3));
        let column = format!("deck_level{level}_remaining");
        let change = if game.value(line, &column) == 0 { 1 } else { -1 };
        game.add(line, &column, change);
        Some(line)
    }),
    ("another card on display", |game| {
        let line = game.line(3, 0);
        let (before, now) = (game.displayed(line - 1), game.displayed(line));
        let slot = game.below(12);
        if now[slot][0].is_empty() || !before.contains(&now[slot]) {
            return None;
        }
        let in_game: BTreeSet<_> =
            (2..=game.last_line()).flat_map(|line| game.displayed(line)).collect();
        let other = game.other_game();
        let header = game.log.clone();
        let cards = other.lines[1..].iter().flat_map(|row| {
            let group = |place: usize| header.group(&format!("card{place}_"));
            let cards = (slot / 4 * 4..slot / 4 * 4 + 4).map(move |place| {
                group(place).into_iter().map(|at| row[at].clone()).collect::<Vec<_>>()
            });
            cards.collect::<Vec<_>>()
        });
        let new = cards.into_iter().find(|card| !card[0].is_empty() && !in_game.contains(card))?;
        game.set_group(line, &format!("card{slot}_"), &new);
        Some(line)
    }),
    ("a drawn card that was built before", |game| {
        let line = game.line(3, 0);
        let (before, now) = (game.displayed(line - 1), game.displayed(line));
        let slot = now.iter().position(|card| !card[0].is_empty() && !before.contains(card))?;
        let reserved: Vec<_> = (0..4)
            .flat_map(|player| (0..3).map(move |place| format!("player{player}_reserved{place}_")))
            .collect();
        let in_reserve: Vec<_> = reserved.iter().map(|prefix| game.group(line, prefix)).collect();
        let is_gone = |card: &Vec<String>| {
            !card[0].is_empty()
                && card[1] == now[slot][1]
                && !now.contains(card)
                && !in_reserve.contains(card)
        };
        let gone = (2..line).flat_map(|line| game.displayed(line)).find(is_gone)?;
        let groups = (0..12).map(|slot| format!("card{slot}_")).chain(reserved);
        let groups: Vec<_> = groups.collect();
        for later in line..=game.last_line() {
            for prefix in &groups {
                if game.group(later, prefix) == now[slot] {
                    game.set_group(later, prefix, &gone);
                }
            }
        }
        Some(line)
    }),
    ("a reserved card gone", |game| {
        let line = game.line(3, 0);
        let reserved = (0..4).flat_map(|player| {
            (0..3).rev().map(move |place| format!("player{player}_reserved{place}_"))
        });
        let prefix = reserved.into_iter().find(|prefix| !game.group(line, prefix)[0].is_empty())?;
        game.log.clear_group(line, &prefix);
        Some(line)
    }),
    ("another legal move", |game| {
        let line = game.line(2, 1);
        let turns = simulate_game(game.players, game.seed);
        let turn = &turns[line - 2];
        let net = |action: &LoggedAction| {
            let mut net = action.gems_removed.0.map(|gems| -i32::from(gems));
            for taken in action.gem_take3.iter().chain(&action.gem_take2) {
                net.iter_mut().zip(taken.0).for_each(|(net, taken)| *net += i32::from(taken));
            }
            (action.card_selection, action.card_reservation, action.noble, net)
        };
        let mut others = Vec::new();
        for_each_legal_move(&turn.board, |legal| {
            let action = LoggedAction::of(legal);
            // Two takes with the same resulting gems give the same game.
            if net(&action) != net(&turn.action) {
                others.push(action);
            }
        });
        let count = others.len();
        let action = others.swap_remove((count > 0).then(|| game.below(count))?);
        let mut changed = turn.clone();
        changed.action = action;
        let mut log = Vec::new();
        write_log(&mut log, super::GAME, &[changed], Dialect::Empty).unwrap();
        game.log.lines[line - 1] = LogText::parse(&log).lines.swap_remove(1);
        Some(line + 1)
    }),
    ("a move that cannot be made", |game| {
        let line = game.line(2, 0);
        if !game.group(line, "player0_reserved2_")[0].is_empty() {
            return None;
        }
        game.log.set(line, "action_type", "build");
        game.log.set(line, "card_selection", "14");
        Some(line)
    }),
];

#[test]
fn planted_faults_are_found_at_their_line() {
    for (what, plant) in KINDS {
        let mut planted = 0;
        for seed in 0.. {
            let players = PlayerCount::ALL[seed as usize % 3];
            let random = Mt64::new(seed);
            let mut game = Sound { players, seed, log: log_of(players, seed), random };
            let Some(line) = plant(&mut game) else { continue };
            planted += 1;
            let faults = read(&game.log).replay_faults;
            let found = faults.first().map(|fault| fault.line as usize);
            assert_eq!(found, Some(line), "{what}, seed {seed}: {:?}", faults.first());
            if planted % 5 == 0 {
                assert_eq!(first_wrong_line(&game.log), Some(line), "{what}, seed {seed}");
            }
            if planted == times(20, 200) {
                break;
            }
        }
    }
}
