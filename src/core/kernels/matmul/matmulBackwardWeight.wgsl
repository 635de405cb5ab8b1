// dWeight[z, n, k] = Σ over the segments of group z of (Σ_t dy[t, n] x[t, k])^power, t in the segment.
// One kernel, four uses: power 1 is the gradient (any segments, one group, or one group per row of A);
// power 2 with one segment per sequence is the Fisher of 2512.16245's chart; power 2 with one segment per
// token is its squared-matmul form (Δ²)ᵀ(X²); power 0 takes absolute values, the importance of LED-Merging.
// A thread writes eight rows n of four columns k.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let k = g.x * 4u;
  let n = g.y * 8u;
  if (k >= P.K || n >= P.N) { return; }
  var a0 = vec4f(); var a1 = vec4f(); var a2 = vec4f(); var a3 = vec4f();
  var a4 = vec4f(); var a5 = vec4f(); var a6 = vec4f(); var a7 = vec4f();
  let end = groups[g.z + 1u];
  for (var segment = groups[g.z]; segment < end; segment++) {
    var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
    var s4 = vec4f(); var s5 = vec4f(); var s6 = vec4f(); var s7 = vec4f();
    let stop = segments[segment + 1u];
    for (var t = segments[segment]; t < stop; t++) {
      let v = x4(P.xOffset + t * P.xStride, k, P.K);
      let row = P.dyOffset + t * P.dyStride;
      let lower = dy4(row, n, P.N);
      s0 += lower.x * v; s1 += lower.y * v; s2 += lower.z * v; s3 += lower.w * v;
      let upper = dy4(row, n + 4u, P.N);
      s4 += upper.x * v; s5 += upper.y * v; s6 += upper.z * v; s7 += upper.w * v;
    }
    if (P.power == 2u) {
      a0 += s0 * s0; a1 += s1 * s1; a2 += s2 * s2; a3 += s3 * s3;
      a4 += s4 * s4; a5 += s5 * s5; a6 += s6 * s6; a7 += s7 * s7;
    } else if (P.power == 0u) {
      a0 += abs(s0); a1 += abs(s1); a2 += abs(s2); a3 += abs(s3);
      a4 += abs(s4); a5 += abs(s5); a6 += abs(s6); a7 += abs(s7);
    } else {
      a0 += s0; a1 += s1; a2 += s2; a3 += s3;
      a4 += s4; a5 += s5; a6 += s6; a7 += s7;
    }
  }
  store(g.z, n, k, a0);
  store(g.z, n + 1u, k, a1);
  store(g.z, n + 2u, k, a2);
  store(g.z, n + 3u, k, a3);
  store(g.z, n + 4u, k, a4);
  store(g.z, n + 5u, k, a5);
  store(g.z, n + 6u, k, a6);
  store(g.z, n + 7u, k, a7);
}

fn store(z: u32, n: u32, k: u32, value: vec4f) {
  if (n >= P.N) { return; }
  let row = z * P.outStride + (P.outRow + n) * P.K;
  var sum = value;
  if (P.accumulate == 1u) { sum += dWeight4(row, k, P.K); }
  put_dWeight4(row, k, P.K, sum);
}
