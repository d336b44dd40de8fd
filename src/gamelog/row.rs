//! Checks a logged row and converts it to a [`Turn`].
//!
//! Every number in a [`Row`] is an integer in the range of its column. This module checks the rules
//! between columns: groups are complete or missing, slots are filled from the left, cards exist, players
//! sit in turn order, and hands have at most ten gems.

use super::columns::{
    self, CARD_WIDTH, COLUMN_COUNT, COLUMNS, Column, HOLDINGS_WIDTH, NOBLE_WIDTH,
};
use super::error::{Fault, LogErrorKind};
use super::turn::{ActionType, LoggedAction, Turn};
use crate::rules::{
    Board, ByColor, ByGem, Card, Color, DISPLAYED_PER_LEVEL, HAND_LIMIT, Level, MAX_DISPLAYED,
    MAX_GIVE_BACK, MAX_RESERVED, MAX_TAKE, Noble, Player, PlayerCount, RotatedIndex, Seat,
};
use arrayvec::ArrayVec;

/// Represents a missing value; it is out of range for every column.
pub(super) const MISSING: i16 = i16::MIN;

/// The numbers of one row in canonical column order, as logged.
pub(super) struct Row {
    /// `game_id` may be any 64-bit number and is not stored. `action_type` is stored as its class.
    pub(super) values: [i16; COLUMN_COUNT],
}

type Checked<T> = Result<T, Fault>;

impl Row {
    pub(super) fn new() -> Row {
        Row { values: [MISSING; COLUMN_COUNT] }
    }

    /// Checks the rules between columns.
    pub(super) fn to_turn(&self, known: &mut KnownCards) -> Checked<Turn> {
        Ok(Turn {
            turn_number: self.values[columns::TURN_NUMBER] as u16,
            board: self.board(known)?,
            action: self.action()?,
        })
    }

    pub(super) fn board(&self, known: &mut KnownCards) -> Checked<Board> {
        let known = known.0.iter_mut();
        let mut cursor = Cursor { row: self, column: columns::NUM_PLAYERS, known };
        let [count, _turn_number, seat] = cursor.numbers();
        let count = PlayerCount::new(count).expect("the column's range is 2 to 4");
        let to_move = Seat::new(seat, count).ok_or_else(|| {
            let expected =
                format!("a seat from 0 to {} in a game of {}", count.get() - 1, count.get());
            self.fault(columns::CURRENT_PLAYER, LogErrorKind::OutOfRange, expected)
        })?;
        let gems = cursor.gems(count)?;
        let displayed = cursor.displayed()?;
        let decks = cursor.numbers();
        let nobles = cursor.slots(Cursor::noble)?;
        let players = cursor.players(to_move, count)?;
        Ok(Board { to_move, gems, displayed, decks, nobles, players })
    }

    pub(super) fn action(&self) -> Checked<LoggedAction> {
        let known = [].iter_mut();
        let mut cursor = Cursor { row: self, column: columns::ACTION_TYPE, known };
        let optional = |value: i16| u8::try_from(value).ok();
        let &[action_type, card_selection, card_reservation] = cursor.next();
        let gem_take3 = cursor.take("gem_take3")?;
        let gem_take2 = cursor.take("gem_take2")?;
        let &[noble] = cursor.next();
        let gems_removed = ByGem(cursor.next().map(|gems| optional(gems).unwrap_or(0)));
        let action = LoggedAction {
            action_type: ActionType::ALL[action_type as usize],
            card_selection: optional(card_selection),
            card_reservation: optional(card_reservation),
            gem_take3,
            gem_take2,
            noble: optional(noble),
            gems_removed,
        };
        check_takes(&action)?;
        if gems_removed.total() > MAX_GIVE_BACK {
            let expected = format!("at most {MAX_GIVE_BACK} gems given back in one turn");
            return Err(Fault::new(LogErrorKind::OutOfRange, expected)
                .in_column("gems_removed_*")
                .found(gems_removed.total()));
        }
        Ok(action)
    }

    /// A fault of a present value.
    fn fault(&self, column: usize, kind: LogErrorKind, expected: String) -> Fault {
        Fault::new(kind, expected).in_column(&COLUMNS[column].name).found(self.values[column])
    }
}

/// The cards of the previous row of a log, with the values that they were read from. Most cards stay where
/// they are from row to row.
#[derive(Default)]
pub(super) struct KnownCards([KnownCard; MAX_DISPLAYED + PlayerCount::MAX * MAX_RESERVED]);

#[derive(Clone, Copy)]
struct KnownCard {
    values: [i16; CARD_WIDTH],
    card: Option<Card>,
}

impl Default for KnownCard {
    fn default() -> KnownCard {
        KnownCard { values: [MISSING; CARD_WIDTH], card: None }
    }
}

/// Reads the columns of a row from left to right.
struct Cursor<'r> {
    row: &'r Row,
    column: usize,
    known: std::slice::IterMut<'r, KnownCard>,
}

impl<'r> Cursor<'r> {
    /// The values of the next columns.
    fn next<const N: usize>(&mut self) -> &'r [i16; N] {
        let values = self.row.values[self.column..].first_chunk().expect("groups end in the row");
        self.column += N;
        values
    }

    /// The next values; a missing value is a fault.
    fn numbers<const N: usize>(&mut self) -> [u8; N] {
        self.next().map(|value| value as u8)
    }

    /// The values of the next group; `None` if all are missing, a fault if only some are.
    fn group<const N: usize>(&mut self, what: &str) -> Checked<Option<[u8; N]>> {
        let first = self.column;
        let values = self.next::<N>();
        // Nearly all groups are complete or missing, and only `MISSING` is negative. So it is enough to
        // combine the bits of all values; this runs 28 times per row.
        let (all, any) =
            values.iter().fold((-1, 0), |(all, any), value| (all & value, any | value));
        match (all, any) {
            (_, 0..) => return Ok(Some(values.map(|value| value as u8))),
            (MISSING, MISSING) => return Ok(None),
            _ => {}
        }
        let missing = values.iter().position(|&value| value == MISSING).unwrap_or(0);
        Err(Fault::new(
            LogErrorKind::PartOfGroup,
            format!(
                "a value, because other columns of {what} have one: it may only be missing as a \
                 whole"
            ),
        )
        .in_column(&COLUMNS[first + missing].name))
    }

    fn gems(&mut self, players: PlayerCount) -> Checked<ByGem<u8>> {
        let first = self.column;
        let gems = ByGem(self.numbers());
        for (gem, &supply) in players.supply().iter() {
            if gems[gem] > supply {
                let players = players.get();
                let expected =
                    format!("a whole number from 0 to {supply}, the supply for {players} players");
                let column = first + gem.index();
                return Err(self.row.fault(column, LogErrorKind::OutOfRange, expected));
            }
        }
        Ok(gems)
    }

    /// A card; a group of zeros is a missing card, too.
    fn card(&mut self) -> Checked<Option<Card>> {
        let known = self.known.next().expect("as many cards as columns for them");
        let column = self.column;
        let values = *self.next();
        if known.values != values {
            self.column = column;
            let card = self.new_card()?;
            *known = KnownCard { values, card };
        }
        Ok(known.card)
    }

    fn new_card(&mut self) -> Checked<Option<Card>> {
        let first = self.column;
        let Some(values) = self.group::<CARD_WIDTH>("this card")? else { return Ok(None) };
        if values == [0; CARD_WIDTH] {
            return Ok(None);
        }
        let [vp, level, white, blue, green, red, black, bonus @ ..] = values;
        // The columns hold 0 or 1.
        let place: u8 = bonus.iter().zip(0..).map(|(given, place)| given * place).sum();
        let cost = ByColor([white, blue, green, red, black]);
        let card = match bonus.iter().sum::<u8>() {
            1 => Card::find(level, vp, Color::ALL[usize::from(place)], cost),
            _ => None,
        };
        card.map(Some).ok_or_else(|| {
            Fault::new(LogErrorKind::NoSuchCard, "a card of the game, or none")
                .in_column(format!("{}_*", group_name(first)))
                .found(joined(&values))
        })
    }

    fn noble(&mut self) -> Checked<Option<Noble>> {
        let first = self.column;
        let Some(values) = self.group::<NOBLE_WIDTH>("this noble")? else { return Ok(None) };
        if values == [0; NOBLE_WIDTH] {
            return Ok(None);
        }
        let [vp, requirement @ ..] = values;
        Noble::find(vp, ByColor(requirement)).map(Some).ok_or_else(|| {
            Fault::new(LogErrorKind::NoSuchNoble, "a noble of the game, or none")
                .in_column(format!("{}_*", group_name(first)))
                .found(joined(&values))
        })
    }

    /// Slots, which must be filled from the left.
    fn slots<T, const N: usize>(
        &mut self,
        read: fn(&mut Self) -> Checked<Option<T>>,
    ) -> Checked<ArrayVec<T, N>> {
        let mut slots = ArrayVec::new();
        let mut before = self.column;
        for slot in 0..N {
            let first = self.column;
            match read(self)? {
                Some(item) if slots.len() == slot => slots.push(item),
                Some(_) => {
                    let filled = group_name(first);
                    let expected =
                        format!("it to be filled before {filled}: slots are filled from the left");
                    return Err(Fault::new(LogErrorKind::Gap, expected)
                        .in_column(format!("{}_*", group_name(before))));
                }
                None => {}
            }
            before = first;
        }
        Ok(slots)
    }

    fn displayed(&mut self) -> Checked<[ArrayVec<Card, DISPLAYED_PER_LEVEL>; Level::COUNT]> {
        let mut displayed: [ArrayVec<Card, _>; Level::COUNT] = Default::default();
        for level in Level::ALL {
            let first = self.column;
            let cards = self.slots(Self::card)?;
            if let Some(slot) = cards.iter().position(|card: &Card| card.level != level) {
                let number = level.number();
                return Err(self.row.fault(
                    first + slot * CARD_WIDTH + 1,
                    LogErrorKind::WrongLevel,
                    format!("{number}: these are the slots of level {number}"),
                ));
            }
            displayed[level.index()] = cards;
        }
        Ok(displayed)
    }

    fn players(
        &mut self,
        to_move: Seat,
        count: PlayerCount,
    ) -> Checked<ArrayVec<Player, { PlayerCount::MAX }>> {
        let mut by_seat: [Option<Player>; PlayerCount::MAX] = Default::default();
        for rotated in RotatedIndex::ALL {
            match rotated.seat(to_move, count) {
                Some(seat) => {
                    self.check_position(rotated, to_move, count)?;
                    by_seat[seat.index()] = Some(self.player(rotated, count)?);
                }
                None => self.no_player(count)?,
            }
        }
        Ok(by_seat.into_iter().flatten().collect())
    }

    /// Checks that the next player has the seat that follows from the turn order.
    fn check_position(
        &self,
        rotated: RotatedIndex,
        to_move: Seat,
        count: PlayerCount,
    ) -> Checked<()> {
        let seat_of = |rotated: &RotatedIndex| {
            rotated.seat(to_move, count).map_or(MISSING, |seat| seat.index() as i16)
        };
        let (position, expected) = (self.row.values[self.column], seat_of(&rotated));
        if position == expected {
            return Ok(());
        }
        if position == MISSING {
            let expected = format!("a player: this is a game of {}", count.get());
            return Err(Fault::new(LogErrorKind::MissingValue, expected)
                .in_column(&COLUMNS[self.column].name));
        }
        let mut earlier = RotatedIndex::ALL[..rotated.index()].iter();
        let (kind, expected) = match earlier.position(|earlier| seat_of(earlier) == position) {
            Some(earlier) => (
                LogErrorKind::SeatTakenTwice,
                format!("{expected}: player{earlier} sits in seat {position}"),
            ),
            None => (
                LogErrorKind::WrongSeat,
                format!("{expected}: players sit in turn order from current_player"),
            ),
        };
        Err(self.row.fault(self.column, kind, expected))
    }

    fn player(&mut self, rotated: RotatedIndex, count: PlayerCount) -> Checked<Player> {
        let values = &self.row.values[self.column..self.column + HOLDINGS_WIDTH];
        if let Some(missing) = values.iter().position(|&value| value == MISSING) {
            return Err(missing_value(&COLUMNS[self.column + missing]));
        }
        let [_position, vp] = self.numbers();
        let gems = self.gems(count)?;
        if gems.total() > HAND_LIMIT {
            let expected = format!("a hand of at most {HAND_LIMIT} gems, gold included");
            return Err(Fault::new(LogErrorKind::OutOfRange, expected)
                .in_column(format!("player{}_gems_*", rotated.index()))
                .found(gems.total()));
        }
        let reduction = ByColor(self.numbers());
        let reserved = self.slots(Self::card)?;
        Ok(Player { vp, gems, reduction, reserved })
    }

    /// Checks that the columns of a player who is not in the game are empty.
    fn no_player(&mut self, count: PlayerCount) -> Checked<()> {
        let row = self.row;
        let fault = |column| {
            let expected = format!("no value: this is a game of {}", count.get());
            Err(row.fault(column, LogErrorKind::PartOfGroup, expected))
        };
        let first = self.column;
        let holdings = self.next::<HOLDINGS_WIDTH>();
        if let Some(present) = holdings.iter().position(|&value| value != MISSING) {
            return fault(first + present);
        }
        for _ in 0..MAX_RESERVED {
            let first = self.column;
            if self.card()?.is_some() {
                return fault(first);
            }
        }
        Ok(())
    }

    fn take(&mut self, what: &str) -> Checked<Option<ByColor<u8>>> {
        Ok(self.group(what)?.map(ByColor))
    }
}

/// The heads have classes only for at most three colors, or one pair.
fn check_takes(action: &LoggedAction) -> Checked<()> {
    use LogErrorKind::{OutOfRange, PartOfGroup};
    let fault = |name: &str, taken: ByColor<u8>, kind, expected: &str| {
        Err(Fault::new(kind, expected).in_column(format!("{name}_*")).found(joined(&taken.0)))
    };
    let too_many = || format!("at most {MAX_TAKE} colors to be 1");
    if let Some(taken) = action.gem_take3.filter(|taken| usize::from(taken.total()) > MAX_TAKE) {
        return fault("gem_take3", taken, PartOfGroup, &too_many());
    }
    let Some(taken) = action.gem_take2 else { return Ok(()) };
    let count = |value: u8| taken.0.iter().filter(|&&gems| gems == value).count();
    match (count(1), count(2)) {
        (1.., pairs) if pairs > 0 || !action.has_gem_fault() => {
            let expected = "0 or 2 in each column (1 only in a `take 3 tokens` row without gem_take3, a \
                            known fault of old logs)";
            fault("gem_take2", taken, OutOfRange, expected)
        }
        (singles, _) if singles > MAX_TAKE => fault("gem_take2", taken, PartOfGroup, &too_many()),
        (_, 2..) => fault("gem_take2", taken, PartOfGroup, "at most 1 color to be 2"),
        _ => Ok(()),
    }
}

/// A fault for a missing value.
pub(super) fn missing_value(column: &Column) -> Fault {
    Fault::new(LogErrorKind::MissingValue, range_text(column)).in_column(&column.name)
}

/// Describes the range of a column.
pub(super) fn range_text(column: &Column) -> String {
    format!("a whole number from {} to {}", column.min, column.max)
}

/// The values of a group as in the file.
pub(super) fn joined(values: &[u8]) -> String {
    values.iter().map(u8::to_string).collect::<Vec<_>>().join(",")
}

/// `card3` from the group's first column, `card3_vp`.
fn group_name(first: usize) -> &'static str {
    COLUMNS[first].name.trim_end_matches("_vp")
}
