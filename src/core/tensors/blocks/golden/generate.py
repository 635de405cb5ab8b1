"""Writes blocks.safetensors: random GGML blocks with their values in float64, and float32 values with their blocks.

A second implementation beside plainBlocks.ts and superBlocks.ts, by another route: a block is one little-endian
stream of bits, and every type is a table that says which bits of the stream make up the code, scale and minimum of
each element. Run: python3 generate.py
"""

import json
import os
import struct

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
BLOCKS = 6
e32, e256 = np.arange(32), np.arange(256)


def field(bits, *starts_and_widths):
    """Unsigned integers whose bits lie at (start array, width) pairs, lowest first; bits: (blocks, bits)."""
    total, shift = 0, 0
    for start, width in starts_and_widths:
        for k in range(width):
            total = total + (bits[:, start + k].astype(np.int64) << (shift + k))
        shift += width
    return total


def half(raw, byte):
    return raw[:, byte : byte + 2].copy().view('<f2').astype(np.float64)


def nibbles32(byte):
    """Start of the nibble of each of 32 elements when 16 bytes begin at `byte`."""
    return (8 * (byte + e32 % 16) + 4 * (e32 // 16), 4)


def pairs256(byte):
    """Bit pairs: 32 bytes for each half, four planes of 32 elements."""
    return (8 * (byte + 32 * (e256 // 128) + e256 % 32) + 2 * (e256 // 32 % 4), 2)


def nibbles256(byte):
    return (8 * (byte + 32 * (e256 // 64) + e256 % 32) + 4 * (e256 // 32 % 2), 4)


def plane256(byte):
    """One bit each: 32 bytes, eight planes."""
    return (8 * (byte + e256 % 32) + e256 // 32, 1)


def k_scales(bits, byte):
    """Scales and minima of 8 groups in 12 bytes, for each of 256 elements."""
    first = np.arange(4)
    at = 8 * byte
    scale = np.hstack([field(bits, (at + 8 * first, 6)), field(bits, (at + 64 + 8 * first, 4), (at + 6 + 8 * first, 2))])
    minimum = np.hstack(
        [field(bits, (at + 32 + 8 * first, 6)), field(bits, (at + 68 + 8 * first, 4), (at + 38 + 8 * first, 2))]
    )
    return scale[:, e256 // 32], minimum[:, e256 // 32]


def signed8(values):
    return np.where(values > 127, values - 256, values)


def q4_0(raw, bits):
    return half(raw, 0) * (field(bits, nibbles32(2)) - 8)


def q4_1(raw, bits):
    return half(raw, 0) * field(bits, nibbles32(4)) + half(raw, 2)


def q5_0(raw, bits):
    return half(raw, 0) * (field(bits, nibbles32(6), (16 + e32, 1)) - 16)


def q5_1(raw, bits):
    return half(raw, 0) * field(bits, nibbles32(8), (32 + e32, 1)) + half(raw, 2)


def q8_0(raw, bits):
    return half(raw, 0) * signed8(field(bits, (16 + 8 * e32, 8)))


def q2_k(raw, bits):
    group = e256 // 16
    scale, minimum = field(bits, (8 * group, 4)), field(bits, (8 * group + 4, 4))
    return half(raw, 80) * (scale * field(bits, pairs256(16))) - half(raw, 82) * minimum


def q3_k(raw, bits):
    group = np.arange(16)
    low = (8 * (96 + group % 8) + 4 * (group // 8), 4)
    high = (8 * (104 + group % 4) + 2 * (group // 4), 2)
    scale = field(bits, low, high)[:, e256 // 16] - 32
    return half(raw, 108) * (scale * (field(bits, pairs256(32), plane256(0)) - 4))


def q4_k(raw, bits):
    scale, minimum = k_scales(bits, 4)
    return half(raw, 0) * (scale * field(bits, nibbles256(16))) - half(raw, 2) * minimum


def q5_k(raw, bits):
    scale, minimum = k_scales(bits, 4)
    return half(raw, 0) * (scale * field(bits, nibbles256(48), plane256(16))) - half(raw, 2) * minimum


def q6_k(raw, bits):
    low = (8 * (64 * (e256 // 128) + e256 % 64) + 4 * (e256 // 64 % 2), 4)
    scale = signed8(field(bits, (8 * (192 + np.arange(16)), 8)))[:, e256 // 16]
    return half(raw, 208) * (scale * (field(bits, low, pairs256(128)) - 32))


# bytes of a block, where its binary16 numbers stand, decoder
TYPES = {
    'q4_0': (18, [0], q4_0),
    'q4_1': (20, [0, 2], q4_1),
    'q5_0': (22, [0], q5_0),
    'q5_1': (24, [0, 2], q5_1),
    'q8_0': (34, [0], q8_0),
    'q2_k': (84, [80, 82], q2_k),
    'q3_k': (110, [108], q3_k),
    'q4_k': (144, [0, 2], q4_k),
    'q5_k': (176, [0, 2], q5_k),
    'q6_k': (210, [208], q6_k),
}


def random_blocks(random, size, halves):
    raw = random.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    # Scales as weights have them, some below the smallest normal half, one zero.
    for at in halves:
        scale = (random.normal(size=BLOCKS) * 10.0 ** random.uniform(-7, 1, BLOCKS)).astype('<f2')
        scale[-1] = 0
        raw[:, at : at + 2] = scale.view(np.uint8).reshape(BLOCKS, 2)
    return raw


def encode(x, kind):
    """GGML's rounding in float32: the scale that divides is not yet rounded to binary16."""
    one = np.float32
    if kind == 'q4_0':
        peak = np.take_along_axis(x, np.argmax(np.abs(x), axis=1)[:, None], axis=1)
        d = peak / one(-8)
    else:
        d = np.abs(x).max(axis=1, keepdims=True) / one(127)
    inverse = np.where(d == 0, one(0), one(1) / np.where(d == 0, one(1), d))
    scaled = x * inverse
    stored = d.astype('<f2').view(np.uint8)
    if kind == 'q4_0':
        q = np.minimum(15, (scaled + one(8.5)).astype(np.int8)).astype(np.uint8)
        return np.hstack([stored, q[:, :16] | (q[:, 16:] << 4)])
    away = np.trunc(scaled) + np.trunc(2 * (scaled - np.trunc(scaled)))
    return np.hstack([stored, away.astype(np.int8).view(np.uint8)])


def write_safetensors(path, tensors):
    names = {'uint8': 'U8', 'float32': 'F32', 'float64': 'F64'}
    header, data = {}, b''
    # Wider types first, so that every tensor is aligned.
    for name, array in sorted(tensors.items(), key=lambda entry: -entry[1].dtype.itemsize):
        piece = np.ascontiguousarray(array).tobytes()
        header[name] = {
            'dtype': names[array.dtype.name],
            'shape': list(array.shape),
            'data_offsets': [len(data), len(data) + len(piece)],
        }
        data += piece
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + data)


def main():
    random = np.random.default_rng(20240611)
    tensors = {}
    for kind, (size, halves, decode) in TYPES.items():
        raw = random_blocks(random, size, halves)
        tensors[f'{kind}.blocks'] = raw
        # Without negative zeros: their sign depends on the order of the factors.
        tensors[f'{kind}.values'] = decode(raw, np.unpackbits(raw, axis=1, bitorder='little')) + 0.0
    x = (random.normal(size=(40, 32)) * 10.0 ** random.uniform(-6, 2, (40, 1))).astype(np.float32)
    x[0] = 0
    # Equal magnitudes of both signs, and multiples of half a step: ties.
    x[1] = np.where(e32 % 2, 1, -1)
    x[2] = np.linspace(-8, 8, 32, dtype=np.float32)
    x[3] = (np.arange(32) - 16) / 2 + 0.5
    x[4] = np.arange(32) * 4 + 3.5
    x[4, 0] = 127
    tensors['x'] = x
    for kind in ['q4_0', 'q8_0']:
        tensors[f'{kind}.encoded'] = encode(x, kind)
    write_safetensors(os.path.join(HERE, 'blocks.safetensors'), tensors)


if __name__ == '__main__':
    main()
