// out[p] += |a[p]|: the gradient of one sequence, without its sign.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  put_out4(i, 0u, 4u, out4(i, 0u, 4u) + abs(a4(i, 0u, 4u)));
}
