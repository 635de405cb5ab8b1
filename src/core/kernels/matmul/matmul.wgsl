// y[m, n] = Σ_k x[m, k] weight[n, k] + residual[m, n]: a linear layer on Hugging Face's [out, in] weights.
// A thread writes an 8 × 8 block from registers; no workgroup memory, so no barriers, which software adapters
// turn into coroutines. Rows past M and columns past N are read clamped and not written.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let n = g.x * 8u;
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
  let w4 = min(n + 4u, lastColumn) * P.K;
  let w5 = min(n + 5u, lastColumn) * P.K;
  let w6 = min(n + 6u, lastColumn) * P.K;
  let w7 = min(n + 7u, lastColumn) * P.K;
  var l0 = vec4f(); var l1 = vec4f(); var l2 = vec4f(); var l3 = vec4f();
  var l4 = vec4f(); var l5 = vec4f(); var l6 = vec4f(); var l7 = vec4f();
  var r0 = vec4f(); var r1 = vec4f(); var r2 = vec4f(); var r3 = vec4f();
  var r4 = vec4f(); var r5 = vec4f(); var r6 = vec4f(); var r7 = vec4f();
  for (var k = 0u; k < P.K; k += 4u) {
    let a = weight4(w0, k, P.K);
    let b = weight4(w1, k, P.K);
    let c = weight4(w2, k, P.K);
    let d = weight4(w3, k, P.K);
    let e = weight4(w4, k, P.K);
    let f = weight4(w5, k, P.K);
    let q = weight4(w6, k, P.K);
    let h = weight4(w7, k, P.K);
    var v = x4(x0, k, P.K); l0 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    r0 += vec4f(dot(v, e), dot(v, f), dot(v, q), dot(v, h));
    v = x4(x1, k, P.K); l1 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    r1 += vec4f(dot(v, e), dot(v, f), dot(v, q), dot(v, h));
    v = x4(x2, k, P.K); l2 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    r2 += vec4f(dot(v, e), dot(v, f), dot(v, q), dot(v, h));
    v = x4(x3, k, P.K); l3 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    r3 += vec4f(dot(v, e), dot(v, f), dot(v, q), dot(v, h));
    v = x4(x4_, k, P.K); l4 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    r4 += vec4f(dot(v, e), dot(v, f), dot(v, q), dot(v, h));
    v = x4(x5, k, P.K); l5 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    r5 += vec4f(dot(v, e), dot(v, f), dot(v, q), dot(v, h));
    v = x4(x6, k, P.K); l6 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    r6 += vec4f(dot(v, e), dot(v, f), dot(v, q), dot(v, h));
    v = x4(x7, k, P.K); l7 += vec4f(dot(v, a), dot(v, b), dot(v, c), dot(v, d));
    r7 += vec4f(dot(v, e), dot(v, f), dot(v, q), dot(v, h));
  }
  store(m, n, l0);
  store(m, n + 4u, r0);
  store(m + 1u, n, l1);
  store(m + 1u, n + 4u, r1);
  store(m + 2u, n, l2);
  store(m + 2u, n + 4u, r2);
  store(m + 3u, n, l3);
  store(m + 3u, n + 4u, r3);
  store(m + 4u, n, l4);
  store(m + 4u, n + 4u, r4);
  store(m + 5u, n, l5);
  store(m + 5u, n + 4u, r5);
  store(m + 6u, n, l6);
  store(m + 6u, n + 4u, r6);
  store(m + 7u, n, l7);
  store(m + 7u, n + 4u, r7);
}

fn store(m: u32, n: u32, value: vec4f) {
  if (m >= P.M || n >= P.N) { return; }
  let row = P.yOffset + m * P.yStride;
  var sum = value;
  if (P.addResidual == 1u) { sum += residual4(row, n, P.N); }
  put_y4(row, n, P.N, sum);
}
