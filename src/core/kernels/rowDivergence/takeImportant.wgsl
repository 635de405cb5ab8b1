// out = base where values < P.threshold, model elsewhere. A thread owns four elements.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  put_out4(i, 0u, 4u, select(model4(i, 0u, 4u), base4(i, 0u, 4u), values4(i, 0u, 4u) < vec4f(P.threshold)));
}
