#!/usr/bin/env python3
"""Reads exported events with TensorBoard's own reader and compares every scalar and every result with the exported CSV.

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
    from tensorboard.plugins.hparams import metadata
except ImportError:
    print("skipped: no tensorboard here (pip install tensorboard)")
    sys.exit(0)


def single(text):
    """The number as the event file keeps it: in single precision."""
    return struct.pack("<f", float(text))


def main(folder):
    series, results, scalars, numbers = {}, {}, 0, 0
    for path in folder.glob("*-series.csv"):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                series.setdefault((row["run"], f"{row['plot']}/{row['series']}"), []).append(row)
    for path in folder.glob("*-rows.csv"):
        with path.open(newline="") as file:
            results.update((row["run"], row) for row in csv.DictReader(file))
    runs = sorted({run for run, _ in series})
    assert runs, f"no *-series.csv in {folder}"
    for run in runs:
        reader = EventAccumulator(str(folder / run), size_guidance={"scalars": 0, "tensors": 0})
        reader.Reload()
        tags = {tag for of, tag in series if of == run}
        told = {tag for tag in reader.Tags()["scalars"] if tag.startswith("result/")}
        assert set(reader.Tags()["scalars"]) - told == tags, (reader.Tags()["scalars"], tags)
        for tag in told:
            [event] = reader.Scalars(tag)
            assert single(results[run][tag.removeprefix("result/")]) == single(event.value), (run, tag, event)
        numbers += len(told)
        plugins = reader.PluginTagToContent(metadata.PLUGIN_NAME)
        start = metadata.parse_session_start_info_plugin_data(plugins[metadata.SESSION_START_INFO_TAG])
        end = metadata.parse_session_end_info_plugin_data(plugins[metadata.SESSION_END_INFO_TAG])
        experiment = metadata.parse_experiment_plugin_data(plugins[metadata.EXPERIMENT_TAG])
        assert "seed" in start.hparams and end.end_time_secs >= start.start_time_secs, (start, end)
        assert {info.name for info in experiment.hparam_infos} == set(start.hparams), experiment
        assert {info.name.tag for info in experiment.metric_infos} == told, experiment
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
    print(f"{len(runs)} runs, {scalars} scalars, {numbers} results: as exported")


main(pathlib.Path(sys.argv[1]))
