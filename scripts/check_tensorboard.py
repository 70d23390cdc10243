#!/usr/bin/env python3
"""Reads exported events with TensorBoard's own reader and compares every scalar with the exported CSV.

    attnlab export RUN --tensorboard --csv -o out
    scripts/check_tensorboard.py out

Needs `pip install tensorboard`; says that it skips where that is missing.
"""
import csv
import pathlib
import struct
import sys

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    print("skipped: no tensorboard here (pip install tensorboard)")
    sys.exit(0)


def single(text):
    """The number as the event file keeps it: in single precision."""
    return struct.pack("<f", float(text))


def main(folder):
    series, scalars = {}, 0
    for path in folder.glob("*-series.csv"):
        with path.open(newline="") as file:
            for row in csv.DictReader(line for line in file if not line.startswith("#")):
                series.setdefault((row["run"], f"{row['plot']}/{row['series']}"), []).append(row)
    runs = sorted({run for run, _ in series})
    assert runs, f"no *-series.csv in {folder}"
    for run in runs:
        reader = EventAccumulator(str(folder / run), size_guidance={"scalars": 0, "tensors": 0})
        reader.Reload()
        tags = {tag for of, tag in series if of == run}
        assert set(reader.Tags()["scalars"]) == tags, (reader.Tags()["scalars"], tags)
        text = reader.Tensors("provenance")[0].tensor_proto.string_val[0].decode()
        assert "command: attnlab run" in text and "seed:" in text, text
        for tag in tags:
            rows, events = series[run, tag], reader.Scalars(tag)
            assert len(rows) == len(events), (tag, len(rows), len(events))
            for row, event in zip(rows, events):
                assert single(row["y"]) == single(event.value) or row["y"] == "NaN", (tag, row, event)
                if all(float(other["x"]).is_integer() for other in rows):
                    assert int(float(row["x"])) == event.step, (tag, row, event)
            scalars += len(events)
    print(f"{len(runs)} runs, {scalars} scalars: as exported")


main(pathlib.Path(sys.argv[1]))
