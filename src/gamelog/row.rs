//! A row's numbers to a checked [`Turn`].
//!
//! By the time a [`Row`] exists, every number in it is whole and inside its column's own range.
//! What is left are the rules between columns: groups are there as a whole or not at all, slots
//! fill from the left, cards exist, players sit in turn order, hands stay within ten.

use super::columns::{self, COLUMN_COUNT, COLUMNS, Column};
use super::error::{Fault, LogErrorKind};
use super::turn::{ActionType, LoggedAction, Turn};
use crate::rules::{
    Board, ByColor, ByGem, Card, Color, DISPLAYED_PER_LEVEL, HAND_LIMIT, Level, MAX_GIVE_BACK,
    MAX_NOBLES, MAX_RESERVED, MAX_TAKE, Noble, Player, PlayerCount, RotatedIndex, Seat,
};
use arrayvec::ArrayVec;

/// Stands for a missing value; no column's range comes near it.
pub(super) const MISSING: i16 = i16::MIN;

/// The numbers of one row in canonical column order.
pub(super) struct Row {
    /// `game_id` is kept apart (it may be any 64-bit number): its place here is unused.
    /// `action_type` stands as its class.
    pub(super) values: [i16; COLUMN_COUNT],
}

type Checked<T> = Result<T, Fault>;

impl Row {
    pub(super) fn new() -> Row {
        Row { values: [MISSING; COLUMN_COUNT] }
    }

    /// Checks the rules between columns.
    pub(super) fn to_turn(&self) -> Checked<Turn> {
        Ok(Turn {
            turn_number: self.values[columns::TURN_NUMBER] as u16,
            board: self.board()?,
            action: self.action()?,
        })
    }

    pub(super) fn board(&self) -> Checked<Board> {
        let players = PlayerCount::new(self.number(columns::NUM_PLAYERS))
            .expect("the column's range is 2 to 4");
        let to_move = Seat::new(self.number(columns::CURRENT_PLAYER), players)
            .ok_or_else(|| self.not_in_game(columns::CURRENT_PLAYER, players))?;
        Ok(Board {
            to_move,
            gems: self.gems(columns::GEMS_BOARD, players)?,
            displayed: self.displayed()?,
            decks: std::array::from_fn(|level| self.number(columns::DECKS + level)),
            nobles: self.nobles()?,
            players: self.players(players, to_move)?,
        })
    }

    /// A value that is known not to be missing.
    fn number(&self, column: usize) -> u8 {
        self.values[column] as u8
    }

    fn numbers<const N: usize>(&self, first: usize) -> [u8; N] {
        std::array::from_fn(|i| self.number(first + i))
    }

    /// A group of columns. Its width is known when this compiles, so that it is looked at as a whole.
    fn group<const WIDTH: usize>(&self, first: usize) -> &[i16; WIDTH] {
        self.values[first..].first_chunk().expect("groups end where the row does, or before")
    }

    /// Whether a group of columns is there; a fault where only a part of it is.
    fn is_present<const WIDTH: usize>(&self, first: usize, what: &str) -> Checked<bool> {
        let group = self.group::<WIDTH>(first);
        // Of a group's numbers only `MISSING` is negative. Its sign in none: none is missing. The sign,
        // and nothing else, in all of them: all are.
        let (all, any) = group.iter().fold((-1, 0), |(all, any), value| (all & value, any | value));
        match (all, any) {
            (_, 0..) => return Ok(true),
            (MISSING, MISSING) => return Ok(false),
            _ => {}
        }
        let first_missing = group.iter().position(|&value| value == MISSING).unwrap_or(0);
        Err(Fault::new(
            LogErrorKind::PartOfGroup,
            format!("a value, as other columns of {what} have one: it may be missing as a whole, never in part"),
        )
        .in_column(COLUMNS[first + first_missing].name))
    }

    /// Like [`Self::is_present`]; a group of zeros only is a missing one, too.
    fn is_present_and_not_zero<const WIDTH: usize>(
        &self,
        first: usize,
        what: &str,
    ) -> Checked<bool> {
        let is_zero = || self.group::<WIDTH>(first).iter().fold(0, |any, value| any | value) == 0;
        Ok(self.is_present::<WIDTH>(first, what)? && !is_zero())
    }

    fn gems(&self, first: usize, players: PlayerCount) -> Checked<ByGem<u8>> {
        let gems = ByGem(self.numbers(first));
        for (gem, &supply) in players.supply().iter() {
            if gems[gem] > supply {
                return Err(self.fault_in(
                    first + gem.index(),
                    LogErrorKind::OutOfRange,
                    format!(
                        "a whole number from 0 to {supply}, the supply for {} players",
                        players.get()
                    ),
                ));
            }
        }
        Ok(gems)
    }

    fn card(&self, first: usize) -> Checked<Option<Card>> {
        let name = || group_name(first, "_vp");
        if !self.is_present_and_not_zero::<{ columns::CARD_WIDTH }>(first, "this card")? {
            return Ok(None);
        }
        let cost = ByColor(self.numbers(first + columns::CARD_COST));
        // The columns hold 0 or 1.
        let bonus = ByColor(self.numbers(first + columns::CARD_BONUS));
        let places = bonus.0.iter().zip(0..).map(|(is_given, place)| usize::from(is_given * place));
        let card = match bonus.total() {
            1 => {
                let level = self.number(first + columns::CARD_LEVEL);
                let vp = self.number(first + columns::CARD_VP);
                Card::find(level, vp, Color::ALL[places.sum::<usize>()], cost)
            }
            _ => None,
        };
        card.map(Some).ok_or_else(|| {
            Fault::new(LogErrorKind::NoSuchCard, "a card of the game, or none")
                .in_column(format!("{}_*", name()))
                .found(self.written_group::<{ columns::CARD_WIDTH }>(first))
        })
    }

    fn displayed(&self) -> Checked<[ArrayVec<Card, DISPLAYED_PER_LEVEL>; Level::COUNT]> {
        let mut displayed: [ArrayVec<Card, DISPLAYED_PER_LEVEL>; Level::COUNT] = Default::default();
        for level in Level::ALL {
            let row = &mut displayed[level.index()];
            self.fill_slots(row, |slot| columns::displayed_card(level.index(), slot), Self::card)?;
            if let Some(slot) = row.iter().position(|card| card.level != level) {
                let column = columns::displayed_card(level.index(), slot) + columns::CARD_LEVEL;
                return Err(self.fault_in(
                    column,
                    LogErrorKind::WrongLevel,
                    format!("{}: these are the slots of level {0}", level.number()),
                ));
            }
        }
        Ok(displayed)
    }

    fn nobles(&self) -> Checked<ArrayVec<Noble, MAX_NOBLES>> {
        let mut nobles = ArrayVec::new();
        self.fill_slots(&mut nobles, columns::noble, Self::noble)?;
        Ok(nobles)
    }

    fn noble(&self, first: usize) -> Checked<Option<Noble>> {
        if !self.is_present_and_not_zero::<{ columns::NOBLE_WIDTH }>(first, "this noble")? {
            return Ok(None);
        }
        let points = self.number(first + columns::NOBLE_POINTS);
        let requirement = ByColor(self.numbers(first + columns::NOBLE_REQUIREMENT));
        Noble::find(points, requirement).map(Some).ok_or_else(|| {
            Fault::new(LogErrorKind::NoSuchNoble, "a noble of the game, or none")
                .in_column(format!("{}_*", group_name(first, "_vp")))
                .found(self.written_group::<{ columns::NOBLE_WIDTH }>(first))
        })
    }

    /// Reads slots from the left until the first empty one; a filled one behind it is a fault.
    fn fill_slots<T, const N: usize>(
        &self,
        slots: &mut ArrayVec<T, N>,
        first_column: impl Fn(usize) -> usize,
        read: impl Fn(&Self, usize) -> Checked<Option<T>>,
    ) -> Checked<()> {
        for slot in 0..N {
            match read(self, first_column(slot))? {
                Some(_) if slots.len() < slot => {
                    let empty = group_name(first_column(slot - 1), "_vp");
                    let filled = group_name(first_column(slot), "_vp");
                    return Err(Fault::new(
                        LogErrorKind::Gap,
                        format!("it to be filled before {filled} is: slots fill from the left"),
                    )
                    .in_column(format!("{empty}_*")));
                }
                Some(item) => slots.push(item),
                None => {}
            }
        }
        Ok(())
    }

    fn players(
        &self,
        count: PlayerCount,
        to_move: Seat,
    ) -> Checked<ArrayVec<Player, { PlayerCount::MAX }>> {
        let mut by_seat: [Option<Player>; PlayerCount::MAX] = Default::default();
        for rotated in RotatedIndex::ALL {
            let first = columns::player(rotated.index());
            match rotated.seat(to_move, count) {
                Some(seat) => {
                    self.check_position(rotated, seat, count)?;
                    by_seat[seat.index()] = Some(self.player(rotated, count)?);
                }
                None => {
                    let group = self.group::<{ columns::PLAYER_RESERVED }>(first);
                    if let Some(there) = group.iter().position(|&value| value != MISSING) {
                        return Err(self.fault_in(
                            first + there,
                            LogErrorKind::PartOfGroup,
                            format!("nothing: this is a game of {}", count.get()),
                        ));
                    }
                    // An absent player's reserved cards are read for the same rule.
                    for place in 0..MAX_RESERVED {
                        let card = columns::reserved_card(rotated.index(), place);
                        if self.card(card)?.is_some() {
                            return Err(self.fault_in(
                                card,
                                LogErrorKind::PartOfGroup,
                                format!("nothing: this is a game of {}", count.get()),
                            ));
                        }
                    }
                }
            }
        }
        Ok(by_seat.into_iter().flatten().collect())
    }

    fn check_position(&self, rotated: RotatedIndex, seat: Seat, count: PlayerCount) -> Checked<()> {
        let column = columns::player(rotated.index()) + columns::PLAYER_POSITION;
        let position = self.values[column];
        if position == seat.index() as i16 {
            return Ok(());
        }
        if position == MISSING {
            return Err(Fault::new(
                LogErrorKind::MissingValue,
                format!("a player: this is a game of {}", count.get()),
            )
            .in_column(COLUMNS[column].name));
        }
        let earlier = (0..rotated.index()).find(|&earlier| {
            self.values[columns::player(earlier) + columns::PLAYER_POSITION] == position
        });
        Err(match earlier {
            Some(earlier) => self.fault_in(
                column,
                LogErrorKind::SeatTakenTwice,
                format!("{}: player{earlier} sits in seat {position}", seat.index()),
            ),
            None => self.fault_in(
                column,
                LogErrorKind::WrongSeat,
                format!("{}: round the table from current_player", seat.index()),
            ),
        })
    }

    fn player(&self, rotated: RotatedIndex, count: PlayerCount) -> Checked<Player> {
        let first = columns::player(rotated.index());
        if let Some(missing) = self
            .group::<{ columns::PLAYER_RESERVED }>(first)
            .iter()
            .position(|&value| value == MISSING)
        {
            return Err(missing_value(&COLUMNS[first + missing]));
        }
        let gems = self.gems(first + columns::PLAYER_GEMS, count)?;
        if gems.total() > HAND_LIMIT {
            return Err(Fault::new(
                LogErrorKind::OutOfRange,
                format!("a hand of at most {HAND_LIMIT} gems, gold included"),
            )
            .in_column(format!("player{}_gems_*", rotated.index()))
            .found(gems.total()));
        }
        let mut reserved = ArrayVec::new();
        self.fill_slots(
            &mut reserved,
            |place| columns::reserved_card(rotated.index(), place),
            Self::card,
        )?;
        Ok(Player {
            vp: self.number(first + columns::PLAYER_VP),
            gems,
            reduction: ByColor(self.numbers(first + columns::PLAYER_REDUCTION)),
            reserved,
        })
    }

    pub(super) fn action(&self) -> Checked<LoggedAction> {
        let optional = |column: usize| {
            let value = self.values[column];
            (value >= 0).then_some(value as u8)
        };
        let action = LoggedAction {
            action_type: ActionType::ALL[usize::from(self.number(columns::ACTION_TYPE))],
            card_selection: optional(columns::CARD_SELECTION),
            card_reservation: optional(columns::CARD_RESERVATION),
            gem_take3: self.take(columns::GEM_TAKE3, "gem_take3")?,
            gem_take2: self.take(columns::GEM_TAKE2, "gem_take2")?,
            noble: optional(columns::NOBLE_SELECTION),
            gems_removed: ByGem(std::array::from_fn(|gem| {
                optional(columns::GEMS_REMOVED + gem).unwrap_or(0)
            })),
        };
        self.check_takes(&action)?;
        if action.gems_removed.total() > MAX_GIVE_BACK {
            return Err(Fault::new(
                LogErrorKind::OutOfRange,
                format!("at most {MAX_GIVE_BACK} gems given back in one turn"),
            )
            .in_column("gems_removed_*")
            .found(action.gems_removed.total()));
        }
        Ok(action)
    }

    fn take(&self, first: usize, what: &str) -> Checked<Option<ByColor<u8>>> {
        let present = self.is_present::<{ Color::COUNT }>(first, what)?;
        Ok(present.then(|| ByColor(self.numbers(first))))
    }

    /// The classes of both heads exist for at most three colours, or one pair.
    fn check_takes(&self, action: &LoggedAction) -> Checked<()> {
        let fault = |kind, first: usize, name: &str, expected: String| {
            Err(Fault::new(kind, expected)
                .in_column(format!("{name}_*"))
                .found(self.written_group::<{ Color::COUNT }>(first)))
        };
        let too_many = |first: usize, name: &str, most: usize, value: u8| {
            let colors = if most == 1 { "colour" } else { "colours" };
            let expected = format!("at most {most} {colors} to be {value}");
            fault(LogErrorKind::PartOfGroup, first, name, expected)
        };
        if action.gem_take3.is_some_and(|taken| usize::from(taken.total()) > MAX_TAKE) {
            return too_many(columns::GEM_TAKE3, "gem_take3", MAX_TAKE, 1);
        }
        let Some(taken) = action.gem_take2 else { return Ok(()) };
        let pairs = taken.0.iter().filter(|&&gems| gems == 2).count();
        let singles = taken.0.iter().filter(|&&gems| gems == 1).count();
        if singles > 0 && (pairs > 0 || !action.has_gem_fault()) {
            let expected = "0 or 2 in each column (1 only in a `take 3 tokens` row without \
                            gem_take3, a known fault of old logs)";
            let kind = LogErrorKind::OutOfRange;
            return fault(kind, columns::GEM_TAKE2, "gem_take2", expected.into());
        }
        if singles > MAX_TAKE {
            return too_many(columns::GEM_TAKE2, "gem_take2", MAX_TAKE, 1);
        }
        if pairs > 1 {
            return too_many(columns::GEM_TAKE2, "gem_take2", 1, 2);
        }
        Ok(())
    }

    fn not_in_game(&self, column: usize, players: PlayerCount) -> Fault {
        let expected =
            format!("a seat from 0 to {} in a game of {}", players.get() - 1, players.get());
        self.fault_in(column, LogErrorKind::OutOfRange, expected)
    }

    fn fault_in(&self, column: usize, kind: LogErrorKind, expected: String) -> Fault {
        Fault::new(kind, expected).in_column(COLUMNS[column].name).found(self.values[column])
    }

    /// A group's values as they would stand in a file.
    fn written_group<const WIDTH: usize>(&self, first: usize) -> String {
        let values: Vec<_> = self.group::<WIDTH>(first).iter().map(i16::to_string).collect();
        values.join(",")
    }
}

/// A value is missing that must be there.
pub(super) fn missing_value(column: &Column) -> Fault {
    Fault::new(LogErrorKind::MissingValue, range_text(column)).in_column(column.name)
}

/// What a column may hold, in words.
pub(super) fn range_text(column: &Column) -> String {
    if column.min == column.max {
        format!("{}", column.min)
    } else {
        format!("a whole number from {} to {}", column.min, column.max)
    }
}

/// `card3` from the group's first column, `card3_vp`.
fn group_name(first: usize, first_suffix: &str) -> &'static str {
    let name = COLUMNS[first].name.as_str();
    name.strip_suffix(first_suffix).unwrap_or(name)
}
