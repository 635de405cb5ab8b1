// numerator[p] += lambda F[p] expert[p], denominator[p] += lambda F[p]: one expert of the Fisher-weighted
// average (Matena & Raffel 2111.09832), with F floored by P.floor.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  let share = P.lambda * (fisher4(i, 0u, 4u) + vec4f(P.floor));
  put_numerator4(i, 0u, 4u, numerator4(i, 0u, 4u) + share * expert4(i, 0u, 4u));
  put_denominator4(i, 0u, 4u, denominator4(i, 0u, 4u) + share);
}
