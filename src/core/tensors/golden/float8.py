"""All 256 codes of both 8-bit floats as torch reads them: float8.json, which encoding.test.ts compares with.

    python3 float8.py              (torch 2.1 or later)
"""

import json
import math
import os

import torch

codes = torch.arange(256).to(torch.uint8)
tables = {
    name: [v if math.isfinite(v) else repr(v) for v in codes.view(dtype).to(torch.float64).tolist()]
    for name, dtype in [("f8_e4m3", torch.float8_e4m3fn), ("f8_e5m2", torch.float8_e5m2)]
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "float8.json"), "w") as file:
    json.dump(tables, file)
