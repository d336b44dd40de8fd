"""Writes standard_scaler.txt: what scikit-learn's StandardScaler makes of a small matrix.

Run from this folder:  pip install scikit-learn && python standard_scaler.py > standard_scaler.txt
"""
import numpy
import sklearn
from sklearn.preprocessing import StandardScaler

random = numpy.random.default_rng(20)
rows = random.integers(-1, [2, 8, 20, 127, 127], size=(40, 5))
rows[:, 3] = 7  # a constant column: variance 0, scale 1
rows[:, 4] = 100 + rows[:, 4] % 2  # far from 0 with a small variance, where rounding matters

fitted = StandardScaler().fit(rows.astype(float))
print(f"# Written by standard_scaler.py with scikit-learn {sklearn.__version__}, numpy {numpy.__version__}.")
print("# First the whole numbers fitted on, a line a row; then mean, var and scale of each column.")
for row in rows:
    print("row", *row)
for name, values in (("mean", fitted.mean_), ("var", fitted.var_), ("scale", fitted.scale_)):
    print(name, *(repr(float(value)) for value in values))
