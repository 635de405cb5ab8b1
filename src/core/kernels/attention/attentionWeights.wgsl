// p[t, h, j] = softmax over j of scale · q[t, h] · k[j, h/share], for the keys keyStart[t] ≤ j < keyEnd[t]; with
// P.cap above 0 of cap · tanh(that / cap).
// Causality, sliding window and packed sequences are all in those two bounds. p is stored from the first key
// on, `maxKeys` per row; places past the last key are not written. A thread owns one row (t, h).
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let h = g.x;
  let t = g.y;
  if (h >= P.H || t >= P.T) { return; }
  let begin = keyStart[t];
  let end = keyEnd[t];
  let row = (t * P.H + h) * P.maxKeys;
  let query = P.qOffset + t * P.qStride + h * P.D;
  let column = P.kOffset + (h / P.share) * P.D;
  var largest = -3.0e38;
  for (var j = begin; j < end; j++) {
    let key = column + j * P.kStride;
    var sum = 0.0;
    for (var d = 0u; d < P.D; d += 4u) { sum += dot(q4(query, d, P.D), k4(key, d, P.D)); }
    var score = sum * P.scale;
    if (P.cap > 0.0) { score = soft_cap(score, P.cap); }
    p[row + j - begin] = score;
    largest = max(largest, score);
  }
  var total = 0.0;
  for (var i = row; i < row + end - begin; i++) {
    let e = exp(p[i] - largest);
    p[i] = e;
    total += e;
  }
  let share = 1.0 / total;
  for (var i = row; i < row + end - begin; i++) { p[i] *= share; }
}
