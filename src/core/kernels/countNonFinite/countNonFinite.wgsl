// partial[chunk] = how many of the chunk's elements are NaN or infinite, by their exponent bits: comparisons
// with NaN may be folded away by a compiler that assumes there is none. A thread owns one chunk.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x >= P.chunks) { return; }
  let begin = g.x * P.chunkSize;
  let end = min(begin + P.chunkSize, P.count);
  var found = 0u;
  for (var i = begin; i < end; i++) {
    if ((bitcast<u32>(weight1(i)) & 0x7f800000u) == 0x7f800000u) { found += 1u; }
  }
  partial[g.x] = found;
}
