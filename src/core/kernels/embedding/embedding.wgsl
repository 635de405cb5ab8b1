// y[t, c] = scale · weight[ids[t], c]. A thread copies four channels of one token.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let c = g.x * 4u;
  let t = g.y;
  if (c >= P.C || t >= P.T) { return; }
  put_y4(t * P.C, c, P.C, P.scale * weight4(ids[t] * P.C, c, P.C));
}
