// y[i, c] = x[rows[i], c], between columns of wider rows. A thread copies four channels.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let c = g.x * 4u;
  let i = g.y;
  if (c >= P.C || i >= P.R) { return; }
  put_y4(P.yOffset + i * P.yStride, c, P.C, x4(P.xOffset + rows[i] * P.xStride, c, P.C));
}
