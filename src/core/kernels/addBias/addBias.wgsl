// y[t, n] += weight[n], in the columns of a wider row. A thread owns four columns of one row.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let n = g.x * 4u;
  let t = g.y;
  if (n >= P.N || t >= P.T) { return; }
  let row = P.yOffset + t * P.yStride;
  put_y4(row, n, P.N, y4(row, n, P.N) + weight4(0u, n, P.N));
}
