// y[m, n] = Σ_k x[m, k] weight[n, k] + residual[m, n]: a linear layer on Hugging Face's [out, in] weights.
// A thread writes an 8 × 4 block from registers; no workgroup memory, so no barriers, which software adapters
// turn into coroutines. Rows past M are read clamped and not written.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let n = g.x * 4u;
  let m = g.y * 8u;
  if (n >= P.N || m >= P.M) { return; }
  let lastRow = P.M - 1u;
  let lastColumn = P.N - 1u;
  let x0 = P.xOffset + m * P.xStride;
  let x1 = P.xOffset + min(m + 1u, lastRow) * P.xStride;
  let x2 = P.xOffset + min(m + 2u, lastRow) * P.xStride;
  let x3 = P.xOffset + min(m + 3u, lastRow) * P.xStride;
  let x4_ = P.xOffset + min(m + 4u, lastRow) * P.xStride;
  let x5 = P.xOffset + min(m + 5u, lastRow) * P.xStride;
  let x6 = P.xOffset + min(m + 6u, lastRow) * P.xStride;
  let x7 = P.xOffset + min(m + 7u, lastRow) * P.xStride;
  let w0 = n * P.K;
  let w1 = min(n + 1u, lastColumn) * P.K;
  let w2 = min(n + 2u, lastColumn) * P.K;
  let w3 = min(n + 3u, lastColumn) * P.K;
  var y0 = vec4f(); var y1 = vec4f(); var y2 = vec4f(); var y3 = vec4f();
  var y4_ = vec4f(); var y5 = vec4f(); var y6 = vec4f(); var y7 = vec4f();
  for (var k = 0u; k < P.K; k += 4u) {
    let a = weight4(w0, k, P.K);
    let b = weight4(w1, k, P.K);
    let c = weight4(w2, k, P.K);
    let d = weight4(w3, k, P.K);
    var v = x4(x0, k, P.K); y0 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    v = x4(x1, k, P.K); y1 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    v = x4(x2, k, P.K); y2 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    v = x4(x3, k, P.K); y3 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    v = x4(x4_, k, P.K); y4_ += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    v = x4(x5, k, P.K); y5 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    v = x4(x6, k, P.K); y6 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    v = x4(x7, k, P.K); y7 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
  }
  store(m, n, y0);
  store(m + 1u, n, y1);
  store(m + 2u, n, y2);
  store(m + 3u, n, y3);
  store(m + 4u, n, y4_);
  store(m + 5u, n, y5);
  store(m + 6u, n, y6);
  store(m + 7u, n, y7);
}

fn store(m: u32, n: u32, value: vec4f) {
  if (m >= P.M) { return; }
  let row = P.yOffset + m * P.yStride;
  var sum = value;
  if (P.addResidual == 1u) { sum += residual4(row, n, P.N); }
  put_y4(row, n, P.N, sum);
}
