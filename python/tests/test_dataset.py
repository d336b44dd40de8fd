"""`Dataset` gives the arrays of an export as NumPy reads them, in batches, in worker processes, and for
PyTorch (with a mock if PyTorch is not installed)."""

from __future__ import annotations

import multiprocessing
import pickle
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Games, run_prep, same_bits
from sklearn.model_selection import GroupKFold

from splendor_prep import HEADS, Batch, Dataset, ExportError, Sample, Scaler, Stream


@pytest.fixture(params=["npz", "npy"])
def either_layout(request: pytest.FixtureRequest, export: Path, simulated: Games) -> Path:
    if request.param == "npz":
        return export
    out = export.parent / "npy"
    if not out.exists():
        split = ["--split", "0.7,0.2,0.1", "--split-method", "sklearn", "--layout", "npy"]
        run_prep("export", "--cache", simulated.cache, "--out", out, *split, "-q")
    return out


def test_arrays_equal_numpy(either_layout: Path, export: Path) -> None:
    for split in ("train", "val", "test"):
        dataset = Dataset(either_layout, split)
        assert same_bits(dataset.state, np.load(export / f"X_{split}.npy"))
        for kind in ("labels", "masks", "index", "outcome"):
            expected = np.load(export / f"{kind}_{split}.npz")
            found = getattr(dataset, kind)
            assert list(found) == list(expected)
            for name in found:
                assert same_bits(found[name], expected[name]), (split, kind, name)


def test_arrays_are_loaded_lazily(either_layout: Path) -> None:
    dataset = Dataset(either_layout, "train")
    for values in [dataset.state, *dataset.labels.values(), *dataset.masks.values()]:
        assert isinstance(values.base, np.memmap) and not values.flags.writeable


def test_row_and_batch(export: Path) -> None:
    dataset = Dataset(export, "val")
    x = np.load(export / "X_val.npy")
    labels, masks = (dict(np.load(export / f"{kind}_val.npz")) for kind in ("labels", "masks"))
    state, its_labels, its_masks = dataset[3]
    assert same_bits(state, x[3]) and state.flags.owndata and type(state) is np.ndarray
    assert its_labels == {head: int(labels[head][3]) for head in HEADS}
    assert all(same_bits(its_masks[head], masks[head][3]) for head in HEADS)
    assert same_bits(dataset[-1].state, x[-1])
    for rows in (slice(2, 9), [5, 2, 5], np.array([7, 0])):
        batch = dataset[rows]
        assert same_bits(batch.state, x[rows]) and batch.state.flags.writeable
        for head in HEADS:
            assert same_bits(batch.labels[head], labels[head][rows])
            assert same_bits(batch.masks[head], masks[head][rows])
    with pytest.raises(IndexError):
        dataset[len(dataset)]
    assert len(list(iter(dataset))) == len(dataset)


def test_rows_by_index(export: Path) -> None:
    train = Dataset(export, "train")
    x, labels = np.load(export / "X_train.npy"), dict(np.load(export / "labels_train.npz"))
    rows = [7, 0, -1, 7]
    indices: list[Any] = [
        rows, tuple(rows), np.array(rows), np.array(rows, ">i2"), np.array(rows, object).astype("i1"),
        slice(None, None, -3), np.arange(len(train)) % 5 == 2,
    ]  # fmt: skip
    for index in indices:
        by = list(index) if isinstance(index, tuple) else index
        batch = train[by]
        assert same_bits(batch.state, x[by]) and same_bits(batch.labels["noble"], labels["noble"][by])
        for values in [batch.state, *batch.labels.values(), *batch.masks.values()]:
            assert values.flags.writeable and not np.may_share_memory(values, train.state)
            assert values.base is None or not isinstance(values.base, np.memmap)
    samples = train.__getitems__(rows)
    assert len(samples) == len(rows)
    for row, sample in zip(rows, samples, strict=True):
        expected = train[row]
        assert type(sample) is Sample and same_bits(sample.state, expected.state)
        assert sample.labels == expected.labels and type(sample.labels["noble"]) is int
        assert all(same_bits(sample.masks[head], expected.masks[head]) for head in HEADS)
    with pytest.raises(IndexError):
        train.__getitems__([len(train)])


def test_parquet_export_is_refused(simulated: Games, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_prep("export", "--cache", simulated.cache, "--out", out, "--format", "parquet", "-q")
    with pytest.raises(ExportError, match="--format parquet.*export without --format.*train.parquet"):
        Dataset(out, "train")


def test_batches_have_every_row_once(export: Path) -> None:
    dataset = Dataset(export, "train")
    rows = len(dataset)
    plain = list(dataset.batches(512))
    assert [len(batch.state) for batch in plain[:-1]] == [512] * (rows // 512)
    assert same_bits(np.concatenate([batch.state for batch in plain]), dataset.state[:])

    def order(**options: Any) -> list[bytes]:
        return [row.tobytes() for batch in dataset.batches(512, **options) for row in batch.state]

    shuffled = order(shuffle=True, seed=3)
    assert sorted(shuffled) == sorted(order()) and shuffled != order()
    assert shuffled == order(shuffle=True, seed=3) != order(shuffle=True, seed=4)
    assert len(order(shuffle=True, drop_last=True)) == rows // 512 * 512
    for batch in dataset.batches(100, shuffle=True):
        assert len(batch.labels["noble"]) == len(batch.masks["noble"]) == len(batch.state)
    with pytest.raises(ValueError, match="at least 1"):
        dataset.batches(0)


def test_labels_and_masks_of_rows(export: Path) -> None:
    dataset = Dataset(export, "train")
    whole = dict(zip(map(bytes, dataset.state[:]), range(len(dataset)), strict=True))
    for batch in dataset.batches(300, shuffle=True, seed=8):
        for place, state in enumerate(batch.state):
            twin = dataset[whole[state.tobytes()]]
            for head in HEADS:
                # Equal rows have equal masks, but may have different moves.
                assert same_bits(batch.masks[head][place], twin.masks[head])


def test_groups_keep_games_together(export: Path) -> None:
    dataset = Dataset(export, "train")
    groups = dataset.groups()
    assert same_bits(groups, np.load(export / "index_train.npz")["game_id"])
    for train, held_out in GroupKFold(5).split(dataset.state, groups=groups):
        assert not set(groups[train]) & set(groups[held_out])


def checksum(dataset: Dataset, row: int) -> tuple[int, float, int]:
    state, labels, masks = dataset[row]
    return labels["action_type"], float(state.sum()), int(masks["gems_removed"].sum())


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_worker_processes(export: Path, method: str) -> None:
    dataset = Dataset(export, "train")
    jobs = [(dataset, row) for row in range(0, 40)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.starmap(checksum, jobs) == [checksum(*job) for job in jobs]


def test_pickled_by_path(export: Path, tmp_path: Path) -> None:
    copied = tmp_path / "export"
    shutil.copytree(export, copied)
    pickled = pickle.dumps(Dataset(copied, "train"))
    assert len(pickled) < 1000
    assert len(pickle.loads(pickled)) == len(Dataset(export, "train"))
    manifest = (copied / "manifest.json").read_text()
    export_id = Dataset(copied, "train").export_id
    assert export_id is not None
    (copied / "manifest.json").write_text(manifest.replace(export_id, "0" * 64))
    with pytest.raises(ExportError, match="was replaced since"):
        pickle.loads(pickled)


def test_open_dataset_is_unchanged_by_a_new_export(
    simulated: Games, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    common = ["export", "--cache", simulated.cache, "--out", out, "-q", "--split"]
    run_prep(*common, "1,0,0")
    dataset = Dataset(out, "train")
    before = dataset[len(dataset) - 1]
    run_prep(*common, "0.5,0.5,0")
    assert same_bits(dataset[len(dataset) - 1].state, before.state)
    assert len(Dataset(out, "train")) < len(dataset)


def test_scaler_is_that_of_the_opened_export(simulated: Games, tmp_path: Path) -> None:
    folder = tmp_path / "processed"
    run_prep("export", "--cache", simulated.cache, "--out", folder, "--seed", 1)
    train = Dataset(folder, "train")
    opened = Scaler.load(folder)
    run_prep("export", "--cache", simulated.cache, "--out", folder, "--seed", 2)
    assert Scaler.load(folder).fitted_in != opened.fitted_in
    assert train.scaler().fitted_in == opened.fitted_in
    assert np.array_equal(train.scaler().mean, opened.mean)


def test_other_working_folder(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(export.parent)
    train = Dataset(export.name, "train")
    monkeypatch.chdir(tmp_path)
    assert train.export_dir == export
    assert np.array_equal(pickle.loads(pickle.dumps(train)).state, train.state)
    assert train.scaler().fitted_in == train.export_id


def test_integer_types_as_index(export: Path) -> None:
    train = Dataset(export, "train")

    class Number:
        def __index__(self) -> int:
            return 3

    expected = train[3]
    numbers: list[Any] = [np.int8(3), np.uint64(3), np.array(3), Number(), -len(train) + 3]
    for row in numbers:
        sample = train[row]
        assert isinstance(sample, Sample)
        assert np.array_equal(sample.state, expected.state)
        assert sample.labels == expected.labels
        assert all(type(label) is int for label in sample.labels.values())
    batches: list[Any] = [[3], np.array([3]), slice(3, 4)]
    for rows in batches:
        assert isinstance(train[rows], Batch)


def test_dtypes_and_empty_split(simulated: Games, tmp_path: Path) -> None:
    out = tmp_path / "int8"
    options = ["--split", "1,0,0", "--no-normalize", "--dtype", "int8", "--features", "base"]
    run_prep("export", "--cache", simulated.cache, "--out", out, *options, "-q")
    dataset = Dataset(out, "train")
    assert dataset.state.dtype == np.int8 and dataset.state.shape[1] == 422
    empty = Dataset(out, "test")
    assert len(empty) == 0 and list(empty.batches(8)) == [] and empty.state.shape == (0, 422)


def test_inconsistent_arrays(export: Path, tmp_path: Path) -> None:
    copied = tmp_path / "export"
    shutil.copytree(export, copied)
    shutil.copy(copied / "labels_val.npz", copied / "labels_train.npz")
    with pytest.raises(ExportError, match="incomplete"):
        Dataset(copied, "train")
    (copied / "masks_val.npz").write_bytes(b"PK")
    with pytest.raises(ExportError, match="cannot be read"):
        Dataset(copied, "val")


def test_with_pytorch(export: Path) -> None:
    torch = pytest.importorskip("torch")
    dataset = Dataset(export, "val")
    loader = torch.utils.data.DataLoader(dataset.torch(), batch_size=32, num_workers=2)
    state, labels, masks = next(iter(loader))
    assert np.array_equal(state.numpy(), dataset.state[:32])
    assert labels["noble"].dtype == torch.int64 and masks["noble"].dtype == torch.bool
    for head, classes in HEADS.items():
        assert masks[head].shape == (32, classes)
        assert np.array_equal(labels[head].numpy(), dataset.labels[head][:32])


def test_pytorch_default_collation(export: Path) -> None:
    torch = pytest.importorskip("torch")
    data, dataset = torch.utils.data, Dataset(export, "train")
    turns = dataset.torch()

    class OneByOne(data.Dataset):  # type: ignore[misc,name-defined,unused-ignore]
        """Without `__getitems__`, so that PyTorch collates single rows."""

        def __len__(self) -> int:
            return len(dataset)

        def __getitem__(self, row: int) -> Any:
            return turns[row]

    def batches(rows: Any, **options: Any) -> list[Any]:
        draw = torch.Generator().manual_seed(3)
        return list(data.DataLoader(rows, 64, shuffle=True, generator=draw, **options))

    def assert_same(found: Any, expected: Any) -> None:
        assert type(found) is type(expected) and len(found) == len(expected)
        if isinstance(found, (list, tuple)):
            for one, other in zip(found, expected, strict=True):
                assert_same(one, other)
        elif isinstance(found, dict):
            assert_same(list(found.items()), list(expected.items()))
        elif not isinstance(found, str):
            assert found.dtype == expected.dtype and torch.equal(found, expected)

    expected = batches(OneByOne())
    assert_same(batches(turns), expected)
    assert_same(batches(turns, num_workers=2), expected)
    assert_same(batches(turns, num_workers=1, multiprocessing_context="spawn"), expected)
    assert_same(batches(data.Subset(turns, range(len(turns)))), expected)
    # A custom collate function gets rows.
    rows = batches(turns, collate_fn=list)
    for batch, (state, labels, masks) in zip(rows, expected, strict=True):
        assert len(batch) == len(state)
        assert torch.equal(torch.stack([row[0] for row in batch]), state)
        assert [row[1]["noble"] for row in batch] == labels["noble"].tolist()
        assert torch.equal(batch[-1][2]["noble"], masks["noble"][-1])
    assert_same(data.default_collate(rows[0]), expected[0])
    # Batches from a sampler.
    sampler = data.BatchSampler(range(200), 50, drop_last=False)
    state, labels, masks = next(iter(data.DataLoader(turns, batch_size=None, sampler=sampler)))
    assert torch.equal(state, torch.from_numpy(dataset[:50].state)) and labels["noble"].dtype == torch.int64


def test_pytorch_interface(export: Path, torch_data: types.ModuleType) -> None:
    dataset = Dataset(export, "val")
    turns = dataset.torch()
    assert isinstance(turns, vars(torch_data)["Dataset"]) and len(turns) == len(dataset)
    state, labels, masks = turns[4]
    assert same_bits(state.values, dataset[4].state)
    assert labels == dataset[4].labels and list(labels) == list(HEADS)
    for head in HEADS:
        assert same_bits(masks[head].values, dataset[4].masks[head] == 1)


def test_missing_pytorch(
    export: Path, simulated: Games, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if it were not installed.
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "splendor_prep.torch", raising=False)
    for rows in (Dataset(export, "train"), Stream(simulated.cache, "train")):
        with pytest.raises(ImportError, match="needs PyTorch: run `pip install torch`"):
            rows.torch()
