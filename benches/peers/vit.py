"""The vision transformer of `attnlab run vit` in PyTorch, timed: what `cargo bench --bench vit` is compared with.

    pip install torch            # in a virtual environment
    python benches/peers/vit.py relu 196 --compile
    python benches/peers/vit.py favor 784 --device cuda

Prints one JSON line: images a second in training (forward, backward, AdamW) and inference, medians over the steps.
"""

import argparse
import json
import time

import torch
from torch import nn
from torch.nn import functional


class Attention(nn.Module):
    def __init__(self, dim, heads, kernel, m):
        super().__init__()
        self.heads, self.kernel = heads, kernel
        if kernel == "favor":
            # Random features of every head; how rows are drawn does not matter for the time.
            self.register_buffer("projections", torch.randn(heads, dim // heads, m))
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x):
        batch, tokens, dim = x.shape
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if self.kernel == "softmax":
            mixed = functional.scaled_dot_product_attention(q, k, v)
        else:
            if self.kernel == "relu":
                q, k = functional.relu(q) + 1e-3, functional.relu(k) + 1e-3
            else:
                if self.kernel == "favor":
                    q, k = (x * x.shape[-1] ** -0.25 for x in (q, k))
                    q, k = (x @ self.projections - x.square().sum(-1, keepdim=True) / 2 for x in (q, k))
                # The stabilisers that leave attention as it is: a constant a coordinate of keys, one a query.
                top = k.amax(-2, keepdim=True)
                shifted = q + top
                q, k = torch.exp(shifted - shifted.amax(-1, keepdim=True)), torch.exp(k - top)
            mixed = (q @ (k.transpose(-1, -2) @ v)) / (q @ k.sum(-2).unsqueeze(-1))
        return self.out(mixed.transpose(1, 2).reshape(batch, tokens, dim))


class Block(nn.Module):
    def __init__(self, dim, heads, ratio, kernel, m):
        super().__init__()
        self.first, self.second = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = Attention(dim, heads, kernel, m)
        self.network = nn.Sequential(nn.Linear(dim, ratio * dim), nn.GELU(), nn.Linear(ratio * dim, dim))

    def forward(self, x):
        x = x + self.attention(self.first(x))
        return x + self.network(self.second(x))


class Vit(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.embed = nn.Linear(options.patch, options.dim)
        self.position = nn.Parameter(0.02 * torch.randn(1, options.tokens, options.dim))
        block = (options.dim, options.heads, options.mlp_ratio, options.kernel, options.m)
        self.blocks = nn.Sequential(*[Block(*block) for _ in range(options.depth)])
        self.norm, self.head = nn.LayerNorm(options.dim), nn.Linear(options.dim, 10)

    def forward(self, patches):
        return self.head(self.norm(self.blocks(self.embed(patches) + self.position)).mean(1))


def rate(images, steps, step, device):
    """Images a second: the median over `steps` after three to warm up."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    seconds = []
    for _ in range(steps + 3):
        began = time.perf_counter()
        step()
        wait()
        seconds.append(time.perf_counter() - began)
    return round(images / sorted(seconds[3:])[steps // 2], 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernel", choices=["softmax", "relu", "exp", "favor"])
    parser.add_argument("tokens", type=int)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    sizes = dict(dim=64, depth=4, heads=4, mlp_ratio=2, patch=16, batch=64, steps=20, threads=2, m=64)
    for name, value in sizes.items():
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=value)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = Vit(options).to(options.device)
    network = torch.compile(model) if options.compile else model
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3)
    patches = torch.randn(options.batch, options.tokens, options.patch, device=options.device)
    labels = torch.randint(0, 10, (options.batch,), device=options.device)

    def train():
        optimiser.zero_grad(set_to_none=True)
        functional.cross_entropy(network(patches), labels).backward()
        optimiser.step()

    training = rate(options.batch, options.steps, train, options.device)
    model.eval()
    with torch.no_grad():
        inference = rate(options.batch, options.steps, lambda: network(patches), options.device)
    print(json.dumps(dict(vars(options), train=training, inference=inference, torch=torch.__version__)))


if __name__ == "__main__":
    main()
