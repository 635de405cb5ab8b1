// ds[t, h, j] = scale · p (dp − Σ_j' p dp) with dp[t, h, j] = dy[t, h] · v[j, h/share]: the gradient into
// q·k. A thread owns one row (t, h); dp is kept in ds between the two loops.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let h = g.x;
  let t = g.y;
  if (h >= P.H || t >= P.T) { return; }
  let begin = keyStart[t];
  let end = keyEnd[t];
  let row = (t * P.H + h) * P.maxKeys;
  let upstream = (t * P.H + h) * P.D;
  let column = P.vOffset + (h / P.share) * P.D;
  var mean = 0.0;
  for (var j = begin; j < end; j++) {
    let value = column + j * P.vStride;
    var sum = 0.0;
    for (var d = 0u; d < P.D; d += 4u) { sum += dot(dy4(upstream, d, P.D), v4(value, d, P.D)); }
    ds[row + j - begin] = sum;
    mean += sum * p[row + j - begin];
  }
  for (var i = row; i < row + end - begin; i++) { ds[i] = P.scale * p[i] * (ds[i] - mean); }
}
