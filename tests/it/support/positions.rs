//! Positions for comparing two implementations: from simulated games, and random ones.

use rand_mt::Mt64;
use splendor_prep::gamelog::Turn;
use splendor_prep::rules::{
    Board, ByColor, ByGem, CARDS, Card, Gem, Level, NOBLES, Player, PlayerCount, Seat,
};
use splendor_prep::simulate::simulate_game;

/// The turns of `games` simulated games for each number of players.
pub(crate) fn simulated_turns(games: u64) -> impl Iterator<Item = Turn> {
    (0..games).flat_map(|seed| {
        PlayerCount::ALL.into_iter().flat_map(move |players| simulate_game(players, seed))
    })
}

/// `count` random positions, always the same ones. Edge cases that games rarely reach, such as a table
/// without gems, a card that satisfies three nobles, or a player without legal moves, are common here. A
/// log may contain each position, although gems may not add up and a card may occur twice.
pub(crate) fn made_up_boards(count: usize) -> impl Iterator<Item = Board> {
    let mut dice = Dice(Mt64::new(20_261));
    (0..count).map(move |_| made_up_board(&mut dice))
}

struct Dice(Mt64);

impl Dice {
    /// A number from `low` to `high`, inclusive.
    fn roll(&mut self, low: u8, high: u8) -> u8 {
        low + (self.0.next_u64() % u64::from(high - low + 1)) as u8
    }

    fn percent(&mut self, chance: u8) -> bool {
        self.roll(1, 100) <= chance
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::from(self.roll(0, items.len() as u8 - 1))]
    }
}

fn made_up_board(dice: &mut Dice) -> Board {
    let players = dice.pick(&PlayerCount::ALL);
    let seats: Vec<Seat> = players.seats().collect();
    let mut nobles = NOBLES.to_vec();
    let cards_are_left = dice.percent(90);
    // Only players who cannot build have full hands and reserves, so half of the positions have no cheap
    // cards and no bonuses.
    let cards_are_dear = dice.percent(50);
    Board {
        to_move: dice.pick(&seats),
        gems: made_up_table(dice, players),
        displayed: Level::ALL.map(|level| {
            let none = !cards_are_left || (cards_are_dear && level == Level::One);
            let places = if none { 0 } else { 4 };
            let cards = if dice.percent(50) { places } else { dice.roll(0, places) };
            (0..cards).map(|_| made_up_card(dice, Some(level))).collect()
        }),
        decks: Level::ALL.map(|level| {
            if !cards_are_left || dice.percent(50) {
                0
            } else {
                dice.roll(1, level.deck_capacity())
            }
        }),
        nobles: (0..dice.roll(0, 5))
            .map(|_| nobles.swap_remove(usize::from(dice.roll(0, nobles.len() as u8 - 1))))
            .collect(),
        players: seats.iter().map(|_| made_up_player(dice, players, cards_are_dear)).collect(),
    }
}

/// Gems on the table: few colors are more frequent than by chance.
fn made_up_table(dice: &mut Dice, players: PlayerCount) -> ByGem<u8> {
    let mut gems = ByGem::default();
    for _ in 0..dice.pick(&[0, 0, 0, 1, 1, 2, 2, 3, 4, 9]) {
        gems.0[usize::from(dice.roll(0, 4))] = dice.roll(1, players.color_supply());
    }
    if dice.percent(60) {
        gems[Gem::Gold] = dice.roll(1, 5);
    }
    gems
}

fn made_up_player(dice: &mut Dice, players: PlayerCount, cards_are_dear: bool) -> Player {
    let mut gems = ByGem::default();
    let any_hand = dice.roll(0, 10);
    let hand = dice.pick(&[10, 10, 10, 9, 8, any_hand, any_hand]);
    while gems.total() < hand {
        let gem = dice.pick(&Gem::ALL);
        if gems[gem] < players.supply()[gem] {
            gems[gem] += 1;
        }
    }
    let most_reduced = if cards_are_dear { 0 } else { dice.pick(&[0, 1, 3, 5, 6]) };
    Player {
        vp: dice.roll(0, 20),
        gems,
        reduction: ByColor::from_fn(|_| dice.roll(0, most_reduced)),
        reserved: (0..dice.pick(&[0, 1, 2, 3, 3])).map(|_| made_up_card(dice, None)).collect(),
    }
}

fn made_up_card(dice: &mut Dice, level: Option<Level>) -> Card {
    loop {
        let card = dice.pick(&CARDS);
        if level.is_none_or(|level| card.level == level) {
            return card;
        }
    }
}
