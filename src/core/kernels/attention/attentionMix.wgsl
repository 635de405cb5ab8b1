// y[t, h] = Σ_j p[t, h, j] v[j, h/share]: weighted values; with ds for p and keys for v it is dq.
// A thread owns four dimensions of one (t, h).
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let width = (P.D + 3u) / 4u;
  let h = g.x / width;
  let d = (g.x % width) * 4u;
  let t = g.y;
  if (h >= P.H || t >= P.T) { return; }
  let begin = keyStart[t];
  let end = keyEnd[t];
  let row = (t * P.H + h) * P.maxKeys;
  let column = P.vOffset + (h / P.share) * P.D;
  var sum = vec4f();
  for (var j = begin; j < end; j++) { sum += p[row + j - begin] * v4(column + j * P.vStride, d, P.D); }
  put_y4(P.yOffset + t * P.yStride + h * P.D, d, P.D, sum);
}
