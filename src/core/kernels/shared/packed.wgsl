// Stored half-width floats: bfloat16 is the upper half of a float32, binary16 is unpacked by the language.
// Narrowing rounds to nearest, ties to even, in integers: the built-in conversion may round either way.
fn widen_bf16(bits: u32) -> f32 { return bitcast<f32>(bits << 16u); }
fn widen_f16(bits: u32) -> f32 { return unpack2x16float(bits).x; }

fn narrow_bf16(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let rounded = (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
  return select(rounded & 0xffffu, (bits >> 16u) | 0x40u, (bits & 0x7fffffffu) > 0x7f800000u);
}

fn narrow_f16(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let sign = (bits >> 16u) & 0x8000u;
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return sign | 0x7e00u; }
  if (magnitude >= 0x47800000u) { return sign | 0x7c00u; }
  if (magnitude < 0x38800000u) {
    // Subnormal: multiples of 2^-24, rounded half to even by hand.
    let scaled = bitcast<f32>(magnitude) * 16777216.0;
    let whole = u32(floor(scaled));
    let rest = scaled - floor(scaled);
    let up = rest > 0.5 || (rest == 0.5 && (whole & 1u) == 1u);
    return sign | (whole + select(0u, 1u, up));
  }
  let rounded = magnitude + 0xfffu + ((magnitude >> 13u) & 1u);
  return sign | min((rounded - 0x38000000u) >> 13u, 0x7c00u);
}
