//! A second implementation of replaying: on the columns of the file, written from the section "Between
//! rows" of the log format and the rules of the game, without the rules engine.

use super::log_text::LogText;
use std::collections::{BTreeMap, BTreeSet};

const COLORS: [&str; 5] = ["white", "blue", "green", "red", "black"];
const GEMS: [&str; 6] = ["white", "blue", "green", "red", "black", "gold"];

/// The columns of a card: points, level, costs, bonuses.
type Card = Vec<i32>;

/// A row with players by seat, not by turn order.
#[derive(Clone, Debug, PartialEq)]
struct State {
    seat: usize,
    turn: i32,
    board: Vec<i32>,
    /// By level, in any order.
    displayed: [BTreeSet<Card>; 3],
    decks: Vec<i32>,
    nobles: BTreeSet<Vec<i32>>,
    players: Vec<Player>,
}

#[derive(Clone, Debug, PartialEq)]
struct Player {
    points: i32,
    gems: Vec<i32>,
    reductions: Vec<i32>,
    reserved: Vec<Card>,
}

/// The values of a row by column; missing ones are absent.
type Values<'a> = BTreeMap<&'a str, &'a str>;

fn number(values: &Values<'_>, column: &str) -> Option<i32> {
    let text = values[column];
    if text.is_empty() || text == "nan" { None } else { Some(text.parse::<f64>().unwrap() as i32) }
}

fn numbers(values: &Values<'_>, prefix: &str, names: &[&str]) -> Vec<i32> {
    names.iter().map(|name| number(values, &format!("{prefix}{name}")).unwrap_or(0)).collect()
}

fn card(values: &Values<'_>, prefix: &str) -> Option<Card> {
    let mut card =
        vec![number(values, &format!("{prefix}vp"))?, number(values, &format!("{prefix}level"))?];
    card.extend(numbers(values, &format!("{prefix}cost_"), &COLORS));
    card.extend(numbers(values, &format!("{prefix}bonus_"), &COLORS));
    Some(card)
}

fn state(values: &Values<'_>) -> State {
    let count = number(values, "num_players").unwrap() as usize;
    let seat = number(values, "current_player").unwrap() as usize;
    let mut players: Vec<(usize, Player)> = (0..count)
        .map(|rotated| {
            let prefix = format!("player{rotated}_");
            let reserved = (0..3).filter_map(|i| card(values, &format!("{prefix}reserved{i}_")));
            let player = Player {
                points: number(values, &format!("{prefix}vp")).unwrap(),
                gems: numbers(values, &format!("{prefix}gems_"), &GEMS),
                reductions: numbers(values, &format!("{prefix}reduction_"), &COLORS),
                reserved: reserved.collect(),
            };
            ((seat + rotated) % count, player)
        })
        .collect();
    players.sort_by_key(|(seat, _)| *seat);
    let nobles = (0..5).filter_map(|i| {
        number(values, &format!("noble{i}_vp"))?;
        Some(numbers(values, &format!("noble{i}_req_"), &COLORS))
    });
    State {
        seat,
        turn: number(values, "turn_number").unwrap(),
        board: numbers(values, "gems_board_", &GEMS),
        displayed: [0, 1, 2].map(|level| {
            let slots = 4 * level..4 * level + 4;
            slots.filter_map(|slot| card(values, &format!("card{slot}_"))).collect()
        }),
        decks: (1..=3)
            .map(|level| number(values, &format!("deck_level{level}_remaining")).unwrap())
            .collect(),
        nobles: nobles.collect(),
        players: players.into_iter().map(|(_, player)| player).collect(),
    }
}

/// The expected next row without the drawn card: the state, and the place of the drawn card, if any.
struct After {
    state: State,
    drawn_to_display: Option<usize>,
    drawn_to_reserve: Option<usize>,
}

/// The possible states after a move; none if it is impossible.
fn after(values: &Values<'_>) -> Vec<After> {
    let before = state(values);
    let displayed: Vec<(usize, Card)> = (0..12)
        .filter_map(|slot| Some((slot / 4, card(values, &format!("card{slot}_"))?)))
        .collect();
    let mut after = After { state: before.clone(), drawn_to_display: None, drawn_to_reserve: None };
    let given = numbers(values, "gems_removed_", &GEMS);
    let seat = before.seat;
    let mut all = Vec::new();
    match values["action_type"] {
        "build" => {
            let Some(place) = number(values, "card_selection") else { return all };
            let built = if place < 12 {
                displayed.get(place as usize).map(|(level, card)| (Some(*level), card.clone()))
            } else {
                let reserved = &mut after.state.players[seat].reserved;
                let place = place as usize - 12;
                (place < reserved.len()).then(|| (None, reserved.remove(place)))
            };
            let Some((level, built)) = built else { return all };
            let player = &mut after.state.players[seat];
            for color in 0..5 {
                let price = (built[2 + color] - player.reductions[color]).max(0);
                let from_hand = price.min(player.gems[color]);
                player.gems[color] -= from_hand;
                player.gems[5] -= price - from_hand;
                after.state.board[color] += from_hand;
                after.state.board[5] += price - from_hand;
            }
            if player.gems[5] < 0 {
                return all;
            }
            player.points += built[0];
            for color in 0..5 {
                player.reductions[color] += built[7 + color];
            }
            if let Some(noble @ 0..) = number(values, "noble_selection") {
                if number(values, &format!("noble{noble}_vp")).is_none() {
                    return all;
                }
                let noble = numbers(values, &format!("noble{noble}_req_"), &COLORS);
                if (0..5).any(|color| player.reductions[color] < noble[color]) {
                    return all;
                }
                player.points += 3;
                after.state.nobles.remove(&noble);
            }
            if let Some(level) = level {
                after.leave_display(level, &built);
            }
            all.push(after);
        }
        "reserve" => {
            let Some(code) = number(values, "card_reservation") else { return all };
            let player = &mut after.state.players[seat];
            let mut can_give = player.reserved.len() < 3;
            for (gem, given) in given.into_iter().enumerate() {
                player.gems[gem] -= given;
                after.state.board[gem] += given;
                can_give &= player.gems[gem] >= 0;
            }
            if !can_give {
                return all;
            }
            if before.board[5] > 0 && player.gems.iter().sum::<i32>() < 10 {
                player.gems[5] += 1;
                after.state.board[5] -= 1;
            }
            if let Some((level, card)) = displayed.get(code as usize) {
                let mut taken = After { state: after.state.clone(), ..after };
                taken.state.players[seat].reserved.push(card.clone());
                taken.leave_display(*level, card);
                all.push(taken);
            }
            let deck = code - 11;
            if deck >= 0 && before.decks[deck as usize] > 0 {
                after.state.decks[deck as usize] -= 1;
                after.drawn_to_reserve = Some(deck as usize);
                all.push(after);
            }
        }
        take => {
            let prefix = if take == "take 2 tokens" { "gem_take2_" } else { "gem_take3_" };
            let mut taken = numbers(values, prefix, &COLORS);
            if prefix == "gem_take3_" && number(values, "gem_take3_white").is_none() {
                taken = numbers(values, "gem_take2_", &COLORS);
            }
            let player = &mut after.state.players[seat];
            for (gem, given) in given.into_iter().enumerate() {
                let taken = taken.get(gem).copied().unwrap_or(0);
                if taken > before.board[gem] || taken == 2 && before.board[gem] < 4 {
                    return all;
                }
                player.gems[gem] += taken - given;
                after.state.board[gem] += given - taken;
            }
            if player.gems.iter().any(|&gems| gems < 0) || player.gems.iter().sum::<i32>() > 10 {
                return all;
            }
            all.push(after);
        }
    }
    let players = before.players.len();
    for After { state, .. } in &mut all {
        state.seat = (seat + 1) % players;
        state.turn += i32::from(state.seat == 0);
    }
    all
}

impl After {
    fn leave_display(&mut self, level: usize, card: &Card) {
        self.state.displayed[level].remove(card);
        if self.state.decks[level] > 0 {
            self.state.decks[level] -= 1;
            self.drawn_to_display = Some(level);
        }
    }

    /// Whether a row is this state with a drawn card; returns the card, if one is drawn.
    fn is_followed_by(&self, logged: &State) -> Option<Option<Card>> {
        let mut expected = self.state.clone();
        let mut drawn = None;
        if let Some(level) = self.drawn_to_display {
            let new =
                logged.displayed[level].difference(&expected.displayed[level]).next()?.clone();
            expected.displayed[level].insert(new.clone());
            drawn = Some(new);
        }
        if let Some(level) = self.drawn_to_reserve {
            let new = logged.players[self.mover()].reserved.last()?.clone();
            if new[1] != level as i32 + 1 {
                return None;
            }
            expected.players[self.mover()].reserved.push(new.clone());
            drawn = Some(new);
        }
        (expected == *logged).then_some(drawn)
    }

    /// The player who moved.
    fn mover(&self) -> usize {
        let players = self.state.players.len();
        (self.state.seat + players - 1) % players
    }
}

fn is_start(state: &State) -> bool {
    let supply = [4, 5, 7][state.players.len() - 2];
    let nobody_has_anything = state.players.iter().all(|player| {
        player.points == 0
            && player.gems.iter().chain(&player.reductions).all(|&count| count == 0)
            && player.reserved.is_empty()
    });
    state.turn == 1
        && state.seat == 0
        && nobody_has_anything
        && state.board == [supply, supply, supply, supply, supply, 5]
        && state.nobles.len() == state.players.len() + 1
        && (0..3).all(|level| state.displayed[level].len() == 4 || state.decks[level] == 0)
}

/// The first faulty line of a log: it does not follow from the previous line, or its move is impossible.
pub(crate) fn first_wrong_line(log: &LogText) -> Option<usize> {
    let header = &log.lines[0];
    let mut expected: Option<Vec<After>> = None;
    let mut seen: BTreeSet<Card> = BTreeSet::new();
    for (place, cells) in log.lines.iter().enumerate().skip(1) {
        let line = place + 1;
        let values: Values<'_> =
            header.iter().map(String::as_str).zip(cells.iter().map(String::as_str)).collect();
        let logged = state(&values);
        match &expected {
            None => {
                if !is_start(&logged) {
                    return Some(line);
                }
                seen.extend(logged.displayed.iter().flatten().cloned());
            }
            Some(all) => {
                let is_over = logged.seat == 0
                    && all.iter().all(|after| after.state.seat == 0)
                    && all.iter().any(|after| after.state.players.iter().any(|p| p.points >= 15));
                let drawn = all.iter().find_map(|after| after.is_followed_by(&logged));
                match drawn {
                    Some(drawn) if !is_over => {
                        if drawn.is_some_and(|card| !seen.insert(card)) {
                            return Some(line);
                        }
                    }
                    _ => return Some(line),
                }
            }
        }
        let all = after(&values);
        if all.is_empty() {
            return Some(line);
        }
        expected = Some(all);
    }
    None
}
