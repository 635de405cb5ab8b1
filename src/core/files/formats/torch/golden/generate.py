"""Files of torch.save itself, with the values that are in them: torch.test.ts reads both.

    python3 generate.py            (any torch from 1.13 on; files of the version that runs it)

Files are named by format and version: `zip-1.bin` and `legacy-1.bin` of torch 1.13, `zip-2.bin` and `protocol5-2.bin`
of torch 2. `model.bin`, `model-1-of-2.bin` and `model-2-of-2.bin` hold the weights of `tinyConfig`, seeded.
"""

import collections
import json
import math
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
MAJOR = torch.__version__.split(".")[0]


def tensors():
    torch.manual_seed(7)
    out = collections.OrderedDict()
    grid = torch.randn(5, 6)
    out["f32"] = grid
    out["f64"] = grid.double() / 3
    out["f16"] = grid.half()
    out["bf16"] = grid.bfloat16()
    for name in ["int8", "int16", "int32", "int64", "uint8"]:
        out[name] = torch.arange(0, 12).reshape(3, 4).to(getattr(torch, name)) * 7
    out["bool"] = torch.tensor([True, False, True])
    out["scalar"] = torch.tensor(2.5)
    out["empty"] = torch.zeros(0, 3)
    out["parameter"] = torch.nn.Parameter(grid[:2] * 2)
    out["shared"] = grid
    out["rows"] = grid[2:4]
    out["columns"] = grid[:, 1:4]
    out["transposed"] = grid.t()
    out["permuted"] = torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)
    if MAJOR != "1":
        out["f8_e4m3"] = grid.to(torch.float8_e4m3fn)
        out["f8_e5m2"] = grid.to(torch.float8_e5m2)
        out["uint16"] = torch.arange(4).to(torch.uint16) * 9
    return out


def model():
    """Weights of tinyConfig in src/testing/tinyCheckpoint.ts."""
    generator = torch.Generator().manual_seed(11)
    hidden, inner, vocabulary = 8, 12, 104
    shapes = {"model.embed_tokens.weight": (vocabulary, hidden)}
    for layer in range(2):
        at = f"model.layers.{layer}."
        shapes[at + "input_layernorm.weight"] = (hidden,)
        shapes[at + "self_attn.qkv_proj.weight"] = (16, hidden)
        shapes[at + "self_attn.o_proj.weight"] = (hidden, hidden)
        shapes[at + "post_attention_layernorm.weight"] = (hidden,)
        shapes[at + "mlp.gate_up_proj.weight"] = (2 * inner, hidden)
        shapes[at + "mlp.down_proj.weight"] = (hidden, inner)
    shapes["model.norm.weight"] = (hidden,)
    shapes["lm_head.weight"] = (vocabulary, hidden)
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def values(tensor):
    flat = tensor.detach().reshape(-1).to(torch.float64) if tensor.numel() else tensor.reshape(-1)
    return {"shape": list(tensor.shape), "values": [v if math.isfinite(v) else repr(v) for v in flat.tolist()]}


def write(name, content, **how):
    torch.save(content, os.path.join(HERE, name), **how)


def main():
    found = tensors()
    write(f"zip-{MAJOR}.bin", found)
    if MAJOR == "1":
        write("legacy-1.bin", found, _use_new_zipfile_serialization=False)
    else:
        write("protocol5-2.bin", {"epoch": 3, "state_dict": found}, pickle_protocol=5)
        weights = model()
        # As trained modules give it: an OrderedDict with the versions of its modules as an attribute.
        state = collections.OrderedDict(weights)
        state._metadata = collections.OrderedDict({"": {"version": 1}})
        state["model.layers.0.mlp.down_proj.weight"] = weights["model.layers.0.mlp.down_proj.weight"].t().contiguous().t()
        write("model.bin", state)
        names = list(weights)
        halves = [names[:7], names[7:]]
        for i, half in enumerate(halves):
            write(f"model-{i + 1}-of-2.bin", {name: weights[name].clone() for name in half})
        with open(os.path.join(HERE, "model.json"), "w") as file:
            json.dump({name: values(tensor) for name, tensor in weights.items()}, file)
    with open(os.path.join(HERE, f"values-{MAJOR}.json"), "w") as file:
        json.dump({name: values(tensor) for name, tensor in found.items()}, file)


sys.exit(main())
