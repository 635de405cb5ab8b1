// out[p] = (P.first ? 0 : carry[p]) + Σ_{k < P.models} w_k m_k[p] − (Σ_j b[j] A[j, p]) / metric[p], in the stored
// type: a weighted mean of models and, with P.rows > 0, AlignMerge's closed form (methods.md §1.3) in one pass.
// A thread does 16 weights in a row, so that each row of A is read in pieces of 64 bytes.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 16u;
  if (i >= P.count) { return; }
  var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
  for (var j = 0u; j < P.rows; j++) {
    let at = j * P.stride + i;
    s0 += b[j] * a4(at, 0u, 4u);
    if (i + 4u < P.count) { s1 += b[j] * a4(at + 4u, 0u, 4u); }
    if (i + 8u < P.count) { s2 += b[j] * a4(at + 8u, 0u, 4u); }
    if (i + 12u < P.count) { s3 += b[j] * a4(at + 12u, 0u, 4u); }
  }
  finish(i, s0);
  if (i + 4u < P.count) { finish(i + 4u, s1); }
  if (i + 8u < P.count) { finish(i + 8u, s2); }
  if (i + 12u < P.count) { finish(i + 12u, s3); }
}

fn finish(i: u32, shield: vec4f) {
  var value = vec4f();
  if (P.first == 0u) { value = carry4(i, 0u, 4u); }
  if (P.models > 0u) { value += P.w0 * m04(i, 0u, 4u); }
  if (P.models > 1u) { value += P.w1 * m14(i, 0u, 4u); }
  if (P.models > 2u) { value += P.w2 * m24(i, 0u, 4u); }
  if (P.models > 3u) { value += P.w3 * m34(i, 0u, 4u); }
  if (P.rows > 0u) { value -= shield / metric4(i, 0u, 4u); }
  put_out4(i, 0u, 4u, value);
}
