"""Writes the golden vectors and checks them, or checks the methods against a folder of them (--check FOLDER).

See README.md. `--margins` prints how near the closest decision of every case came to the other answer.
"""

import argparse
import json
import os
import sys

import numpy as np

sys.dont_write_bytecode = True

from cases import all_cases  # noqa: E402
from compare import check, load, run  # noqa: E402
from inputs import material, state_dicts  # noqa: E402
from stored import write_safetensors  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
# Float32 task vectors here are exact and sums of them good to 1e-6; singular vectors lose a factor 1 / gap.
LEAST_MARGIN = {'draw': 3e-6, 'spectral gap': 3e-3, 'singular gap': 3e-3, 'fusion': 3e-3, 'rank': 1e-3}
MARGIN = 2e-5
LINE_WIDTH = 110


def json_text(value, indent=0, used=0):
    """JSON as the formatter of this repository prints it: one line if it fits, `used` characters being taken."""
    if isinstance(value, float):
        return repr(value).replace('e-0', 'e-')
    if not isinstance(value, (dict, list, tuple)) or not value:
        return json.dumps(value)
    if isinstance(value, (list, tuple)):
        return '[' + ', '.join(map(json_text, value)) + ']'
    flat = '{ ' + ', '.join(f'{json.dumps(key)}: {json_text(entry)}' for key, entry in value.items()) + ' }'
    if indent + used + len(flat) < LINE_WIDTH:
        return flat
    pad = ' ' * (indent + 2)
    lines = [f'{pad}{json.dumps(key)}: {json_text(entry, indent + 2)}' for key, entry in value.items()]
    return '{\n' + ',\n'.join(lines) + '\n' + ' ' * indent + '}'


def write_cases(path, cases):
    entries = []
    for case in cases:
        fields = [f'    {json.dumps(key)}: {json_text(value, 4, len(key) + 4)}' for key, value in case.items()]
        entries.append('  {\n' + ',\n'.join(fields) + '\n  }')
    with open(path, 'w') as file:
        file.write('[\n' + ',\n'.join(entries) + '\n]\n')


def complaints_about(case, merge, merged, models, expected):
    """What is wrong with a case: decisions too close, not finite, or an identity that does not hold."""
    for what, margin in merge.tightest.items():
        if margin < LEAST_MARGIN.get(what, MARGIN):
            yield f'{what} is decided by {margin:.1e}'
    answers = {}
    if 'equals' in case:
        answers = models[case['equals']]
    if 'equals_case' in case:
        answers = {name: expected[f'{case["equals_case"]}.{name}'] for name in merged}
    for name, tensor in merged.items():
        if not np.all(np.isfinite(tensor)):
            yield f'{name} is not finite'
        if name in answers and not np.allclose(tensor, answers[name], rtol=0, atol=1e-7):
            yield f'{name} is {np.abs(tensor - answers[name]).max():.1e} away from its known answer'


def generate(folder, is_verbose):
    models, tensors, cases = state_dicts(), material(), all_cases()
    expected, failed = {}, 0
    for case in cases:
        merge, merged = run(case, models, tensors)
        complaints = list(complaints_about(case, merge, merged, models, expected))
        expected |= {f'{case["case"]}.{name}': tensor for name, tensor in merged.items()}
        failed += bool(complaints)
        if complaints or is_verbose:
            shown = ', '.join(f'{what} {margin:.1e}' for what, margin in merge.tightest.items())
            print(f'{case["case"]:4} {case["method"]:16} {"; ".join(complaints) or "ok"}   [{shown}]')
            for note in merge.notes if is_verbose else []:
                print(f'     {note}')
    if failed:
        sys.exit(f'{failed} of {len(cases)} cases are no golden vectors; nothing written')
    for name, tensors_of_model in models.items():
        write_safetensors(os.path.join(folder, f'{name}.safetensors'), tensors_of_model)
    write_safetensors(os.path.join(folder, 'material.safetensors'), tensors)
    write_safetensors(os.path.join(folder, 'expected.safetensors'), expected)
    write_cases(os.path.join(folder, 'cases.json'), cases)
    print(f'{len(cases)} cases of {len({case["method"] for case in cases})} methods')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--check', metavar='FOLDER')
    parser.add_argument('--margins', action='store_true')
    arguments = parser.parse_args()
    if arguments.check:
        sys.exit(1 if check(arguments.check) else 0)
    generate(HERE, arguments.margins)
    sys.exit(1 if check(HERE) else 0)


if __name__ == '__main__':
    main()
