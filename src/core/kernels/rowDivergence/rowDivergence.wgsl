// divergence[row] = Σ_j p log(p/q) with p = softmax(model row) + P.least, q = softmax(base row) + P.least.
// The terms nearly cancel where rows are alike, so Σ p log(p/q) − p + q is summed instead: the same, as Σ p = Σ q, and
// no term is negative. The logarithm of the softmaxes' ratio is s = (model − base) − L with L = log Σ e^model − log Σ
// e^base, so that what is small is computed from what is small. A thread owns one row.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = g.x + g.y * groups.x * WG_X;
  if (row >= P.rows) { return; }
  let begin = row * P.width;
  let end = begin + P.width;
  var mostModel = model1(begin);
  var mostBase = base1(begin);
  for (var i = begin; i < end; i++) {
    mostModel = max(mostModel, model1(i));
    mostBase = max(mostBase, base1(i));
  }
  // Sums of e^model and e^base, in short blocks so that rounding stays small.
  var sums = vec2f();
  for (var block = begin; block < end; block += 32u) {
    var part = vec2f();
    for (var i = block; i < min(block + 32u, end); i++) {
      part += vec2f(exp(model1(i) - mostModel), exp(base1(i) - mostBase));
    }
    sums += part;
  }
  // An error of L, the same for all j, counts only by its square.
  let shift = (mostModel - mostBase) + log(sums.x / sums.y);
  var total = 0.0;
  for (var block = begin; block < end; block += 32u) {
    var part = 0.0;
    for (var i = block; i < min(block + 32u, end); i++) {
      let q = exp(base1(i) - mostBase) / sums.y;
      let s = (model1(i) - base1(i)) - shift;
      // p − q, with p from its own softmax where it is far from q.
      var more = q * exp_less_one(s);
      if (abs(s) >= 0.25) { more = exp(model1(i) - mostModel) / sums.x - q; }
      let p = q + more + P.least;
      let x = more / p;
      if (abs(x) >= 0.25) { part += p * log(p / (q + P.least)) - more; } else { part += p * x * x * gap_series(x); }
    }
    total += part;
  }
  divergence[row] = total;
}

// e^x − 1, for |x| < 1/4.
fn exp_less_one(x: f32) -> f32 {
  return x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0))));
}

// (−log(1 − x) − x) / x² = 1/2 + x/3 + x²/4 + …, for |x| < 1/4.
fn gap_series(x: f32) -> f32 {
  var sum = 0.0;
  for (var n = 12.0; n >= 2.0; n -= 1.0) { sum = sum * x + 1.0 / n; }
  return sum;
}
