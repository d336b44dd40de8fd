//! A second implementation of the features and labels: the specification of the encoding, sentence by
//! sentence, in simple code. It shares no code with the encoder except the board. It is not optimized;
//! quotes are from the specification.

// Loops over color numbers match the specification more closely than zipped iterators.
#![allow(clippy::needless_range_loop)]

use splendor_prep::gamelog::{ActionType, LoggedAction};
use splendor_prep::rules::{Board, Card, Player};

const COLORS: [&str; 5] = ["white", "blue", "green", "red", "black"];
const GEMS: [&str; 6] = ["white", "blue", "green", "red", "black", "gold"];

/// All features of a position with their names, in order.
pub(crate) fn features(board: &Board) -> Vec<(String, i64)> {
    let mut row = Row(Vec::new());
    state(board, &mut row);
    card_positions(board, &mut row);
    tokens(board, &mut row);
    cards(board, &mut row);
    nobles(board, &mut row);
    synergy(board, &mut row);
    comparison(board, &mut row);
    progress(board, &mut row);
    one_hot(board, &mut row);
    row.0
}

/// The seven labels: action type, card selection, card reservation, take 3, take 2, noble, gems
/// removed. "-1 = does not apply".
pub(crate) fn labels(
    action: &LoggedAction,
    take3_classes: &[Vec<usize>],
    removal_classes: &[[u8; 6]],
) -> [i32; 7] {
    let action_type = match action.action_type {
        ActionType::Build => 0,
        ActionType::Reserve => 1,
        ActionType::Take2 => 2,
        ActionType::Take3 => 3,
    };
    let logged = |index: Option<u8>| match index {
        Some(index) => i32::from(index),
        None => -1,
    };
    let mut take3 = -1;
    if let Some(counts) = action.gem_take3 {
        let set: Vec<usize> = (0..5).filter(|&color| counts.0[color] == 1).collect();
        if !set.is_empty() {
            take3 = take3_classes.iter().position(|class| *class == set).unwrap() as i32;
        }
    }
    let mut take2 = -1;
    if let Some(counts) = action.gem_take2 {
        for color in 0..5 {
            if counts.0[color] == 2 {
                take2 = color as i32;
            }
        }
    }
    let removed = removal_classes.iter().position(|class| *class == action.gems_removed.0);
    [
        action_type,
        logged(action.card_selection),
        logged(action.card_reservation),
        take3,
        take2,
        logged(action.noble),
        removed.unwrap() as i32,
    ]
}

struct Row(Vec<(String, i64)>);

impl Row {
    fn put(&mut self, name: String, value: i64) {
        self.0.push((name, value));
    }
}

/// "The 382 state columns in log order without `num_players`, `turn_number`, `current_player` and
/// the four `playerN_position`. Missing is 0. The twelve `cardN_*` groups are compacted: cards
/// that are present first, in order, then zeros. Reserved groups stay in their slots."
fn state(board: &Board, row: &mut Row) {
    for (gem, name) in GEMS.iter().enumerate() {
        row.put(format!("gems_board_{name}"), board.gems.0[gem].into());
    }
    let displayed = displayed(board);
    for slot in 0..12 {
        card(&format!("card{slot}"), displayed.get(slot), row);
    }
    for level in 1..=3 {
        row.put(format!("deck_level{level}_remaining"), board.decks[level - 1].into());
    }
    for slot in 0..5 {
        let noble = board.nobles.get(slot);
        row.put(format!("noble{slot}_vp"), if noble.is_some() { 3 } else { 0 });
        for (color, name) in COLORS.iter().enumerate() {
            let asked = noble.map_or(0, |noble| noble.requirement.0[color]);
            row.put(format!("noble{slot}_req_{name}"), asked.into());
        }
    }
    // "Players are rotated: `player0_*` is the player to move."
    let nobody = Player::default();
    for rotated in 0..4 {
        let player = rotated_player(board, rotated).unwrap_or(&nobody);
        row.put(format!("player{rotated}_vp"), player.vp.into());
        for (gem, name) in GEMS.iter().enumerate() {
            row.put(format!("player{rotated}_gems_{name}"), player.gems.0[gem].into());
        }
        for (color, name) in COLORS.iter().enumerate() {
            row.put(format!("player{rotated}_reduction_{name}"), player.reduction.0[color].into());
        }
        for place in 0..3 {
            card(&format!("player{rotated}_reserved{place}"), player.reserved.get(place), row);
        }
    }
}

/// "`vp, level, cost_{5 colours}, bonus_{5 colours}`".
fn card(prefix: &str, card: Option<&Card>, row: &mut Row) {
    row.put(format!("{prefix}_vp"), card.map_or(0, |card| card.vp.into()));
    row.put(format!("{prefix}_level"), card.map_or(0, |card| card.level as i64 + 1));
    for (color, name) in COLORS.iter().enumerate() {
        row.put(format!("{prefix}_cost_{name}"), card.map_or(0, |card| card.cost.0[color].into()));
    }
    for (color, name) in COLORS.iter().enumerate() {
        let gives = card.is_some_and(|card| card.bonus as usize == color);
        row.put(format!("{prefix}_bonus_{name}"), gives.into());
    }
}

/// "`cardN_position` = N if compacted slot N holds a card, else -1; then
/// `playerP_reservedR_position` = 12+R if present, else -1."
fn card_positions(board: &Board, row: &mut Row) {
    for slot in 0..12 {
        let holds_a_card = displayed(board).len() > slot;
        row.put(format!("card{slot}_position"), if holds_a_card { slot as i64 } else { -1 });
    }
    for rotated in 0..4 {
        for place in 0..3 {
            let reserved = rotated_player(board, rotated).map_or(0, |p| p.reserved.len());
            let position = if reserved > place { 12 + place as i64 } else { -1 };
            row.put(format!("player{rotated}_reserved{place}_position"), position);
        }
    }
}

fn tokens(board: &Board, row: &mut Row) {
    for (color, name) in COLORS.iter().enumerate() {
        let pile = i64::from(board.gems.0[color]);
        let can_take2 = pile >= 4;
        row.put(format!("can_take2_{name}"), can_take2.into());
        let left = if can_take2 { pile - 2 } else { pile };
        row.put(format!("tokens_left_if_take2_{name}"), left);
        row.put(format!("tokens_left_if_take1_{name}"), (pile - 1).max(0));
        let most = match board.players.len() {
            2 => 4,
            3 => 5,
            _ => 7,
        };
        row.put(format!("max_tokens_pile_{name}"), most);
        row.put(format!("maximum_takeable_this_turn_{name}"), pile.min(2));
    }
    row.put("max_tokens_pile_gold".to_owned(), 5);
}

/// "For each seat, the cards it can reach: displayed cards by flat index, then its own reserved
/// cards directly after them, then zeros up to 15."
fn cards(board: &Board, row: &mut Row) {
    for seat in 0..4 {
        for place in 0..15 {
            let prefix = format!("player{seat}_card{place}");
            let reachable = reachable_card(board, seat, place);
            let (can_build, must_use_gold, distance, vp_if_buy) = match &reachable {
                Some((player, card)) => card_view(board, player, card),
                None => (false, false, [0; 5], 0),
            };
            row.put(format!("{prefix}_can_build"), can_build.into());
            row.put(format!("{prefix}_must_use_gold"), must_use_gold.into());
            for (color, name) in COLORS.iter().enumerate() {
                row.put(format!("{prefix}_distance_{name}"), distance[color]);
            }
            row.put(format!("{prefix}_distance_total"), distance.iter().sum());
            row.put(format!("{prefix}_vp_if_buy"), vp_if_buy);
        }
    }
}

fn card_view(board: &Board, player: &Player, card: &Card) -> (bool, bool, [i64; 5], i64) {
    // "Real cost = max(0, cost - reduction) per colour. [...] `distance_C` = max(0, real cost -
    // gems)".
    let mut distance = [0; 5];
    for color in 0..5 {
        let cost = i64::from(card.cost.0[color]);
        let real_cost = (cost - i64::from(player.reduction.0[color])).max(0);
        distance[color] = (real_cost - i64::from(player.gems.0[color])).max(0);
    }
    // "`can_build`: gold in hand covers the sum of max(0, real cost - gems). `must_use_gold`: can
    // build and some colour falls short."
    let can_build = i64::from(player.gems.0[5]) >= distance.iter().sum();
    let must_use_gold = can_build && distance.iter().any(|&short| short > 0);
    // "Points + the card's points, + 3 (once) if with this card's bonus any noble on the table is
    // satisfied, whether or not the card can be built."
    let mut vp = i64::from(player.vp) + i64::from(card.vp);
    if noble_distances(board, &reduction_with(player, card)).contains(&0) {
        vp += 3;
    }
    (can_build, must_use_gold, distance, vp)
}

fn nobles(board: &Board, row: &mut Row) {
    for seat in 0..4 {
        for slot in 0..5 {
            let prefix = format!("player{seat}_noble{slot}");
            let mut distance = [0; 5];
            let mut acquirable = false;
            if let (Some(player), Some(noble)) = (board.players.get(seat), board.nobles.get(slot)) {
                for color in 0..5 {
                    let asked = i64::from(noble.requirement.0[color]);
                    distance[color] = (asked - i64::from(player.reduction.0[color])).max(0);
                }
                acquirable = distance == [0; 5];
            }
            for (color, name) in COLORS.iter().enumerate() {
                row.put(format!("{prefix}_distance_{name}"), distance[color]);
            }
            row.put(format!("{prefix}_distance_total"), distance.iter().sum());
            row.put(format!("{prefix}_acquirable"), acquirable.into());
        }
        let distances = match board.players.get(seat) {
            Some(player) => noble_distances(board, &player.reduction.0.map(i64::from)),
            None => Vec::new(),
        };
        let closest = distances.iter().min().copied().unwrap_or(0);
        row.put(format!("player{seat}_closest_noble_distance"), closest);
        let acquirable = distances.iter().filter(|&&distance| distance == 0).count();
        row.put(format!("player{seat}_nobles_acquirable_count"), acquirable as i64);
    }
}

/// "Over the same 15 cards, after gaining the card's bonus: `nobles_after_buy` (nobles satisfied),
/// `closest_noble_distance_after_buy` (0 if no nobles)."
fn synergy(board: &Board, row: &mut Row) {
    for seat in 0..4 {
        for place in 0..15 {
            let distances = match reachable_card(board, seat, place) {
                Some((player, card)) => noble_distances(board, &reduction_with(&player, &card)),
                None => Vec::new(),
            };
            let satisfied = distances.iter().filter(|&&distance| distance == 0).count();
            let closest = distances.iter().min().copied().unwrap_or(0);
            let prefix = format!("player{seat}_card{place}");
            row.put(format!("{prefix}_nobles_after_buy"), satisfied as i64);
            row.put(format!("{prefix}_closest_noble_distance_after_buy"), closest);
        }
    }
}

/// "Seats that do not exist give 0 everywhere [...], except in the four gap and rank features,
/// which treat them as a player with 0." `playerN_vp` is excluded: its "part 1 value is the one
/// kept".
fn comparison(board: &Board, row: &mut Row) {
    let nobody = Player::default();
    let players: Vec<&Player> =
        (0..4).map(|seat| board.players.get(seat).unwrap_or(&nobody)).collect();
    let sum = |counts: &[u8]| counts.iter().map(|&count| i64::from(count)).sum::<i64>();
    let vps: Vec<i64> = players.iter().map(|player| player.vp.into()).collect();
    let reductions: Vec<i64> = players.iter().map(|player| sum(&player.reduction.0)).collect();

    for (seat, player) in players.iter().enumerate() {
        let gems_without_gold = &player.gems.0[..5];
        let different_colors = gems_without_gold.iter().filter(|&&count| count > 0).count();
        row.put(format!("player{seat}_total_gems_reduction"), reductions[seat]);
        let capacity = sum(gems_without_gold) + reductions[seat];
        row.put(format!("player{seat}_buying_capacity"), capacity);
        row.put(format!("player{seat}_total_gems_possessed"), sum(&player.gems.0));
        row.put(format!("player{seat}_total_gem_colors_possessed"), different_colors as i64);
        row.put(format!("player{seat}_num_reserved_cards"), player.reserved.len() as i64);
        row.put(format!("player{seat}_num_nobles_acquired"), 0);
        row.put(format!("player{seat}_num_cards_bought"), 0);
    }
    let best_vp = *vps.iter().max().unwrap();
    row.put("max_vp_among_players".to_owned(), best_vp);
    row.put("max_gems_reduction_among_players".to_owned(), *reductions.iter().max().unwrap());
    for seat in 0..4 {
        row.put(format!("player{seat}_distance_to_max_vp"), best_vp - vps[seat]);
        row.put(format!("player{seat}_leaderboard_position"), rank(&vps, seat));
        row.put(format!("player{seat}_vp_gap_to_leader"), best_vp - vps[seat]);
        let position = rank(&reductions, seat);
        row.put(format!("player{seat}_gems_reduction_leaderboard_position"), position);
    }
}

/// "0 = most points; ties go to the lower seat".
fn rank(scores: &[i64], seat: usize) -> i64 {
    let mut seats = [0, 1, 2, 3];
    seats.sort_by_key(|&seat| (-scores[seat], seat));
    seats.iter().position(|&ranked| ranked == seat).unwrap() as i64
}

/// "`distance_to_end_game` (15 - best points; can be negative), the three deck counts [in part 1],
/// `total_cards_bought` (0), `playerS_vp_to_win` (15 - points)"; 0 for seats that do not exist.
fn progress(board: &Board, row: &mut Row) {
    let best_vp = board.players.iter().map(|player| i64::from(player.vp)).max().unwrap();
    row.put("distance_to_end_game".to_owned(), 15 - best_vp);
    row.put("total_cards_bought".to_owned(), 0);
    for seat in 0..4 {
        let to_win = board.players.get(seat).map_or(0, |player| 15 - i64::from(player.vp));
        row.put(format!("player{seat}_vp_to_win"), to_win);
    }
}

fn one_hot(board: &Board, row: &mut Row) {
    let mover = board.to_move.index();
    let count = board.players.len();
    for seat in 0..4 {
        row.put(format!("current_player_{seat}"), (seat == mover).into());
    }
    for players in 2..=4 {
        row.put(format!("num_players_{players}"), (players == count).into());
    }
    for rotated in 0..4 {
        // "Rotated index N; an absent player reads as seat 0, so `_0` is 1".
        let position = if rotated < count { (mover + rotated) % count } else { 0 };
        for seat in 0..4 {
            row.put(format!("player{rotated}_position_{seat}"), (seat == position).into());
        }
    }
}

/// "*Flat card index*: level 1 list, then level 2, then level 3, numbered 0.. with no gaps."
fn displayed(board: &Board) -> Vec<Card> {
    let [one, two, three] = &board.displayed;
    [one.as_slice(), two.as_slice(), three.as_slice()].concat()
}

fn rotated_player(board: &Board, rotated: usize) -> Option<&Player> {
    let count = board.players.len();
    if rotated < count {
        Some(&board.players[(board.to_move.index() + rotated) % count])
    } else {
        None
    }
}

/// The card in one of the 15 reachable places of a seat, and the player in that seat.
fn reachable_card(board: &Board, seat: usize, place: usize) -> Option<(Player, Card)> {
    let player = board.players.get(seat)?;
    let mut cards = displayed(board);
    cards.extend(player.reserved.iter().copied());
    cards.get(place).map(|card| (player.clone(), *card))
}

fn reduction_with(player: &Player, card: &Card) -> [i64; 5] {
    let mut reduction = player.reduction.0.map(i64::from);
    reduction[card.bonus as usize] += 1;
    reduction
}

/// `distance_total` of each noble on the table.
fn noble_distances(board: &Board, reduction: &[i64; 5]) -> Vec<i64> {
    let mut distances = Vec::new();
    for noble in &board.nobles {
        let mut total = 0;
        for color in 0..5 {
            total += (i64::from(noble.requirement.0[color]) - reduction[color]).max(0);
        }
        distances.push(total);
    }
    distances
}
