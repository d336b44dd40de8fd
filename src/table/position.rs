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
/// Below this width, labels are above the cards, and columns of gems are narrow.
const WIDE: usize = 80;
/// Width of a narrow layout.
const NARROW: usize = 40;
/// Inner widths of a card and of a noble.
const CARD: usize = 14;
const NOBLE: usize = 10;
/// Width of a column of gems, and in a narrow layout.
const COLUMN: usize = 9;
const NARROW_COLUMN: usize = 4;

/// Everything that is visible on the table, with colors, in at most 80 columns, or in at most 40 if `width` is less
/// than 80.
pub fn position(board: &Board, width: usize) -> String {
    let mut page = Page { text: String::new(), is_narrow: width < WIDE };
    page.put_nobles(board);
    let mut flat_index = board.displayed_cards().count();
    for level in Level::ALL.into_iter().rev() {
        flat_index -= board.displayed[level.index()].len();
        page.put_level(board, level, flat_index);
    }
    page.text.push('\n');
    page.put_gem_names();
    page.put_row("  on table", &board.gems.0, "");
    let count = board.player_count();
    for rotated in RotatedIndex::ALL {
        let Some(seat) = rotated.seat(board.to_move, count) else { break };
        page.put_player(&board.players[seat.index()], seat.index(), rotated);
    }
    page.text
}

/// A position that is being printed.
struct Page {
    text: String,
    is_narrow: bool,
}

impl Page {
    fn put_nobles(&mut self, board: &Board) {
        if board.nobles.is_empty() {
            let _ = writeln!(self.text, "{:<LABEL$}none left", "nobles");
            return;
        }
        let tile = |(place, noble): (usize, &Noble)| Tile {
            number: place.to_string(),
            lines: vec![cost(&noble.requirement)],
            edge: Style::new(),
        };
        let tiles: Vec<Tile> = board.nobles.iter().enumerate().map(tile).collect();
        let each = format!("{NOBLE_VP} pt each");
        self.put_tiles(&["nobles", &each], &tiles, NOBLE);
    }

    fn put_level(&mut self, board: &Board, level: Level, first: usize) {
        let cards = &board.displayed[level.index()];
        let tile = |slot: usize| match cards.get(slot) {
            Some(card) => Tile {
                number: (first + slot).to_string(),
                lines: vec![heading(card), cost(&card.cost)],
                edge: Style::new(),
            },
            None => {
                let empty = painted("no card", DIM);
                Tile {
                    number: String::new(),
                    lines: vec![(empty, 7), (String::new(), 0)],
                    edge: DIM,
                }
            }
        };
        let tiles: Vec<Tile> = (0..DISPLAYED_PER_LEVEL).map(tile).collect();
        let name = format!("level {}", level.number());
        let deck = format!("{} in deck", board.decks[level.index()]);
        self.put_tiles(&["", &name, &deck], &tiles, CARD);
    }

    /// Prints tiles side by side, with labels before the lines, or above them.
    fn put_tiles(&mut self, labels: &[&str], tiles: &[Tile], width: usize) {
        let tiles_per_line = match self.is_narrow {
            true => (NARROW + 1) / (width + 3),
            false => tiles.len(),
        };
        if self.is_narrow {
            let labels: Vec<&str> =
                labels.iter().copied().filter(|label| !label.is_empty()).collect();
            let _ = writeln!(self.text, "{}", labels.join(", "));
        }
        for tiles in tiles.chunks(tiles_per_line) {
            for line in 0..tiles[0].lines.len() + 2 {
                if !self.is_narrow {
                    let label = labels.get(line).copied().unwrap_or_default();
                    let _ = write!(self.text, "{label:<LABEL$}");
                }
                let parts: Vec<String> = tiles.iter().map(|tile| tile.line(line, width)).collect();
                let _ = writeln!(self.text, "{}", parts.join(" "));
            }
        }
    }

    fn column(&self) -> usize {
        if self.is_narrow { NARROW_COLUMN } else { COLUMN }
    }

    fn put_gem_names(&mut self) {
        let mut line = format!("{:<LABEL$}", "gems");
        let column = self.column();
        for gem in Gem::ALL {
            let letter = Color::ALL.get(gem.index()).map(|&color| letter(color));
            let name = match letter {
                Some(letter) if self.is_narrow => letter.to_string(),
                None if self.is_narrow => "*".to_owned(),
                Some(letter) => format!("{letter} {gem}"),
                None => gem.to_string(),
            };
            let _ = write!(line, "{name:>column$}");
        }
        let _ = writeln!(self.text, "{}", painted(line, DIM));
    }

    /// Counts in the columns of their colors; a dot means none. The note is left out of a narrow layout.
    fn put_row(&mut self, label: &str, counts: &[u8], note: &str) {
        let _ = write!(self.text, "{label:<LABEL$}");
        let column = self.column();
        for (gem, &count) in Gem::ALL.into_iter().zip(counts) {
            // A number is in the middle of three colored cells.
            let cell = match count {
                0 => painted(" · ", DIM),
                count => painted(format_args!("{count:>2} "), of_gem(gem)),
            };
            let _ = write!(self.text, "{:>1$}{cell}", "", column - 3);
        }
        if !note.is_empty() && !self.is_narrow {
            let missing = (Gem::COUNT - counts.len()) * COLUMN;
            let _ = write!(self.text, "{:missing$}  {}", "", painted(note, DIM));
        }
        self.text.push('\n');
    }

    fn put_player(&mut self, player: &Player, seat: usize, rotated: RotatedIndex) {
        let is_mover = rotated.index() == 0;
        let name = format!("seat {seat}: {}", points(player.vp));
        let to_move = if is_mover { ", to move" } else { "" };
        let columns = format!("(player{}_* in the state columns)", rotated.index());
        let gap = if self.is_narrow { "\n" } else { "  " };
        let _ =
            writeln!(self.text, "\n{}{to_move}{gap}{}", painted(name, BOLD), painted(columns, DIM));
        let held = player.gems.total();
        self.put_row("  gems", &player.gems.0, &format!("{held} of {HAND_LIMIT}"));
        let total = format!("{} in all", player.reduction.total());
        self.put_row("  reduction", &player.reduction.0, &total);
        for (place, card) in player.reserved.iter().enumerate() {
            // Only the cards of the player to move have a class.
            let number =
                if is_mover { (MAX_DISPLAYED + place).to_string() } else { "-".to_owned() };
            let (cost, _) = cost(&card.cost);
            let words = card_in_words(card);
            let _ = match self.is_narrow {
                true => writeln!(self.text, "  {number:>4}  {words}\n        {cost}"),
                false => {
                    let label = if place == 0 { "  reserve" } else { "" };
                    writeln!(self.text, "{label:<LABEL$}{number:>4}  {words:<28}{cost}")
                }
            };
        }
    }
}

/// A card or noble as a box of a given width, with a heading and its cost.
struct Tile {
    /// Text in the upper edge.
    number: String,
    /// Its lines, each with its width in columns.
    lines: Vec<(String, usize)>,
    edge: Style,
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

const _: () = assert!(LABEL + DISPLAYED_PER_LEVEL * (CARD + 3) - 1 <= WIDE);
const _: () = assert!(LABEL + MAX_NOBLES * (NOBLE + 3) - 1 <= WIDE);
const _: () = assert!(LABEL + Gem::COUNT * COLUMN + 12 <= WIDE);
const _: () = assert!(LABEL + Gem::COUNT * NARROW_COLUMN <= NARROW);
