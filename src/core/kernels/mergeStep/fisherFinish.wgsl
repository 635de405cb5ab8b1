// out[p] = numerator[p] / denominator[p], in the checkpoint's own type; fallback[p] where nobody has a say.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  let shares = denominator4(i, 0u, 4u);
  let isShared = shares != vec4f();
  let mean = numerator4(i, 0u, 4u) / select(vec4f(1.0), shares, isShared);
  put_out4(i, 0u, 4u, select(fallback4(i, 0u, 4u), mean, isShared));
}
