"""Reading and writing safetensors (float32 only) and the names of tensors.

A state dict is {name: float64 array}; the order of tensors, wherever one matters, is that of the sorted names.
"""

import json
import re
import struct

import numpy as np


def read_safetensors(path):
    """{name: float64 array} of a file whose tensors are all F32."""
    with open(path, 'rb') as file:
        content = file.read()
    (header_bytes,) = struct.unpack('<Q', content[:8])
    header = json.loads(content[8 : 8 + header_bytes])
    data = content[8 + header_bytes :]
    tensors = {}
    for name, entry in header.items():
        if name == '__metadata__':
            continue
        if entry['dtype'] != 'F32':
            raise ValueError(f'{path}: {name} is {entry["dtype"]}, expected F32')
        begin, end = entry['data_offsets']
        values = np.frombuffer(data[begin:end], '<f4').reshape(entry['shape'])
        tensors[name] = values.astype(np.float64)
    return tensors


def write_safetensors(path, tensors):
    """Writes {name: array} as F32, sorted by name: equal tensors give equal bytes."""
    header, chunks, offset = {}, [], 0
    for name in sorted(tensors):
        chunk = np.ascontiguousarray(tensors[name], '<f4').tobytes()
        header[name] = {
            'dtype': 'F32',
            'shape': list(np.shape(tensors[name])),
            'data_offsets': [offset, offset + len(chunk)],
        }
        chunks.append(chunk)
        offset += len(chunk)
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + b''.join(chunks))


def layer_of(name):
    """N of `model.layers.N.…`, or None for a tensor outside the layers."""
    found = re.search(r'(?:^|\.)layers\.(\d+)\.', name)
    return int(found.group(1)) if found else None


def layer_count(names):
    return 1 + max((layer for layer in map(layer_of, names) if layer is not None), default=-1)
