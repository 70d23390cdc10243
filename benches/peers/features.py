"""One trial of positive random features in PyTorch, timed: what `attnlab run random-features` is compared with.

    pip install torch            # in a virtual environment
    python benches/peers/features.py 4096 64 256

Arguments: length, dimension, projections. The exact matrix is computed once and kept, as a careful user would. Prints one
JSON line: seconds a trial (median of `--trials`) and the relative Frobenius error.
"""

import argparse
import json
import time

import torch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("length", "dim", "projections"):
        parser.add_argument(name, type=int)
    parser.add_argument("--sigma", type=float, default=0.5)
    parser.add_argument("--trials", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    scale = options.sigma / options.dim**0.25
    queries, keys = (scale * torch.randn(options.length, options.dim) for _ in range(2))
    exact = torch.exp(queries @ keys.T)
    norm = torch.linalg.norm(exact)

    def features(x, w):
        return torch.exp(x @ w.T - x.square().sum(1, keepdim=True) / 2) / options.projections**0.5

    seconds, errors = [], []
    for _ in range(options.trials + 1):
        began = time.perf_counter()
        w = torch.randn(options.projections, options.dim)
        errors.append(float(torch.linalg.norm(exact - features(queries, w) @ features(keys, w).T) / norm))
        seconds.append(time.perf_counter() - began)
    seconds = sorted(seconds[1:])[options.trials // 2]
    error = sorted(errors[1:])[options.trials // 2]
    print(json.dumps(dict(vars(options), seconds=round(seconds, 5), error=round(error, 4), torch=torch.__version__)))


if __name__ == "__main__":
    main()
