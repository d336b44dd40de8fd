"""Writes sklearn_split.txt: which games two nested GroupShuffleSplit calls choose.

Run from this folder:  pip install scikit-learn blake3 && python sklearn_split.py > sklearn_split.txt
"""
import blake3
import numpy
import sklearn
from sklearn.model_selection import GroupShuffleSplit


def chosen(ids, ratios, seed):
    """One digit per game, in ascending id: 0 train, 1 val, 2 test."""
    train_ratio, val_ratio, test_ratio = ratios
    outer = GroupShuffleSplit(n_splits=1, train_size=train_ratio, random_state=seed)
    train, rest = next(outer.split(ids, groups=ids))
    inner = GroupShuffleSplit(
        n_splits=1, train_size=val_ratio / (val_ratio + test_ratio), random_state=seed
    )
    val, test = next(inner.split(ids[rest], groups=ids[rest]))
    digits = numpy.full(len(ids), -1)
    digits[train] = 0
    digits[rest[val]] = 1
    digits[rest[test]] = 2
    assert digits.min() == 0
    return "".join(map(str, digits))


print(f"# Written by sklearn_split.py with scikit-learn {sklearn.__version__}, numpy {numpy.__version__}.")
print("# Games 1, 4, 7, ...; a line is: number of games, seed, train, val and test ratio, and what")
print("# scikit-learn chose: one digit a game (0 train, 1 val, 2 test), for more than 100 games the")
print("# blake3 of those digits, 'refused' where scikit-learn raises a ValueError.")
for games in (3, 5, 10, 56, 100, 1000):
    for seed in (0, 1, 42, 2**32 - 1):
        for ratios in ((0.8, 0.1, 0.1), (0.7, 0.15, 0.15), (0.6, 0.2, 0.2), (0.5, 0.25, 0.25)):
            ids = 3 * numpy.arange(games) + 1
            try:
                result = chosen(ids, ratios, seed)
            except ValueError:
                result = "refused"
            if len(result) > 100:
                result = blake3.blake3(result.encode()).hexdigest()
            print(games, seed, *ratios, result)
