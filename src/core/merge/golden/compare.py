"""Compares the methods with a folder of results: inputs, cases.json, expected.safetensors."""

import json
import os

import numpy as np

from merge import Merge
from methods import METHODS
from stored import read_safetensors

TOLERANCE = 1e-5


def load(folder):
    """(cases, state dicts by file name, material, expected tensors)"""
    with open(os.path.join(folder, 'cases.json')) as file:
        cases = json.load(file)
    files = [name for name in os.listdir(folder) if name.endswith('.safetensors')]
    tensors = {name.removesuffix('.safetensors'): read_safetensors(os.path.join(folder, name)) for name in files}
    expected, material = tensors.pop('expected', {}), tensors.pop('material', {})
    return cases, tensors, material, expected


def run(case, state_dicts, material):
    merge = Merge(case, state_dicts, material)
    return merge, METHODS[case['method']](merge)


def compare(case, merge, merged, expected):
    """Complaints about one case, and its largest relative error. Compared is the motion away from the base too."""
    complaints, worst = [], 0.0
    for name in merge.names:
        want = expected.get(f'{case["case"]}.{name}')
        if want is None or want.shape != merged[name].shape:
            complaints.append(f'{name} is missing or of another shape')
            continue
        unsure = merge.unsure.get(name)
        sure = np.ones(want.shape, bool) if unsure is None else ~unsure
        if not sure.all():
            print(f'  case {case["case"]} {case["method"]} {name}: {np.count_nonzero(~sure)} element(s) left to rounding')
        got, want = merged[name][sure], want[sure]
        error = np.linalg.norm(got - want) / (np.linalg.norm(want) or 1)
        worst = max(worst, error)
        if not error < TOLERANCE:
            complaints.append(f'{name} differs by {error:.1e}')
        if not np.all(np.abs(got - want) <= 1e-6 * np.abs(want) + 4e-7):
            complaints.append(f'{name}: an element differs by {np.abs(got - want).max():.1e}')
        if merge.base and case['method'].endswith('_linear'):
            base = merge.base[name][sure]
            if np.any((np.abs(got - base) > 1e-6) != (np.abs(want - base) > 1e-6)):
                complaints.append(f'{name}: another pattern of kept elements')
    return complaints, worst


def check(folder):
    """Prints one line per case; returns the number of cases that fail."""
    cases, state_dicts, material, expected = load(folder)
    failed = 0
    for case in cases:
        merge, merged = run(case, state_dicts, material)
        complaints, worst = compare(case, merge, merged, expected)
        failed += bool(complaints)
        print(f'{case["case"]:4} {case["method"]:16} {worst:.1e} {"; ".join(complaints) or "ok"}')
    print(f'{len(cases) - failed} of {len(cases)} cases agree')
    return failed
