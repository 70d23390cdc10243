#!/usr/bin/env python3
"""Compares attnlab's numbers about a model's queries, keys and values with an independent computation in numpy.

    scripts/check_real_model.py --attnlab target/release/attnlab --queries q.npy --keys k.npy --values v.npy

Arrays are [layers, heads, tokens, coordinates]. Exact quantities must agree to 1e-9, medians over draws within 4.5 standard errors.
Needs numpy. Ends with status 1 where something differs.
"""

import argparse
import json
import subprocess
import sys

import numpy as np

TRIALS = 200


def log_sum(logs):
    top = logs.max(axis=-1, keepdims=True)
    return top + np.log(np.exp(logs - top).sum(axis=-1, keepdims=True))


def attend(logs, values, causal):
    if causal:
        logs = np.where(np.tril(np.ones(logs.shape, bool)), logs, -np.inf)
    weights = np.exp(logs - log_sum(logs))
    return weights, weights @ values


def exact_numbers(x, y, values, causal, width):
    logs = x @ y.T
    weights, output = attend(logs, values, causal)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropies = -np.where(weights > 0, weights * np.log(weights), 0.0).sum(axis=1)
    near = logs.copy()
    for i in range(len(x)):
        seen = i + 1 if causal else len(y)
        here = min(width, seen)
        first = seen - here if causal else min(max(i * len(y) // len(x) + 1 - -(-here // 2), 0), len(y) - here)
        near[i, :first] = near[i, first + here :] = -np.inf
    _, windowed = attend(near, values, causal)
    squares = 2 * (logs - logs.max())
    weights_of_squares = np.sort(np.exp(squares).ravel())[::-1]
    total = weights_of_squares.sum()
    count = weights_of_squares.size
    numbers = {
        "output_norm": np.linalg.norm(output),
        "entropy": entropies.mean(),
        "effective_keys": np.exp(entropies).mean(),
        "window_output_rel_error": np.linalg.norm(windowed - output) / np.linalg.norm(output),
        "n90": (np.searchsorted(np.cumsum(weights_of_squares), 0.9 * total) + 1) / count,
        "participation_ratio": total**2 / (count * (weights_of_squares**2).sum()),
    }
    return numbers, logs, output


def positive_errors(x, y, values, causal, output, m, rng):
    """Errors of the output with positive features of Gaussian rows, in the logarithmic domain."""
    errors = []
    for _ in range(TRIALS):
        w = rng.standard_normal((m, x.shape[1]))
        of_x = x @ w.T - 0.5 * (x**2).sum(axis=1, keepdims=True)
        of_y = y @ w.T - 0.5 * (y**2).sum(axis=1, keepdims=True)
        logs = np.empty((len(x), len(y)))
        for start in range(0, len(x), 64):
            block = of_x[start : start + 64, None, :] + of_y[None, :, :]
            logs[start : start + 64] = log_sum(block)[..., 0]
        _, estimated = attend(logs, values, causal)
        errors.append(np.linalg.norm(estimated - output) / np.linalg.norm(output))
    return np.array(errors)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attnlab", required=True)
    parser.add_argument("--queries", required=True)
    parser.add_argument("--keys", required=True)
    parser.add_argument("--values", required=True)
    parser.add_argument("--logs", default="logs")
    parser.add_argument("--heads", default="0:0,3:0,4:5", help="layer:head, with commas")
    arguments = parser.parse_args()
    queries, keys, values = (np.load(name).astype(np.float64) for name in (arguments.queries, arguments.keys, arguments.values))
    scale = queries.shape[-1] ** -0.25
    wrong = 0
    for pair in arguments.heads.split(","):
        layer, head = map(int, pair.split(":"))
        x, y, v = queries[layer, head] * scale, keys[layer, head] * scale, values[layer, head]
        for causal in (True, False):
            command = [arguments.attnlab, "--logs", arguments.logs, "run", "random-features", "--json", "--quiet"]
            for key, value in {
                "inputs": "file",
                "queries": arguments.queries,
                "keys": arguments.keys,
                "values": arguments.values,
                "layer": layer,
                "head": head,
                "causal": "yes" if causal else "no",
                "estimator": "positive",
                "projection": "gaussian",
                "m": 16,
                "trials": TRIALS,
            }.items():
                command += ["--set", f"{key}={value}"]
            row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["rows"][0]
            expected, _, output = exact_numbers(x, y, v, causal, row["window"])
            for key, value in expected.items():
                off = abs(row[key] / value - 1)
                wrong += off > 1e-9
                print(f"layer {layer} head {head} causal {causal}: {key} {row[key]:.12g}, numpy {value:.12g}, off by {off:.1e}")
            errors = positive_errors(x, y, v, causal, output, 16, np.random.default_rng(layer * 100 + head))
            quartiles = np.quantile(errors, [0.25, 0.5, 0.75])
            # A median of n draws has about 1.25 times the standard error of the mean; the deviation comes from the quartiles.
            error = 1.2533 * (quartiles[2] - quartiles[0]) / 1.349 / np.sqrt(TRIALS) * np.sqrt(2)
            distance = abs(row["output_rel_error_median"] - quartiles[1]) / error
            wrong += distance > 4.5
            print(
                f"layer {layer} head {head} causal {causal}: median output error {row['output_rel_error_median']:.5f}, "
                f"numpy {quartiles[1]:.5f}, {distance:.1f} standard errors apart"
            )
    print("all numbers agree" if wrong == 0 else f"{wrong} numbers differ")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
