#!/usr/bin/env python3
"""How often measured means lie within two standard errors of theory where a row says `observable`.

    scripts/calibrate_observable.py --attnlab target/release/attnlab --seeds 5

Prints the table of docs/random-features.md: estimator by estimator, trials by trials, the share of rows whose mean squared error and
whose mean of <A^,A>/|A|^2 lie within 2 standard errors of theory, and how many rows there are. Needs nothing but Python.
"""

import argparse
import json
import subprocess
import tempfile
from collections import defaultdict

FEATURES = [
    ("inputs=gauss", "sigma=0.25"),
    ("inputs=gauss", "sigma=0.5"),
    ("inputs=gauss", "sigma=0.7"),
    ("inputs=gauss", "sigma=1"),
    ("inputs=sphere", "radius=1"),
    ("inputs=sphere", "radius=1.5"),
    ("inputs=hub",),
    ("inputs=outlier",),
    ("inputs=planted", "radius=1.5"),
]
COMMON = ("length=48", "m=16,64,256", "estimator=positive,hyperbolic,trigonometric,gerf")
HYBRID = [(f"radius={radius}", "angles=5") for radius in ("0.5", "1", "1.5")]
MASKED = [("length=32", "features=64,256", f"sigma={sigma}") for sigma in ("0.25", "0.5", "0.7")]

# Squared errors below this are rounding.
EXACT = 1e-20

# By problem: its settings, trials, and the column that names the estimator.
PROBLEMS = {
    "random-features": ([setting + COMMON for setting in FEATURES], (16, 128, 512), "estimator"),
    "hybrid": (HYBRID, (128, 512, 2048), "base"),
    "masked": (MASKED, (16, 128), "method"),
}


def rows(attnlab, problem, settings, folder):
    arguments = [attnlab, "run", problem, "--json", "--quiet"]
    for setting in settings:
        arguments += ["--set", setting]
    found = subprocess.run(arguments, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(found.stdout)["rows"]


def within(row, found, error, expected):
    return abs(found - expected) <= 2 * row[error]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attnlab", default="attnlab")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--problem", choices=PROBLEMS, action="append")
    options = parser.parse_args()
    print("| problem | estimator | trials | rows | observable | squared error within 2 s.e. | mean ratio within 2 s.e. |")
    print("|---|---|---|---|---|---|---|")
    for problem in options.problem or PROBLEMS:
        settings, trials, name = PROBLEMS[problem]
        for count in trials:
            # Rows, those that are observable, of these the squared errors and the ratios near theory.
            tally = defaultdict(lambda: [0, 0, 0, 0])
            with tempfile.TemporaryDirectory() as folder:
                for seed in range(1, options.seeds + 1):
                    for setting in settings:
                        for row in rows(options.attnlab, problem, (*setting, f"trials={count}", f"seed={seed}"), folder):
                            # Where an estimate is exact there is nothing but rounding to compare.
                            if row["observable"] is None or (row["rel_mse_theory"] or 0.0) < EXACT:
                                continue
                            ratio = row.get("mean_ratio_theory") or 1.0
                            for key in (row[name], "all"):
                                sums = tally[key]
                                sums[0] += 1
                                if row["observable"]:
                                    sums[1] += 1
                                    sums[2] += within(row, row["rel_mse_mean"], "rel_mse_sem", row["rel_mse_theory"])
                                    sums[3] += within(row, row["mean_ratio"], "mean_ratio_sem", ratio)
            for key, (all_rows, seen, errors, ratios) in tally.items():
                share = lambda part: f"{part / seen:.2f}" if seen else "-"
                print(f"| {problem} | {key} | {count} | {all_rows} | {seen} | {share(errors)} | {share(ratios)} |", flush=True)


if __name__ == "__main__":
    main()
