// out[p] = scale fisher[p] + shift: unit and damping of the metric, g = F + ρ mean(F).
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  put_out4(i, 0u, 4u, P.scale * fisher4(i, 0u, 4u) + vec4f(P.shift));
}
