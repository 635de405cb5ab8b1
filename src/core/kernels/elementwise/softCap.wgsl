// x[i] becomes cap · tanh(x[i] / cap).
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  let v = x4(i, 0u, 4u);
  put_x4(i, 0u, 4u, vec4f(soft_cap(v.x, P.cap), soft_cap(v.y, P.cap), soft_cap(v.z, P.cap), soft_cap(v.w, P.cap)));
}
