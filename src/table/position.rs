//! Prints a position: nobles and cards in rows, then the gems of the bank and of each player in columns.

use super::paint::{BOLD, DIM, letter, of_gem, painted};
use super::words::{card_in_words, points};
use crate::rules::{
    Board, ByColor, Card, Color, DISPLAYED_PER_LEVEL, Gem, HAND_LIMIT, Level, MAX_DISPLAYED,
    MAX_NOBLES, NOBLE_VP, Noble, Player, RotatedIndex,
};
use anstyle::Style;
use std::fmt::Write;

/// Width of the labels before the cards and the columns of gems.
const LABEL: usize = 12;
/// Inner widths of a card and of a noble.
const CARD: usize = 14;
const NOBLE: usize = 10;
/// Width of a column of gems.
const COLUMN: usize = 9;

/// Everything that is visible on the table, in at most 80 columns, with colors.
pub fn position(board: &Board) -> String {
    let mut text = String::new();
    put_nobles(&mut text, board);
    let mut flat_index = board.displayed_cards().count();
    for level in Level::ALL.into_iter().rev() {
        flat_index -= board.displayed[level.index()].len();
        put_level(&mut text, board, level, flat_index);
    }
    text.push('\n');
    put_gem_names(&mut text);
    put_row(&mut text, "  on table", &board.gems.0, "");
    let count = board.player_count();
    for rotated in RotatedIndex::ALL {
        let Some(seat) = rotated.seat(board.to_move, count) else { break };
        put_player(&mut text, &board.players[seat.index()], seat.index(), rotated);
    }
    text
}

/// A card or noble as a box of a given width, with a heading and its cost.
struct Tile {
    /// Text in the upper edge.
    number: String,
    /// Its lines, each with its width in columns.
    lines: Vec<(String, usize)>,
    edge: Style,
}

fn put_nobles(text: &mut String, board: &Board) {
    if board.nobles.is_empty() {
        let _ = writeln!(text, "{:<LABEL$}none left", "nobles");
        return;
    }
    let tile = |(place, noble): (usize, &Noble)| Tile {
        number: place.to_string(),
        lines: vec![cost(&noble.requirement)],
        edge: Style::new(),
    };
    let tiles: Vec<Tile> = board.nobles.iter().enumerate().map(tile).collect();
    let each = format!("{NOBLE_VP} pt each");
    put_tiles(text, &["nobles", &each], &tiles, NOBLE);
}

fn put_level(text: &mut String, board: &Board, level: Level, first: usize) {
    let cards = &board.displayed[level.index()];
    let tile = |slot: usize| match cards.get(slot) {
        Some(card) => Tile {
            number: (first + slot).to_string(),
            lines: vec![heading(card), cost(&card.cost)],
            edge: Style::new(),
        },
        None => {
            let empty = painted("no card", DIM);
            Tile { number: String::new(), lines: vec![(empty, 7), (String::new(), 0)], edge: DIM }
        }
    };
    let tiles: Vec<Tile> = (0..DISPLAYED_PER_LEVEL).map(tile).collect();
    let name = format!("level {}", level.number());
    let deck = format!("{} in deck", board.decks[level.index()]);
    put_tiles(text, &["", &name, &deck], &tiles, CARD);
}

/// Prints tiles side by side, with labels before the lines.
fn put_tiles(text: &mut String, labels: &[&str], tiles: &[Tile], width: usize) {
    let lines = tiles.first().map_or(0, |tile| tile.lines.len());
    for line in 0..lines + 2 {
        let label = labels.get(line).copied().unwrap_or_default();
        let _ = write!(text, "{label:<LABEL$}");
        let parts: Vec<String> = tiles.iter().map(|tile| tile.line(line, width)).collect();
        let _ = writeln!(text, "{}", parts.join(" "));
    }
}

impl Tile {
    fn line(&self, line: usize, width: usize) -> String {
        let side = || painted('│', self.edge);
        match line.checked_sub(1) {
            None => {
                let number = match self.number.as_str() {
                    "" => String::new(),
                    number => format!(" {number} "),
                };
                let rule = "─".repeat(width - 1 - number.chars().count());
                painted(format_args!("╭─{number}{rule}╮"), self.edge)
            }
            Some(line) if line < self.lines.len() => {
                let (words, columns) = &self.lines[line];
                let rest = width.saturating_sub(columns + 1);
                format!("{} {words}{:rest$}{}", side(), "", side())
            }
            Some(_) => painted(format_args!("╰{}╯", "─".repeat(width)), self.edge),
        }
    }
}

/// Points on the left, the bonus color on the right.
fn heading(card: &Card) -> (String, usize) {
    let points = if card.vp > 0 { format!("{} pt", card.vp) } else { String::new() };
    let bonus = format!(" {} ", card.bonus);
    let gap = CARD - 1 - points.len() - bonus.len();
    let bonus = painted(bonus, of_gem(card.bonus.into()));
    (format!("{}{:gap$}{bonus}", painted(&points, BOLD), ""), CARD - 1)
}

/// `3W 2K` with its width.
fn cost(cost: &ByColor<u8>) -> (String, usize) {
    let parts: Vec<String> = cost
        .iter()
        .filter(|&(_, &gems)| gems > 0)
        .map(|(color, gems)| painted(format_args!("{gems}{}", letter(color)), of_gem(color.into())))
        .collect();
    (parts.join(" "), (3 * parts.len()).saturating_sub(1))
}

fn put_gem_names(text: &mut String) {
    let mut line = format!("{:<LABEL$}", "gems");
    for gem in Gem::ALL {
        let letter = Color::ALL.get(gem.index()).map(|&color| letter(color));
        let name = match letter {
            Some(letter) => format!("{letter} {gem}"),
            None => gem.to_string(),
        };
        let _ = write!(line, "{name:>COLUMN$}");
    }
    let _ = writeln!(text, "{}", painted(line, DIM));
}

/// Counts in the columns of their colors; a dot means none.
fn put_row(text: &mut String, label: &str, counts: &[u8], note: &str) {
    let _ = write!(text, "{label:<LABEL$}");
    for (gem, &count) in Gem::ALL.into_iter().zip(counts) {
        // A number is in the middle of three colored cells.
        let cell = match count {
            0 => painted(" · ", DIM),
            count => painted(format_args!("{count:>2} "), of_gem(gem)),
        };
        let _ = write!(text, "{:>1$}{cell}", "", COLUMN - 3);
    }
    if !note.is_empty() {
        let missing = (Gem::COUNT - counts.len()) * COLUMN;
        let _ = write!(text, "{:missing$}  {}", "", painted(note, DIM));
    }
    text.push('\n');
}

fn put_player(text: &mut String, player: &Player, seat: usize, rotated: RotatedIndex) {
    let is_mover = rotated.index() == 0;
    let name = format!("seat {seat}: {}", points(player.vp));
    let to_move = if is_mover { ", to move" } else { "" };
    let columns = format!("(player{}_* in the state columns)", rotated.index());
    let _ = writeln!(text, "\n{}{to_move}  {}", painted(name, BOLD), painted(columns, DIM));
    let held = player.gems.total();
    put_row(text, "  gems", &player.gems.0, &format!("{held} of {HAND_LIMIT}"));
    put_row(
        text,
        "  reduction",
        &player.reduction.0,
        &format!("{} in all", player.reduction.total()),
    );
    for (place, card) in player.reserved.iter().enumerate() {
        // Only the cards of the player to move have a class.
        let number = if is_mover { (MAX_DISPLAYED + place).to_string() } else { "-".to_owned() };
        let (cost, _) = cost(&card.cost);
        let label = if place == 0 { "  reserve" } else { "" };
        let words = card_in_words(card);
        let _ = writeln!(text, "{label:<LABEL$}{number:>4}  {words:<28}{cost}");
    }
}

const _: () = assert!(LABEL + DISPLAYED_PER_LEVEL * (CARD + 3) - 1 <= 80);
const _: () = assert!(LABEL + MAX_NOBLES * (NOBLE + 3) - 1 <= 80);
const _: () = assert!(LABEL + Gem::COUNT * COLUMN + 12 <= 80);
