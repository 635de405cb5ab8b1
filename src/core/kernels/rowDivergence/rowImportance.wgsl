// values[i] = |model − base| · divergence[row of i], rows of P.width elements. A thread owns four elements.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  let row = min((vec4u(i) + vec4u(0u, 1u, 2u, 3u)) / P.width, vec4u(P.rows - 1u));
  let share = vec4f(divergence[row.x], divergence[row.y], divergence[row.z], divergence[row.w]);
  put_values4(i, 0u, 4u, abs(model4(i, 0u, 4u) - base4(i, 0u, 4u)) * share);
}
