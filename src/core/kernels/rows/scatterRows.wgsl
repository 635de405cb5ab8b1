// y[rows[i], c] = x[i, c]; rows are distinct, others keep what they had. A thread copies four channels.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let c = g.x * 4u;
  let i = g.y;
  if (c >= P.C || i >= P.R) { return; }
  put_y4(P.yOffset + rows[i] * P.yStride, c, P.C, x4(P.xOffset + i * P.xStride, c, P.C));
}
