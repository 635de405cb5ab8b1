// ds[t, h, j] = scale · p (dp − Σ_j' p dp) with dp[t, h, j] = dy[t, h] · v[j, h/share]: the gradient into q·k; with
// P.cap above 0 times the cap's derivative at scale · q·k, which is computed anew: p has lost what saturates. A thread
// owns one row (t, h); dp is kept in ds between the two loops. q, k and v are columns of the same rows.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let h = g.x;
  let t = g.y;
  if (h >= P.H || t >= P.T) { return; }
  let begin = keyStart[t];
  let end = keyEnd[t];
  let row = (t * P.H + h) * P.maxKeys;
  let upstream = (t * P.H + h) * P.D;
  let column = (h / P.share) * P.D;
  var mean = 0.0;
  for (var j = begin; j < end; j++) {
    let value = P.vOffset + j * P.stride + column;
    var sum = 0.0;
    for (var d = 0u; d < P.D; d += 4u) { sum += dot(dy4(upstream, d, P.D), rows4(value, d, P.D)); }
    ds[row + j - begin] = sum;
    mean += sum * p[row + j - begin];
  }
  let query = P.qOffset + t * P.stride + h * P.D;
  for (var j = begin; j < end; j++) {
    let i = row + j - begin;
    var slope = P.scale;
    if (P.cap > 0.0) {
      let key = P.kOffset + j * P.stride + column;
      var sum = 0.0;
      for (var d = 0u; d < P.D; d += 4u) { sum += dot(rows4(query, d, P.D), rows4(key, d, P.D)); }
      slope *= soft_cap_slope(P.scale * sum, P.cap);
    }
    ds[i] = slope * p[i] * (ds[i] - mean);
  }
}

// d cap · tanh(x / cap) / dx = 1 − tanh²(x / cap), without the difference.
fn soft_cap_slope(x: f32, cap: f32) -> f32 {
  let e = exp(-2.0 * abs(x / cap));
  return 4.0 * e / ((1.0 + e) * (1.0 + e));
}
