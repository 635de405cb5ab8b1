// dx[m, k] = Σ_n dy[m, n] weight[n, k], added to what is there when P.accumulate is 1.
// A thread writes 8 rows of four columns. dy may have padding columns past N; they are masked.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let k = g.x * 4u;
  let m = g.y * 8u;
  if (k >= P.K || m >= P.M) { return; }
  var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
  var s4 = vec4f(); var s5 = vec4f(); var s6 = vec4f(); var s7 = vec4f();
  let last = P.N - 1u;
  for (var n = 0u; n < P.N; n += 4u) {
    let a = weight4(n * P.K, k, P.K);
    let b = weight4(min(n + 1u, last) * P.K, k, P.K);
    let c = weight4(min(n + 2u, last) * P.K, k, P.K);
    let d = weight4(min(n + 3u, last) * P.K, k, P.K);
    var v = upstream(m, n); s0 += v.x * a + v.y * b + v.z * c + v.w * d;
    v = upstream(m + 1u, n); s1 += v.x * a + v.y * b + v.z * c + v.w * d;
    v = upstream(m + 2u, n); s2 += v.x * a + v.y * b + v.z * c + v.w * d;
    v = upstream(m + 3u, n); s3 += v.x * a + v.y * b + v.z * c + v.w * d;
    v = upstream(m + 4u, n); s4 += v.x * a + v.y * b + v.z * c + v.w * d;
    v = upstream(m + 5u, n); s5 += v.x * a + v.y * b + v.z * c + v.w * d;
    v = upstream(m + 6u, n); s6 += v.x * a + v.y * b + v.z * c + v.w * d;
    v = upstream(m + 7u, n); s7 += v.x * a + v.y * b + v.z * c + v.w * d;
  }
  store(m, k, s0);
  store(m + 1u, k, s1);
  store(m + 2u, k, s2);
  store(m + 3u, k, s3);
  store(m + 4u, k, s4);
  store(m + 5u, k, s5);
  store(m + 6u, k, s6);
  store(m + 7u, k, s7);
}

fn upstream(m: u32, n: u32) -> vec4f {
  let v = dy4(P.dyOffset + min(m, P.M - 1u) * P.dyStride, n, P.N);
  if (n + 4u <= P.N) { return v; }
  return select(vec4f(), v, vec4u(n) + vec4u(0u, 1u, 2u, 3u) < vec4u(P.N));
}

fn store(m: u32, k: u32, value: vec4f) {
  if (m >= P.M) { return; }
  let row = m * P.dxStride;
  var sum = value;
  if (P.accumulate == 1u) { sum += dx4(row, k, P.K); }
  put_dx4(row, k, P.K, sum);
}
