// carry[p] = (P.first ? 0 : carry[p]) + Σ_{k < P.models} w_k m_k[p], up to four models a dispatch.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  var value = vec4f();
  if (P.first == 0u) { value = carry4(i, 0u, 4u); }
  value += P.w0 * m04(i, 0u, 4u);
  if (P.models > 1u) { value += P.w1 * m14(i, 0u, 4u); }
  if (P.models > 2u) { value += P.w2 * m24(i, 0u, 4u); }
  if (P.models > 3u) { value += P.w3 * m34(i, 0u, 4u); }
  put_carry4(i, 0u, 4u, value);
}
