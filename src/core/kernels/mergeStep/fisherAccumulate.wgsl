// numerator[p] += lambda F[p] expert[p], denominator[p] += lambda F[p]: one term of the Fisher-weighted average
// (Matena & Raffel 2111.09832). F is at least P.least, and P.floor is added to it.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  let share = P.lambda * (max(fisher4(i, 0u, 4u), vec4f(P.least)) + vec4f(P.floor));
  put_numerator4(i, 0u, 4u, numerator4(i, 0u, 4u) + share * expert4(i, 0u, 4u));
  put_denominator4(i, 0u, 4u, denominator4(i, 0u, 4u) + share);
}
