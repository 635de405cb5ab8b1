// out = base + w (model − base) with w = t / |model − base|, at most 1; where w is 1, out is the model itself.
// Differences below P.least count as P.least. A thread owns four elements.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  let origin = base4(i, 0u, 4u);
  let other = model4(i, 0u, 4u);
  let tau = other - origin;
  let weight = vec4f(P.t) / max(abs(tau), vec4f(P.least));
  put_out4(i, 0u, 4u, select(origin + weight * tau, other, weight >= vec4f(1.0)));
}
