// out[16 g + j] = a q_j − b for the 16 elements of group g: q small integers, a and b of the group's block.
// Every product here fits 24 bits, so each result is the float64 one rounded once. Layouts: tensors/blocks.
// One thread a group; P.format numbers the types as BLOCK_ENCODINGS does.

fn byte(at: u32) -> u32 { return (blocks[at >> 2u] >> (8u * (at & 3u))) & 0xffu; }
fn signed_byte(at: u32) -> i32 { return i32(byte(at) << 24u) >> 24u; }
fn word(at: u32) -> u32 { return byte(at) | (byte(at + 1u) << 8u) | (byte(at + 2u) << 16u) | (byte(at + 3u) << 24u); }

// In integers: small weights have subnormal scales, which the language lets a device flush to zero.
fn half(at: u32) -> f32 {
  let bits = byte(at) | (byte(at + 1u) << 8u);
  let sign = (bits & 0x8000u) << 16u;
  let magnitude = bits & 0x7fffu;
  if (magnitude < 0x400u) {
    let value = f32(magnitude) * 5.9604644775390625e-8;
    return select(value, -value, sign != 0u);
  }
  if (magnitude >= 0x7c00u) { return bitcast<f32>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13u)); }
  return bitcast<f32>(sign | ((magnitude << 13u) + 0x38000000u));
}

// Six-bit scale (x) and minimum (y) g of 8 in 12 bytes.
fn scale_and_minimum(at: u32, g: u32) -> vec2f {
  if (g < 4u) { return vec2f(vec2u(byte(at + g) & 63u, byte(at + g + 4u) & 63u)); }
  let low = byte(at + g + 4u);
  return vec2f(vec2u((low & 15u) | ((byte(at + g - 4u) >> 6u) << 4u), (low >> 4u) | ((byte(at + g) >> 6u) << 4u)));
}

// Six-bit scale g of 16 in 12 bytes.
fn six_bit_scale(at: u32, g: u32) -> f32 {
  let low = (byte(at + (g & 7u)) >> (4u * (g >> 3u))) & 15u;
  return f32(i32(low | (((byte(at + 8u + (g & 3u)) >> (2u * (g >> 2u))) & 3u) << 4u)) - 32);
}

fn nibble32(at: u32, i: u32) -> u32 { return (byte(at + (i & 15u)) >> (4u * (i >> 4u))) & 15u; }
fn two_bits(at: u32, i: u32) -> u32 { return (byte(at + 32u * (i >> 7u) + (i & 31u)) >> (2u * ((i >> 5u) & 3u))) & 3u; }
fn four_bits(at: u32, i: u32) -> u32 { return (byte(at + 32u * (i >> 6u) + (i & 31u)) >> (4u * ((i >> 5u) & 1u))) & 15u; }
fn plane_bit(at: u32, i: u32) -> u32 { return (byte(at + (i & 31u)) >> (i >> 5u)) & 1u; }

// a and b of the group that begins at element i of the block at `at`.
fn affine(at: u32, i: u32) -> vec2f {
  switch P.format {
    case 0u, 2u, 4u: { return vec2f(half(at), 0.0); }
    case 1u, 3u: { return vec2f(half(at), -half(at + 2u)); }
    case 5u: {
      let group = byte(at + (i >> 4u));
      return vec2f(half(at + 80u) * f32(group & 15u), half(at + 82u) * f32(group >> 4u));
    }
    case 6u: { return vec2f(half(at + 108u) * six_bit_scale(at + 96u, i >> 4u), 0.0); }
    case 7u, 8u: { return vec2f(half(at), half(at + 2u)) * scale_and_minimum(at + 4u, i >> 5u); }
    default: { return vec2f(half(at + 208u) * f32(signed_byte(at + 192u + (i >> 4u))), 0.0); }
  }
}

// q of element i of the block at `at`.
fn code(at: u32, i: u32) -> i32 {
  switch P.format {
    case 0u: { return i32(nibble32(at + 2u, i)) - 8; }
    case 1u: { return i32(nibble32(at + 4u, i)); }
    case 2u: { return i32(nibble32(at + 6u, i) | (((word(at + 2u) >> i) & 1u) << 4u)) - 16; }
    case 3u: { return i32(nibble32(at + 8u, i) | (((word(at + 4u) >> i) & 1u) << 4u)); }
    case 4u: { return signed_byte(at + 2u + i); }
    case 5u: { return i32(two_bits(at + 16u, i)); }
    case 6u: { return i32(two_bits(at + 32u, i) | (plane_bit(at, i) << 2u)) - 4; }
    case 7u: { return i32(four_bits(at + 16u, i)); }
    case 8u: { return i32(four_bits(at + 48u, i) | (plane_bit(at + 16u, i) << 4u)); }
    default: {
      let low = (byte(at + 64u * (i >> 7u) + (i & 63u)) >> (4u * ((i >> 6u) & 1u))) & 15u;
      return i32(low | (two_bits(at + 128u, i) << 4u)) - 32;
    }
  }
}

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let group = g.x + g.y * groups.x * WG_X;
  if (group >= P.groups) { return; }
  let per_block = P.blockElements / 16u;
  let at = P.byteOffset + (group / per_block) * P.blockBytes;
  let first = 16u * (group % per_block);
  let ab = affine(at, first);
  for (var j = 0u; j < 16u; j += 4u) {
    let i = first + j;
    let q = vec4f(vec4i(code(at, i), code(at, i + 1u), code(at, i + 2u), code(at, i + 3u)));
    put_out4(P.outOffset, 16u * group + j, 16u * P.groups, ab.x * q - ab.y);
  }
}
