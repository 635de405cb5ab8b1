// out[p] = (P.first ? 0 : carry[p]) + Σ_{k < P.models} w_k m_k[p] − (Σ_j b[j] A[j, p]) / metric[p], in the stored
// type: a weighted mean of models and, with P.rows > 0, AlignMerge's closed form (methods.md §1.3) in one pass.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  var value = vec4f();
  if (P.first == 0u) { value = carry4(i, 0u, 4u); }
  if (P.models > 0u) { value += P.w0 * m04(i, 0u, 4u); }
  if (P.models > 1u) { value += P.w1 * m14(i, 0u, 4u); }
  if (P.models > 2u) { value += P.w2 * m24(i, 0u, 4u); }
  if (P.models > 3u) { value += P.w3 * m34(i, 0u, 4u); }
  if (P.rows > 0u) {
    var shield = vec4f();
    for (var j = 0u; j < P.rows; j++) { shield += b[j] * a4(j * P.stride + i, 0u, 4u); }
    value -= shield / metric4(i, 0u, 4u);
  }
  put_out4(i, 0u, 4u, value);
}
