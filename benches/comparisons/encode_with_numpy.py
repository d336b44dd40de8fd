"""What one would write instead of prep: every log read and all 1,308 features encoded with NumPy.

    python3 encode_with_numpy.py DIR [--processes 2] [--float32-rows] [--sums] [--save FILE.npy]

Prints one line of JSON: games, rows and features counted (and with --sums the sum of every column).
Values are exactly the encoder's, before normalisation, in its order. They are int8 and lie column by
column as they come, or with --float32-rows as a network wants them: float32, row by row. --save
writes them as int8 (rows, 1308), ascending by game id, for the benchmark to compare.

It does less than `prep ingest`, in its own favour: it trusts every log (columns in the order they
are logged in, no value, card or row checked beyond the number of fields), makes no labels and no
masks, hashes, compresses and stores nothing, and drops each few games' arrays before the next.

How it is fast: a few games at a time, so that all arrays stay in the processor's cache; fields are
found by the positions of their separators; arrays lie feature by feature, so that every operation
runs over the rows of all those games at once, on single bytes; rows that need moving about (a
deck has run out) are rare and done apart.
"""

import argparse
import json
import multiprocessing
from pathlib import Path

import numpy as np

# Some two thousand rows: long enough that Python's own time does not count, short enough for the cache.
GAMES_AT_A_TIME = 24

COLUMNS = 403
FEATURES = 1308
CARD, NOBLE, PLAYER = 12, 6, 49
VP, LEVEL, COST, BONUS = 0, 1, slice(2, 7), slice(7, 12)

# Columns of the log: the game id, then 382 state columns, then the action.
NUM_PLAYERS, CURRENT_PLAYER, STATE, ACTION = 1, 3, 4, 383
NOBLES = 6 + 12 * CARD + 3
PLAYERS = NOBLES + 5 * NOBLE
# Counted from STATE: columns that may hold more than nine, by the ranges in the log's description.
DECKS = [6 + 12 * CARD + level for level in range(3)]
TWO_DIGITS = DECKS + [
    PLAYERS + rotated * PLAYER + place
    for rotated in range(4)
    for place in [1, *range(8, 13)]  # points and reductions
]

# Where families stand among the features.
WIDTHS = {
    "state": 375, "positions": 24, "tokens": 26, "cards": 4 * 15 * 9, "nobles": 4 * 37,
    "synergy": 4 * 15 * 2, "comparison": 46, "progress": 6, "one_hot": 23,
}  # fmt: skip
assert sum(WIDTHS.values()) == FEATURES


def read(paths):
    """The state columns of some logs, as int8 (columns, rows): 379 from the gems on; missing is 0.

    Also the number of players and the seat to move, each (rows,), and how many rows there are.
    """
    bodies, rows = [b"\n"], 0
    for path in paths:
        body = path.read_bytes()
        body = body[body.index(b"\n") + 1 :]
        if not body.endswith(b"\n"):
            body += b"\n"
        bodies.append(body)
        rows += body.count(b"\n")
    text = np.frombuffer(b"".join(bodies), np.uint8)
    separators = np.flatnonzero((text == ord(",")) | (text == ord("\n")))
    if len(separators) != rows * COLUMNS + 1:
        raise SystemExit(f"not {COLUMNS} fields in every row of {paths[0]} to {paths[-1]}")
    # A field begins after the separator before it. Its first character is its value, for most
    # columns: `3`, `3.0`, or missing if it is none (a separator or the n of `nan`).
    before = separators[:-1].reshape(-1, COLUMNS)
    first = digits(np.take(text[1:], before, mode="clip"))
    state = np.ascontiguousarray(first[:, STATE:ACTION].T)
    second = np.take(text[2:], before[:, [STATE + column for column in TWO_DIGITS]].T, mode="clip")
    is_digit = (second >= ord("0")) & (second <= ord("9"))
    state[TWO_DIGITS] = np.where(
        is_digit, state[TWO_DIGITS] * 10 + digits(second), state[TWO_DIGITS]
    )
    return state, first[:, NUM_PLAYERS].copy(), first[:, CURRENT_PLAYER].copy(), rows


def digits(characters):
    """The value of each character as int8; 0 for what is no digit."""
    values = characters - np.uint8(ord("0"))
    values *= values < 10
    return values.view(np.int8)


def encode(state, num_players, current_player):
    """All features of some rows, as int8 (1308, rows)."""
    rows = state.shape[1]
    # Seats that exist: all ones, for `&`, which is much faster than choosing by index.
    exists = [ones(num_players > seat) for seat in range(4)]
    players = state[PLAYERS:].reshape(4, PLAYER, rows)

    cards = state[6 : 6 + 12 * CARD].reshape(12, CARD, rows)
    compact(cards, cards[:, LEVEL] > 0)
    displayed = cards[:, LEVEL] > 0
    gems = state[:6]
    nobles = state[NOBLES:PLAYERS].reshape(5, NOBLE, rows)

    features = np.empty((FEATURES, rows), np.int8)
    parts, at = {}, 0
    for name, width in WIDTHS.items():
        parts[name] = features[at : at + width]
        at += width

    # State: as logged but for the four positions, which stand first in each player.
    parts["state"][:PLAYERS] = state[:PLAYERS]
    parts["state"][PLAYERS:].reshape(4, PLAYER - 1, rows)[:] = players[:, 1:]

    reserved = players[:, 13:].reshape(4, 3, CARD, rows)
    place = np.arange(15, dtype=np.int8)[:, None]
    parts["positions"][:12] = np.where(displayed, place[:12], -1)
    by_player = parts["positions"][12:].reshape(4, 3, rows)
    by_player[:] = np.where(reserved[:, :, LEVEL] > 0, place[12:], -1)

    tokens(gems, num_players, parts["tokens"])

    # From here on players go by seat, not by turn; seats that do not exist are all zeros.
    seats = np.zeros((4, PLAYER - 1, rows), np.int8)
    for rotated in range(4):
        seat_of = (current_player + rotated) % num_players
        for seat in range(4):
            seats[seat] |= players[rotated, 1:] & ones((seat_of == seat) & (rotated < num_players))
    card_parts = parts["cards"].reshape(4, 15, 9, rows)
    noble_parts = parts["nobles"].reshape(4, 37, rows)
    synergy_parts = parts["synergy"].reshape(4, 15, 2, rows)
    all_displayed = displayed.all(axis=0)
    reachable = np.empty((15, CARD, rows), np.int8)
    reachable[:12] = cards
    for seat in range(4):
        if not exists[seat].any():
            card_parts[seat] = noble_parts[seat] = synergy_parts[seat] = 0
            continue
        reachable[12:] = seats[seat, 12:].reshape(3, CARD, rows)
        after = strategic_nobles(nobles, seats[seat], exists[seat], noble_parts[seat])
        parts_of_seat = card_parts[seat], synergy_parts[seat]
        strategic_cards(reachable, seats[seat], exists[seat], after, *parts_of_seat)
        # Reserved cards come directly after the displayed ones, which are twelve nearly always.
        moved = np.flatnonzero(~all_displayed & (reachable[12, LEVEL] > 0))
        if len(moved):
            order = compact_order(reachable[:, LEVEL, moved] > 0)
            for part in parts_of_seat:
                part[:, :, moved] = np.take_along_axis(part[:, :, moved], order[:, None], axis=0)

    comparison(seats, exists, parts["comparison"], parts["progress"])

    one_hot = parts["one_hot"]
    for seat in range(4):
        one_hot[seat] = current_player == seat
    for count in (2, 3, 4):
        one_hot[2 + count] = num_players == count
    for rotated in range(4):
        # An absent player reads as seat 0.
        seat_of = np.where(rotated < num_players, (current_player + rotated) % num_players, 0)
        for seat in range(4):
            one_hot[7 + 4 * rotated + seat] = seat_of == seat
    return features


def ones(flags):
    """-1, all ones, where a flag is set; else 0."""
    return -flags.view(np.int8)


def compact_order(is_there):
    """What is there first, in order, then the rest."""
    return np.argsort(~is_there, axis=0, kind="stable")


def compact(cards, is_there):
    """Moves the cards that are there to the front, in place. Done only where one is missing."""
    some_missing = np.flatnonzero(~is_there.all(axis=0))
    if len(some_missing):
        order = compact_order(is_there[:, some_missing])
        cards[:, :, some_missing] = np.take_along_axis(
            cards[:, :, some_missing], order[:, None], axis=0
        )


def tokens(gems, num_players, out):
    piles = gems[:5]
    by_color = out[:25].reshape(5, 5, -1)
    can_take2 = piles >= 4
    by_color[:, 0] = can_take2
    by_color[:, 1] = piles - 2 * can_take2.view(np.int8)
    by_color[:, 2] = np.maximum(piles - 1, 0)
    by_color[:, 3] = num_players + 2 + (num_players == 4)
    by_color[:, 4] = np.minimum(piles, 2)
    out[25] = 5


def strategic_nobles(nobles, player, exists, out):
    """Writes a seat's noble features; returns how many nobles are satisfied and how far the closest
    is after one more reduction of each color: (5, rows) twice."""
    is_there = ones(nobles[:, 0] > 0)
    # Without a player nothing is short, which leaves zeros; likewise where there is no noble.
    reduction = player[7:12] | (~exists & 127)
    short = np.maximum(nobles[:, 1:] - reduction, 0)
    total = short[:, 0] + short[:, 1] + short[:, 2] + short[:, 3] + short[:, 4]
    by_noble = out[:35].reshape(5, 7, -1)
    by_noble[:, :5] = short
    by_noble[:, 5] = total
    acquirable = (total == 0).view(np.int8) & is_there & exists
    by_noble[:, 6] = acquirable
    far = total | (~is_there & 64)
    any_noble = is_there[0] & exists
    out[35] = far.min(axis=0) & any_noble
    out[36] = acquirable.sum(axis=0, dtype=np.int8)

    after = far[:, None] - (short > 0).view(np.int8)
    satisfied = (after == 0).view(np.int8).sum(axis=0, dtype=np.int8) & exists
    return satisfied, after.min(axis=0) & any_noble


def strategic_cards(cards, player, exists, after, out, synergy):
    """A seat's features of the fifteen cards it can reach."""
    is_there = ones(cards[:, LEVEL] > 0) & exists
    # Cost less reduction less gems, at least 0: gems are never negative, so one maximum will do.
    # Without a player nothing is short.
    has = (player[1:6] + player[7:12]) | (~exists & 127)
    short = out[:, 2:7]
    np.subtract(cards[:, COST], has, out=short)
    np.maximum(short, 0, out=short)
    total = out[:, 7]
    np.add(short[:, 0], short[:, 1], out=total)
    for color in (2, 3, 4):
        total += short[:, color]
    can_build = (player[6] >= total).view(np.int8) & is_there
    out[:, 0] = can_build
    out[:, 1] = can_build & (total > 0).view(np.int8)

    bonus = -cards[:, BONUS]
    for kind, by_color in enumerate(after):
        chosen = synergy[:, kind]
        np.bitwise_and(bonus[:, 0], by_color[0], out=chosen)
        for color in (1, 2, 3, 4):
            chosen |= bonus[:, color] & by_color[color]
    points = player[0] + cards[:, VP] + 3 * (synergy[:, 0] > 0).view(np.int8)
    np.bitwise_and(points, is_there, out=out[:, 8])


def comparison(seats, exists, out, progress):
    vp = seats[:, 0]
    gems = seats[:, 1:7]
    reductions = seats[:, 7:12].sum(axis=1, dtype=np.int8)
    without_gold = gems[:, :5].sum(axis=1, dtype=np.int8)
    by_seat = out[:28].reshape(4, 7, -1)
    by_seat[:, 0] = reductions
    by_seat[:, 1] = without_gold + reductions
    by_seat[:, 2] = without_gold + gems[:, 5]
    by_seat[:, 3] = (gems[:, :5] > 0).sum(axis=1, dtype=np.int8)
    reserved = seats[:, 12:].reshape(4, 3, CARD, -1)
    by_seat[:, 4] = (reserved[:, :, LEVEL] > 0).sum(axis=1, dtype=np.int8)
    by_seat[:, 5:] = 0  # nobles acquired, cards bought: the log does not say
    most = vp.max(axis=0)
    out[28] = most
    out[29] = reductions.max(axis=0)
    gaps = out[30:].reshape(4, 4, -1)
    gaps[:, 0] = gaps[:, 2] = most - vp
    gaps[:, 1] = rank(vp)
    gaps[:, 3] = rank(reductions)

    progress[0] = 15 - most
    progress[1] = 0  # total cards bought: likewise
    for seat in range(4):
        progress[2 + seat] = (15 - vp[seat]) & exists[seat]


def rank(scores):
    """0 for the most; ties go to the lower seat."""
    ranks = np.zeros_like(scores)
    for seat in range(4):
        for other in range(4):
            if other < seat:
                ranks[seat] += scores[other] >= scores[seat]
            elif other > seat:
                ranks[seat] += scores[other] > scores[seat]
    return ranks


def encode_logs(task):
    paths, wants_float32_rows, wants_sums, wants_saved = task
    state, num_players, current_player, rows = read(paths)
    features = encode(state, num_players, current_player)
    if wants_float32_rows:
        features.T.astype(np.float32, order="C")
    sums = features.sum(axis=1, dtype=np.int64) if wants_sums else None
    return len(paths), rows, sums, features.T.copy() if wants_saved else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--float32-rows", action="store_true")
    parser.add_argument("--sums", action="store_true")
    parser.add_argument("--save", type=Path)
    arguments = parser.parse_args()

    logs = [path for path in arguments.folder.rglob("*.csv") if path.stem.isdigit()]
    logs.sort(key=lambda path: int(path.stem))
    wants = (arguments.float32_rows, arguments.sums, arguments.save is not None)
    tasks = [
        (logs[start : start + GAMES_AT_A_TIME], *wants)
        for start in range(0, len(logs), GAMES_AT_A_TIME)
    ]
    with multiprocessing.Pool(arguments.processes) as pool:
        done = list(pool.imap(encode_logs, tasks))
    counted = {
        "games": sum(games for games, *_ in done),
        "rows": sum(rows for _, rows, *_ in done),
        "features": FEATURES,
        "numpy": np.__version__,
    }
    if arguments.sums:
        counted["sums"] = sum(sums for *_, sums, _ in done).tolist()
    if arguments.save:
        np.save(arguments.save, np.concatenate([rows for *_, rows in done]))
    print(json.dumps(counted))


if __name__ == "__main__":
    main()
