// out[p] = P.baseShare base[p] + Σ_k coefficients[k] rows_[k, p], written in the stored type.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  var value = vec4f();
  if (P.baseShare != 0.0) { value = P.baseShare * base4(i, 0u, 4u); }
  for (var k = 0u; k < P.rows; k++) { value += coefficients[k] * rows_4(k * P.stride + i, 0u, 4u); }
  put_out4(i, 0u, 4u, value);
}
